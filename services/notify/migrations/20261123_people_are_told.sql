-- What people are told, by which channel, and how far each mail has come. Ids only: nobody's words and no names.

-- The newest content heard of in each thread: who may read a thread is asked of its owner by a content in it.
create table known_thread (
  school_id uuid not null,
  thread_id uuid not null,
  kind text not null,
  content_id uuid not null,
  primary key (school_id, thread_id)
);
comment on table known_thread is 'The newest content of a thread. retention: as its owner, rebuilt from events; legal hold: no';

-- The in-app item, and the one fact that somebody is told of an event at all (NTF-3): its key makes a repeated event harmless.
create table notification (
  school_id uuid not null,
  person_id uuid not null,
  event_id uuid not null,
  notification_id uuid not null,
  kind text not null check (kind in ('message')),
  -- The roles in which the person may read it: somebody who is teacher and parent sees each side only in its role (ID-10).
  roles text[] not null,
  thread_id uuid not null,
  content_id uuid not null,
  author_id uuid not null,
  -- The content's place in its thread, when its owner told it.
  seq bigint,
  created_at timestamptz not null,
  seen_at timestamptz,
  primary key (school_id, person_id, event_id),
  unique (school_id, notification_id)
);
create index notification_newest on notification (school_id, person_id, created_at desc, notification_id desc);
create index notification_unseen on notification (school_id, person_id, thread_id) where seen_at is null;
create index notification_by_age on notification (created_at);
comment on table notification is 'In-app items. retention: 365 days, job forget_old_rows; legal hold: no';

create table delivery (
  school_id uuid not null,
  person_id uuid not null,
  event_id uuid not null,
  channel text not null check (channel in ('email')),
  delivery_id uuid not null,
  state text not null check (state in ('waiting', 'sending', 'sent', 'cancelled', 'failed', 'dead')),
  reason text,
  attempts smallint not null default 0,
  due_at timestamptz not null,
  -- Which process works on it, and until when nobody else may.
  holder text,
  claimed_until timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (school_id, person_id, event_id, channel),
  unique (school_id, delivery_id),
  foreign key (school_id, person_id, event_id) references notification on delete cascade
);
create index delivery_due on delivery (due_at) where state in ('waiting', 'sending', 'failed');
create index delivery_newest on delivery (school_id, created_at desc, delivery_id desc);
comment on table delivery is 'One channel of one notification. retention: with its notification, 365 days; legal hold: no';

create table preference (
  school_id uuid not null,
  person_id uuid not null,
  kind text not null check (kind in ('message')),
  email boolean not null,
  version integer not null,
  changed_at timestamptz not null,
  primary key (school_id, person_id, kind)
);
comment on table preference is 'Which channels a person wants. retention: while the person is known; legal hold: no';

-- One link per mail, kept as a hash: who reads this table can unsubscribe nobody.
create table unsubscribe_link (
  school_id uuid not null,
  token_hash bytea not null,
  person_id uuid not null,
  kind text not null check (kind in ('message')),
  created_at timestamptz not null,
  primary key (school_id, token_hash)
);
create index unsubscribe_link_by_hash on unsubscribe_link (token_hash);
create index unsubscribe_link_by_age on unsubscribe_link (created_at);
comment on table unsubscribe_link is 'Unsubscribe links in mails sent. retention: 365 days, job forget_old_rows; legal hold: no';

create table online (
  school_id uuid not null,
  person_id uuid not null,
  role text not null,
  until timestamptz not null,
  primary key (school_id, person_id, role)
);
create index online_by_age on online (until);
comment on table online is 'Who has a live stream open just now. retention: 1 day, job forget_old_rows; legal hold: no';

-- The last number given to a person. Its row lock makes numbers gapless and their order the order of commit.
create table stream_head (
  school_id uuid not null,
  person_id uuid not null,
  number bigint not null,
  primary key (school_id, person_id)
);
comment on table stream_head is 'The last number of each live stream. retention: while the person is known; legal hold: no';

create table stream_event (
  school_id uuid not null,
  person_id uuid not null,
  number bigint not null,
  event_id uuid not null,
  kind text not null check (kind in ('message', 'read', 'translation')),
  roles text[] not null,
  thread_id uuid not null,
  content_id uuid,
  -- Who did it: the author of a message, the reader of a receipt.
  actor_id uuid,
  seq bigint,
  language text,
  at timestamptz not null,
  primary key (school_id, person_id, number),
  unique (school_id, person_id, event_id),
  foreign key (school_id, person_id) references stream_head
);
create index stream_event_by_age on stream_event (at);
comment on table stream_event is 'What live streams resume from. retention: 24 hours, job forget_old_rows; legal hold: no';

do $$
declare
  t text;
begin
  foreach t in array array['known_thread', 'notification', 'delivery', 'preference', 'unsubscribe_link', 'online', 'stream_head',
                           'stream_event'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format(
      'create policy school on %I using (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid)) '
      'with check (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid))', t);
  end loop;
  -- The functions below, which are the owner's, work across schools on these tables and on no others.
  foreach t in array array['notification', 'delivery', 'unsubscribe_link', 'online', 'stream_event'] loop
    execute format('create policy across_schools on %I to $owner using (true) with check (true)', t);
  end loop;
end
$$;
grant select, insert, update on known_thread, notification, delivery, preference, online, stream_head to $app;
grant select, insert on stream_event, unsubscribe_link to $app;

-- Takes deliveries that are due for one process: no two get the same one, and what a dead process had comes back when its time is
-- over. The instant is the caller's, so that tests can move it.
create function claim_due_deliveries(p_now timestamptz, p_limit integer, p_holder text, p_seconds double precision)
returns table (school_id uuid, delivery_id uuid)
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
  update delivery d set holder = p_holder, claimed_until = p_now + make_interval(secs => p_seconds)
  from (
    select w.school_id, w.delivery_id from delivery w
    where w.state in ('waiting', 'sending', 'failed') and w.due_at <= p_now and (w.claimed_until is null or w.claimed_until <= p_now)
    order by w.due_at limit p_limit for update skip locked
  ) due
  where d.school_id = due.school_id and d.delivery_id = due.delivery_id
  returning d.school_id, d.delivery_id
$$;
revoke all on function claim_due_deliveries from public;
grant execute on function claim_due_deliveries to $worker;

-- Whose link this is. The hash of a 128-bit secret names its school: nobody can ask without having the link.
create function find_unsubscribe_link(p_hash bytea) returns table (school_id uuid, person_id uuid, kind text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select l.school_id, l.person_id, l.kind from unsubscribe_link l where l.token_hash = p_hash
$$;
revoke all on function find_unsubscribe_link from public;
grant execute on function find_unsubscribe_link to $app;

-- Removes what is past its retention, at most so many rows of each kind; gives how many went.
create function forget_old_rows(p_now timestamptz, p_limit integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_gone bigint := 0;
  v_count bigint;
begin
  delete from stream_event where ctid = any(array(
    select e.ctid from stream_event e where e.at < p_now - interval '24 hours' limit p_limit));
  get diagnostics v_count = row_count;
  v_gone := v_gone + v_count;
  delete from notification where ctid = any(array(
    select n.ctid from notification n where n.created_at < p_now - interval '365 days' limit p_limit));
  get diagnostics v_count = row_count;
  v_gone := v_gone + v_count;
  delete from unsubscribe_link where ctid = any(array(
    select l.ctid from unsubscribe_link l where l.created_at < p_now - interval '365 days' limit p_limit));
  get diagnostics v_count = row_count;
  v_gone := v_gone + v_count;
  delete from online where ctid = any(array(
    select o.ctid from online o where o.until < p_now - interval '1 day' limit p_limit));
  get diagnostics v_count = row_count;
  return v_gone + v_count;
end
$$;
revoke all on function forget_old_rows from public;
grant execute on function forget_old_rows to $worker;
