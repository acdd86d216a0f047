/** What a reload must know before the server is asked: ids only, never a name, a token or a text. */
import type { Membership, Role } from "../api/schema.ts";
import type { Closed } from "./closing.ts";

export type Chosen = { school: string; person: string; role: Role };
export type Slots = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const CHOSEN = "bookbag:chosen";
const CLOSED = "bookbag:closed";
const LEAVING = "bookbag:leaving";

export class Remembered {
  readonly #slots: Slots;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  get chosen(): Chosen | null {
    try {
      const value = JSON.parse(this.#slots.getItem(CHOSEN) ?? "null") as Chosen | null;
      return value?.school && value.person && value.role ? value : null;
    } catch {
      return null;
    }
  }

  set chosen(chosen: Chosen | null) {
    if (chosen === null) this.#write(CHOSEN, null);
    else this.#write(CHOSEN, JSON.stringify({ school: chosen.school, person: chosen.person, role: chosen.role }));
  }

  choose(member: Membership): void {
    this.chosen = { school: member.school.id, person: member.person, role: member.role };
  }

  /** The school was closed to the chosen one when last asked: what is kept of them is not shown before the server lets them in. */
  get closed(): Closed | null {
    try {
      const value = JSON.parse(this.#slots.getItem(CLOSED) ?? "null") as Closed | null;
      return value?.code ? { ...value, why: null } : null;
    } catch {
      return null;
    }
  }

  set closed(closed: Closed | null) {
    this.#write(CLOSED, closed === null ? null : JSON.stringify({ ...closed, why: null }));
  }

  /** Signed out here while the server could not be told: it is told before anything else. */
  get leaving(): boolean {
    return this.#slots.getItem(LEAVING) !== null;
  }

  set leaving(leaving: boolean) {
    this.#write(LEAVING, leaving ? "1" : null);
  }

  #write(name: string, value: string | null): void {
    try {
      if (value === null) this.#slots.removeItem(name);
      else this.#slots.setItem(name, value);
    } catch {
      // Storage may be full or forbidden: the next reload asks which membership to act in.
    }
  }
}
