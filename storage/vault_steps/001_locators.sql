-- Where a stored post is on its platform. The only file that holds native ids; it has a key of its own.
create table locator (
    post text not null, "case" text not null, source text not null, platform text not null, native text not null,
    collected timestamp not null, checked timestamp);
