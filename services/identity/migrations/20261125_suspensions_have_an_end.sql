-- Why a guardian is suspended, by whom, and until when. The membership's standing is what refuses; a row here is its history.

create table suspension (
  school_id uuid not null,
  suspension_id uuid not null,
  person_id uuid not null,
  reason text not null check (length(reason) between 1 and 500),
  author_id uuid,
  author_role text not null,
  began_at timestamptz not null,
  -- When it ends by itself; null: a leader ends it.
  ends_at timestamptz check (ends_at > began_at),
  ended_at timestamptz,
  -- The leader who ended it; null when it ended by itself.
  ended_by uuid,
  primary key (school_id, suspension_id),
  foreign key (school_id, person_id) references person (school_id, person_id)
);
create unique index suspension_open_once on suspension (school_id, person_id) where ended_at is null;
create index suspension_due on suspension (ends_at) where ended_at is null;
create index suspension_by_age on suspension (school_id, began_at);
comment on table suspension is 'Suspensions of guardians, with reason and author. retention: as the roster, by the school; legal hold: yes';

alter table suspension enable row level security;
alter table suspension force row level security;
create policy school on suspension
  using (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid))
  with check (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid));
grant select, insert on suspension to $app;
grant update (reason, author_id, author_role, ends_at, ended_at, ended_by) on suspension to $app;

-- The worker learns which suspensions are over and nothing else of any school.
create policy across_schools on suspension for select to $owner using (true);
create function suspensions_over(p_now timestamptz, p_limit integer) returns table (school_id uuid, person_id uuid)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select s.school_id, s.person_id from suspension s
  where s.ended_at is null and s.ends_at <= p_now order by s.ends_at limit p_limit
$$;
revoke all on function suspensions_over from public;
grant execute on function suspensions_over to $worker;
