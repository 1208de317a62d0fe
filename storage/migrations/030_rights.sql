-- How often the pseudonyms of a case have been made anew, so that an interrupted rotation is finished, not repeated.
create table rotation ("case" text not null, number integer not null, done timestamp not null);
