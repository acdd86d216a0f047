/** The conversations of one membership: which there are, beginning one, and how far each is read. */
import { mintKey } from "../api/client.ts";
import { Problem, Unreachable, unwrap } from "../api/problem.ts";
import type { Page, Thread } from "../api/schema.ts";
import { type Holding, keys, PAGE } from "./holding.ts";
import { addPage, fresherThread, mergeThread, putFirstPage, readUpTo, type ThreadList } from "./merging.ts";

export class ThreadShelf {
  readonly #held: Holding;
  readonly #readAsked = new Map<string, number>();
  readonly #openKeys = new Map<string, string>();

  constructor(held: Holding) {
    this.#held = held;
  }

  async fetchAll(): Promise<ThreadList> {
    const page = await this.#page(null);
    const { list, gone } = putFirstPage(this.#held.threads(), page);
    for (const each of list.threads) {
      if (this.#held.queries.getQueryData(keys.thread(each.id)))
        this.#held.queries.setQueryData(keys.thread(each.id), each);
    }
    this.#held.keepQuietly(async (keep) => {
      await keep.putThreads(page.items);
      for (const id of gone) await keep.forgetThread(id);
    });
    return list;
  }

  async more(): Promise<void> {
    await this.#held.once("more-threads", async () => {
      const next = this.#held.threads()?.next;
      if (!next) return;
      const page = await this.#page(next);
      this.#held.queries.setQueryData<ThreadList>(keys.threads, (list) => list && addPage(list, page));
      this.#held.keepQuietly((keep) => keep.putThreads(page.items));
    });
  }

  async fetch(id: string): Promise<Thread> {
    const fetched = await this.#held.ofThread(id, async () =>
      unwrap(await this.#held.api.GET("/messaging/v1/threads/{thread}", { params: { path: { thread: id } } })),
    );
    return this.#put(fetched);
  }

  known(id: string): Thread | undefined {
    return this.#held.thread(id);
  }

  async open(pupil: string, seat: string): Promise<string> {
    const both = `${pupil}/${seat}`;
    const key = this.#openKeys.get(both) ?? mintKey();
    this.#openKeys.set(both, key);
    const thread = unwrap(
      await this.#held.api.POST("/messaging/v1/threads", {
        params: { header: { "Idempotency-Key": key } },
        body: { pupil, seat },
      }),
    );
    this.#openKeys.delete(both);
    this.#held.queries.setQueryData(keys.thread(thread.id), this.#put(thread));
    return thread.id;
  }

  /** Moves forward only; a step that did not reach the server is taken again when the page asks next. */
  async markRead(id: string, seq: number): Promise<void> {
    const known = this.known(id);
    if (seq <= Math.max(known?.my_read_seq ?? 0, this.#readAsked.get(id) ?? 0)) return;
    this.#readAsked.set(id, seq);
    try {
      await this.#held.ofThread(id, async () =>
        unwrap(
          await this.#held.api.PUT("/messaging/v1/threads/{thread}/read", {
            params: { path: { thread: id } },
            body: { seq },
          }),
        ),
      );
      const now = this.known(id);
      if (now) this.#held.queries.setQueryData(keys.thread(id), this.#put(readUpTo(now, seq)));
      await this.#held.queries.invalidateQueries({ queryKey: keys.unread });
    } catch (failure) {
      if (this.#readAsked.get(id) === seq) this.#readAsked.delete(id);
      if (!(failure instanceof Problem || failure instanceof Unreachable)) throw failure;
    }
  }

  async refresh(id: string): Promise<void> {
    await this.#held.once(`thread/${id}`, async () => {
      this.#held.queries.setQueryData(keys.thread(id), await this.fetch(id));
    });
  }

  async #page(cursor: string | null): Promise<Page<Thread>> {
    const query = { limit: PAGE, ...(cursor !== null && { cursor }) };
    return unwrap(await this.#held.api.GET("/messaging/v1/threads", { params: { query } }));
  }

  #put(fetched: Thread): Thread {
    const thread = fresherThread(this.known(fetched.id), fetched);
    this.#held.queries.setQueryData<ThreadList>(keys.threads, (list) => list && mergeThread(list, thread));
    this.#held.keepQuietly((keep) => keep.putThreads([thread]));
    return thread;
  }
}
