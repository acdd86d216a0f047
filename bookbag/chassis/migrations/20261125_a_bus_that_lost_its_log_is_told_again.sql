-- A bus can lose its log (a wiped broker, topics made anew, another bus). Its generation then has another name, and what the outbox
-- still keeps is told again, in order of position, before anything new of that bucket.

alter table outbox_head
  add column generation text,
  -- While the bucket is told again: positions up to `again_after` are done, `again_until` is the last of them.
  add column again_after bigint,
  add column again_until bigint;
comment on table outbox_head is
  'The last position given in each bucket, and the log of the bus that knows it. retention: always; legal hold: no';

create function holds_lease(p_lease text, p_holder text, p_fence bigint) returns boolean
language plpgsql as $$
begin
  perform 1 from lease where name = p_lease and holder = p_holder and fence = p_fence and expires_at > clock_timestamp() for share;
  return found;
end
$$;

-- The bus has another log than this bucket was told to: begin again. Refused (false) without the lease, as everything below.
create function begin_again(p_bucket smallint, p_lease text, p_holder text, p_fence bigint, p_generation text) returns boolean
language plpgsql as $$
begin
  if not holds_lease(p_lease, p_holder, p_fence) then
    return false;
  end if;
  update outbox_head set generation = p_generation,
    again_after = case when position > 0 then 0 end, again_until = case when position > 0 then position end
    where bucket = p_bucket;
  return true;
end
$$;

-- The bus has accepted everything up to a position again.
create function mark_again(
  p_bucket smallint, p_lease text, p_holder text, p_fence bigint, p_generation text, p_position bigint
) returns boolean
language plpgsql as $$
begin
  if not holds_lease(p_lease, p_holder, p_fence) then
    return false;
  end if;
  update outbox_head set
    again_after = case when p_position < again_until then p_position end,
    again_until = case when p_position < again_until then again_until end
    where bucket = p_bucket and generation = p_generation and again_until is not null;
  return found;
end
$$;

-- An event that the bus will never take: it becomes a dead letter of the relay, and its bucket goes on. It gets no position.
create function refuse_event(p_bucket smallint, p_lease text, p_holder text, p_fence bigint, p_event uuid, p_error text) returns boolean
language plpgsql as $$
begin
  if not holds_lease(p_lease, p_holder, p_fence) then
    return false;
  end if;
  with refused as (
    update outbox set published_at = clock_timestamp() where event_id = p_event and bucket = p_bucket and published_at is null
    returning *
  )
  insert into dead_letter (school_id, consumer, event_id, topic, bucket, key, type, payload, sequence, trace, occurred_at, attempts, error)
    select school_id, 'relay', event_id, topic, bucket, key, type, payload, sequence, trace, occurred_at, 1, p_error from refused
    on conflict do nothing;
  return true;
end
$$;
