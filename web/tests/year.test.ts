import { expect, test } from "vitest";
import { emptyWeek, type PolicyData } from "../src/leading/document.ts";
import { kindOf, workingWeekdays, yearOf } from "../src/leading/year.ts";
import { dateIn, dateNamed, monthNamed, weekdayLetter } from "../src/words/when.ts";

const calendar: PolicyData["calendar"] = {
  zone: "Europe/London",
  terms: [
    { name: "Autumn term", first: "2026-09-02", last: "2026-12-18" },
    { name: "Spring term", first: "2027-01-04", last: "2027-03-25" },
  ],
  holidays: [{ name: "Half-term", first: "2026-10-26", last: "2026-10-30" }],
  closed_days: [
    { date: "2026-09-02", name: "Training day", staff_work: true },
    { date: "2026-11-27", name: "Snow", staff_work: false },
  ],
};
const working = workingWeekdays("staff");

test("each day is what the calendar makes of it", () => {
  const kinds = ["2026-09-01", "2026-09-02", "2026-09-03", "2026-09-05", "2026-10-28", "2026-11-27", "2026-12-21"];
  expect(kinds.map((date) => kindOf(date, calendar, working))).toEqual([
    "holiday",
    "training",
    "school",
    "off",
    "holiday",
    "closed",
    "holiday",
  ]);
});

test("the year goes from the first term to the last, and over the end of a year", () => {
  const months = yearOf(calendar, working);
  expect(months.map(({ year, month }) => `${year}-${month}`)).toEqual([
    "2026-9",
    "2026-10",
    "2026-11",
    "2026-12",
    "2027-1",
    "2027-2",
    "2027-3",
  ]);
  const [september, october] = months;
  expect([september?.lead, september?.days.length, september?.schoolDays]).toEqual([1, 30, 20]);
  expect(october?.notes).toEqual([{ name: "Half-term", first: "2026-10-26", last: "2026-10-30", kind: "holiday" }]);
});

test("a calendar that is still being typed is drawn as far as it goes", () => {
  const period = (first: string, last: string) => ({ ...calendar, terms: [{ name: "", first, last }] });
  expect(yearOf({ ...calendar, terms: [] }, working)).toEqual([]);
  expect(yearOf(period("2026-12-18", "2026-09-02"), working)).toEqual([]);
  expect(yearOf(period("", "2026-09-02"), working)).toEqual([]);
  expect(yearOf(period("2026-09-02", "9026-09-02"), working)).toHaveLength(36);
});

test("a school that works on Sundays has them in its year", () => {
  const week = { ...emptyWeek(), sunday: [{ from: "08:00", to: "14:00" }] };
  expect(kindOf("2026-09-06", calendar, workingWeekdays(week))).toBe("school");
  expect(kindOf("2026-09-07", calendar, workingWeekdays(week))).toBe("off");
});

test("months and dates are said in the reader's language, with the digits of the school's clocks", () => {
  expect(["en", "cy", "pl"].map((language) => monthNamed(2026, 9, language))).toEqual([
    "September 2026",
    "Medi 2026",
    "Wrzesień 2026",
  ]);
  expect(dateNamed("2026-09-07", "en")).toBe("7 September");
  expect(dateNamed("2026-09-07", "ar")).toMatch(/7/);
  expect(dateNamed("no date", "en")).toBe("no date");
  expect(weekdayLetter(0, "en")).toBe("M");
  expect(dateIn(Date.UTC(2026, 8, 6, 23, 30), "Europe/London")).toBe("2026-09-07");
});
