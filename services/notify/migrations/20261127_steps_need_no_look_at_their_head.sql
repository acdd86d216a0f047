-- The statement that writes a step writes its head too. The key looked each head up once more, on a connection that had learned its plan
-- when there were few heads by reading all of them.
alter table stream_event drop constraint stream_event_school_id_person_id_fkey;
