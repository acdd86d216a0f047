-- The W3C trace context of the event for which a translation is wanted. Code that does not know the column leaves it empty.

alter table translation_request add column trace text;
