-- The other leaders are told when somebody came in for a reason outside hours or places (POL-4). What they are told is no content of a
-- thread: it has neither, and says until when the one who came in may stay.

alter table notification drop constraint notification_kind_check;
alter table notification add constraint notification_kind_check check (kind in ('message', 'glass')) not valid;
alter table notification validate constraint notification_kind_check;
alter table notification alter column thread_id drop not null;
alter table notification alter column content_id drop not null;
alter table notification add constraint notification_of_a_thread check (kind <> 'message' or (thread_id is not null and content_id is not null))
  not valid;
alter table notification validate constraint notification_of_a_thread;
alter table notification add column until timestamptz;
