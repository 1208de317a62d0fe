-- What coders reported as missed by the redactor: sealed under a key of its own, and looked for in every later text.
create table learned (
    "case" text not null, proof text not null, type text not null, value blob not null, since timestamp not null);
