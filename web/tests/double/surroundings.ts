/** A browser's network, visibility and tabs, moved by the test. */
import type { Surroundings } from "../../src/session/surroundings.ts";

export class Browser {
  readonly #lines = new Map<string, Set<(said: unknown) => void>>();

  tab(): Tab {
    return new Tab(this.#lines);
  }
}

export class Tab implements Surroundings {
  readonly #lines: Map<string, Set<(said: unknown) => void>>;
  readonly #heard = new Map<string, Set<() => void>>();
  isOnline = true;
  isVisible = true;

  constructor(lines: Map<string, Set<(said: unknown) => void>>) {
    this.#lines = lines;
  }

  online = () => this.isOnline;
  visible = () => this.isVisible;

  on = (what: string, heard: () => void) => {
    const all = this.#heard.get(what) ?? new Set();
    this.#heard.set(what, all.add(heard));
    return () => void all.delete(heard);
  };

  tabs = (name: string, heard: (said: unknown) => void) => {
    const all = this.#lines.get(name) ?? new Set();
    this.#lines.set(name, all.add(heard));
    return {
      say: (word: unknown) => {
        for (const each of all) if (each !== heard) queueMicrotask(() => each(structuredClone(word)));
      },
      close: () => void all.delete(heard),
    };
  };

  goes(what: "online" | "offline"): void {
    this.isOnline = what === "online";
    for (const heard of this.#heard.get(what) ?? []) heard();
  }
}
