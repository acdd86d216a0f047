/**
 * The token of the acting membership, in memory only: whoever asks gets one that is good for a while, and however many
 * ask at once, one renewal goes out.
 */
import type { Api, TokenSource } from "../api/client.ts";
import { Problem, unwrap } from "../api/problem.ts";
import type { Membership, Role } from "../api/schema.ts";
import type { Clock } from "./clock.ts";
import type { Turns } from "./turns.ts";

/** A token with less than this left is renewed before it is used. */
const MARGIN_MS = 30_000;

/** `termsAccepted`: false while the school's terms stand between this member and everything else. */
export type Granted = { token: string; member: Membership; termsAccepted: boolean };

export class Tokens implements TokenSource {
  readonly #ask: () => Promise<{ token: string; expires_in: number; member: Membership; terms_accepted: boolean }>;
  readonly #clock: Clock;
  readonly #refused: (refusal: Problem) => void;
  #held: { token: string; until: number } | null = null;
  #renewal: Promise<Granted> | null = null;
  #closed = false;

  /** `refused` is told why: `signed-out` for the whole session, `not-found` for this membership alone. */
  constructor(
    open: Api,
    acting: { person: string; role: Role },
    parts: { clock: Clock; turns: Turns; refused: (refusal: Problem) => void },
  ) {
    const body = { person: acting.person, role: acting.role };
    this.#ask = () => parts.turns("tokens", async () => unwrap(await open.POST("/identity/v1/tokens", { body })));
    this.#clock = parts.clock;
    this.#refused = parts.refused;
  }

  async token(): Promise<string> {
    const held = this.#held;
    if (held && held.until - MARGIN_MS > this.#clock.now()) return held.token;
    return (await this.grant()).token;
  }

  async renew(stale: string): Promise<string> {
    const held = this.#held;
    if (held && held.token !== stale && held.until - MARGIN_MS > this.#clock.now()) return held.token;
    return (await this.grant()).token;
  }

  /** A new token and who it is for; joins the renewal under way. */
  grant(): Promise<Granted> {
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  /** Nothing is asked for or told any more. */
  close(): void {
    this.#closed = true;
    this.#held = null;
  }

  async #renew(): Promise<Granted> {
    if (this.#closed) throw new Problem({ code: "signed-out" }, 401, null);
    try {
      const { token, expires_in, member, terms_accepted } = await this.#ask();
      if (!this.#closed) this.#held = { token, until: this.#clock.now() + expires_in * 1000 };
      return { token, member, termsAccepted: terms_accepted };
    } catch (failure) {
      if (failure instanceof Problem && !failure.passing && !this.#closed) {
        this.#held = null;
        this.#refused(failure);
      }
      throw failure;
    }
  }
}
