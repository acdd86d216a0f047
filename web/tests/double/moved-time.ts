/** Time that stands still until a test moves it. */
import type { Clock } from "../../src/session/clock.ts";

export class MovedTime implements Clock {
  #now = Date.UTC(2026, 0, 5, 9, 0, 0);
  #due: { at: number; work: () => void }[] = [];
  #watchers = new Set<() => void>();

  now = (): number => this.#now;

  after = (ms: number, work: () => void): (() => void) => {
    const entry = { at: this.#now + ms, work };
    this.#due.push(entry);
    for (const watcher of [...this.#watchers]) watcher();
    return () => {
      this.#due = this.#due.filter((each) => each !== entry);
    };
  };

  move(ms: number): void {
    this.#now += ms;
    for (;;) {
      const next = this.#due.find((each) => each.at <= this.#now);
      if (!next) return;
      this.#due = this.#due.filter((each) => each !== next);
      next.work();
    }
  }

  /** Milliseconds until each thing that is waited for, soonest first. */
  waits(): number[] {
    return this.#due.map((each) => each.at - this.#now).sort((a, b) => a - b);
  }

  /** Resolves when something is waited for that is due within `ms`. */
  async waitingWithin(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!this.waits().some((each) => each <= ms)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }
}
