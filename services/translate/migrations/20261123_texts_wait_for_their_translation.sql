-- Which text waits for which language. Never the text itself: that stays with its owner.

create table translation_request (
  school_id uuid not null,
  kind text not null,
  content_id uuid not null,
  target text not null,
  source text not null,
  version integer not null,
  asked_at timestamptz not null,
  -- When it may be tried next; null when it is set aside.
  due_at timestamptz,
  attempts integer not null default 0,
  refusals integer not null default 0,
  told boolean not null default false,
  reason text check (reason in ('no-engine-for-pair', 'engine-unavailable', 'answer-refused', 'too-long')),
  primary key (school_id, kind, content_id, target),
  check (due_at is not null or reason is not null)
);
create index translation_request_due on translation_request (due_at) where due_at is not null;
create index translation_request_aside on translation_request (school_id, source, target) where due_at is null;
create index translation_request_by_age on translation_request (asked_at);
comment on table translation_request is
  'Texts that wait for a translation. retention: until translated, 30 days at most, job forget_old_requests; legal hold: no';

alter table translation_request enable row level security;
alter table translation_request force row level security;
create policy school on translation_request
  using (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid))
  with check (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid));
grant select, insert, update, delete on translation_request to $app;
-- The functions below run as the owner and look across schools; they give ids and language tags, nothing else.
create policy across_schools on translation_request for all to $owner using (true) with check (true);

create function due_requests(p_now timestamptz, p_limit integer)
returns table (school_id uuid, kind text, content_id uuid, target text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select r.school_id, r.kind, r.content_id, r.target from translation_request r
  where r.due_at <= p_now order by r.due_at limit p_limit
$$;

create function pairs_set_aside() returns table (school_id uuid, source text, target text)
language sql stable security definer set search_path = pg_catalog, public as $$
  select distinct r.school_id, r.source, r.target from translation_request r
  where r.due_at is null and r.reason = 'no-engine-for-pair'
$$;

create function schools_with_requests_before(p_before timestamptz) returns table (school_id uuid)
language sql stable security definer set search_path = pg_catalog, public as $$
  select distinct r.school_id from translation_request r where r.asked_at < p_before
$$;

revoke all on function due_requests, pairs_set_aside, schools_with_requests_before from public;
grant execute on function due_requests, pairs_set_aside, schools_with_requests_before to $worker;
