-- A thread belongs to a child and a seat on the staff; the family takes part through its links to the child (MSG-14).
-- People, seats and links are looked up in the known_ tables of this database, which are a copy: nothing refers to them by key.

create table thread (
  school_id uuid not null,
  thread_id uuid not null,
  pupil_id uuid not null,
  seat_id uuid not null,
  -- The newest message's number. The lock on this row is what makes numbers without gap.
  head_seq bigint not null default 0 check (head_seq >= 0),
  head_at timestamptz not null,
  opened_at timestamptz not null,
  primary key (school_id, thread_id),
  unique (school_id, pupil_id, seat_id)
) with (fillfactor = 70);
create index thread_newest_of_seat on thread (school_id, seat_id, head_at desc, thread_id desc);
comment on table thread is 'A conversation about one child. retention: by the school, until the child has left and its term is over; legal hold: yes';

create table thread_link (
  school_id uuid not null,
  thread_id uuid not null,
  link_id uuid not null,
  person_id uuid not null,
  -- Who joins later does not read what was confided before.
  visible_from_seq bigint not null check (visible_from_seq >= 1),
  primary key (school_id, thread_id, link_id),
  foreign key (school_id, thread_id) references thread (school_id, thread_id)
);
create index thread_link_of_link on thread_link (school_id, link_id);
comment on table thread_link is 'From which message on a guardian''s link reads a thread. retention: as thread; legal hold: yes';

create table message (
  school_id uuid not null,
  message_id uuid not null,
  thread_id uuid not null,
  seq bigint not null check (seq >= 1),
  author_id uuid not null,
  author_side text not null check (author_side in ('staff', 'family')),
  -- A list of who may, so that a pupil is never in it (MSG-11).
  author_role text not null
    check (author_role in ('guardian', 'teacher', 'assistant', 'specialist', 'leader', 'safeguarding', 'office')),
  language text not null check (char_length(language) between 2 and 35),
  text text not null check (char_length(text) between 1 and 4000),
  sent_at timestamptz not null,
  version integer not null default 1 check (version >= 1),
  withdrawn_at timestamptz,
  primary key (school_id, message_id),
  unique (school_id, thread_id, seq),
  foreign key (school_id, thread_id) references thread (school_id, thread_id),
  check ((author_side = 'family') = (author_role = 'guardian'))
);
comment on table message is 'What was written, in its current version. retention: as thread; legal hold: yes';

create table message_version (
  school_id uuid not null,
  message_id uuid not null,
  version integer not null,
  language text not null,
  text text not null,
  replaced_at timestamptz not null,
  primary key (school_id, message_id, version),
  foreign key (school_id, message_id) references message (school_id, message_id)
);
comment on table message_version is 'Earlier versions of a message. retention: as message; legal hold: yes';

create table receipt (
  school_id uuid not null,
  thread_id uuid not null,
  person_id uuid not null,
  -- A teacher whose own child is in the class reads on both sides, each for itself (ID-10).
  side text not null check (side in ('staff', 'family')),
  seq bigint not null,
  at timestamptz not null,
  primary key (school_id, thread_id, person_id, side),
  foreign key (school_id, thread_id) references thread (school_id, thread_id)
) with (fillfactor = 70);
comment on table receipt is 'How far somebody has read. retention: as thread; legal hold: no';

create table translation (
  school_id uuid not null,
  message_id uuid not null,
  version integer not null,
  language text not null check (char_length(language) between 2 and 35),
  state text not null check (state in ('wanted', 'stored', 'unavailable')),
  text text check (char_length(text) <= 40000),
  source_language text,
  engine text,
  at timestamptz not null,
  primary key (school_id, message_id, version, language),
  foreign key (school_id, message_id) references message (school_id, message_id),
  check ((state = 'stored') = (text is not null))
);
comment on table translation is 'A version of a message in another language, or why there is none. retention: as message; legal hold: yes';

do $$
declare
  t text;
begin
  foreach t in array array['thread', 'thread_link', 'message', 'message_version', 'receipt', 'translation'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format(
      'create policy school on %I using (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid)) '
      'with check (school_id = (select nullif(current_setting(''bookbag.school'', true), '''')::uuid))', t);
    execute format('grant select, insert on %I to $app', t);
  end loop;
end
$$;
-- Nobody who serves requests can change what was written or take it away.
grant update (head_seq, head_at) on thread to $app;
grant update (seq, at) on receipt to $app;
grant update (state, text, source_language, engine, at) on translation to $app;

-- The role in which a seat is used (SeatKind and SEAT_ROLES of the kernel); null for kinds nobody writes from.
create function role_of_seat(p_kind text) returns text language sql immutable as $$
  select case p_kind
    when 'class_teacher' then 'teacher' when 'specialist' then 'specialist' when 'leaders' then 'leader' when 'office' then 'office'
  end
$$;

-- The one answer to "may this person, acting in this role, use this thread": no row, or the side and the first message they may
-- read. Staff by holding the seat in its role, guardians by a link that has not ended; a pupil by nothing (MSG-11, MSG-14).
create function right_in(p_school uuid, p_thread uuid, p_pupil uuid, p_seat uuid, p_person uuid, p_role text)
returns table (side text, visible_from bigint)
language sql stable as $$
  select 'staff', 1::bigint
  from known_seat_holder h join known_seat s on s.school_id = h.school_id and s.seat_id = h.seat_id
  where h.school_id = p_school and h.seat_id = p_seat and h.person_id = p_person and not h.ended
    and p_role = role_of_seat(s.kind)
  union all
  select 'family', min(l.visible_from_seq)
  from thread_link l join known_link k on k.school_id = l.school_id and k.link_id = l.link_id
  where p_role = 'guardian' and l.school_id = p_school and l.thread_id = p_thread
    and k.person_id = p_person and k.pupil_id = p_pupil and not k.ended
  having count(*) > 0
$$;

-- The threads somebody may use in a role, by the same rule, for counting over all of them.
create function threads_of(p_school uuid, p_person uuid, p_role text)
returns table (thread_id uuid, side text, visible_from bigint, head_seq bigint, head_at timestamptz)
language sql stable as $$
  select t.thread_id, 'staff', 1::bigint, t.head_seq, t.head_at
  from known_seat_holder h
  join known_seat s on s.school_id = h.school_id and s.seat_id = h.seat_id
  join thread t on t.school_id = h.school_id and t.seat_id = h.seat_id
  where h.school_id = p_school and h.person_id = p_person and not h.ended and p_role = role_of_seat(s.kind)
  union all
  select t.thread_id, 'family', min(l.visible_from_seq), t.head_seq, t.head_at
  from known_link k
  join thread_link l on l.school_id = k.school_id and l.link_id = k.link_id
  join thread t on t.school_id = l.school_id and t.thread_id = l.thread_id and t.pupil_id = k.pupil_id
  where p_role = 'guardian' and k.school_id = p_school and k.person_id = p_person and not k.ended
  group by t.thread_id, t.head_seq, t.head_at
$$;

-- Whom somebody may write to in a role: pairs of pupil and seat, with the class that joins them. Staff reach the families of the
-- pupils of the seats they hold (a seat without a class: all pupils), guardians the seats of their own children's classes.
create function contacts_of(p_school uuid, p_person uuid, p_role text) returns table (pupil_id uuid, seat_id uuid, class_id uuid)
language sql stable as $$
  select e.pupil_id, s.seat_id, (array_agg(e.class_id order by e.class_id))[1]
  from known_seat_holder h
  join known_seat s on s.school_id = h.school_id and s.seat_id = h.seat_id
  join known_enrolment e on e.school_id = s.school_id and not e.ended and (s.class_id is null or e.class_id = s.class_id)
  join known_class c on c.school_id = e.school_id and c.class_id = e.class_id and not c.archived
  where h.school_id = p_school and h.person_id = p_person and not h.ended and p_role = role_of_seat(s.kind)
  group by e.pupil_id, s.seat_id
  union all
  select distinct e.pupil_id, s.seat_id, s.class_id
  from known_link k
  join known_enrolment e on e.school_id = k.school_id and e.pupil_id = k.pupil_id and not e.ended
  join known_class c on c.school_id = e.school_id and c.class_id = e.class_id and not c.archived
  join known_seat s on s.school_id = e.school_id and s.class_id = e.class_id
  where p_role = 'guardian' and k.school_id = p_school and k.person_id = p_person and not k.ended
    and role_of_seat(s.kind) is not null
$$;

-- Field 5 of MessageSent as protobuf writes it; two serialised parts of a message, one behind the other, are the message.
create function told_language(p_language text) returns bytea language sql stable as $$
  select '\x2a'::bytea || set_byte('\x00'::bytea, 0, octet_length(p_language)) || convert_to(p_language, 'UTF8')
$$;

-- Accept a message, all of it in one round trip: the school is set, then standing, right, key, number, message, the sender's own
-- receipt and the event. Writes nothing unless every check passes. `state` is sent, replayed (the same request again), not-found,
-- key-reused, or a standing other than active. Rights come before the key, so a lost right gets no old answer.
create function post_message(
  p_school uuid, p_person uuid, p_role text, p_session uuid, p_epoch integer,
  p_thread uuid, p_message uuid, p_text text, p_language text, p_key text, p_fingerprint bytea, p_now timestamptz,
  p_event uuid, p_bucket smallint, p_topic text, p_type text, p_payload bytea, p_trace text,
  out state text, out message_id uuid, out seq bigint, out sent_at timestamptz, out language text, out version integer,
  out author_name text, out side text
)
language plpgsql as $$
#variable_conflict use_column
declare
  v_standing text;
  v_side text;
  v_name text;
  v_language text;
  v_seq bigint;
begin
  if nullif(current_setting('bookbag.school', true), '')::uuid <> p_school then
    raise exception 'a transaction of another school' using errcode = 'insufficient_privilege';
  end if;
  perform set_config('bookbag.school', p_school::text, true);
  select standing_of(p_school, p_person, p_role, p_session, p_epoch) into v_standing;
  if v_standing <> 'active' then
    state := v_standing;
    return;
  end if;

  select r.side, p.display_name, coalesce(p_language, p.language) into v_side, v_name, v_language
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

  insert into idempotency (school_id, person_id, key, fingerprint, answer)
    values (p_school, p_person, p_key, p_fingerprint, jsonb_build_object('message', p_message)) on conflict do nothing;
  if not found then
    select 'replayed', m.message_id, m.seq, m.sent_at, m.language, 1 into state, message_id, seq, sent_at, language, version
      from idempotency i
      join message m on m.school_id = i.school_id and m.message_id = (i.answer ->> 'message')::uuid
      where i.school_id = p_school and i.person_id = p_person and i.key = p_key and i.fingerprint = p_fingerprint;
    if not found then
      state := 'key-reused';
    end if;
    return;
  end if;

  with head as (
    update thread t set head_seq = t.head_seq + 1, head_at = p_now
      where t.school_id = p_school and t.thread_id = p_thread returning t.head_seq
  ), written as (
    insert into message
        (school_id, message_id, thread_id, seq, author_id, author_side, author_role, language, text, sent_at)
      select p_school, p_message, p_thread, head_seq, p_person, v_side, p_role, v_language, p_text, p_now from head
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
  message_id := p_message;
  seq := v_seq;
  sent_at := p_now;
  language := v_language;
  version := 1;
end
$$;
