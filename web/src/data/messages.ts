/** The messages of each conversation: fetched in pages, caught up after an absence, kept for the next visit. */
import { unwrap } from "../api/problem.ts";
import type { Message, Page } from "../api/schema.ts";
import { CATCH_UP_PAGE, type Holding, keys, PAGE } from "./holding.ts";
import { type Conversation, mergeMessages, newestRun, newestSeq, nothingYet } from "./merging.ts";

/** A longer absence is not filled: the newest page is shown and older ones load when they are scrolled to. */
const MOST_CATCH_UP_PAGES = 3;

export class MessageShelf {
  readonly #held: Holding;

  constructor(held: Holding) {
    this.#held = held;
  }

  async fetch(id: string): Promise<Conversation> {
    await this.#takeUpKept(id);
    const page = await this.#page(id, { limit: PAGE });
    const oldest = page.items.at(-1)?.seq ?? 0;
    let fetched = page.items;
    let top = newestSeq(this.#held.conversation(id));
    for (let round = 0; top > 0 && oldest > top + 1 && round < MOST_CATCH_UP_PAGES; round++) {
      const between = await this.#page(id, { after: top, limit: CATCH_UP_PAGE });
      if (between.items.length === 0) break;
      fetched = [...between.items, ...fetched];
      top = between.items.at(-1)?.seq ?? oldest;
    }
    // What was kept while its translation was being made, and is older than the page, is asked for once more.
    const unfinished = this.#held
      .conversation(id)
      ?.messages.find((each) => each.seq < oldest && each.translation?.state === "on-its-way");
    if (unfinished) {
      const again = await this.#page(id, { after: unfinished.seq - 1, limit: CATCH_UP_PAGE });
      fetched = [...again.items, ...fetched];
    }
    this.#held.keepQuietly((keep) => keep.putMessages(id, fetched));
    const merged = mergeMessages(this.#held.conversation(id) ?? nothingYet, fetched);
    return page.next === null && merged.messages[0]?.seq === page.items.at(-1)?.seq
      ? { ...merged, complete: true }
      : merged;
  }

  async older(id: string): Promise<void> {
    await this.#held.once(`older/${id}`, async () => {
      const held = this.#held.conversation(id);
      const oldest = held?.messages[0]?.seq;
      if (!held || held.complete || oldest === undefined) return;
      const after = Math.max(0, oldest - 1 - PAGE);
      const page = await this.#page(id, { after, limit: PAGE });
      const older = newestRun(page.items.filter((each) => each.seq < oldest));
      const joins = older.at(-1)?.seq === oldest - 1;
      // The first seq asked for is missing: what lies before is not this reader's, or not there any more.
      const floor = !joins || older[0]?.seq !== after + 1;
      this.#held.queries.setQueryData<Conversation>(keys.messages(id), (now) => {
        if (!now) return now;
        const merged = joins ? mergeMessages(now, older) : now;
        return floor ? { ...merged, complete: true } : merged;
      });
      this.#held.keepQuietly((keep) => keep.putMessages(id, older));
    });
  }

  async catchUp(id: string): Promise<void> {
    await this.#held.once(`catch-up/${id}`, async () => {
      for (let full = true; full; ) {
        const held = this.#held.conversation(id);
        // Nobody has opened it in this tab: it is fetched when somebody does.
        if (!held) return;
        const page = await this.#page(id, { after: newestSeq(held), limit: CATCH_UP_PAGE });
        this.add(id, page.items);
        full = page.next !== null && page.items.length > 0;
      }
    });
  }

  async refresh(id: string, message: string): Promise<void> {
    const known = this.#held.conversation(id)?.messages.find((each) => each.id === message);
    if (!known) return;
    const page = await this.#page(id, { after: known.seq - 1, limit: 1 });
    this.add(id, page.items);
  }

  add(id: string, messages: Message[]): void {
    this.#held.queries.setQueryData<Conversation>(keys.messages(id), (held) => held && mergeMessages(held, messages));
    this.#held.keepQuietly((keep) => keep.putMessages(id, messages));
  }

  async #takeUpKept(id: string): Promise<void> {
    if (this.#held.conversation(id)) return;
    const kept = newestRun(await this.#held.keep.messages(id).catch(() => []));
    if (kept.length === 0 || this.#held.conversation(id)) return;
    const conversation = { messages: kept, complete: kept[0]?.seq === 1 };
    this.#held.queries.setQueryData<Conversation>(keys.messages(id), conversation, { updatedAt: 1 });
  }

  #page(id: string, query: { limit: number; after?: number }): Promise<Page<Message>> {
    return this.#held.ofThread(id, async () =>
      unwrap(
        await this.#held.api.GET("/messaging/v1/threads/{thread}/messages", {
          params: { path: { thread: id }, query },
        }),
      ),
    );
  }
}
