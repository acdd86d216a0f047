/**
 * Everything one membership has in this tab: its requests, what it keeps, what it shows, what it sends and what it is
 * told. It is made when a membership is chosen and closed as a whole, so that nothing of one is seen under another.
 */
import type { QueryClient } from "@tanstack/react-query";
import { type Api, authorised, openApi, reaching, type Send } from "../api/client.ts";
import { type Problem, problemOf, unwrap } from "../api/problem.ts";
import type { Accepted, Contact, Held, Membership, OwnHours, Page, Thread, Week } from "../api/schema.ts";
import type { Keep } from "../keep/keep.ts";
import { ENDINGS, LiveStream, type Told } from "../live/stream.ts";
import { Outgoing } from "../queue/outgoing.ts";
import type { Clock } from "../session/clock.ts";
import { isClosing } from "../session/closing.ts";
import type { Surroundings } from "../session/surroundings.ts";
import type { Tokens } from "../session/tokens.ts";
import type { Turns } from "../session/turns.ts";
import { byTheRules, Holding, keys, PAGE } from "./holding.ts";
import { type Conversation, newestSeq, shownMessages, type ThreadList } from "./merging.ts";
import { MessageShelf } from "./messages.ts";
import { ThreadShelf } from "./threads.ts";
import type { LiveState, Opened, ShownMessage, Unread } from "./types.ts";

/** Until then some service may still decide by the rules before. */
const OBEYED_AFTER_MS = 1_500;

export type Parts = {
  origin: string;
  send: Send;
  member: Membership;
  keep: Keep;
  tokens: Tokens;
  clock: Clock;
  turns: Turns;
  surroundings: Surroundings;
  /** The server ended this membership's right, or the school is closed to it just now. */
  ended(refusal: Problem): void;
  random?: () => number;
};

export class Workspace {
  readonly threads: ThreadShelf;
  readonly messages: MessageShelf;
  readonly #parts: Parts;
  readonly #held: Holding;
  readonly #outgoing: Outgoing;
  readonly #live: LiveStream;
  readonly #listeners = new Set<() => void>();
  readonly #endings: (() => void)[] = [];
  readonly #keysOfSent = new Map<string, string>();
  #member: Membership;
  #version = 0;
  #rules = 0;
  #cancelSecondAsking: () => void = () => {};

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#member = parts.member;
    const send = watching(authorised(reaching(parts.send), parts.tokens), (refusal) => this.#end(refusal));
    const api = openApi(parts.origin, send);
    this.#held = new Holding(api, parts.keep);
    this.threads = new ThreadShelf(this.#held);
    this.messages = new MessageShelf(this.#held);
    this.#outgoing = new Outgoing({
      keep: parts.keep,
      clock: parts.clock,
      turns: parts.turns,
      online: parts.surroundings.online,
      changed: () => this.#changed(),
      announce: () => this.#tabs.say({ kind: "unsent" }),
      post: async ({ thread, key, text, language, about_safety }) =>
        unwrap(
          await api.POST("/messaging/v1/threads/{thread}/messages", {
            params: { path: { thread }, header: { "Idempotency-Key": key } },
            body: { text, language, ...(about_safety && { about_safety }) },
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
        rules: () => this.rulesChanged(),
        ended: (refusal) => this.#end(refusal),
        changed: (state) => this.#liveChanged(state),
      },
    );
    this.#tabs = parts.surroundings.tabs(parts.keep.key, (said) => this.#heard(said));
  }

  readonly #tabs: ReturnType<Surroundings["tabs"]>;

  get queries(): QueryClient {
    return this.#held.queries;
  }

  /** For what a page asks once and nothing keeps: the leaders' side of the school. */
  get api(): Api {
    return this.#held.api;
  }

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

  /** The school is closed until then (RFC 3339): what was being written outlasts that. */
  awayUntil(opens: string): void {
    this.#held.keepQuietly((keep) => keep.awayUntil(Date.parse(opens)));
  }

  /** Stops everything; what is kept stays. */
  close(): void {
    if (this.#held.closed) return;
    this.#held.close();
    for (const end of this.#endings) end();
    this.#cancelSecondAsking();
    this.#live.close();
    this.#outgoing.close();
    this.#parts.tokens.close();
    this.#tabs.close();
    this.queries.clear();
    this.#parts.keep.close();
  }

  /** Resolves when everything said so far is kept. */
  async settled(): Promise<void> {
    await Promise.all([this.#held.settled(), this.#outgoing.stored()]);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Rises with every change of what is pending, sent, or of the line's state. */
  readonly version = (): number => this.#version;

  /** Rises whenever what depends on the school's rules is to be asked again. */
  readonly rules = (): number => this.#rules;

  /** Other rules count: what depends on them is asked again, and once more when every service obeys them. */
  rulesChanged(): void {
    if (this.#held.closed) return;
    this.#askByTheRules();
    this.#cancelSecondAsking();
    this.#cancelSecondAsking = this.#parts.clock.after(OBEYED_AFTER_MS, () => this.#askByTheRules());
  }

  #askByTheRules(): void {
    this.#rules++;
    for (const queryKey of byTheRules) void this.queries.invalidateQueries({ queryKey });
    this.#changed();
  }

  // Messages

  shown(id: string, conversation: Conversation, thread: Thread | null, held: readonly Held[] = []): ShownMessage[] {
    const { person, name, role } = this.#member;
    return shownMessages(conversation, thread, {
      unsent: this.#outgoing.list.filter((each) => each.thread === id),
      keys: this.#keysOfSent,
      waitingForNetwork: this.#outgoing.waitingForNetwork,
      author: { id: person, name, side: role === "guardian" ? "family" : "staff" },
      held,
    });
  }

  /** My messages in a conversation that wait for their hour, newest first. */
  async fetchHeld(id: string): Promise<readonly Held[]> {
    const page = unwrap(
      await this.#held.api.GET("/messaging/v1/held", { params: { query: { thread: id, limit: PAGE } } }),
    );
    return page.items;
  }

  async withdraw(thread: string, message: string): Promise<void> {
    try {
      unwrap(await this.#held.api.DELETE("/messaging/v1/held/{message}", { params: { path: { message } } }));
    } finally {
      await this.#held.quietly(() => this.messages.catchUp(thread));
      await this.queries.invalidateQueries({ queryKey: keys.held(thread) });
    }
  }

  /** What would become of a message written now, null for who reads without writing; and for staff what the family waits for. */
  async fetchOpened(id: string): Promise<Opened> {
    const { composing, owed } = unwrap(
      await this.#held.api.GET("/messaging/v1/threads/{thread}", { params: { path: { thread: id } } }),
    );
    return { composing, owed };
  }

  /** Nobody waits for an answer up to this message. Rejects with Problem or Unreachable. */
  async settle(id: string, seq: number): Promise<void> {
    unwrap(
      await this.#held.api.PUT("/messaging/v1/threads/{thread}/settled", {
        params: { path: { thread: id } },
        body: { seq },
      }),
    );
    await this.queries.invalidateQueries({ queryKey: keys.composing(id) });
  }

  /** My messages in all conversations that were never let out, newest first. */
  async fetchStopped(): Promise<readonly Held[]> {
    const query = { state: "stopped", limit: PAGE } as const;
    return unwrap(await this.#held.api.GET("/messaging/v1/held", { params: { query } })).items;
  }

  /** Takes one that was stopped off the list, and its words from the server. */
  async putAway(message: string): Promise<void> {
    unwrap(await this.#held.api.DELETE("/messaging/v1/held/{message}", { params: { path: { message } } }));
    await this.queries.invalidateQueries({ queryKey: keys.stopped });
  }

  write(id: string, text: string, about_safety = false): void {
    const words = text.trim();
    if (words === "") return;
    const after_seq = newestSeq(this.#held.conversation(id)) || (this.threads.known(id)?.head_seq ?? 0);
    this.#outgoing.write({ thread: id, text: words, language: this.#member.language, after_seq, about_safety });
  }

  retry(key: string): void {
    void this.#outgoing.retry(key);
  }

  discard(key: string): void {
    void this.#outgoing.discard(key);
  }

  // The rest

  async fetchUnread(): Promise<Unread> {
    return unwrap(await this.#held.api.GET("/messaging/v1/unread"));
  }

  async fetchContacts(q: string, cursor: string | null): Promise<Page<Contact>> {
    const query = { limit: PAGE, ...(q !== "" && { q }), ...(cursor !== null && { cursor }) };
    return unwrap(await this.#held.api.GET("/messaging/v1/contacts", { params: { query } }));
  }

  draft(id: string): Promise<string> {
    return this.#parts.keep.draft(id).catch(() => "");
  }

  putDraft(id: string, text: string): void {
    this.#held.keepQuietly((keep) => keep.putDraft(id, text));
  }

  async fetchHours(): Promise<OwnHours> {
    return unwrap(await this.#held.api.GET("/identity/v1/me/hours"));
  }

  /** Rejects with Problem (`edit-conflict`: read them again) or Unreachable. */
  async putHours(week: Week | null, version: number): Promise<OwnHours> {
    return unwrap(
      await this.#held.api.PUT("/identity/v1/me/hours", {
        params: { header: { "If-Match": `"${version}"` } },
        body: { week },
      }),
    );
  }

  async setLanguage(language: string): Promise<Membership> {
    const found = await this.#held.api.GET("/identity/v1/me");
    const me = unwrap(found);
    const version = found.response.headers.get("ETag") ?? `"${me.version}"`;
    const changed = unwrap(
      await this.#held.api.PATCH("/identity/v1/me", {
        params: { header: { "If-Match": version } },
        body: { language },
      }),
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
    if (this.#held.closed) return;
    const mine = event.kind === "message" ? event.author : event.kind === "read" ? event.person : null;
    void this.#held.quietly(() => this.threads.refresh(event.thread));
    if (event.kind === "message") {
      void this.#held.quietly(() => this.messages.catchUp(event.thread));
      void this.queries.invalidateQueries({ queryKey: keys.held(event.thread) });
      void this.queries.invalidateQueries({ queryKey: keys.composing(event.thread) });
    }
    if (event.kind === "translation") void this.#held.quietly(() => this.messages.refresh(event.thread, event.message));
    if (event.kind === "read" ? mine === this.#member.person : mine !== null && mine !== this.#member.person) {
      void this.queries.invalidateQueries({ queryKey: keys.unread });
    }
  }

  async #sent(thread: string, key: string, message: Accepted): Promise<void> {
    this.#keysOfSent.set(message.id, key);
    if (message.state !== undefined && message.state !== "sent") {
      await this.queries.invalidateQueries({ queryKey: keys.held(thread) });
      this.#tabs.say({ kind: "sent", thread });
      return;
    }
    const held = this.#held.conversation(thread);
    if (held && message.seq <= newestSeq(held) + 1) this.messages.add(thread, [message]);
    // A message of somebody else came between. When fetching it fails, this one stays pending and is asked for again.
    else if (held) await this.messages.catchUp(thread);
    this.#tabs.say({ kind: "sent", thread });
    void this.#held.quietly(() => this.threads.refresh(thread));
  }

  #heard(said: unknown): void {
    const word = said as { kind?: string; thread?: string };
    if (word.kind === "unsent") void this.#outgoing.look();
    if (word.kind === "sent" && word.thread) {
      const { thread } = word;
      void this.#held.quietly(() => this.messages.catchUp(thread));
      void this.queries.invalidateQueries({ queryKey: keys.held(thread) });
    }
  }

  #liveChanged(state: LiveState): void {
    this.#changed();
    if (state !== "live") return;
    this.#outgoing.hurry();
    void this.queries.invalidateQueries({ predicate: (query) => query.state.error !== null });
  }

  #end(refusal: Problem): void {
    if (!this.#held.closed) this.#parts.ended(refusal);
  }

  #changed(): void {
    if (this.#held.closed) return;
    this.#version++;
    for (const listener of this.#listeners) listener();
  }
}

/** Notices on any answer that the person is suspended, that the school is closed to them, or that terms came that they have not accepted. */
function watching(send: Send, ended: (refusal: Problem) => void): Send {
  return async (request) => {
    const answer = await send(request);
    if (answer.status === 403) {
      const document: unknown = await answer
        .clone()
        .json()
        .catch(() => null);
      const refusal = problemOf(document, answer);
      if (ENDINGS.has(refusal.code) || isClosing(refusal.code)) ended(refusal);
    }
    return answer;
  };
}
