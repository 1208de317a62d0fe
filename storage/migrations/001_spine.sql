-- Posts are append-only: an edit is a new version. Texts hold labels, never a person. All times are UTC.
create table run (
    id text not null, "case" text not null, source text not null, collector text not null, version text not null,
    settings text not null, started timestamp not null, ended timestamp, counts text not null);
create table post (
    id text not null, version integer not null, "case" text not null, platform text not null, source text not null,
    author text not null, text text not null, thread text not null, reply_to text, mentions text[] not null,
    created timestamp not null, edited timestamp, collected_at timestamp not null, language text,
    kind text not null, media text[] not null, run text not null);
create table disclosure (post text not null, version integer not null, type text not null, count integer not null);
create table label ("case" text not null, thread text not null, digest text not null, label text not null);
create table cursor ("case" text not null, source text not null, state blob not null, updated timestamp not null);
create table suppressed ("case" text not null, digest text not null, since timestamp not null);

-- A coder, human or not, is a coding; `coded` holds what it has seen, codes or none.
create table coding (
    id text not null, coder text not null, name text not null, version text not null, codebook text not null,
    settings text not null, started timestamp not null);
create table coded (coding text not null, post text not null, version integer not null);
create table annotation (
    coding text not null, post text not null, version integer not null, code text not null, score double not null,
    "start" integer, "end" integer, rule text not null);

-- Samples keep the probability with which each post was drawn; decisions make gold.
create table sample (
    id text not null, "case" text not null, design text not null, size integer not null, seed bigint not null,
    settings text not null, drawn timestamp not null);
create table sample_item (
    sample text not null, post text not null, version integer not null, position integer not null,
    probability double not null, stratum text not null);
create table decision (
    post text not null, version integer not null, code text not null, present boolean not null,
    decided_by text not null, reason text not null, decided timestamp not null);
create table quote (
    post text not null, version integer not null, "start" integer not null, "end" integer not null, paraphrase text not null,
    approved_by text not null, approved timestamp not null);

create view current_post as
    select * from post qualify row_number() over (partition by id order by version desc) = 1;
