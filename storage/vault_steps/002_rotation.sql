create table rotation ("case" text not null, number integer not null, done timestamp not null);
