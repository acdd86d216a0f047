-- The W3C trace context of what caused a delivery or a step: so that what leaves minutes later is a part of the same trace. Code that
-- does not know the column leaves it empty.

alter table delivery add column trace text;
alter table stream_event add column trace text;
