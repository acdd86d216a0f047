-- Whoever is alerted to what was said about a child's safety and reads it is on the school's record (PRV-4). A page is asked for in
-- several parts and again with every change, so a reading counts for a while: this row, written with the entry, says since when.

create table safety_reading (
  school_id uuid not null,
  person_id uuid not null,
  role text not null,
  pupil_id uuid not null,
  at timestamptz not null,
  primary key (school_id, person_id, role, pupil_id)
);
comment on table safety_reading is 'Since when a reading about a child''s safety counts. retention: while the person is known; legal hold: no';

alter table safety_reading enable row level security;
alter table safety_reading force row level security;
create policy school on safety_reading using (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid))
  with check (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid));
grant select, insert on safety_reading to $app;
grant update (at) on safety_reading to $app;
