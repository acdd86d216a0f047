/** The school's year day by day, from the calendar as the editor has it: what is drawn, and nothing that decides. */
import { type Hours, type PolicyData, WEEKDAYS } from "./document.ts";

export type Calendar = PolicyData["calendar"];
/** `training`: closed to children while staff work; `off`: a day on which nobody works in any week. */
export type DayKind = "school" | "training" | "closed" | "holiday" | "off";
export type YearDay = { day: number; date: string; kind: DayKind };
/** What happens in a month beside school: a holiday inside a term, or a single closed day (`first` is `last`). */
export type Note = { first: string; last: string; name: string; kind: DayKind };
export type YearMonth = {
  year: number;
  /** From 1. */
  month: number;
  /** How many days of its first week belong to the month before; weeks begin on Monday. */
  lead: number;
  days: YearDay[];
  notes: Note[];
  schoolDays: number;
};

/** A calendar that is being typed may say anything; more than three years of it are not drawn. */
const MOST_MONTHS = 36;
const DAY_MS = 86_400_000;

/** Weekdays on which staff work, counted from Monday; where their hours are no week, an ordinary one. */
export function workingWeekdays(hours: Hours): ReadonlySet<number> {
  const all = WEEKDAYS.map((_, index) => index);
  if (hours === "always") return new Set(all);
  if (typeof hours === "string") return new Set(all.slice(0, 5));
  return new Set(all.filter((index) => hours[WEEKDAYS[index] ?? "monday"].length > 0));
}

/** The months from the first term's first day to the last term's last. */
export function yearOf(calendar: Calendar, working: ReadonlySet<number>): YearMonth[] {
  const terms = calendar.terms.filter(isPeriod);
  const first = terms.map((each) => each.first).sort()[0];
  const last = terms
    .map((each) => each.last)
    .sort()
    .at(-1);
  if (first === undefined || last === undefined) return [];
  const months: YearMonth[] = [];
  let [year, month] = [Number(first.slice(0, 4)), Number(first.slice(5, 7))];
  while (months.length < MOST_MONTHS && dateOf(year, month, 1) <= last) {
    months.push(monthOf(year, month, calendar, working));
    [year, month] = month === 12 ? [year + 1, 1] : [year, month + 1];
  }
  return months;
}

function monthOf(year: number, month: number, calendar: Calendar, working: ReadonlySet<number>): YearMonth {
  const count = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const days = Array.from({ length: count }, (_, index) => {
    const date = dateOf(year, month, index + 1);
    return { day: index + 1, date, kind: kindOf(date, calendar, working) };
  });
  const here = `${dateOf(year, month, 1).slice(0, 7)}-`;
  const notes: Note[] = [
    ...calendar.holidays.filter(isPeriod).map((each) => ({ ...each, kind: "holiday" as const })),
    ...calendar.closed_days.map(({ date, name, staff_work }) => ({
      first: date,
      last: date,
      name,
      kind: staff_work ? ("training" as const) : ("closed" as const),
    })),
  ].filter((each) => each.first.startsWith(here));
  notes.sort((a, b) => a.first.localeCompare(b.first));
  const lead = weekdayOf(dateOf(year, month, 1));
  return { year, month, lead, days, notes, schoolDays: days.filter((each) => each.kind === "school").length };
}

export function kindOf(date: string, calendar: Calendar, working: ReadonlySet<number>): DayKind {
  const closed = calendar.closed_days.find((each) => each.date === date);
  if (closed) return closed.staff_work ? "training" : "closed";
  if (!working.has(weekdayOf(date))) return "off";
  const within = (each: { first: string; last: string }) => each.first <= date && date <= each.last;
  return calendar.terms.some(within) && !calendar.holidays.some(within) ? "school" : "holiday";
}

function isPeriod({ first, last }: { first: string; last: string }): boolean {
  return !Number.isNaN(Date.parse(first)) && !Number.isNaN(Date.parse(last)) && first <= last;
}

/** From Monday. */
function weekdayOf(date: string): number {
  return (Math.round(Date.parse(`${date}T00:00:00Z`) / DAY_MS) + 3) % 7;
}

function dateOf(year: number, month: number, day: number): string {
  return new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10);
}
