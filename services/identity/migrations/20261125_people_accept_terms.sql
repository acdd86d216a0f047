-- Who accepted which terms. A row is never changed: a new version of the terms gets a row of its own.

create table terms_acceptance (
  school_id uuid not null,
  person_id uuid not null,
  role text not null,
  version text not null check (length(version) between 1 and 200),
  -- SHA-256 of version, language and the exact text that was shown.
  digest text not null check (digest ~ '^[0-9a-f]{64}$'),
  language text not null,
  -- What a pupil wrote under the agreement; both or neither.
  signed_name text check (length(signed_name) between 1 and 120),
  signed_on date,
  accepted_at timestamptz not null,
  primary key (school_id, person_id, role, version),
  foreign key (school_id, person_id) references person (school_id, person_id),
  check ((signed_name is null) = (signed_on is null))
);
comment on table terms_acceptance is 'That somebody accepted the terms of a role: who, when, exactly which text. retention: as the roster, by the school; legal hold: yes';

alter table terms_acceptance enable row level security;
alter table terms_acceptance force row level security;
create policy school on terms_acceptance
  using (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid))
  with check (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid));
grant select, insert on terms_acceptance to $app;
