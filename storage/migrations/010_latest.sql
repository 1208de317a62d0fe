-- Which version of a post is the current one, and a fingerprint of its words: both asked for every batch that
-- comes in and every page that is read, so they are columns and not a question over all versions.
alter table post add column latest boolean default true;
alter table post add column fingerprint ubigint;
update post set fingerprint = md5_number_lower(text),
    latest = version = (select max(v.version) from post v where v.id = post.id);
create or replace view current_post as select * exclude (latest, fingerprint) from post where latest;
