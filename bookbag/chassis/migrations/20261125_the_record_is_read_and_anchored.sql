-- The record is read by $reader, a role that can do nothing else and sees one school at a time. Its heads are signed and put outside this
-- database by the worker, which sees heads and never entries.

create index audit_entry_by_time on audit_entry (school_id, at);
create index audit_entry_by_actor on audit_entry (school_id, actor_id, seq);
create index audit_entry_by_object on audit_entry (school_id, object_id, seq);

-- What the worker knows to be anchored. Verification believes the object store, not this table; the table only saves asking it.
create table audit_anchor (
  school_id uuid not null,
  seq bigint not null,
  hash bytea not null,
  key_id text not null,
  anchored_at timestamptz not null,
  primary key (school_id)
);
comment on table audit_anchor is 'The newest anchor of each school''s chain. retention: always; legal hold: yes';
alter table audit_anchor enable row level security;
alter table audit_anchor force row level security;
create policy school on audit_anchor using (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid))
  with check (school_id = (select nullif(current_setting('bookbag.school', true), '')::uuid));
create policy across_schools on audit_anchor to $worker using (true) with check (true);
create policy across_schools on audit_head for select to $worker using (true);
revoke all on audit_anchor from $app;
grant select on audit_head to $worker;
grant select, insert, update on audit_anchor to $worker;

grant select on audit_entry, audit_head, audit_anchor to $reader;
