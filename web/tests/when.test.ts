/** Moments are said in the school's zone, by calendar days. */
import { describe, expect, it } from "vitest";
import { dayKey, dayOf, exactly, timeOf } from "../src/words/when.ts";

const london = "Europe/London";
const at = (text: string) => Date.parse(text);

describe("a moment in the school's zone", () => {
  it("is told by the school's clock, not the reader's", () => {
    expect(timeOf("2026-07-01T14:10:00Z", london)).toBe("15:10");
    expect(timeOf("2026-07-01T14:10:00Z", "Asia/Karachi")).toBe("19:10");
  });

  it("shows midnight as 00:00", () => {
    expect(timeOf("2026-01-15T00:00:00Z", london)).toBe("00:00");
  });

  it("belongs to yesterday one minute after midnight", () => {
    const now = at("2026-01-15T00:01:00Z");
    expect(dayOf("2026-01-14T23:59:00Z", now, london, "en")).toEqual({ kind: "yesterday" });
    expect(dayOf("2026-01-15T00:00:00Z", now, london, "en")).toEqual({ kind: "today" });
  });

  it("changes day at the school's midnight, which is not UTC's in summer", () => {
    expect(dayKey("2026-07-01T22:59:00Z", london)).toBe("2026-7-1");
    expect(dayKey("2026-07-01T23:00:00Z", london)).toBe("2026-7-2");
    expect(dayOf("2026-07-01T22:59:00Z", at("2026-07-01T23:01:00Z"), london, "en")).toEqual({ kind: "yesterday" });
  });

  it("counts the 23-hour day in spring as one day", () => {
    // 29 March 2026: clocks go forward at 01:00.
    const now = at("2026-03-29T23:30:00Z");
    expect(dayOf("2026-03-29T00:30:00Z", now, london, "en")).toEqual({ kind: "yesterday" });
    expect(dayOf("2026-03-28T12:00:00Z", now, london, "en")).toEqual({ kind: "named", text: "Saturday" });
  });

  it("counts the 25-hour day in autumn as one day", () => {
    // 25 October 2026: clocks go back at 02:00.
    const now = at("2026-10-25T23:30:00Z");
    expect(dayOf("2026-10-24T23:30:00Z", now, london, "en")).toEqual({ kind: "today" });
    expect(dayOf("2026-10-24T22:30:00Z", now, london, "en")).toEqual({ kind: "yesterday" });
  });

  it("is a weekday for six days and a date from the seventh", () => {
    const now = at("2026-05-15T10:00:00Z");
    expect(dayOf("2026-05-09T10:00:00Z", now, london, "en")).toEqual({ kind: "named", text: "Saturday" });
    expect(dayOf("2026-05-08T10:00:00Z", now, london, "en")).toEqual({ kind: "named", text: "8 May" });
  });

  it("names the year only when it is another", () => {
    const now = at("2026-01-02T10:00:00Z");
    expect(dayOf("2025-12-01T10:00:00Z", now, london, "en")).toEqual({ kind: "named", text: "1 December 2025" });
  });

  it("names the days to come as it names those before", () => {
    const now = at("2026-01-02T10:00:00Z");
    expect(dayOf("2026-01-03T10:00:00Z", now, london, "en")).toEqual({ kind: "tomorrow" });
    expect(dayOf("2026-01-05T08:00:00Z", now, london, "en")).toEqual({ kind: "named", text: "Monday" });
    expect(dayOf("2026-01-09T08:00:00Z", now, london, "en")).toEqual({ kind: "named", text: "9 January" });
  });

  it("is said in the reader's language with the clock's digits", () => {
    const now = at("2026-05-15T10:00:00Z");
    expect(dayOf("2026-05-13T10:00:00Z", now, london, "es")).toEqual({ kind: "named", text: "Miércoles" });
    expect(dayOf("2026-05-01T10:00:00Z", now, london, "ar")).toEqual({ kind: "named", text: "1 مايو" });
    expect(exactly("2026-05-01T14:10:00Z", london, "en")).toBe("Friday 1 May 2026, 15:10");
  });

  it("is said in Welsh, which browsers do not know", () => {
    const now = at("2026-05-15T10:00:00Z");
    expect(dayOf("2026-05-10T10:00:00Z", now, london, "cy")).toEqual({ kind: "named", text: "Dydd Sul" });
    expect(exactly("2026-05-01T14:10:00Z", london, "cy")).toBe("Dydd Gwener 1 Mai 2026, 15:10");
  });
});
