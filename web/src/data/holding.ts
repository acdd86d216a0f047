/**
 * What is held for one membership, in memory and on the device, and the manners of fetching it: one run at a time, and
 * nobody waits for what is only a comfort.
 */
import { notifyManager, QueryClient } from "@tanstack/react-query";
import type { Api } from "../api/client.ts";
import { Problem, Unreachable } from "../api/problem.ts";
import type { Thread } from "../api/schema.ts";
import type { Keep } from "../keep/keep.ts";
import { type Conversation, nothingYet, type ThreadList, withoutThread } from "./merging.ts";

export const PAGE = 30;
export const CATCH_UP_PAGE = 100;

// One frame less between an answer and its being shown.
notifyManager.setScheduler(queueMicrotask);

export const keys = {
  threads: ["threads"] as const,
  thread: (id: string) => ["thread", id] as const,
  messages: (id: string) => ["messages", id] as const,
  contacts: (q: string) => ["contacts", q] as const,
  held: (id: string) => ["held", id] as const,
  stopped: ["stopped"] as const,
  overdue: ["overdue"] as const,
  raised: ["raised"] as const,
  composing: (id: string) => ["composing", id] as const,
  unread: ["unread"] as const,
  why: ["why"] as const,
};

/** What the school's rules decide: where one may write, what becomes of it, and when. */
export const byTheRules = [["composing"], ["held"], ["contacts"], keys.why] as const;

export class Holding {
  readonly api: Api;
  readonly keep: Keep;
  readonly queries: QueryClient;
  readonly #running = new Map<string, { again: boolean; done: Promise<void> }>();
  readonly #keeping = new Set<Promise<void>>();
  #closed = false;

  constructor(api: Api, keep: Keep) {
    this.api = api;
    this.keep = keep;
    this.queries = new QueryClient({
      defaultOptions: {
        queries: {
          // The stream says when something changed; what it may have missed is fetched again as a whole.
          staleTime: 60_000,
          gcTime: 10 * 60_000,
          networkMode: "always",
          refetchOnWindowFocus: false,
          refetchOnReconnect: false,
          retry: (count, failure) => count < 2 && (!(failure instanceof Problem) || failure.passing),
        },
      },
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Nothing is kept or fetched from here on; what is kept stays. */
  close(): void {
    this.#closed = true;
  }

  threads(): ThreadList | undefined {
    return this.queries.getQueryData<ThreadList>(keys.threads);
  }

  thread(id: string): Thread | undefined {
    return this.queries.getQueryData<Thread>(keys.thread(id)) ?? this.threads()?.threads.find((each) => each.id === id);
  }

  conversation(id: string): Conversation | undefined {
    return this.queries.getQueryData<Conversation>(keys.messages(id));
  }

  /** One run at a time; asked for while running, it runs once more after. */
  once(name: string, work: () => Promise<void>): Promise<void> {
    const running = this.#running.get(name);
    if (running) {
      running.again = true;
      return running.done;
    }
    const mine = { again: false, done: Promise.resolve() };
    mine.done = (async () => {
      try {
        do {
          mine.again = false;
          await work();
        } while (mine.again && !this.#closed);
      } finally {
        this.#running.delete(name);
      }
    })();
    this.#running.set(name, mine);
    return mine.done;
  }

  /** A refresh nobody waits for: when it fails, the next event or the next return of the line brings it. */
  async quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (failure) {
      if (!(failure instanceof Problem || failure instanceof Unreachable)) throw failure;
    }
  }

  /** Keeping is a comfort: a full or forbidden store must not stop the conversation. */
  keepQuietly(work: (keep: Keep) => Promise<void>): void {
    if (this.#closed) return;
    const done = work(this.keep).catch(() => {});
    this.#keeping.add(done);
    void done.finally(() => this.#keeping.delete(done));
  }

  /** Resolves when everything said so far is kept. */
  async settled(): Promise<void> {
    await Promise.all(this.#keeping);
  }

  /** Work on a conversation. One that is not there, or not ours any more, is forgotten on this device. */
  async ofThread<T>(id: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (failure) {
      if (failure instanceof Problem && failure.status === 404) {
        this.queries.setQueryData<ThreadList>(keys.threads, (list) => list && withoutThread(list, id));
        this.queries.removeQueries({ queryKey: keys.messages(id), type: "inactive" });
        this.queries.setQueryData<Conversation>(keys.messages(id), (held) => held && nothingYet);
        this.keepQuietly((keep) => keep.forgetThread(id));
      }
      throw failure;
    }
  }
}
