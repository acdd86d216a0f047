-- A row that comes out of a backup brings its revision with it: copies elsewhere know it by that. Every other row is given one, and each
-- change gives the next; whoever puts rows in sees to it that no number is drawn twice.
create or replace function draw_revision() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' or new.revision is null then
    new.revision := nextval('access_revision');
  end if;
  return new;
end
$$;
