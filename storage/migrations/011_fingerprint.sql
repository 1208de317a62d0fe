-- A fingerprint of a post's words, to tell an edit from a repetition. One alteration a step: DuckDB refuses two
-- of one table in one transaction when the table holds rows.
alter table post add column fingerprint ubigint;
