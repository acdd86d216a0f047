-- While an installation is renewed, old and new processes work side by side. A mail of a kind that a process does not know waits for one
-- that does: each names the kinds that it can write.

create function claim_due_deliveries(p_now timestamptz, p_limit integer, p_holder text, p_seconds double precision, p_kinds text[])
returns table (school_id uuid, delivery_id uuid)
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
  update delivery d set holder = p_holder, claimed_until = p_now + make_interval(secs => p_seconds)
  from (
    select w.school_id, w.delivery_id from delivery w
    where w.state in ('waiting', 'sending', 'failed') and w.due_at <= p_now and (w.claimed_until is null or w.claimed_until <= p_now)
      and exists (select from notification n where n.school_id = w.school_id and n.person_id = w.person_id
        and n.event_id = w.event_id and n.kind = any(p_kinds))
    order by w.due_at limit p_limit for update skip locked
  ) due
  where d.school_id = due.school_id and d.delivery_id = due.delivery_id
  returning d.school_id, d.delivery_id
$$;
revoke all on function claim_due_deliveries(timestamptz, integer, text, double precision, text[]) from public;
grant execute on function claim_due_deliveries(timestamptz, integer, text, double precision, text[]) to $worker;

-- Whoever runs the code before this one names none, and knows those of messages.
create or replace function claim_due_deliveries(p_now timestamptz, p_limit integer, p_holder text, p_seconds double precision)
returns table (school_id uuid, delivery_id uuid)
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
  select * from claim_due_deliveries(p_now, p_limit, p_holder, p_seconds, array['message'])
$$;
