-- A step of its own: DuckDB does not fill a table in the transaction that altered it.
update post set fingerprint = md5_number_lower(text),
    latest = version = (select max(v.version) from post v where v.id = post.id);
create or replace view current_post as select * exclude (latest, fingerprint) from post where latest;
