/**
 * Somebody stands before a school that is closed to them. While they look at the page a question lies with the server,
 * which answers it when the door opens or something else is to be said; beside that it is asked now and then.
 */
import type { Api } from "../api/client.ts";
import { unwrap } from "../api/problem.ts";
import type { Role } from "../api/schema.ts";
import { backoff, type Clock } from "./clock.ts";
import type { Closed } from "./closing.ts";
import type { Surroundings } from "./surroundings.ts";

const FIRST_WAIT_MS = 1_000;
/** How often a closed school is asked whether it has opened when the question that lies with it came to nothing. */
const CLOSED_WAIT_MS = 60_000;
/** How long after a reason was given some service may still say that it is closed. */
const GLASS_SETTLES_MS = 10_000;
/** Whoever was told that it is open and yet was not let in does not ask again at once. */
const OPENS_AGAIN_MS = 10_000;
/** A question that is to wait and is answered sooner with the same is not put again at once. */
const TOO_SOON_MS = 1_000;

export type Parts = {
  open: Api;
  clock: Clock;
  surroundings: Surroundings;
  random: () => number;
  /** It is time to try to come in. */
  tryAgain(): void;
  told(closed: Closed): void;
};

export class ClosedDoor {
  readonly #parts: Parts;
  #standing: AbortController | null = null;
  #forgetLook: (() => void) | null = null;
  #glassSettles = 0;
  #opened = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether a reason given just now may still be on its way to the services. */
  get settling(): boolean {
    return this.#parts.clock.now() < this.#glassSettles;
  }

  /** Somebody stands here until they leave. */
  stand(who: { person: string; role: Role }): void {
    this.leave();
    this.lookLater();
    if (this.settling || !this.#parts.surroundings.visible()) return;
    const standing = new AbortController();
    this.#standing = standing;
    void this.#ask(who, standing.signal).catch(() => {
      // What is wrong shows at the next look, a minute later at most.
    });
  }

  lookLater(soon = this.settling): void {
    const first = soon ? FIRST_WAIT_MS : CLOSED_WAIT_MS;
    const wait = backoff(0, first, CLOSED_WAIT_MS, this.#parts.random);
    this.#forgetLook?.();
    this.#forgetLook = this.#parts.clock.after(wait, () => this.#parts.tryAgain());
  }

  leave(): void {
    this.#standing?.abort();
    this.#standing = null;
    this.#forgetLook?.();
    this.#forgetLook = null;
  }

  /** Rejects with Problem or Unreachable. */
  async breakGlass({ person, role }: { person: string; role: Role }, reason: string): Promise<void> {
    unwrap(await this.#parts.open.POST("/identity/v1/break-glass", { body: { person, role, reason } }));
    this.#glassSettles = this.#parts.clock.now() + GLASS_SETTLES_MS;
  }

  async #ask({ person, role }: { person: string; role: Role }, signal: AbortSignal): Promise<void> {
    const { clock, open } = this.#parts;
    let seen: string | null = null;
    while (!signal.aborted) {
      const began = clock.now();
      const query: { person: string; role: Role; seen?: string } = { person, role, ...(seen !== null && { seen }) };
      const door = unwrap(await open.GET("/identity/v1/entry", { params: { query }, signal }));
      if (signal.aborted) return;
      if (door.code === null) return this.#opens();
      if (door.mark === seen && clock.now() - began < TOO_SOON_MS) return;
      if (door.mark !== seen) {
        const { code, opens, break_glass_minutes: breakGlassMinutes, why } = door;
        this.#parts.told({ code, opens, breakGlassMinutes, why });
      }
      seen = door.mark;
    }
  }

  #opens(): void {
    const again = this.#parts.clock.now() - this.#opened < OPENS_AGAIN_MS;
    this.#opened = this.#parts.clock.now();
    if (again) this.lookLater(true);
    else this.#parts.tryAgain();
  }
}
