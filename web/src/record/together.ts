/** Each service keeps a part of the record; here the parts are one list, newest first, in which nothing is missing in between. */
import type { RecordEntry, RecordState } from "../api/schema.ts";

export type Service = "identity" | "messaging";
export const services: readonly Service[] = ["identity", "messaging"];

/** What there is of one service's part: its newest entries down to some place, and the cursor of what comes after. */
export type Part = { items: RecordEntry[]; next: string | null };
export type Parts = Partial<Record<Service, Part>>;

/** An entry with the service whose part it stands in: numbers count within a part. */
export type Kept = RecordEntry & { service: Service };

/** The entries down to where a part that has more ends: below that, some of it could be missing in between. */
export function together(parts: Parts): Kept[] {
  const all = services.flatMap((service) =>
    (parts[service]?.items ?? []).map((entry) => ({ ...entry, service, instant: Date.parse(entry.at) })),
  );
  const known = Math.max(...services.map((service) => endOf(parts[service])));
  return all
    .filter((entry) => entry.instant >= known)
    .sort((one, other) => other.instant - one.instant || other.seq - one.seq)
    .map(({ instant: _, ...entry }) => entry);
}

function endOf(part: Part | undefined): number {
  const last = part?.items.at(-1);
  return part?.next && last ? Date.parse(last.at) : Number.NEGATIVE_INFINITY;
}

/** How long the whole record is and how much of it is sealed. */
export function stateOf(states: readonly RecordState[]): RecordState {
  const newest = (instants: (string | null)[]) =>
    instants.filter((one) => one !== null).sort((one, other) => Date.parse(other) - Date.parse(one))[0] ?? null;
  return {
    entries: sum(states.map((one) => one.entries)),
    last_at: newest(states.map((one) => one.last_at)),
    anchored: sum(states.map((one) => one.anchored)),
    anchored_at: newest(states.map((one) => one.anchored_at)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => one + other, 0);
}

/** Tables of several parts as one: the heads stand once, and before them the mark by which spreadsheets know the letters. */
export function oneTable(tables: readonly string[]): string {
  const lines = tables.map((table) => table.replace(/^\ufeff/, ""));
  const heads = (table: string) => table.indexOf("\n") + 1;
  return `\ufeff${lines.map((table, place) => (place === 0 ? table : table.slice(heads(table)))).join("")}`;
}
