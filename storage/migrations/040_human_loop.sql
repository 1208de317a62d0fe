-- Which posts a sample could have drawn, and with what probability: what its estimates speak of.
create table sample_frame (sample text not null, post text not null, probability double not null);
-- Who codes which post of a sample; a post with several coders is coded independently by each.
create table sample_coder (sample text not null, post text not null, coder text not null);
-- A coder's remark on a post, as she wrote it (redacted before it is kept).
create table coder_note (coding text not null, post text not null, note text not null);
