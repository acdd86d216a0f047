-- What this service keeps of identity's access feed. Each row is the newest fact heard about one thing, by revision.

create table feed_state (
  only_row boolean primary key default true check (only_row),
  position bigint,
  heard_at timestamptz not null default '-infinity'
);
insert into feed_state default values;
comment on table feed_state is 'How far this copy is, and when it last heard that it is complete. retention: always; legal hold: no';

create table known_school (
  school_id uuid primary key,
  revision bigint not null,
  code text not null,
  name text not null,
  country text not null,
  zone text not null,
  language text not null,
  policy_preset text not null
);
comment on table known_school is 'A school. retention: as identity, by the feed; legal hold: no';

create table known_person (
  school_id uuid not null,
  person_id uuid not null,
  revision bigint not null,
  display_name text not null,
  first_name text not null,
  language text not null,
  primary key (school_id, person_id)
);
comment on table known_person is 'A person as one school knows them. retention: as identity, by the feed; legal hold: no';

create table known_membership (
  school_id uuid not null,
  person_id uuid not null,
  role text not null,
  revision bigint not null,
  standing text not null check (standing in ('active', 'suspended', 'ended')),
  epoch integer not null,
  primary key (school_id, person_id, role)
);
comment on table known_membership is 'One person in one role. retention: as identity, by the feed; legal hold: no';

create table known_class (
  school_id uuid not null,
  class_id uuid not null,
  revision bigint not null,
  name text not null,
  archived boolean not null,
  primary key (school_id, class_id)
);
comment on table known_class is 'A class. retention: as identity, by the feed; legal hold: no';

create table known_enrolment (
  school_id uuid not null,
  class_id uuid not null,
  pupil_id uuid not null,
  revision bigint not null,
  ended boolean not null,
  primary key (school_id, class_id, pupil_id)
);
create index known_enrolment_of_pupil on known_enrolment (school_id, pupil_id) where not ended;
comment on table known_enrolment is 'A pupil in a class. retention: as identity, by the feed; legal hold: no';

create table known_seat (
  school_id uuid not null,
  seat_id uuid not null,
  revision bigint not null,
  kind text not null,
  class_id uuid,
  subject text not null,
  primary key (school_id, seat_id)
);
create index known_seat_of_class on known_seat (school_id, class_id);
comment on table known_seat is 'A place on the staff that families write to. retention: as identity, by the feed; legal hold: no';

create table known_seat_holder (
  school_id uuid not null,
  seat_id uuid not null,
  person_id uuid not null,
  revision bigint not null,
  ended boolean not null,
  primary key (school_id, seat_id, person_id)
);
create index known_seat_holder_of_person on known_seat_holder (school_id, person_id) where not ended;
comment on table known_seat_holder is 'Who holds a seat. retention: as identity, by the feed; legal hold: no';

create table known_link (
  school_id uuid not null,
  link_id uuid not null,
  revision bigint not null,
  pupil_id uuid not null,
  person_id uuid not null,
  relationship text not null,
  ended boolean not null,
  primary key (school_id, link_id)
);
create index known_link_of_pupil on known_link (school_id, pupil_id) where not ended;
create index known_link_of_person on known_link (school_id, person_id) where not ended;
comment on table known_link is 'The link between a pupil and an adult of the family. retention: as identity, by the feed; legal hold: no';

create table known_ended_session (
  school_id uuid not null,
  session_id uuid not null,
  revision bigint not null,
  ended_at timestamptz not null,
  primary key (school_id, session_id)
);
comment on table known_ended_session is 'Sessions whose tokens are refused. retention: 1 day, by the projector; legal hold: no';

do $$
declare
  t text;
begin
  foreach t in array array['known_school', 'known_person', 'known_membership', 'known_class', 'known_enrolment', 'known_seat',
                           'known_seat_holder', 'known_link', 'known_ended_session'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format(
      'create policy school on %I using (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid)) '
      'with check (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid))', t);
    execute format('grant select, insert, update, delete on %I to $app', t);
  end loop;
end
$$;
grant select, update on feed_state to $app;
grant select on feed_state to $worker;

-- How somebody stands just now: active, suspended, ended (token too old, session ended, no such membership), or unknown because
-- this copy has not heard from identity for thirty seconds.
create function standing_of(p_school uuid, p_person uuid, p_role text, p_session uuid, p_epoch integer) returns text
language sql stable as $$
  select case
    when not exists (select from feed_state where heard_at > clock_timestamp() - interval '30 seconds') then 'unknown'
    when exists (select from known_ended_session where school_id = p_school and session_id = p_session) then 'ended'
    else coalesce((
      select case when epoch > p_epoch then 'ended' else standing end
      from known_membership where school_id = p_school and person_id = p_person and role = p_role), 'ended')
  end
$$;

-- The first statement of every transaction on behalf of a person: the school is set and the standing told in one round trip.
create function begin_call(p_school uuid, p_person uuid, p_role text, p_session uuid, p_epoch integer) returns text
language plpgsql as $$
begin
  perform set_config('bookbag.school', p_school::text, true);
  return standing_of(p_school, p_person, p_role, p_session, p_epoch);
end
$$;
