/** Time as the code is given it, so that tests move it and nobody waits. */
export type Clock = {
  now(): number;
  /** Runs `work` once after `ms`; the answer cancels it. */
  after(ms: number, work: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};

/** Doubles from `first` to `most`, spread so that a thousand devices do not come back in the same instant. */
export function backoff(attempt: number, first: number, most: number, random: () => number): number {
  const wait = Math.min(most, first * 2 ** attempt);
  return wait * (0.5 + random() / 2);
}
