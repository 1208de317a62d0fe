-- What the second redaction made of a text: nothing (null), or another text. The mark is a digest of the text and of the
-- redactor that looked at it, so it holds for exactly that text and that redactor.
create table second_pass (post text not null, version integer not null, mark blob not null, text text);
