-- Which version of a post is the current one: asked for every batch that comes in and every page that is read,
-- so it is a column and not a question over all versions.
alter table post add column latest boolean default true;
