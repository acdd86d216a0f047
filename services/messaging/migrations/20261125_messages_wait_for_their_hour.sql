-- A message that the school's rules let wait is accepted and durable, and nobody but its author knows of it until its hour (MSG-5).

alter table message add column answer_by timestamptz;
-- The roles that are told at once and may read this very message; null for every message that is not about a child's safety (MSG-15).
alter table message add column alerts text[];
create index message_about_safety on message (school_id, thread_id, seq) where alerts is not null;

create table held_message (
  school_id uuid not null,
  -- The id it keeps when it is released.
  message_id uuid not null,
  thread_id uuid not null,
  -- The order in which messages were accepted, in which they are released.
  place bigint generated always as identity,
  author_id uuid not null,
  author_side text not null check (author_side in ('staff', 'family')),
  author_role text not null
    check (author_role in ('guardian', 'teacher', 'assistant', 'specialist', 'leader', 'safeguarding', 'office')),
  language text not null check (char_length(language) between 2 and 35),
  text text not null check (char_length(text) <= 4000),
  accepted_at timestamptz not null,
  -- What its author was told; null where the calendar knows no opening.
  visible_at timestamptz,
  answer_by timestamptz,
  reasons text[] not null,
  -- When it is looked at: at its hour, or earlier when the rules change.
  look_at timestamptz not null,
  -- stopped: its author had no right to the thread any more when its hour came.
  state text not null default 'held' check (state in ('held', 'withdrawn', 'stopped')),
  ended_at timestamptz,
  trace text,
  primary key (school_id, message_id),
  foreign key (school_id, thread_id) references thread (school_id, thread_id),
  check ((state = 'withdrawn') = (text = '')),
  check ((state = 'held') = (ended_at is null)),
  check ((author_side = 'family') = (author_role = 'guardian'))
);
create index held_message_due on held_message (look_at) where state = 'held';
create index held_message_of_thread on held_message (school_id, thread_id, place) where state = 'held';
create index held_message_of_author on held_message (school_id, author_id, author_role, place);
comment on table held_message is 'What waits for its hour, withdrawn and stopped ones included. retention: as thread, a released one goes on as message; legal hold: yes';

alter table held_message enable row level security;
alter table held_message force row level security;
create policy school on held_message using (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid))
  with check (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid));
-- The function below, which is the owner's, finds due ones of all schools.
create policy across_schools on held_message for select to $owner using (true);
grant select, insert, delete on held_message to $app;
-- Words are only ever taken away, when their author withdraws them.
grant update (text, visible_at, answer_by, reasons, look_at, state, ended_at) on held_message to $app;

-- Threads in which something is to be looked at. The instant is the caller's, so that tests can move it.
create function due_held_threads(p_now timestamptz, p_limit integer) returns table (school_id uuid, thread_id uuid)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  select h.school_id, h.thread_id from held_message h
  where h.state = 'held' and h.look_at <= p_now
  group by h.school_id, h.thread_id order by min(h.look_at) limit p_limit
$$;
revoke all on function due_held_threads from public;
grant execute on function due_held_threads to $worker;

-- Who may read a thread: those who may use it, all of it from their first message on; and those whom the school alerts to a message
-- about a child's safety, these messages alone (MSG-15).
create function right_to_read(p_school uuid, p_thread uuid, p_pupil uuid, p_seat uuid, p_person uuid, p_role text)
returns table (side text, visible_from bigint, only_safety boolean)
language sql stable as $$
  with own as (select r.side, r.visible_from from right_in(p_school, p_thread, p_pupil, p_seat, p_person, p_role) r)
  select side, visible_from, false from own
  union all
  select 'staff', 1::bigint, true
  where p_role <> 'guardian' and not exists (select from own) and exists (
    select from message m
    where m.school_id = p_school and m.thread_id = p_thread and m.alerts is not null and p_role = any(m.alerts))
$$;

drop function post_message(uuid, uuid, text, uuid, integer, uuid, uuid, text, text, text, bytea, timestamptz, uuid, smallint, text, text,
  bytea, text);

-- Accept a message, all of it in one round trip: the school is set, then standing, right, who may begin, key, number, message, the
-- sender's own receipt and the event; or, when the caller's rules let it wait (`p_held`), the key and the waiting message. Writes
-- nothing unless every check passes. `state` is sent, held, withdrawn or stopped (`fresh`, or the same request again), not-found,
-- no-conversation, key-reused, or a standing other than active. Rights come before the key, so a lost right gets no old answer.
-- While earlier ones of the thread are due and not released yet, a later one goes behind them, unless it is about safety.
-- `p_begins` are the kinds of seat with which the sender may begin, null for all; `p_answers` those whom they may answer.
-- Whoever runs the code before this one calls it without the parameters that have a default.
create function post_message(
  p_school uuid, p_person uuid, p_role text, p_session uuid, p_epoch integer,
  p_thread uuid, p_message uuid, p_text text, p_language text, p_key text, p_fingerprint bytea, p_now timestamptz,
  p_event uuid, p_bucket smallint, p_topic text, p_type text, p_payload bytea, p_trace text,
  p_held boolean default false, p_visible_at timestamptz default null, p_answer_by timestamptz default null,
  p_reasons text[] default '{}', p_alerts text[] default null, p_begins text[] default null, p_answers text[] default '{}',
  out state text, out message_id uuid, out seq bigint, out sent_at timestamptz, out language text, out version integer,
  out author_name text, out side text, out fresh boolean, out visible_at timestamptz, out answer_by timestamptz, out reasons text[],
  out about_safety boolean
)
language plpgsql as $$
#variable_conflict use_column
declare
  v_standing text;
  v_side text;
  v_name text;
  v_language text;
  v_seq bigint;
  v_kind text;
  v_behind boolean;
begin
  if nullif(current_setting('bookbag.school', true), '')::uuid <> p_school then
    raise exception 'a transaction of another school' using errcode = 'insufficient_privilege';
  end if;
  perform set_config('bookbag.school', p_school::text, true);
  fresh := false;
  select standing_of(p_school, p_person, p_role, p_session, p_epoch) into v_standing;
  if v_standing <> 'active' then
    state := v_standing;
    return;
  end if;

  select r.side, p.display_name, coalesce(p_language, p.language),
      (select s.kind from known_seat s where s.school_id = t.school_id and s.seat_id = t.seat_id),
      p_alerts is null and exists (
        select from held_message h
        where h.school_id = t.school_id and h.thread_id = t.thread_id and h.state = 'held' and h.look_at <= p_now)
    into v_side, v_name, v_language, v_kind, v_behind
    from thread t
    join known_person p on p.school_id = t.school_id and p.person_id = p_person
    cross join lateral right_in(t.school_id, t.thread_id, t.pupil_id, t.seat_id, p_person, p_role) r
    where t.school_id = p_school and t.thread_id = p_thread;
  if not found then
    state := 'not-found';
    return;
  end if;
  author_name := v_name;
  side := v_side;
  if p_begins is not null and p_alerts is null and not v_kind = any(p_begins) and not (v_kind = any(p_answers) and exists (
    select from message m where m.school_id = p_school and m.thread_id = p_thread and m.author_side <> v_side)) then
    state := 'no-conversation';
    return;
  end if;

  insert into idempotency (school_id, person_id, key, fingerprint, answer)
    values (p_school, p_person, p_key, p_fingerprint, jsonb_build_object('message', p_message, 'reasons', p_reasons))
    on conflict do nothing;
  if not found then
    select case when m.message_id is null then h.state else 'sent' end, i.message_id, coalesce(m.seq, 0),
        coalesce(m.sent_at, h.accepted_at), coalesce(m.language, h.language), 1,
        case when m.message_id is null then h.visible_at else m.sent_at end, coalesce(m.answer_by, h.answer_by), i.reasons,
        m.alerts is not null
      into state, message_id, seq, sent_at, language, version, visible_at, answer_by, reasons, about_safety
      from (
        select school_id, (answer ->> 'message')::uuid as message_id,
          array(select jsonb_array_elements_text(coalesce(answer -> 'reasons', '[]'))) as reasons
        from idempotency where school_id = p_school and person_id = p_person and key = p_key and fingerprint = p_fingerprint
      ) i
      left join message m on m.school_id = i.school_id and m.message_id = i.message_id
      left join held_message h on h.school_id = i.school_id and h.message_id = i.message_id
      where m.message_id is not null or h.message_id is not null;
    if not found then
      state := 'key-reused';
    end if;
    return;
  end if;

  fresh := true;
  message_id := p_message;
  sent_at := p_now;
  language := v_language;
  version := 1;
  answer_by := p_answer_by;
  reasons := p_reasons;
  about_safety := p_alerts is not null;
  if p_held or v_behind then
    visible_at := case when p_held then p_visible_at else p_now end;
    insert into held_message (school_id, message_id, thread_id, author_id, author_side, author_role, language, text, accepted_at,
        visible_at, answer_by, reasons, look_at, trace)
      values (p_school, p_message, p_thread, p_person, v_side, p_role, v_language, p_text, p_now, visible_at, p_answer_by, p_reasons,
        least(coalesce(visible_at, p_now + interval '1 day'), (
          select min(k.counts_from) from known_policy k where k.school_id = p_school and k.counts_from > p_now)),
        p_trace);
    state := 'held';
    seq := 0;
    return;
  end if;

  with head as (
    update thread t set head_seq = t.head_seq + 1, head_at = p_now
      where t.school_id = p_school and t.thread_id = p_thread returning t.head_seq
  ), written as (
    insert into message
        (school_id, message_id, thread_id, seq, author_id, author_side, author_role, language, text, sent_at, answer_by, alerts)
      select p_school, p_message, p_thread, head_seq, p_person, v_side, p_role, v_language, p_text, p_now, p_answer_by, p_alerts
      from head
  ), seen as (
    insert into receipt (school_id, thread_id, person_id, side, seq, at)
      select p_school, p_thread, p_person, v_side, head_seq, p_now from head
      on conflict (school_id, thread_id, person_id, side) do update set seq = excluded.seq, at = excluded.at
  ), told as (
    insert into outbox (school_id, event_id, bucket, topic, key, type, payload, sequence, trace, occurred_at)
      select p_school, p_event, p_bucket, p_topic, p_thread, p_type, p_payload || told_language(v_language), head_seq, p_trace, p_now
      from head
  )
  select head_seq into v_seq from head;
  state := 'sent';
  seq := v_seq;
  visible_at := p_now;
end
$$;
