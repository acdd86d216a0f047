-- The policy of each school and what narrows or widens it for one person, as identity's access feed tells them (POL-2, POL-3, POL-4).

create table known_policy (
  school_id uuid not null,
  number integer not null,
  revision bigint not null,
  document text not null,
  made_at timestamptz not null,
  counts_from timestamptz not null,
  author_id uuid,
  primary key (school_id, number)
);
comment on table known_policy is 'Every version of a school''s policy, as JSON. retention: as identity, by the feed; legal hold: no';

create table known_own_hours (
  school_id uuid not null,
  person_id uuid not null,
  revision bigint not null,
  week text not null,
  primary key (school_id, person_id)
);
comment on table known_own_hours is 'Hours to which staff narrowed the school''s; empty: none. retention: as identity, by the feed; legal hold: no';

create table known_break_glass (
  school_id uuid not null,
  person_id uuid not null,
  role text not null,
  revision bigint not null,
  until timestamptz not null,
  primary key (school_id, person_id, role)
);
comment on table known_break_glass is 'Who came in outside hours for a reason, until when. retention: as identity, by the feed; legal hold: no';

do $$
declare
  t text;
begin
  foreach t in array array['known_policy', 'known_own_hours', 'known_break_glass'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format(
      'create policy school on %I using (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid)) '
      'with check (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid))', t);
    execute format('grant select, insert, update, delete on %I to $app', t);
  end loop;
end
$$;
