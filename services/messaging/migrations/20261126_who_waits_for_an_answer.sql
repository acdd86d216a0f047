-- An answer was promised when a family wrote (MSG-16). Who waits is read from the messages themselves, so that sending costs nothing
-- more; what needs no answer ("Thank you!") is said so by the staff of the thread.

create table settled (
  school_id uuid not null,
  thread_id uuid not null,
  -- Up to here nothing waits: it needed no answer, or was answered in another way.
  seq bigint not null check (seq >= 1),
  by_id uuid not null,
  at timestamptz not null,
  primary key (school_id, thread_id),
  foreign key (school_id, thread_id) references thread (school_id, thread_id)
);
comment on table settled is 'Up to which message nobody waits for an answer. retention: as thread; legal hold: no';

alter table settled enable row level security;
alter table settled force row level security;
create policy school on settled using (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid))
  with check (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid));
grant select, insert on settled to $app;
grant update (seq, by_id, at) on settled to $app;

-- What the family of a thread waits for: of its messages since the staff last wrote, or said that nobody waits, the one whose answer
-- was promised first; with the number of the newest of them, and how many they are. No row when nobody waits.
create function owed_in(p_school uuid, p_thread uuid) returns table (seq bigint, since timestamptz, answer_by timestamptz, messages bigint)
language sql stable as $$
  select max(m.seq) over (), m.sent_at, m.answer_by, count(*) over ()
  from message m
  where m.school_id = p_school and m.thread_id = p_thread and m.author_side = 'family' and m.withdrawn_at is null
    and m.answer_by is not null
    and m.seq > coalesce((
      select s.seq from message s
      where s.school_id = p_school and s.thread_id = p_thread and s.author_side = 'staff' order by s.seq desc limit 1), 0)
    and m.seq > coalesce((select c.seq from settled c where c.school_id = p_school and c.thread_id = p_thread), 0)
  order by m.answer_by, m.seq limit 1
$$;
