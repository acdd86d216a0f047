import { expect, test } from "vitest";
import type { RecordEntry } from "../src/api/schema.ts";
import { oneTable, type Part, stateOf, together } from "../src/record/together.ts";

function entry(seq: number, at: string): RecordEntry {
  return { seq, at, by: null, role: "leader", act: "record-read", kind: "record", about: null, whom: [], reason: "" };
}

/** A part with one entry for each instant, the newest first. */
function part(instants: string[], next: string | null = null): Part {
  return { items: instants.map((at, place) => entry(instants.length - place, at)), next };
}

const shown = (identity: Part, messaging: Part) =>
  together({ identity, messaging }).map((one) => `${one.service} ${one.at.slice(11, 16)}`);

test("parts are one list, the newest first", () => {
  const identity = part(["2026-11-23T12:00:00Z", "2026-11-23T10:00:00Z"]);
  const messaging = part(["2026-11-23T12:00:00.5Z", "2026-11-23T11:00:00+00:00"]);
  expect(shown(identity, messaging)).toEqual([
    "messaging 12:00",
    "identity 12:00",
    "messaging 11:00",
    "identity 10:00",
  ]);
});

test("nothing is shown below where a part that has more ends", () => {
  const identity = part(["2026-11-23T12:00:00Z", "2026-11-23T11:00:00Z"], "more");
  const messaging = part(["2026-11-23T11:30:00Z", "2026-11-23T09:00:00Z"]);
  expect(shown(identity, messaging)).toEqual(["identity 12:00", "messaging 11:30", "identity 11:00"]);
  expect(shown({ ...identity, next: null }, messaging)).toContain("messaging 09:00");
});

test("a part that did not answer hides no other", () => {
  expect(together({ messaging: part(["2026-11-23T09:00:00Z"]) })).toHaveLength(1);
});

test("the state is that of all parts", () => {
  const sealed = { entries: 3, last_at: "2026-11-23T12:00:00Z", anchored: 3, anchored_at: "2026-11-23T12:00:30Z" };
  const empty = { entries: 0, last_at: null, anchored: 0, anchored_at: null };
  const fresh = { entries: 2, last_at: "2026-11-23T12:05:00Z", anchored: 1, anchored_at: "2026-11-23T11:00:00Z" };
  expect(stateOf([sealed, empty])).toEqual(sealed);
  expect(stateOf([sealed, fresh])).toEqual({
    entries: 5,
    last_at: "2026-11-23T12:05:00Z",
    anchored: 4,
    anchored_at: "2026-11-23T12:00:30Z",
  });
});

test("tables of several parts have their heads once", () => {
  const heads = "service,number\r\n";
  expect(oneTable([`\ufeff${heads}identity,1\r\n`, `${heads}messaging,2\r\nmessaging,1\r\n`])).toBe(
    `\ufeff${heads}identity,1\r\nmessaging,2\r\nmessaging,1\r\n`,
  );
});
