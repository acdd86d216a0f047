/**
 * One at a time, across every tab of this browser: renewing the token (the cookie rotates, and showing an old one ends
 * the session) and sending what waits (two senders would swap the order).
 */
export type Turns = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Only tabs of a secure origin share locks; elsewhere each tab orders its own, and the server's idempotency the rest. */
export function browserTurns(): Turns {
  const locks = globalThis.navigator?.locks as LockManager | undefined;
  if (!locks) return turnsInThisTab();
  return async (name, work) => await locks.request(`bookbag:${name}`, work);
}

export function turnsInThisTab(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work, work);
    last.set(
      name,
      turn.catch(() => {}),
    );
    return turn;
  };
}
