/** Days of a filter begin when the school's clocks say midnight, also on the two days that are an hour longer or shorter. */
import { expect, it } from "vitest";
import { beginOf } from "../src/record/days.ts";

it.each([
  ["2026-11-25", "Europe/London", "2026-11-25T00:00:00.000Z"],
  ["2026-07-01", "Europe/London", "2026-06-30T23:00:00.000Z"],
  ["2026-03-29", "Europe/London", "2026-03-29T00:00:00.000Z"],
  ["2026-03-30", "Europe/London", "2026-03-29T23:00:00.000Z"],
  ["2026-10-25", "Europe/Warsaw", "2026-10-24T22:00:00.000Z"],
  ["2026-10-26", "Europe/Warsaw", "2026-10-25T23:00:00.000Z"],
  ["2026-11-25", "Asia/Karachi", "2026-11-24T19:00:00.000Z"],
  ["2026-11-25", "Asia/Kathmandu", "2026-11-24T18:15:00.000Z"],
])("%s in %s begins at %s", (day, zone, instant) => {
  expect(beginOf(day, zone)).toBe(instant);
});

it("ends a day where the next begins, over the end of a month and a change of the clocks", () => {
  expect(beginOf("2026-11-30", "Europe/London", 1)).toBe("2026-12-01T00:00:00.000Z");
  expect(beginOf("2026-03-29", "Europe/London", 1)).toBe("2026-03-29T23:00:00.000Z");
});

it.each(["", "2026-02-30", "26-1-1", "1999-12-31", "2200-01-01", "soon"])("takes %j for no day", (day) => {
  expect(beginOf(day, "Europe/London")).toBeNull();
});
