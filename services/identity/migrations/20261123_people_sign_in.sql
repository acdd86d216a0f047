-- How people sign in. An account is a person's own and may lead into several schools, so these tables know no tenant; what they
-- hold opens doors but says nothing about any school beyond which one.

create table account (
  account_id uuid primary key,
  -- Normalised; null for a pupil without e-mail.
  email_key text unique,
  password_hash text,
  created_at timestamptz not null,
  password_changed_at timestamptz not null
);
comment on table account is 'A person''s sign-in. tenant: none, because one account leads into several schools. retention: until erased; legal hold: no';

create table account_person (
  account_id uuid not null references account (account_id),
  school_id uuid not null,
  person_id uuid not null,
  primary key (school_id, person_id),
  foreign key (school_id, person_id) references person (school_id, person_id)
);
create unique index account_person_once on account_person (school_id, account_id);
create index account_person_of_account on account_person (account_id);
comment on table account_person is 'Who an account is in each school. tenant: none, because sign-in asks it before any school is known. retention: as the account; legal hold: no';

create table session (
  session_id uuid primary key,
  account_id uuid not null references account (account_id),
  started_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  device text not null check (length(device) <= 120),
  ended_at timestamptz,
  ended_because text check (ended_because in ('signed-out', 'revoked', 'reuse', 'password'))
);
create index session_of_account on session (account_id) where ended_at is null;
create index session_by_age on session (expires_at);
comment on table session is 'Devices on which somebody is signed in. tenant: none, because a session belongs to an account. retention: 30 days after its end, job purge_ended_sessions; legal hold: no';

create table refresh_token (
  session_id uuid not null references session (session_id) on delete cascade,
  -- SHA-256 of the token, which is kept nowhere.
  token_hash bytea primary key,
  created_at timestamptz not null,
  used_at timestamptz,
  -- Together with the used token itself it gives the successor once more, for thirty seconds; then it is wiped.
  successor_salt bytea,
  check ((used_at is not null) or successor_salt is null)
);
create index refresh_token_of_session on refresh_token (session_id);
comment on table refresh_token is 'Fingerprints of refresh tokens. tenant: none, because a token belongs to a session. retention: with its session; legal hold: no';

revoke all on account, account_person, session, refresh_token from public;
grant select, insert on account, account_person to $app;
grant update (password_hash, password_changed_at) on account to $app;
grant select, insert on session, refresh_token to $app;
grant update (last_used_at, ended_at, ended_because) on session to $app;
grant update (used_at, successor_salt) on refresh_token to $app;

-- Removes sessions that ended, or ran out, before an instant, with their tokens.
create function purge_ended_sessions(p_before timestamptz) returns integer
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  v_removed integer;
begin
  delete from session where ended_at < p_before or expires_at < p_before;
  get diagnostics v_removed = row_count;
  return v_removed;
end
$$;
revoke all on function purge_ended_sessions from public;
grant execute on function purge_ended_sessions to $worker;

-- The first statement of every transaction on behalf of a person, as in the services that keep a copy, but on the truth itself.
create function begin_call(p_school uuid, p_person uuid, p_role text, p_session uuid, p_epoch integer) returns text
language plpgsql as $$
begin
  perform set_config('bookbag.school', p_school::text, true);
  return case
    when exists (select from session where session_id = p_session and ended_at is not null) then 'ended'
    else coalesce((
      select case when epoch > p_epoch then 'ended' else standing end
      from membership where school_id = p_school and person_id = p_person and role = p_role), 'ended')
  end;
end
$$;
