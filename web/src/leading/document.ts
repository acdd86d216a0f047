/** The policy document as the editor changes it: plain data of the server, of which only the settings shown here have types. */
export const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
export type Weekday = (typeof WEEKDAYS)[number];
/** "HH:MM"; "24:00" is the end of the day. */
export type Span = { from: string; to: string };
export type Week = { days: "school_days" | "every_day" } & Record<Weekday, Span[]>;
export type NamedHours = "always" | "never" | "staff";
export type Hours = NamedHours | Week;
export type Outside = "send" | "hold" | "refuse";
export type Period = { name: string; first: string; last: string };
export type ClosedDay = { date: string; name: string; staff_work: boolean };
export type PromiseKind = "none" | "hours_on_working_days" | "working_days" | "end_of_day";
/** The school’s own words, by language; the first is the one that every reader without theirs is shown. */
export type Words = Record<string, string>;
export type TermsOf = { version: string; text: Words; agreement: "accept" | "name_and_date" };

export type PolicyData = Record<string, unknown> & {
  school: { languages: string[] };
  calendar: { zone: string; terms: Period[]; holidays: Period[]; closed_days: ClosedDay[] };
  staff: {
    hours: Hours;
    may_narrow: boolean;
    access: { hours: Hours };
    notifications: { hours: Hours; in_lessons: "ring" | "silent" };
  };
  lessons: { hours: Hours };
  messages: { families: { hours: Hours; outside: Outside; in_lessons: Outside } };
  answers: { slots: Hours; promise: { kind: PromiseKind; hours?: number; days?: number; time?: string } };
  safety: { words: Words; number?: string | null };
  guardians: { per_child: number; more: "on_request" | "never" };
  terms: { guardians: TermsOf; staff: TermsOf; pupils?: TermsOf };
  review: { next: string; every_months: number };
};

/** What a part of the editor is given: the data as it stands, and how to change one value of it. */
export type TabProps = {
  data: PolicyData;
  put(path: readonly (string | number)[], value: unknown): void;
};

/** The same data with one value changed; what lies beside its path is shared. `undefined` leaves the setting out. */
export function withValue(data: PolicyData, path: readonly (string | number)[], value: unknown): PolicyData {
  return put(data, path, value) as PolicyData;
}

function put(held: unknown, [key, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(held)) return held.map((each, place) => (place === key ? put(each, rest, value) : each));
  const { [key]: before, ...others } = held as Record<string | number, unknown>;
  const after = put(before, rest, value);
  // In its place, so that a document written from it keeps its order.
  const entries = Object.entries(held as object).map(([name, one]) => [name, name === String(key) ? after : one]);
  const all =
    before === undefined && !(key in (held as object)) ? { ...others, [key]: after } : Object.fromEntries(entries);
  if (after === undefined) delete all[key];
  return all;
}

export const emptyWeek = (): Week => ({
  days: "school_days",
  ...(Object.fromEntries(WEEKDAYS.map((day) => [day, []])) as unknown as Record<Weekday, Span[]>),
});

/** Hours of one's own to begin with: those of staff, or an ordinary school day. */
export function ownWeek(like: Hours): Week {
  if (typeof like !== "string") return structuredClone(like);
  const week = emptyWeek();
  for (const day of WEEKDAYS.slice(0, 5)) week[day] = [{ from: "08:00", to: "16:00" }];
  return week;
}

/** The same spans from Monday to Friday. */
export function sameAllWeek(week: Week, spans: Span[]): Week {
  return { ...week, ...Object.fromEntries(WEEKDAYS.slice(0, 5).map((day) => [day, structuredClone(spans)])) };
}

/** A promise with the one number its kind has, and no other. */
export function promiseOf(kind: PromiseKind): PolicyData["answers"]["promise"] {
  switch (kind) {
    case "hours_on_working_days":
      return { kind, hours: 24 };
    case "working_days":
      return { kind, days: 2 };
    case "end_of_day":
      return { kind, time: "15:00" };
    default:
      return { kind };
  }
}
