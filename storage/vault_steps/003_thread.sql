-- A refresh asks for a post alone: the thread it stands in is not told again.
alter table locator add column thread text default '';
