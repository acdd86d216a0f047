-- Who belongs to a school, and the feed that tells every other service.
-- Rows that the feed speaks of carry the revision of the fact that was told about them last.

create sequence access_revision;
grant usage on sequence access_revision to $app;

-- A revision is drawn when the row is locked (an update) or new (an insert), so revisions of one thing grow in the order in which
-- its changes came true.
create function draw_revision() returns trigger language plpgsql as $$
begin
  new.revision := nextval('access_revision');
  return new;
end
$$;

create table school (
  school_id uuid primary key,
  revision bigint not null,
  code text not null check (code ~ '^[A-Z][A-Z0-9]{3,7}$'),
  name text not null check (length(name) between 1 and 120),
  country text not null check (country ~ '^[A-Z]{2}$'),
  zone text not null,
  language text not null,
  policy_preset text not null,
  created_at timestamptz not null
);
comment on table school is 'A school of this installation. retention: until the school leaves; legal hold: no';

create table school_code (
  code text primary key,
  school_id uuid not null unique references school (school_id)
);
comment on table school_code is 'Finds a school by its code. tenant: none, because it is asked before any school is known. retention: until the school leaves; legal hold: no';

create table person (
  school_id uuid not null references school (school_id),
  person_id uuid not null,
  revision bigint not null,
  display_name text not null check (length(display_name) between 1 and 120),
  first_name text not null check (length(first_name) between 1 and 60),
  language text not null,
  -- Grows with each edit; the ETag of `Me`.
  version integer not null default 1,
  created_at timestamptz not null,
  primary key (school_id, person_id)
);
comment on table person is 'A person as one school knows them, with or without an account. retention: as the roster, by the school; legal hold: yes';

create table contact (
  school_id uuid not null,
  person_id uuid not null,
  email text not null check (length(email) between 3 and 254),
  primary key (school_id, person_id),
  foreign key (school_id, person_id) references person (school_id, person_id)
);
comment on table contact is 'Where a person can be reached; exists before any account. retention: as the roster, by the school; legal hold: yes';

create table membership (
  school_id uuid not null,
  person_id uuid not null,
  role text not null check (role in ('guardian', 'pupil', 'teacher', 'assistant', 'specialist', 'leader', 'safeguarding', 'office')),
  revision bigint not null,
  standing text not null check (standing in ('active', 'suspended', 'ended')),
  -- Tokens with a lower epoch are refused.
  epoch integer not null default 1,
  primary key (school_id, person_id, role),
  foreign key (school_id, person_id) references person (school_id, person_id)
);
comment on table membership is 'One person in one role. retention: as the roster, by the school; legal hold: yes';

create table school_class (
  school_id uuid not null references school (school_id),
  class_id uuid not null,
  revision bigint not null,
  name text not null check (length(name) between 1 and 60),
  archived boolean not null default false,
  primary key (school_id, class_id)
);
comment on table school_class is 'A class. retention: as the roster, by the school; legal hold: no';

create table enrolment (
  school_id uuid not null,
  class_id uuid not null,
  pupil_id uuid not null,
  revision bigint not null,
  ended boolean not null default false,
  primary key (school_id, class_id, pupil_id),
  foreign key (school_id, class_id) references school_class (school_id, class_id),
  foreign key (school_id, pupil_id) references person (school_id, person_id)
);
create index enrolment_of_pupil on enrolment (school_id, pupil_id);
comment on table enrolment is 'A pupil in a class. retention: as the roster, by the school; legal hold: yes';

create table seat (
  school_id uuid not null references school (school_id),
  seat_id uuid not null,
  revision bigint not null,
  kind text not null check (kind in ('class_teacher', 'specialist', 'leaders', 'office')),
  class_id uuid,
  subject text not null default '' check (length(subject) <= 60),
  primary key (school_id, seat_id),
  unique nulls not distinct (school_id, kind, class_id, subject),
  foreign key (school_id, class_id) references school_class (school_id, class_id),
  check ((kind in ('class_teacher', 'specialist')) = (class_id is not null)),
  check ((kind = 'specialist') = (subject <> ''))
);
comment on table seat is 'A place on the staff that families write to; outlives its holders. retention: as the roster, by the school; legal hold: no';

create table seat_holder (
  school_id uuid not null,
  seat_id uuid not null,
  person_id uuid not null,
  revision bigint not null,
  ended boolean not null default false,
  primary key (school_id, seat_id, person_id),
  foreign key (school_id, seat_id) references seat (school_id, seat_id),
  foreign key (school_id, person_id) references person (school_id, person_id)
);
create index seat_holder_of_person on seat_holder (school_id, person_id);
comment on table seat_holder is 'Who holds a seat. retention: as the roster, by the school; legal hold: yes';

create table guardianship (
  school_id uuid not null,
  link_id uuid not null,
  pupil_id uuid not null,
  person_id uuid not null,
  revision bigint not null,
  relationship text not null check (length(relationship) between 1 and 60),
  ended boolean not null default false,
  primary key (school_id, link_id),
  foreign key (school_id, pupil_id) references person (school_id, person_id),
  foreign key (school_id, person_id) references person (school_id, person_id),
  check (pupil_id <> person_id)
);
create unique index guardianship_active_once on guardianship (school_id, pupil_id, person_id) where not ended;
create index guardianship_of_person on guardianship (school_id, person_id);
comment on table guardianship is 'The link between a pupil and an adult of the family; a new one for each time it holds. retention: as the roster, by the school; legal hold: yes';

create table access_change (
  school_id uuid not null references school (school_id),
  change_id uuid not null,
  revision bigint not null,
  -- Drawn while the writer holds the changed row: order among changes of one thing. Never used as a reading cursor.
  ordinal bigint generated always as identity,
  -- Given after commit by the one sequencer, without gaps: safe to read by.
  position bigint,
  fact bytea not null,
  changed_at timestamptz not null,
  primary key (school_id, change_id)
);
create index access_change_waiting on access_change (ordinal) where position is null;
create unique index access_change_in_order on access_change (position) where position is not null;
create index access_change_by_age on access_change (school_id, changed_at);
comment on table access_change is 'Every fact told to the other services, in order; a service may resume from any position. retention: until the school leaves; legal hold: no';

create table feed_head (
  only_row boolean primary key default true check (only_row),
  position bigint not null default 0
);
insert into feed_head default values;
comment on table feed_head is 'The last position given. tenant: none, because the feed is one for all schools. retention: always; legal hold: no';

do $$
declare
  t text;
begin
  foreach t in array array['school', 'person', 'membership', 'school_class', 'enrolment', 'seat', 'seat_holder', 'guardianship'] loop
    execute format('create trigger revision before insert or update on %I for each row execute function draw_revision()', t);
  end loop;
  foreach t in array array['school', 'person', 'contact', 'membership', 'school_class', 'enrolment', 'seat', 'seat_holder',
                           'guardianship', 'access_change'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format(
      'create policy school on %I using (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid)) '
      'with check (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid))', t);
  end loop;
  foreach t in array array['school', 'person', 'contact', 'membership', 'school_class', 'enrolment', 'seat', 'seat_holder',
                           'guardianship'] loop
    execute format('grant select, insert, update on %I to $app', t);
  end loop;
end
$$;
grant select, insert on access_change to $app;
grant select on feed_head to $app;
grant select, insert on school_code to $app;

-- The feed is one for all schools; only the two functions below look across them.
create policy across_schools on access_change to $owner using (true) with check (true);

-- Gives positions to committed changes in order. Nothing (0) unless the caller still holds the sequencer's lease with its fence: a
-- sequencer that was frozen past its lease and wakes numbers nothing.
create function number_changes(p_holder text, p_fence bigint, p_limit integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_last bigint;
  v_numbered integer;
begin
  perform 1 from lease
    where name = 'sequencer/feed' and holder = p_holder and fence = p_fence and expires_at > clock_timestamp() for share;
  if not found then
    return 0;
  end if;
  select position into v_last from feed_head for update;
  update access_change c set position = v_last + w.place
    from (select school_id, change_id, row_number() over (order by ordinal) as place
          from (select school_id, change_id, ordinal from access_change where position is null order by ordinal limit p_limit) b) w
    where c.school_id = w.school_id and c.change_id = w.change_id;
  get diagnostics v_numbered = row_count;
  if v_numbered > 0 then
    update feed_head set position = v_last + v_numbered;
  end if;
  return v_numbered;
end
$$;
revoke all on function number_changes from public;
grant execute on function number_changes to $worker;

-- What comes after a position, with the head of the feed; one row with nulls when nothing does. A committed change that waits for its
-- number counts into the head: while the sequencer is away nobody is told that they have heard everything.
create function read_changes(p_after bigint, p_limit integer)
returns table (head bigint, "position" bigint, fact bytea)
language sql stable security definer set search_path = pg_catalog, public as $$
  select h.position + (select count(*) from (select from access_change where position is null limit 1) w), c.position, c.fact
  from feed_head h
  left join lateral (select a.position, a.fact from access_change a where a.position > p_after order by a.position limit p_limit) c
    on true
  order by c.position
$$;
revoke all on function read_changes from public;
grant execute on function read_changes to $app;
