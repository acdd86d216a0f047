-- What a family waits for, as before: of its messages since the staff last wrote, or said that nobody waits, the one whose answer was
-- promised first. Where that begins is found first and by itself (`offset 0`): under row security a condition that holds a query is never
-- one of an index, and every message of the thread would be read.
create or replace function owed_in(p_school uuid, p_thread uuid) returns table (seq bigint, since timestamptz, answer_by timestamptz, messages bigint)
language sql stable as $$
  select max(m.seq) over (), m.sent_at, m.answer_by, count(*) over ()
  from (
    select greatest(
      coalesce((
        select s.seq from message s
        where s.school_id = p_school and s.thread_id = p_thread and s.author_side = 'staff' order by s.seq desc limit 1), 0),
      coalesce((select c.seq from settled c where c.school_id = p_school and c.thread_id = p_thread), 0)) as seq
    offset 0
  ) done
  join message m on m.school_id = p_school and m.thread_id = p_thread and m.seq > done.seq and m.author_side = 'family'
    and m.withdrawn_at is null and m.answer_by is not null
  order by m.answer_by, m.seq limit 1
$$;
