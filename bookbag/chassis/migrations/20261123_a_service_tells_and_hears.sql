-- The infrastructure every service database has: outbox, leases, what consumers did, idempotency, limits, the record.
-- $app and $worker are the service's own roles. The worker sees these tables across schools and no others.

create table outbox (
  school_id uuid not null,
  event_id uuid not null,
  bucket smallint not null,
  -- Drawn while the writer holds its aggregate's lock: order among events of one key. Never used as a reading cursor.
  ordinal bigint generated always as identity,
  topic text not null,
  key uuid not null,
  type text not null,
  payload bytea not null,
  sequence bigint,
  trace text,
  occurred_at timestamptz not null,
  -- Given by the one relay that holds the bucket, after commit and without gaps: safe to read by.
  position bigint,
  published_at timestamptz,
  primary key (school_id, event_id)
);
create index outbox_waiting on outbox (bucket, ordinal) where published_at is null;
create unique index outbox_in_order on outbox (bucket, position) where position is not null;
create index outbox_by_age on outbox (published_at) where published_at is not null;
comment on table outbox is 'Events told by this service. retention: 7 days after publication, job purge_infrastructure; legal hold: no';

create table outbox_head (
  bucket smallint primary key,
  position bigint not null default 0
);
insert into outbox_head (bucket) select generate_series(0, 63);
comment on table outbox_head is 'The last position given in each bucket. retention: always; legal hold: no';

create table lease (
  name text primary key,
  holder text not null,
  fence bigint not null,
  expires_at timestamptz not null
);
comment on table lease is 'Who holds which piece of work, by the clock of the database. retention: always; legal hold: no';

create table bus_offset (
  consumer text not null,
  topic text not null,
  bucket smallint not null,
  position bigint not null,
  primary key (consumer, topic, bucket)
);
comment on table bus_offset is 'How far each consumer has read this outbox when it is the bus. retention: always; legal hold: no';

create table processed (
  school_id uuid not null,
  consumer text not null,
  event_id uuid not null,
  processed_at timestamptz not null default clock_timestamp(),
  primary key (school_id, consumer, event_id)
);
create index processed_by_age on processed (processed_at);
comment on table processed is 'Events whose effect is committed. retention: 30 days, job purge_infrastructure; legal hold: no';

create table attempt (
  school_id uuid not null,
  consumer text not null,
  event_id uuid not null,
  attempts smallint not null,
  last_at timestamptz not null default clock_timestamp(),
  primary key (school_id, consumer, event_id)
);
comment on table attempt is 'Attempts counted before handling. retention: 30 days, job purge_infrastructure; legal hold: no';

create table parked_record (
  school_id uuid not null,
  consumer text not null,
  event_id uuid not null,
  ordinal bigint generated always as identity,
  topic text not null,
  bucket smallint not null,
  key uuid not null,
  type text not null,
  payload bytea not null,
  sequence bigint,
  trace text,
  occurred_at timestamptz not null,
  attempts smallint not null default 0,
  error text,
  due_at timestamptz not null default clock_timestamp(),
  primary key (school_id, consumer, event_id)
);
create index parked_in_order on parked_record (consumer, topic, bucket, ordinal);
comment on table parked_record is 'Records waiting behind one that failed, in order per key. retention: until handled or dead-lettered; legal hold: no';

create table dead_letter (
  school_id uuid not null,
  consumer text not null,
  event_id uuid not null,
  topic text not null,
  bucket smallint not null,
  key uuid not null,
  type text not null,
  payload bytea not null,
  sequence bigint,
  trace text,
  occurred_at timestamptz not null,
  attempts smallint not null,
  error text not null,
  died_at timestamptz not null default clock_timestamp(),
  primary key (school_id, consumer, event_id)
);
comment on table dead_letter is 'Records given up on, until an operator replays or drops them. retention: until an operator decides; legal hold: no';

create table idempotency (
  school_id uuid not null,
  person_id uuid not null,
  key text not null,
  fingerprint bytea not null,
  answer jsonb,
  created_at timestamptz not null default clock_timestamp(),
  primary key (school_id, person_id, key)
);
create index idempotency_by_age on idempotency (created_at);
comment on table idempotency is 'Answers given under an Idempotency-Key. retention: 7 days, job purge_infrastructure; legal hold: no';

create table limit_counter (
  name text not null,
  key bytea not null,
  starts_at timestamptz not null,
  taken integer not null,
  primary key (name, key, starts_at)
);
comment on table limit_counter is 'Tries counted while the cache is away. retention: 2 days, job purge_infrastructure; legal hold: no';

create table audit_head (
  school_id uuid not null,
  seq bigint not null,
  hash bytea not null,
  primary key (school_id)
);
comment on table audit_head is 'The end of each school''s chain. retention: always; legal hold: yes';

create table audit_entry (
  school_id uuid not null,
  seq bigint not null,
  at timestamptz not null,
  actor_id uuid,
  role text not null,
  act text not null,
  object_kind text not null,
  object_id uuid,
  reason text not null,
  previous_hash bytea not null,
  hash bytea not null,
  primary key (school_id, seq)
);
comment on table audit_entry is 'Who did what to whom, hash-chained per school. retention: 7 years, by the school; legal hold: yes';

do $$
declare
  t text;
begin
  foreach t in array array['outbox', 'processed', 'attempt', 'parked_record', 'dead_letter', 'idempotency', 'audit_head', 'audit_entry'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format(
      'create policy school on %I using (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid)) '
      'with check (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid))', t);
  end loop;
  foreach t in array array['outbox', 'processed', 'attempt', 'parked_record', 'dead_letter', 'idempotency'] loop
    execute format('create policy across_schools on %I to $worker using (true) with check (true)', t);
  end loop;
end
$$;

-- The hot path and handlers write here inside a school's transaction; nothing else is theirs to change.
revoke all on outbox, outbox_head, lease, bus_offset, processed, attempt, parked_record, dead_letter, idempotency, limit_counter,
  audit_head, audit_entry from $app;
grant insert on outbox to $app;
grant select, insert on processed to $app;
grant select, insert, update on idempotency to $app;
grant select, insert, update on limit_counter to $app;
grant select, insert, update, delete on outbox, outbox_head, lease, bus_offset, processed, attempt, parked_record, dead_letter,
  idempotency, limit_counter to $worker;

-- A lease is taken when free or ended, by the clock of the database; each taking raises the fence.
create function take_leases(p_names text[], p_holder text, p_seconds double precision) returns table (name text, fence bigint)
language sql as $$
  insert into lease as l (name, holder, fence, expires_at)
  select n, p_holder, 1, clock_timestamp() + make_interval(secs => p_seconds) from unnest(p_names) n order by n
  on conflict (name) do update
    set holder = excluded.holder, fence = l.fence + 1, expires_at = excluded.expires_at
    where l.expires_at < clock_timestamp()
  returning l.name, l.fence
$$;

-- Gives positions to events that the bus has accepted. Refused (false) unless the caller still holds the bucket with its fence:
-- a relay that was frozen past its lease and wakes changes nothing.
create function mark_published(p_bucket smallint, p_lease text, p_holder text, p_fence bigint, p_events uuid[]) returns boolean
language plpgsql as $$
declare
  v_last bigint;
begin
  perform 1 from lease where name = p_lease and holder = p_holder and fence = p_fence and expires_at > clock_timestamp() for share;
  if not found then
    return false;
  end if;
  update outbox_head set position = position + cardinality(p_events) where bucket = p_bucket returning position into v_last;
  update outbox o set position = v_last - cardinality(p_events) + e.place, published_at = clock_timestamp()
    from unnest(p_events) with ordinality e (event_id, place)
    where o.event_id = e.event_id and o.bucket = p_bucket and o.published_at is null;
  return true;
end
$$;

-- The only way into the record: one row at the end of the school's chain, in the transaction of the act itself.
create function append_audit(
  p_school uuid, p_at timestamptz, p_actor uuid, p_role text, p_act text, p_object_kind text, p_object uuid, p_reason text
) returns bigint
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_head audit_head;
  v_hash bytea;
begin
  if p_school is distinct from nullif(current_setting('bookbag.school', true), '')::uuid then
    raise exception 'the record of another school' using errcode = 'insufficient_privilege';
  end if;
  insert into audit_head (school_id, seq, hash) values (p_school, 0, '\x') on conflict do nothing;
  select * into v_head from audit_head where school_id = p_school for update;
  v_hash := sha256(v_head.hash || convert_to(jsonb_build_array(
    v_head.seq + 1, p_school, extract(epoch from p_at)::text, p_actor, p_role, p_act, p_object_kind, p_object, p_reason)::text, 'UTF8'));
  insert into audit_entry (school_id, seq, at, actor_id, role, act, object_kind, object_id, reason, previous_hash, hash)
  values (p_school, v_head.seq + 1, p_at, p_actor, p_role, p_act, p_object_kind, p_object, p_reason, v_head.hash, v_hash);
  update audit_head set seq = v_head.seq + 1, hash = v_hash where school_id = p_school;
  return v_head.seq + 1;
end
$$;
revoke all on function append_audit from public;
grant execute on function append_audit to $app;
