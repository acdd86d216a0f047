/**
 * A server for tests: it speaks the product's HTTP over a real socket, and can be told to fail in the ways networks and
 * servers do.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Send } from "../../src/api/client.ts";
import type { Composing, Door, Membership, Message, Role, TermsText, Thread } from "../../src/api/schema.ts";

type Answer = { status: number; body?: unknown; headers?: Record<string, string> };
/** What the next matching request meets instead of its answer. */
type Mishap =
  /** The connection breaks before anything is done. */
  | "cut"
  /** It is done, and the connection breaks before the answer. */
  | "cut-after"
  | Answer;

const school = { id: "s1", code: "oak", name: "Oak School", zone: "Europe/London", language: "en" };

export function membership(person: string, role: Role, language = "en"): Membership {
  return { person, role, name: `${person} Example`, first_name: person, language, school };
}

export class School {
  readonly memberships: Membership[] = [membership("tess", "teacher")];
  readonly threads = new Map<string, Thread>();
  readonly messages = new Map<string, Message[]>();
  /** `METHOD /path` of every request, as it came in. */
  readonly heard: string[] = [];
  readonly posted: { thread: string; text: string; key: string }[] = [];
  readonly resumedFrom: (string | null)[] = [];
  /** The refresh cookie that is good now; null: no session. */
  cookie: string | null = "c0";
  lifetime = 600;
  /** The version of the terms that is due; null: the school has none in the way. */
  termsDue: string | null = null;
  termsAccepted: string | null = null;
  /** What the rules make of a message written now. */
  composing: Composing | null = null;
  /** What is said at the door of a closed school; null: nobody is asked there. */
  #door: Door | null = null;
  demo = false;
  version = 1;
  #tokens = new Set<string>();
  #minted = 0;
  #byKey = new Map<string, Message>();
  #mishaps: { wanted: string; mishap: Mishap }[] = [];
  #streams = new Set<ServerResponse>();
  #number = 0;
  #server: Server | null = null;
  #held: { wanted: string; until: Promise<void> }[] = [];
  #watchers = new Set<() => void>();

  async open(): Promise<this> {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((resolve) => this.#server?.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server?.address() as AddressInfo | undefined)?.port}`;
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  /** The next request whose `METHOD /path` contains `wanted` meets this; several are met in turn. */
  next(wanted: string, mishap: Mishap): void {
    this.#mishaps.push({ wanted, mishap });
  }

  /** Requests containing `wanted` wait until the answer is called. */
  hold(wanted: string): () => void {
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const held = { wanted, until };
    this.#held.push(held);
    return () => {
      this.#held.splice(this.#held.indexOf(held), 1);
      release();
    };
  }

  count(wanted: string): number {
    return this.heard.filter((each) => each.includes(wanted)).length;
  }

  /** Resolves when a request containing `wanted` has come in `times` times. */
  async asked(wanted: string, times = 1): Promise<void> {
    await this.until(() => this.count(wanted) >= times);
  }

  async until(holds: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  endSession(): void {
    this.cookie = null;
    this.#tokens.clear();
  }

  forgetTokens(): void {
    this.#tokens.clear();
  }

  thread(id: string, messages: Partial<Message>[] = []): Thread {
    const thread: Thread = {
      id,
      pupil: { id: `p-${id}`, name: "Ana Ruiz", first_name: "Ana" },
      class: { id: "k1", name: "3B" },
      seat: { id: "seat", kind: "class", subject: "", holders: ["Tess Example"] },
      family_names: ["Rosa Ruiz"],
      last: null,
      unread: 0,
      head_seq: 0,
      my_read_seq: 0,
      others_read: [],
    };
    this.threads.set(id, thread);
    this.messages.set(id, []);
    for (const each of messages) this.say(id, each);
    return thread;
  }

  /** A message is there; nobody is told (see `tell`). */
  say(id: string, given: Partial<Message> = {}): Message {
    const thread = this.threads.get(id);
    const list = this.messages.get(id);
    if (!thread || !list) throw new Error(`no thread ${id}`);
    const seq = list.length + 1;
    const message: Message = {
      id: `${id}-m${seq}`,
      seq,
      author: { id: given.mine ? "tess" : "rosa", name: "Somebody", side: given.mine ? "staff" : "family" },
      mine: false,
      text: `words ${seq}`,
      language: "en",
      sent_at: new Date(Date.UTC(2026, 0, 5, 8, 0, seq)).toISOString(),
      version: 1,
      translation: null,
      answer_by: null,
      about_safety: false,
      ...given,
    };
    list.push(message);
    thread.head_seq = seq;
    if (!message.mine) thread.unread++;
    thread.last = {
      seq,
      author_name: message.author.name,
      mine: message.mine,
      text: message.text,
      sent_at: message.sent_at,
    };
    return message;
  }

  /** One frame to every open stream. */
  tell(event: string, data: unknown, number: number | null = this.#number + 1): void {
    this.#number = Math.max(this.#number, number ?? 0);
    const id = number === null ? "" : `id: ${number}\n`;
    for (const stream of this.#streams) stream.write(`${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** At the door this is said from now on; a question that waits there is answered. */
  saysAtDoor(said: Partial<Door>): void {
    const closed = { open: false, code: "outside-hours", opens: null, break_glass_minutes: null, why: [] };
    this.#door = { at: "2026-01-05T18:00:00Z", ...closed, ...said, mark: `mark ${++this.#minted}` };
    this.#look();
  }

  beat(): void {
    for (const stream of this.#streams) stream.write(": beat\n\n");
  }

  breakStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  /** The number a line that opens now begins at. */
  get number(): number {
    return this.#number;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://double");
    const line = `${request.method} ${url.pathname}${url.search}`;
    let raw = "";
    for await (const chunk of request) raw += String(chunk);
    this.heard.push(line);
    this.#look();
    const held = this.#held.find((each) => line.includes(each.wanted));
    if (held) await held.until;
    const at = this.#mishaps.findIndex((each) => line.includes(each.wanted));
    const mishap = at < 0 ? null : (this.#mishaps.splice(at, 1)[0]?.mishap ?? null);
    if (mishap === "cut") return void request.socket.destroy();
    if (url.pathname === "/notify/v1/stream" && (mishap === null || typeof mishap === "string")) {
      return this.#stream(request, response);
    }
    const seen = url.pathname === "/identity/v1/entry" ? url.searchParams.get("seen") : null;
    if (seen !== null) await this.until(() => this.#door?.mark !== seen);
    const done =
      mishap !== null && typeof mishap === "object"
        ? mishap
        : this.#do(request, url, raw === "" ? null : (JSON.parse(raw) as Record<string, unknown>));
    if (mishap === "cut-after") return void request.socket.destroy();
    const type = done.status >= 400 ? "application/problem+json" : "application/json";
    response.writeHead(done.status, { "Content-Type": type, ...done.headers });
    response.end(done.body === undefined ? undefined : JSON.stringify(done.body));
  }

  #do(request: IncomingMessage, url: URL, body: Record<string, unknown> | null): Answer {
    const path = url.pathname;
    const method = request.method ?? "GET";
    if (path.startsWith("/identity/v1/demo/")) {
      if (!this.demo) return refuse(404, "not-found");
      if (method === "GET") return { status: 200, body: { school: { code: "oak", name: "Oak School" }, people: [] } };
      return this.#enter();
    }
    if (path === "/identity/v1/sessions" && method === "POST") {
      return body?.password === "right" ? this.#enter() : refuse(401, "wrong-credentials");
    }
    const cookie = /bookbag_refresh=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? null;
    const known = this.cookie !== null && cookie === this.cookie;
    if (path === "/identity/v1/sessions/current") {
      if (!known) return refuse(401, "signed-out");
      this.endSession();
      return { status: 204 };
    }
    if (path === "/identity/v1/memberships") {
      return known ? { status: 200, body: { memberships: this.memberships } } : refuse(401, "signed-out");
    }
    if (path === "/identity/v1/entry" && this.#door !== null) return { status: 200, body: this.#door };
    if (path === "/identity/v1/tokens") return known ? this.#grant(body) : this.#reused();
    if (!this.#bearerIsGood(request)) return refuse(401, "signed-out");
    if (path === "/identity/v1/terms") return { status: 200, body: { due: this.#terms() } };
    if (path === "/identity/v1/terms/acceptances") {
      if (body?.version !== this.termsDue) return refuse(409, "terms-changed");
      this.termsAccepted = this.termsDue;
      return { status: 204 };
    }
    if (!this.#pastTerms()) return refuse(403, "terms-not-accepted");
    if (path === "/identity/v1/me") return this.#me(request, body);
    if (path === "/messaging/v1/unread") return { status: 200, body: this.#unread() };
    if (path === "/messaging/v1/threads" && method === "GET") {
      const items = [...this.threads.values()].sort((a, b) => saidAt(b).localeCompare(saidAt(a)));
      return { status: 200, body: { items: structuredClone(items), next: null } };
    }
    return this.#ofThread(request, url, body);
  }

  #ofThread(request: IncomingMessage, url: URL, body: Record<string, unknown> | null): Answer {
    const [, id = "", rest = ""] = /^\/messaging\/v1\/threads\/([^/]+)(\/\w+)?$/.exec(url.pathname) ?? [];
    const thread = this.threads.get(id);
    const list = this.messages.get(id);
    if (!thread || !list) return refuse(404, "not-found");
    if (rest === "") return { status: 200, body: { ...structuredClone(thread), composing: this.composing } };
    if (rest === "/read") {
      thread.my_read_seq = Math.max(thread.my_read_seq, Number(body?.seq));
      thread.unread = list.filter((each) => !each.mine && each.seq > thread.my_read_seq).length;
      return { status: 204 };
    }
    if (request.method === "GET") {
      const limit = Number(url.searchParams.get("limit") ?? 30);
      const after = url.searchParams.get("after");
      const from = after === null ? [...list].reverse() : list.filter((each) => each.seq > Number(after));
      return { status: 200, body: { items: from.slice(0, limit), next: from.length > limit ? "more" : null } };
    }
    const key = String(request.headers["idempotency-key"]);
    const text = String(body?.text);
    this.posted.push({ thread: id, text, key });
    const again = this.#byKey.get(key);
    if (again) return { status: 201, body: again };
    const message = this.say(id, { mine: true, text });
    this.#byKey.set(key, message);
    return { status: 201, body: message };
  }

  #pastTerms(): boolean {
    return this.termsDue === null || this.termsAccepted === this.termsDue;
  }

  #terms(): TermsText | null {
    if (this.termsDue === null) return null;
    const [version, accepted] = [this.termsDue, this.#pastTerms()];
    return { version, language: "en", text: `Terms ${version}`, agreement: "accept", digest: version, accepted };
  }

  #enter(): Answer {
    const headers = this.#rotate();
    return { status: 201, body: { session: "x", memberships: this.memberships }, headers };
  }

  #grant(body: Record<string, unknown> | null): Answer {
    const member = this.memberships.find((each) => each.person === body?.person && each.role === body.role);
    if (!member) return refuse(404, "not-found");
    const token = `t${++this.#minted}`;
    this.#tokens.add(token);
    return {
      status: 200,
      body: { token, expires_in: this.lifetime, member, terms_accepted: this.#pastTerms() },
      headers: this.#rotate(),
    };
  }

  /** Showing a cookie that was already used ends the session, as the real one does. */
  #reused(): Answer {
    this.endSession();
    return refuse(401, "signed-out");
  }

  #rotate(): Record<string, string> {
    this.cookie = `c${++this.#minted}`;
    return { "Set-Cookie": `bookbag_refresh=${this.cookie}; HttpOnly; Path=/identity/v1; SameSite=Strict` };
  }

  #me(request: IncomingMessage, body: Record<string, unknown> | null): Answer {
    const member = this.memberships[0];
    if (!member) return refuse(404, "not-found");
    if (request.method === "PATCH") {
      if (request.headers["if-match"] !== `"v${this.version}"`) return refuse(412, "edit-conflict");
      member.language = String(body?.language);
      this.version++;
    }
    return { status: 200, body: { ...member, version: this.version }, headers: { ETag: `"v${this.version}"` } };
  }

  #unread(): { threads: number; messages: number } {
    const unread = [...this.threads.values()].map((each) => each.unread).filter((each) => each > 0);
    return { threads: unread.length, messages: unread.reduce((sum, each) => sum + each, 0) };
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#bearerIsGood(request)) {
      response.writeHead(401, { "Content-Type": "application/problem+json" });
      return void response.end(JSON.stringify({ code: "signed-out" }));
    }
    this.resumedFrom.push((request.headers["last-event-id"] as string | undefined) ?? null);
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(`event: ready\ndata: ${JSON.stringify({ number: this.#number })}\n\n`);
    this.#streams.add(response);
    response.on("close", () => {
      this.#streams.delete(response);
      this.#look();
    });
    this.#look();
  }

  #bearerIsGood(request: IncomingMessage): boolean {
    return this.#tokens.has((request.headers.authorization ?? "").replace("Bearer ", ""));
  }

  #look(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

export function refuse(
  status: number,
  code: string,
  headers: Record<string, string> = {},
  told: Record<string, unknown> = {},
): Answer {
  return { status, body: { type: `/problems/${code}`, title: code, status, code, ...told }, headers };
}

function saidAt(thread: Thread): string {
  return thread.last?.sent_at ?? "";
}

/** `fetch` of one browser: all its tabs share the cookie. */
export function browserFetch(cookie: string | null = null): Send {
  let jar = cookie;
  return async (request) => {
    const headers = new Headers(request.headers);
    if (jar !== null && new URL(request.url).pathname.startsWith("/identity/v1")) {
      headers.set("Cookie", `bookbag_refresh=${jar}`);
    }
    const answer = await fetch(new Request(request, { headers }));
    const set = /bookbag_refresh=(\w*)/.exec(answer.headers.get("Set-Cookie") ?? "")?.[1];
    if (set !== undefined) jar = set;
    return answer;
  };
}
