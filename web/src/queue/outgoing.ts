/**
 * Messages between being written and being on the server: each is kept before it is sent, sent in the order of writing,
 * tried again for as long as only the network or a busy server stands in the way, and stopped when the server refuses.
 */
import { mintKey } from "../api/client.ts";
import { Problem, Unreachable } from "../api/problem.ts";
import type { Accepted } from "../api/schema.ts";
import type { Keep, Unsent } from "../keep/keep.ts";
import { backoff, type Clock } from "../session/clock.ts";
import type { Turns } from "../session/turns.ts";

const FIRST_WAIT_MS = 1_000;
const MOST_WAIT_MS = 60_000;

export type Parts = {
  keep: Pick<Keep, "key" | "unsent" | "addUnsent" | "putUnsent" | "removeUnsent">;
  post(unsent: Unsent): Promise<Accepted>;
  /** The message is on the server; called before its unsent record goes, so that it is shown all the time. */
  sent(unsent: Unsent, message: Accepted): Promise<void>;
  changed(): void;
  /** The kept queue changed: tabs of the same membership look again. */
  announce(): void;
  clock: Clock;
  turns: Turns;
  online(): boolean;
  random?: () => number;
};

export type Draft = { thread: string; text: string; language: string; after_seq: number; about_safety?: boolean };

export class Outgoing {
  readonly #parts: Parts;
  #list: readonly Unsent[] = [];
  #unreached = false;
  #attempt = 0;
  #cancelWait: (() => void) | null = null;
  #round: Promise<void> | null = null;
  #again = false;
  #writes: Promise<void> = Promise.resolve();
  #closed = false;
  /** Counts what this tab changed, so that a slower reading of the kept queue does not undo it. */
  #edits = 0;
  /** When a conversation whose last message met a busy server is tried again; words written meanwhile do not hurry it. */
  readonly #notBefore = new Map<string, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** In the order of writing; a new list whenever something changes. */
  get list(): readonly Unsent[] {
    return this.#list;
  }

  /** No answer came to the last attempt. */
  get waitingForNetwork(): boolean {
    return this.#unreached || !this.#parts.online();
  }

  /** Takes up what an earlier visit left. */
  async start(): Promise<void> {
    await this.look();
    void this.drain();
  }

  /** Reads the kept queue again: another tab wrote or sent. */
  async look(): Promise<void> {
    let kept: Unsent[];
    let edits: number;
    do {
      await this.#writes;
      edits = this.#edits;
      try {
        kept = await this.#parts.keep.unsent();
      } catch {
        // Nothing can be kept on this device, or the sign-out has taken it: what is in memory is all there is.
        return;
      }
    } while (edits !== this.#edits);
    const known = new Set(kept.map((each) => each.key));
    this.#list = [...kept, ...this.#list.filter((each) => each.order === undefined && !known.has(each.key))];
    if (!this.#closed) this.#parts.changed();
  }

  /** Shown at once and sent when it can be; gives the key. */
  write(draft: Draft): string {
    const unsent: Unsent = {
      ...draft,
      key: mintKey(),
      written_at: this.#parts.clock.now(),
      state: "waiting",
      code: null,
    };
    this.#show([...this.#list, unsent]);
    void this.#store(async () => {
      const { order } = await this.#parts.keep.addUnsent(unsent);
      if (order !== undefined)
        this.#show(this.#list.map((each) => (each.key === unsent.key ? { ...each, order } : each)));
    }).then(() => this.drain());
    return unsent.key;
  }

  /** Tries a refused message once more, with the same key: it can still only arrive once. */
  async retry(key: string): Promise<void> {
    this.#unreached = false;
    await this.#change(key, { state: "waiting", code: null, opens: null });
    this.hurry();
  }

  /** A message on its way cannot be called back; one that waits or was refused can. */
  async discard(key: string): Promise<void> {
    const state = this.#list.find((each) => each.key === key)?.state;
    if (state === "sending" && !this.waitingForNetwork) return;
    await this.#remove(key);
  }

  /** Resolves when everything written so far is kept. */
  stored(): Promise<void> {
    return this.#writes;
  }

  /** The network is back: do not wait for the timer. */
  hurry(): void {
    this.#attempt = 0;
    this.#notBefore.clear();
    void this.drain();
  }

  /** Sends what can be sent; resolves when nothing more can be done now. */
  drain(): Promise<void> {
    this.#again = true;
    this.#round ??= this.#rounds().finally(() => {
      this.#round = null;
    });
    return this.#round;
  }

  close(): void {
    this.#closed = true;
    this.#cancelWait?.();
  }

  async #rounds(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      if (!this.#list.some(isOpen)) return;
      if (!this.#parts.online()) {
        this.#parts.changed();
        return;
      }
      const wait = await this.#parts.turns(`send:${this.#parts.keep.key}`, () => this.#sendAll());
      this.#cancelWait?.();
      this.#cancelWait = wait === null || this.#closed ? null : this.#parts.clock.after(wait, () => void this.drain());
    }
  }

  /** How long to wait before the next try; null when nothing is left to try. */
  async #sendAll(): Promise<number | null> {
    await this.#writes;
    // What another tab sent while this one waited for its turn is gone from the kept queue.
    await this.look();
    for (let next = this.#next(); next && !this.#closed; next = this.#next()) {
      const { key, thread } = next;
      try {
        await this.#change(key, { state: "sending" });
        const message = await this.#parts.post(next);
        if (this.#closed) return null;
        this.#reached();
        await this.#parts.sent(next, message);
        await this.#remove(key);
      } catch (failure) {
        if (this.#closed) return null;
        if (failure instanceof Problem && !failure.passing) {
          this.#reached();
          await this.#change(key, { state: "refused", code: failure.code, opens: failure.opens });
          continue;
        }
        await this.#change(key, { state: "waiting" });
        if (!(failure instanceof Problem)) {
          if (!(failure instanceof Unreachable)) throw failure;
          this.#unreached = true;
          this.#parts.changed();
          return this.#wait();
        }
        this.#unreached = false;
        // A later message of the same conversation must not overtake this one; other conversations go on.
        const wait = Math.max(this.#wait(), (failure.retryAfter ?? 0) * 1000);
        this.#notBefore.set(thread, this.#parts.clock.now() + wait);
      }
    }
    const stuck = this.#list.filter(isOpen).map((each) => this.#notBefore.get(each.thread) ?? 0);
    return stuck.length > 0 ? Math.max(0, Math.min(...stuck) - this.#parts.clock.now()) : null;
  }

  #reached(): void {
    this.#attempt = 0;
    this.#unreached = false;
  }

  #wait(): number {
    return backoff(this.#attempt++, FIRST_WAIT_MS, MOST_WAIT_MS, this.#parts.random ?? Math.random);
  }

  #next(): Unsent | undefined {
    const now = this.#parts.clock.now();
    return this.#list.find((each) => isOpen(each) && (this.#notBefore.get(each.thread) ?? 0) <= now);
  }

  async #change(key: string, change: Partial<Unsent>): Promise<void> {
    this.#show(this.#list.map((each) => (each.key === key ? { ...each, ...change } : each)));
    const changed = this.#list.find((each) => each.key === key);
    if (changed?.order !== undefined) await this.#store(() => this.#parts.keep.putUnsent(changed));
  }

  async #remove(key: string): Promise<void> {
    this.#show(this.#list.filter((each) => each.key !== key));
    await this.#store(() => this.#parts.keep.removeUnsent(key));
  }

  /** Keeps in the order of calls. A device that cannot keep (full, private window) still sends. */
  #store(write: () => Promise<void>): Promise<void> {
    const done = this.#writes.then(write).then(
      () => {
        if (!this.#closed) this.#parts.announce();
      },
      () => {},
    );
    this.#writes = done;
    return done;
  }

  #show(list: readonly Unsent[]): void {
    if (this.#closed) return;
    this.#list = list;
    this.#edits++;
    this.#parts.changed();
  }
}

/** A record left at `sending` by a tab that was closed may or may not have arrived: the same key finds out. */
function isOpen(unsent: Unsent): boolean {
  return unsent.state !== "refused";
}
