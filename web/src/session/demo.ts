/** Whom a visitor of a demo can be; asked for once it is needed, and only a demo answers. */
import type { Api } from "../api/client.ts";
import { unwrap } from "../api/problem.ts";
import type { Demo } from "../data/types.ts";

export class DemoPeople {
  readonly #open: Api;
  readonly #found: (demo: Demo) => void;
  #finding: Promise<void> | null = null;
  #has = false;

  constructor(open: Api, found: (demo: Demo) => void) {
    this.#open = open;
    this.#found = found;
  }

  /** Resolves when they are known, or when it is known that there are none. */
  find(): Promise<void> {
    if (this.#has) return Promise.resolve();
    this.#finding ??= this.#ask().finally(() => {
      this.#finding = null;
    });
    return this.#finding;
  }

  async #ask(): Promise<void> {
    try {
      const demo = unwrap(await this.#open.GET("/identity/v1/demo/people"));
      this.#has = true;
      this.#found(demo);
    } catch {
      // Only a demo answers.
    }
  }
}
