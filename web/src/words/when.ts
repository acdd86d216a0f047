/**
 * Moments as people say them, in the school's zone: "15:10", "Yesterday", "Friday", "3 May", "3 May 2025".
 *
 * Days are compared as calendar days of the zone, never as spans of 24 hours, so that midnight and the two days of the
 * year that are an hour longer or shorter come out right.
 */

export type Day =
  | { kind: "today" }
  | { kind: "yesterday" }
  | { kind: "tomorrow" }
  /** The weekday inside the six days before and after, else the date; the year only when it is not this one. */
  | { kind: "named"; text: string };

const DAY_MS = 86_400_000;

// Chromium ships without Welsh dates.
const welsh = {
  weekdays: ["Dydd Sul", "Dydd Llun", "Dydd Mawrth", "Dydd Mercher", "Dydd Iau", "Dydd Gwener", "Dydd Sadwrn"],
  months: [
    "Ionawr",
    "Chwefror",
    "Mawrth",
    "Ebrill",
    "Mai",
    "Mehefin",
    "Gorffennaf",
    "Awst",
    "Medi",
    "Hydref",
    "Tachwedd",
    "Rhagfyr",
  ],
};

type CalendarDay = { year: number; month: number; day: number };

function calendarDay(at: number, zone: string): CalendarDay {
  const parts = new Intl.DateTimeFormat("en-GB-u-ca-gregory-nu-latn", {
    timeZone: zone,
    year: "numeric",
    month: "numeric",
    day: "numeric",
  }).formatToParts(at);
  const read = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  return { year: read("year"), month: read("month"), day: read("day") };
}

function dayNumber({ year, month, day }: CalendarDay): number {
  return Math.round(Date.UTC(year, month - 1, day) / DAY_MS);
}

/** Digits as the school's clocks show them, whatever the language. */
function formatter(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const tag = language === "en" ? "en-GB" : language;
  return new Intl.DateTimeFormat(`${tag}-u-ca-gregory-nu-latn`, options);
}

/** The same for two moments exactly when they fall on one calendar day of the zone. */
export function dayKey(sentAt: string, zone: string): string {
  const { year, month, day } = calendarDay(Date.parse(sentAt), zone);
  return `${year}-${month}-${day}`;
}

export function timeOf(sentAt: string, zone: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(Date.parse(sentAt));
}

export function dayOf(sentAt: string, now: number, zone: string, language: string): Day {
  const at = Date.parse(sentAt);
  const day = calendarDay(at, zone);
  const today = calendarDay(now, zone);
  const ago = dayNumber(today) - dayNumber(day);
  if (ago === 0) return { kind: "today" };
  if (ago === 1) return { kind: "yesterday" };
  if (ago === -1) return { kind: "tomorrow" };
  if (Math.abs(ago) < 7) return { kind: "named", text: weekday(at, day, zone, language) };
  return { kind: "named", text: date(at, day, zone, language, day.year !== today.year) };
}

/** Everything there is to know about a moment, for the one who asks: "Friday 3 May 2024, 15:10". */
export function exactly(sentAt: string, zone: string, language: string): string {
  const at = Date.parse(sentAt);
  const day = calendarDay(at, zone);
  const separator = language === "ar" || language === "ur" ? "، " : ", ";
  return `${weekday(at, day, zone, language)} ${date(at, day, zone, language, true)}${separator}${timeOf(sentAt, zone)}`;
}

/** A weekday's name, counted from Monday. */
export function weekdayNamed(index: number, language: string): string {
  const at = Date.UTC(2026, 10, 30 + index);
  return weekday(at, calendarDay(at, "UTC"), "UTC", language);
}

/** "September 2026". */
export function monthNamed(year: number, month: number, language: string): string {
  if (language === "cy") return `${welsh.months[month - 1]} ${year}`;
  const text = formatter(language, { timeZone: "UTC", month: "long", year: "numeric" }).format(
    Date.UTC(year, month - 1),
  );
  return text.charAt(0).toLocaleUpperCase(language) + text.slice(1);
}

/** A date of a calendar ("2026-09-07"), without its year. */
export function dateNamed(day: string, language: string): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(at) ? day : date(at, calendarDay(at, "UTC"), "UTC", language, false);
}

/** The shortest name of a weekday, counted from Monday, for the head of a column. */
export function weekdayLetter(index: number, language: string): string {
  if (language === "cy") return ["Ll", "M", "M", "I", "G", "S", "S"][index] ?? "";
  return formatter(language, { timeZone: "UTC", weekday: "narrow" }).format(Date.UTC(2026, 10, 30 + index));
}

/** The calendar day of a moment ("2026-09-07") in the school's zone. */
export function dateIn(at: number, zone: string): string {
  const { year, month, day } = calendarDay(at, zone);
  return new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10);
}

function weekday(at: number, day: CalendarDay, zone: string, language: string): string {
  if (language === "cy") return welsh.weekdays[(dayNumber(day) + 4) % 7] ?? "";
  const text = formatter(language, { timeZone: zone, weekday: "long" }).format(at);
  return text.charAt(0).toLocaleUpperCase(language) + text.slice(1);
}

function date(at: number, day: CalendarDay, zone: string, language: string, withYear: boolean): string {
  if (language === "cy") return `${day.day} ${welsh.months[day.month - 1]}${withYear ? ` ${day.year}` : ""}`;
  return formatter(language, {
    timeZone: zone,
    day: "numeric",
    month: "long",
    ...(withYear ? { year: "numeric" } : {}),
  }).format(at);
}
