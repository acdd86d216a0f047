-- The policy of a school, version by version (POL-2), and what narrows or widens it for one person (POL-3, POL-4).

create table policy_version (
  school_id uuid not null references school (school_id),
  number integer not null check (number >= 1),
  revision bigint not null,
  -- YAML as it was written, comments included.
  document text not null check (octet_length(document) <= 262144),
  -- The same as JSON, every setting with its effective value: what the feed tells.
  data text not null,
  author_id uuid,
  author_role text not null,
  reason text not null check (char_length(reason) between 1 and 500),
  made_at timestamptz not null,
  counts_from timestamptz not null check (counts_from >= made_at),
  primary key (school_id, number)
);
comment on table policy_version is 'Every version of a school''s policy. retention: until the school leaves; legal hold: no';

create table own_hours (
  school_id uuid not null,
  person_id uuid not null,
  revision bigint not null,
  -- JSON in the form the policy has for a week; empty when the school's hours are kept.
  week text not null check (octet_length(week) <= 8192),
  version integer not null default 1,
  primary key (school_id, person_id),
  foreign key (school_id, person_id) references person (school_id, person_id)
);
comment on table own_hours is 'Hours to which a member of staff narrowed the school''s. retention: as the roster, by the school; legal hold: no';

create table break_glass (
  school_id uuid not null,
  person_id uuid not null,
  role text not null,
  revision bigint not null,
  until timestamptz not null,
  primary key (school_id, person_id, role),
  foreign key (school_id, person_id) references person (school_id, person_id)
);
comment on table break_glass is 'Who came in outside hours for a reason, until when; the reason is in the record. retention: as the roster, by the school; legal hold: yes';

do $$
declare
  t text;
begin
  foreach t in array array['policy_version', 'own_hours', 'break_glass'] loop
    execute format('create trigger revision before insert or update on %I for each row execute function draw_revision()', t);
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format(
      'create policy school on %I using (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid)) '
      'with check (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid))', t);
  end loop;
end
$$;
grant select, insert on policy_version to $app;
grant select, insert, update on own_hours, break_glass to $app;

-- The names under which every service keeps them, here on the truth itself: one code reads both.
create view known_policy with (security_invoker = true) as
  select school_id, number, revision, data as document, made_at, counts_from, author_id from policy_version;
create view known_own_hours with (security_invoker = true) as select school_id, person_id, revision, week from own_hours;
create view known_break_glass with (security_invoker = true) as select school_id, person_id, role, revision, until from break_glass;
grant select on known_policy, known_own_hours, known_break_glass to $app;
