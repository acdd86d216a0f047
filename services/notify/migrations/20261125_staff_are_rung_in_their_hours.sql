-- A mail to staff waits until the school lets it ring (POL-5), unless it is about a child's safety and for those who are alerted
-- (MSG-15). Code that does not know the columns leaves them as they are.

alter table notification add column about_safety boolean not null default false;
-- From when tries are counted after a mail has waited for the hours of its reader, so that a weekend is no day of failing.
alter table delivery add column counted_from timestamptz;
-- What is looked at again when the rules change.
create index delivery_silent on delivery (school_id, due_at) where state = 'waiting' and reason = 'quiet-hours';
