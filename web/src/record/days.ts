/** Days as a reader picks them, as instants of the school's clocks: what the record is asked for is from midnight to midnight there. */

const MINUTE = 60_000;
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

/** The instant at which a day (`2026-11-25`) begins in a zone, or null for what is no day. `after` counts days on from it. */
export function beginOf(day: string, zone: string, after = 0): string | null {
  const found = DAY.exec(day);
  if (!found) return null;
  const [year, month, date] = found.slice(1).map(Number) as [number, number, number];
  const clock = Date.UTC(year, month - 1, date + after);
  if (year < 2000 || year >= 2200 || new Date(Date.UTC(year, month - 1, date)).getUTCDate() !== date) return null;
  // The offset at midnight itself; on a day whose clocks change, the first guess may stand on the other side of it.
  const first = clock - offsetAt(clock, zone);
  return new Date(clock - offsetAt(first, zone)).toISOString();
}

/** How far the clocks of a zone are ahead of UTC at an instant, in milliseconds. */
function offsetAt(instant: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB-u-ca-gregory-nu-latn", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  }).formatToParts(instant);
  const read = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const shown = Date.UTC(read("year"), read("month") - 1, read("day"), read("hour"), read("minute"));
  return shown - Math.floor(instant / MINUTE) * MINUTE;
}
