/**
 * Everything one membership has in this tab: its requests, what it keeps, what it shows, what it sends and what it is
 * told. It is made when a membership is chosen and closed as a whole, so that nothing of one is seen under another.
 */
import { notifyManager, QueryClient } from "@tanstack/react-query";
import { type Api, authorised, mintKey, openApi, reaching, type Send } from "../api/client.ts";
import { Problem, Unreachable, unwrap } from "../api/problem.ts";
import type { Contact, Membership, Message, Page, Thread } from "../api/schema.ts";
import type { Keep } from "../keep/keep.ts";
import { LiveStream, type Told } from "../live/stream.ts";
import { Outgoing } from "../queue/outgoing.ts";
import type { Clock } from "../session/clock.ts";
import type { Surroundings } from "../session/surroundings.ts";
import type { Tokens } from "../session/tokens.ts";
import type { Turns } from "../session/turns.ts";
import {
  addPage,
  type Conversation,
  fresherThread,
  mergeMessages,
  mergeThread,
  newestRun,
  newestSeq,
  nothingYet,
  putFirstPage,
  readUpTo,
  shownMessages,
  type ThreadList,
  withoutThread,
} from "./merging.ts";
import type { LiveState, ShownMessage, Unread } from "./types.ts";

export const PAGE = 30;
const CATCH_UP_PAGE = 100;
/** A longer absence is not filled: the newest page is shown and older ones load when they are scrolled to. */
const MOST_CATCH_UP_PAGES = 3;

// One frame less between an answer and its being shown.
notifyManager.setScheduler(queueMicrotask);

export type Parts = {
  origin: string;
  send: Send;
  member: Membership;
  keep: Keep;
  tokens: Tokens;
  clock: Clock;
  turns: Turns;
  surroundings: Surroundings;
  /** The server ended this membership's right. */
  ended(code: string): void;
  random?: () => number;
};

export const keys = {
  threads: ["threads"] as const,
  thread: (id: string) => ["thread", id] as const,
  messages: (id: string) => ["messages", id] as const,
  contacts: (q: string) => ["contacts", q] as const,
  unread: ["unread"] as const,
};

export class Workspace {
  readonly queries: QueryClient;
  readonly #parts: Parts;
  readonly #api: Api;
  readonly #outgoing: Outgoing;
  readonly #live: LiveStream;
  readonly #listeners = new Set<() => void>();
  readonly #endings: (() => void)[] = [];
  readonly #running = new Map<string, { again: boolean; done: Promise<void> }>();
  readonly #keeping = new Set<Promise<void>>();
  readonly #keysOfSent = new Map<string, string>();
  readonly #readAsked = new Map<string, number>();
  readonly #openKeys = new Map<string, string>();
  #member: Membership;
  #version = 0;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#member = parts.member;
    const send = watching(authorised(reaching(parts.send), parts.tokens), (code) => this.#end(code));
    this.#api = openApi(parts.origin, send);
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
    this.#outgoing = new Outgoing({
      keep: parts.keep,
      clock: parts.clock,
      turns: parts.turns,
      online: parts.surroundings.online,
      changed: () => this.#changed(),
      announce: () => this.#tabs.say({ kind: "unsent" }),
      post: async ({ thread, key, text, language }) =>
        unwrap(
          await this.#api.POST("/messaging/v1/threads/{thread_id}/messages", {
            params: { path: { thread_id: thread }, header: { "Idempotency-Key": key } },
            body: { text, language },
          }),
        ),
      sent: ({ thread, key }, message) => this.#sent(thread, key, message),
      ...(parts.random && { random: parts.random }),
    });
    const plain = authorised(parts.send, parts.tokens);
    this.#live = new LiveStream(
      {
        clock: parts.clock,
        online: parts.surroundings.online,
        ...(parts.random && { random: parts.random }),
        open: async (since, signal, renewed) => {
          if (renewed) await parts.tokens.grant();
          const headers = new Headers({ Accept: "text/event-stream" });
          if (since !== null) headers.set("Last-Event-ID", since);
          return plain(new Request(new URL("/notify/v1/stream", parts.origin), { headers, signal, cache: "no-store" }));
        },
      },
      {
        told: (event) => this.told(event),
        refetch: () => void this.queries.invalidateQueries(),
        ended: (code) => this.#end(code),
        changed: (state) => this.#liveChanged(state),
      },
    );
    this.#tabs = parts.surroundings.tabs(parts.keep.key, (said) => this.#heard(said));
  }

  readonly #tabs: ReturnType<Surroundings["tabs"]>;

  get member(): Membership {
    return this.#member;
  }

  get live(): LiveState {
    return this.#live.state;
  }

  /** Brings up what was kept, so that the first paint is real content. Asks the server nothing. */
  async wake(): Promise<void> {
    const threads = await this.#parts.keep.threads().catch(() => []);
    if (threads.length > 0)
      this.queries.setQueryData<ThreadList>(keys.threads, { threads, next: null }, { updatedAt: 1 });
    await this.#outgoing.look();
  }

  /** From now on it sends and listens. */
  start(): void {
    const { surroundings } = this.#parts;
    this.#endings.push(
      surroundings.on("online", () => this.hurry()),
      surroundings.on("visible", () => this.hurry()),
      surroundings.on("offline", () => {
        this.#live.drop();
        this.#changed();
      }),
    );
    void this.#outgoing.start();
    void this.#live.run();
  }

  hurry(): void {
    this.#live.hurry();
    this.#outgoing.hurry();
  }

  /** Stops everything; what is kept stays. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#endings) end();
    this.#live.close();
    this.#outgoing.close();
    this.#parts.tokens.close();
    this.#tabs.close();
    this.queries.clear();
    this.#parts.keep.close();
  }

  /** Resolves when everything said so far is kept. */
  async settled(): Promise<void> {
    await Promise.all([...this.#keeping, this.#outgoing.stored()]);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Rises with every change of what is pending, sent, or of the line's state. */
  readonly version = (): number => this.#version;

  // Conversations

  async fetchThreads(): Promise<ThreadList> {
    const page = await this.#threadsPage(null);
    const { list, gone } = putFirstPage(this.#threads(), page);
    for (const each of list.threads) {
      if (this.queries.getQueryData(keys.thread(each.id))) this.queries.setQueryData(keys.thread(each.id), each);
    }
    this.#keepQuietly(async (keep) => {
      await keep.putThreads(page.items);
      for (const id of gone) await keep.forgetThread(id);
    });
    return list;
  }

  async moreThreads(): Promise<void> {
    await this.#once("more-threads", async () => {
      const next = this.#threads()?.next;
      if (!next) return;
      const page = await this.#threadsPage(next);
      this.queries.setQueryData<ThreadList>(keys.threads, (list) => list && addPage(list, page));
      this.#keepQuietly((keep) => keep.putThreads(page.items));
    });
  }

  async fetchThread(id: string): Promise<Thread> {
    const fetched = await this.#ofThread(id, async () =>
      unwrap(await this.#api.GET("/messaging/v1/threads/{thread_id}", { params: { path: { thread_id: id } } })),
    );
    return this.#putThread(fetched);
  }

  knownThread(id: string): Thread | undefined {
    return (
      this.queries.getQueryData<Thread>(keys.thread(id)) ?? this.#threads()?.threads.find((each) => each.id === id)
    );
  }

  async openThread(pupil: string, seat: string): Promise<string> {
    const both = `${pupil}/${seat}`;
    const key = this.#openKeys.get(both) ?? mintKey();
    this.#openKeys.set(both, key);
    const thread = unwrap(
      await this.#api.POST("/messaging/v1/threads", {
        params: { header: { "Idempotency-Key": key } },
        body: { pupil, seat },
      }),
    );
    this.#openKeys.delete(both);
    this.queries.setQueryData(keys.thread(thread.id), this.#putThread(thread));
    return thread.id;
  }

  // Messages

  async fetchMessages(id: string): Promise<Conversation> {
    await this.#takeUpKept(id);
    const page = await this.#messages(id, { limit: PAGE });
    const oldest = page.items.at(-1)?.seq ?? 0;
    let fetched = page.items;
    let top = newestSeq(this.#conversation(id));
    for (let round = 0; top > 0 && oldest > top + 1 && round < MOST_CATCH_UP_PAGES; round++) {
      const between = await this.#messages(id, { after: top, limit: CATCH_UP_PAGE });
      if (between.items.length === 0) break;
      fetched = [...between.items, ...fetched];
      top = between.items.at(-1)?.seq ?? oldest;
    }
    // What was kept while its translation was being made, and is older than the page, is asked for once more.
    const unfinished = this.#conversation(id)?.messages.find(
      (each) => each.seq < oldest && each.translation?.state === "on-its-way",
    );
    if (unfinished) {
      const again = await this.#messages(id, { after: unfinished.seq - 1, limit: CATCH_UP_PAGE });
      fetched = [...again.items, ...fetched];
    }
    this.#keepQuietly((keep) => keep.putMessages(id, fetched));
    const merged = mergeMessages(this.#conversation(id) ?? nothingYet, fetched);
    return page.next === null && merged.messages[0]?.seq === page.items.at(-1)?.seq
      ? { ...merged, complete: true }
      : merged;
  }

  async olderMessages(id: string): Promise<void> {
    await this.#once(`older/${id}`, async () => {
      const held = this.#conversation(id);
      const oldest = held?.messages[0]?.seq;
      if (!held || held.complete || oldest === undefined) return;
      const after = Math.max(0, oldest - 1 - PAGE);
      const page = await this.#messages(id, { after, limit: PAGE });
      const older = newestRun(page.items.filter((each) => each.seq < oldest));
      const joins = older.at(-1)?.seq === oldest - 1;
      // The first seq asked for is missing: what lies before is not this reader's, or not there any more.
      const floor = !joins || older[0]?.seq !== after + 1;
      this.queries.setQueryData<Conversation>(keys.messages(id), (now) => {
        if (!now) return now;
        const merged = joins ? mergeMessages(now, older) : now;
        return floor ? { ...merged, complete: true } : merged;
      });
      this.#keepQuietly((keep) => keep.putMessages(id, older));
    });
  }

  shown(id: string, conversation: Conversation, thread: Thread | null): ShownMessage[] {
    const { person, name, role } = this.#member;
    return shownMessages(conversation, thread, {
      unsent: this.#outgoing.list.filter((each) => each.thread === id),
      keys: this.#keysOfSent,
      waitingForNetwork: this.#outgoing.waitingForNetwork,
      author: { id: person, name, side: role === "guardian" ? "family" : "staff" },
    });
  }

  write(id: string, text: string): void {
    const words = text.trim();
    if (words === "") return;
    const after_seq = newestSeq(this.#conversation(id)) || (this.knownThread(id)?.head_seq ?? 0);
    this.#outgoing.write({ thread: id, text: words, language: this.#member.language, after_seq });
  }

  retry(key: string): void {
    void this.#outgoing.retry(key);
  }

  discard(key: string): void {
    void this.#outgoing.discard(key);
  }

  /** Moves forward only; a step that did not reach the server is taken again when the page asks next. */
  async markRead(id: string, seq: number): Promise<void> {
    const known = this.knownThread(id);
    if (seq <= Math.max(known?.my_read_seq ?? 0, this.#readAsked.get(id) ?? 0)) return;
    this.#readAsked.set(id, seq);
    try {
      await this.#ofThread(id, async () =>
        unwrap(
          await this.#api.PUT("/messaging/v1/threads/{thread_id}/read", {
            params: { path: { thread_id: id } },
            body: { seq },
          }),
        ),
      );
      const now = this.knownThread(id);
      if (now) this.queries.setQueryData(keys.thread(id), this.#putThread(readUpTo(now, seq)));
      await this.queries.invalidateQueries({ queryKey: keys.unread });
    } catch (failure) {
      if (this.#readAsked.get(id) === seq) this.#readAsked.delete(id);
      if (!(failure instanceof Problem || failure instanceof Unreachable)) throw failure;
    }
  }

  // The rest

  async fetchUnread(): Promise<Unread> {
    return unwrap(await this.#api.GET("/messaging/v1/unread"));
  }

  async fetchContacts(q: string, cursor: string | null): Promise<Page<Contact>> {
    const query = { limit: PAGE, ...(q !== "" && { q }), ...(cursor !== null && { cursor }) };
    return unwrap(await this.#api.GET("/messaging/v1/contacts", { params: { query } }));
  }

  draft(id: string): Promise<string> {
    return this.#parts.keep.draft(id).catch(() => "");
  }

  putDraft(id: string, text: string): void {
    this.#keepQuietly((keep) => keep.putDraft(id, text));
  }

  async setLanguage(language: string): Promise<Membership> {
    const found = await this.#api.GET("/identity/v1/me");
    const me = unwrap(found);
    const version = found.response.headers.get("ETag") ?? `"${me.version}"`;
    const changed = unwrap(
      await this.#api.PATCH("/identity/v1/me", { params: { header: { "If-Match": version } }, body: { language } }),
    );
    this.#member = { ...this.#member, language: changed.language };
    await this.#parts.keep.putMember(this.#member).catch(() => {});
    await this.#parts.keep.forgetMessages().catch(() => {});
    // Every translation shown was for the old language.
    this.queries.removeQueries({ queryKey: ["messages"], type: "inactive" });
    void this.queries.resetQueries({ queryKey: ["messages"] });
    void this.queries.invalidateQueries();
    return this.#member;
  }

  /** What the live line says has changed. */
  told(event: Told): void {
    if (this.#closed) return;
    const mine = event.kind === "message" ? event.author : event.kind === "read" ? event.person : null;
    void this.#quietly(() => this.#refreshThread(event.thread));
    if (event.kind === "message") void this.#quietly(() => this.#catchUp(event.thread));
    if (event.kind === "translation") void this.#quietly(() => this.#refreshMessage(event.thread, event.message));
    if (event.kind === "read" ? mine === this.#member.person : mine !== null && mine !== this.#member.person) {
      void this.queries.invalidateQueries({ queryKey: keys.unread });
    }
  }

  async #refreshThread(id: string): Promise<void> {
    await this.#once(`thread/${id}`, async () => {
      this.queries.setQueryData(keys.thread(id), await this.fetchThread(id));
    });
  }

  async #catchUp(id: string): Promise<void> {
    await this.#once(`catch-up/${id}`, async () => {
      for (let full = true; full; ) {
        const held = this.#conversation(id);
        // Nobody has opened it in this tab: it is fetched when somebody does.
        if (!held) return;
        const page = await this.#messages(id, { after: newestSeq(held), limit: CATCH_UP_PAGE });
        this.#addMessages(id, page.items);
        full = page.next !== null && page.items.length > 0;
      }
    });
  }

  async #refreshMessage(id: string, message: string): Promise<void> {
    const known = this.#conversation(id)?.messages.find((each) => each.id === message);
    if (!known) return;
    const page = await this.#messages(id, { after: known.seq - 1, limit: 1 });
    this.#addMessages(id, page.items);
  }

  #addMessages(id: string, messages: Message[]): void {
    this.queries.setQueryData<Conversation>(keys.messages(id), (held) => held && mergeMessages(held, messages));
    this.#keepQuietly((keep) => keep.putMessages(id, messages));
  }

  async #sent(thread: string, key: string, message: Message): Promise<void> {
    this.#keysOfSent.set(message.id, key);
    const held = this.#conversation(thread);
    if (held && message.seq <= newestSeq(held) + 1) this.#addMessages(thread, [message]);
    // A message of somebody else came between. When fetching it fails, this one stays pending and is asked for again.
    else if (held) await this.#catchUp(thread);
    this.#tabs.say({ kind: "sent", thread });
    void this.#quietly(() => this.#refreshThread(thread));
  }

  #heard(said: unknown): void {
    const word = said as { kind?: string; thread?: string };
    if (word.kind === "unsent") void this.#outgoing.look();
    if (word.kind === "sent" && word.thread) {
      const { thread } = word;
      void this.#quietly(() => this.#catchUp(thread));
    }
  }

  #liveChanged(state: LiveState): void {
    this.#changed();
    if (state !== "live") return;
    this.#outgoing.hurry();
    void this.queries.invalidateQueries({ predicate: (query) => query.state.error !== null });
  }

  async #takeUpKept(id: string): Promise<void> {
    if (this.#conversation(id)) return;
    const kept = newestRun(await this.#parts.keep.messages(id).catch(() => []));
    if (kept.length === 0 || this.#conversation(id)) return;
    const conversation = { messages: kept, complete: kept[0]?.seq === 1 };
    this.queries.setQueryData<Conversation>(keys.messages(id), conversation, { updatedAt: 1 });
  }

  async #threadsPage(cursor: string | null): Promise<Page<Thread>> {
    const query = { limit: PAGE, ...(cursor !== null && { cursor }) };
    return unwrap(await this.#api.GET("/messaging/v1/threads", { params: { query } }));
  }

  #messages(id: string, query: { limit: number; after?: number }): Promise<Page<Message>> {
    return this.#ofThread(id, async () =>
      unwrap(
        await this.#api.GET("/messaging/v1/threads/{thread_id}/messages", {
          params: { path: { thread_id: id }, query },
        }),
      ),
    );
  }

  #threads(): ThreadList | undefined {
    return this.queries.getQueryData<ThreadList>(keys.threads);
  }

  #conversation(id: string): Conversation | undefined {
    return this.queries.getQueryData<Conversation>(keys.messages(id));
  }

  #putThread(fetched: Thread): Thread {
    const thread = fresherThread(this.knownThread(fetched.id), fetched);
    this.queries.setQueryData<ThreadList>(keys.threads, (list) => list && mergeThread(list, thread));
    this.#keepQuietly((keep) => keep.putThreads([thread]));
    return thread;
  }

  /** A conversation that is not there, or not ours any more, is forgotten on this device. */
  async #ofThread<T>(id: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (failure) {
      if (failure instanceof Problem && failure.status === 404) {
        this.queries.setQueryData<ThreadList>(keys.threads, (list) => list && withoutThread(list, id));
        this.queries.removeQueries({ queryKey: keys.messages(id), type: "inactive" });
        this.queries.setQueryData<Conversation>(keys.messages(id), (held) => held && nothingYet);
        this.#keepQuietly((keep) => keep.forgetThread(id));
      }
      throw failure;
    }
  }

  /** One run at a time; asked for while running, it runs once more after. */
  #once(name: string, work: () => Promise<void>): Promise<void> {
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
  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (failure) {
      if (!(failure instanceof Problem || failure instanceof Unreachable)) throw failure;
    }
  }

  /** Keeping is a comfort: a full or forbidden store must not stop the conversation. */
  #keepQuietly(work: (keep: Keep) => Promise<void>): void {
    if (this.#closed) return;
    const done = work(this.#parts.keep).catch(() => {});
    this.#keeping.add(done);
    void done.finally(() => this.#keeping.delete(done));
  }

  #end(code: string): void {
    if (!this.#closed) this.#parts.ended(code);
  }

  #changed(): void {
    if (this.#closed) return;
    this.#version++;
    for (const listener of this.#listeners) listener();
  }
}

/** Notices on any answer that the person is suspended. */
function watching(send: Send, ended: (code: string) => void): Send {
  return async (request) => {
    const answer = await send(request);
    if (answer.status === 403) {
      const document = (await answer
        .clone()
        .json()
        .catch(() => null)) as { code?: string } | null;
      if (document?.code === "suspended") ended("suspended");
    }
    return answer;
  };
}
