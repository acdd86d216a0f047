-- Whether a process may go on with this copy: it holds the projector's lease with that fence, and nobody else can take it before
-- this transaction ends. So a projector that was frozen and wakes applies nothing and does not say that it has heard.
create function holds_feed(p_holder text, p_fence bigint) returns boolean
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
  select exists (
    select from lease
    where name = 'projector/feed' and holder = p_holder and fence = p_fence and expires_at > clock_timestamp()
    for share)
$$;
revoke all on function holds_feed from public;
grant execute on function holds_feed to $app;
