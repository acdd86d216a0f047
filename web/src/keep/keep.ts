/**
 * What stays on this device for one membership: read conversations, unsent messages, drafts.
 *
 * One IndexedDB database per membership, so that wiping one is one deletion and nothing of a colleague's or a sibling
 * role's can be read through another. Records from the server expire seven days after they were fetched; a membership
 * nobody opened for seven days goes entirely, unsent messages included. While the school is closed to a member those days
 * count from when it opens, for what they wrote themselves: a holiday is longer than a week.
 */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from "idb";
import type { Membership, Message, Thread } from "../api/schema.ts";

export const KEPT_FOR_MS = 7 * 24 * 60 * 60 * 1000;
const PREFIX = "bookbag:";
const VERSION = 1;

/** A message that is written but not yet known to be on the server. */
export type Unsent = {
  /** Rises with the order of writing. */
  order?: number;
  /** Minted once; every attempt carries the same one, so that the server stores the message once. */
  key: string;
  thread: string;
  text: string;
  language: string;
  written_at: number;
  /** The newest seq this device knew when the words were written; an echo is always newer. */
  after_seq: number;
  state: "waiting" | "sending" | "refused";
  /** The problem code of a refusal. */
  code: string | null;
  /** When one may write again, where the refusal said so (RFC 3339). */
  opens?: string | null;
  about_safety?: boolean;
};

type Kept<T> = { value: T; kept_at: number };

interface Shelf extends DBSchema {
  meta: { key: string; value: Kept<unknown> };
  threads: { key: string; value: Kept<Thread> };
  messages: { key: [string, number]; value: Kept<Message> };
  unsent: { key: number; value: Unsent; indexes: { key: string; thread: string } };
  drafts: { key: string; value: Kept<string> };
}

export type MembershipKey = `${string}/${string}/${string}`;

export function keyOf(member: Pick<Membership, "person" | "role"> & { school: { id: string } }): MembershipKey {
  return `${member.school.id}/${member.person}/${member.role}`;
}

export class Keep {
  readonly key: MembershipKey;
  readonly #shelf: IDBPDatabase<Shelf>;
  readonly #now: () => number;

  constructor(key: MembershipKey, shelf: IDBPDatabase<Shelf>, now: () => number) {
    this.key = key;
    this.#shelf = shelf;
    this.#now = now;
  }

  static async open(key: MembershipKey, now: () => number = Date.now): Promise<Keep> {
    const shelf = await openDB<Shelf>(PREFIX + key, VERSION, {
      upgrade(database) {
        database.createObjectStore("meta");
        database.createObjectStore("threads");
        database.createObjectStore("messages");
        const unsent = database.createObjectStore("unsent", { keyPath: "order", autoIncrement: true });
        unsent.createIndex("key", "key", { unique: true });
        unsent.createIndex("thread", "thread");
        database.createObjectStore("drafts");
      },
      blocking(_current, _wanted, event) {
        // Another tab signs out and deletes this database: let it.
        (event.target as IDBDatabase).close();
      },
    });
    const keep = new Keep(key, shelf, now);
    await keep.dropExpired();
    await keep.#putMeta("opened", true);
    return keep;
  }

  async member(): Promise<Membership | null> {
    return ((await this.#shelf.get("meta", "member"))?.value as Membership | undefined) ?? null;
  }

  async putMember(member: Membership): Promise<void> {
    await this.#putMeta("member", member);
  }

  async threads(): Promise<Thread[]> {
    const kept = await this.#shelf.getAll("threads");
    return kept.map((each) => each.value).sort((a, b) => lastSaid(b) - lastSaid(a));
  }

  async putThreads(threads: Thread[]): Promise<void> {
    const transaction = this.#shelf.transaction("threads", "readwrite");
    const kept_at = this.#now();
    await Promise.all(threads.map((value) => transaction.store.put({ value, kept_at }, value.id)));
    await transaction.done;
  }

  /** The thread is no longer ours to read: nothing of it stays. */
  async forgetThread(thread: string): Promise<void> {
    const transaction = this.#shelf.transaction(["threads", "messages", "drafts"], "readwrite");
    await Promise.all([
      transaction.objectStore("threads").delete(thread),
      transaction.objectStore("messages").delete(ofThread(thread)),
      transaction.objectStore("drafts").delete(thread),
    ]);
    await transaction.done;
  }

  /** Oldest first. */
  async messages(thread: string): Promise<Message[]> {
    return (await this.#shelf.getAll("messages", ofThread(thread))).map((each) => each.value);
  }

  async putMessages(thread: string, messages: Message[]): Promise<void> {
    const transaction = this.#shelf.transaction("messages", "readwrite");
    const kept_at = this.#now();
    await Promise.all(messages.map((value) => transaction.store.put({ value, kept_at }, [thread, value.seq])));
    await transaction.done;
  }

  /** Every message from the server, of every thread; what is unsent stays. */
  async forgetMessages(): Promise<void> {
    await this.#shelf.clear("messages");
  }

  /** In the order of writing. */
  async unsent(): Promise<Unsent[]> {
    return this.#shelf.getAll("unsent");
  }

  async addUnsent(message: Unsent): Promise<Unsent> {
    const order = await this.#shelf.add("unsent", message);
    return { ...message, order };
  }

  async putUnsent(message: Unsent): Promise<void> {
    await this.#shelf.put("unsent", message);
  }

  async removeUnsent(key: string): Promise<void> {
    const order = await this.#shelf.getKeyFromIndex("unsent", "key", key);
    if (order !== undefined) await this.#shelf.delete("unsent", order);
  }

  async draft(thread: string): Promise<string> {
    return (await this.#shelf.get("drafts", thread))?.value ?? "";
  }

  async putDraft(thread: string, text: string): Promise<void> {
    if (text === "") await this.#shelf.delete("drafts", thread);
    else await this.#shelf.put("drafts", { value: text, kept_at: this.#now() }, thread);
  }

  /** The school is closed to this member until then (milliseconds): what they were writing stays for them. */
  async awayUntil(until: number): Promise<void> {
    await this.#putMeta("away", until);
  }

  close(): void {
    this.#shelf.close();
  }

  async #putMeta(name: string, value: unknown): Promise<void> {
    await this.#shelf.put("meta", { value, kept_at: this.#now() }, name);
  }

  /** Without counting as a visit: whoever looks for what has expired need not be the person it belongs to. */
  async dropExpired(): Promise<void> {
    const opened = await this.#shelf.get("meta", "opened");
    const oldest = this.#now() - KEPT_FOR_MS;
    const away = isAway(await this.#shelf.get("meta", "away"), this.#now());
    if (opened && opened.kept_at < oldest && !away) {
      await Promise.all([...this.#shelf.objectStoreNames].map((store) => this.#shelf.clear(store)));
      return;
    }
    for (const store of away ? (["threads", "messages"] as const) : (["threads", "messages", "drafts"] as const)) {
      let cursor = await this.#shelf.transaction(store, "readwrite").store.openCursor();
      while (cursor) {
        if (cursor.value.kept_at < oldest) await cursor.delete();
        cursor = await cursor.continue();
      }
    }
  }
}

function ofThread(thread: string): IDBKeyRange {
  return IDBKeyRange.bound([thread, 0], [thread, Number.MAX_SAFE_INTEGER]);
}

function lastSaid(thread: Thread): number {
  return thread.last ? Date.parse(thread.last.sent_at) : 0;
}

async function keptDatabases(): Promise<string[]> {
  const all = await indexedDB.databases();
  return all.map((each) => each.name ?? "").filter((name) => name.startsWith(PREFIX));
}

/** Deletes everything kept for one membership. */
export async function wipe(key: MembershipKey): Promise<void> {
  await deleteDB(PREFIX + key);
}

/** Deletes what every membership kept on this device. */
export async function wipeAll(): Promise<void> {
  await Promise.all((await keptDatabases()).map((name) => deleteDB(name)));
}

/** Looks into every membership's database, so that what has expired goes even when nobody signs in as that person. */
export async function dropWhatExpired(now: () => number = Date.now): Promise<void> {
  for (const name of await keptDatabases()) {
    const shelf = await openDB<Shelf>(name);
    const stale =
      !shelf.objectStoreNames.contains("meta") ||
      (isStale(await shelf.get("meta", "opened"), now()) && !isAway(await shelf.get("meta", "away"), now()));
    if (!stale) await new Keep(name.slice(PREFIX.length) as MembershipKey, shelf, now).dropExpired();
    shelf.close();
    if (stale) await deleteDB(name);
  }
}

function isAway(away: Kept<unknown> | undefined, now: number): boolean {
  return typeof away?.value === "number" && away.value > now - KEPT_FOR_MS;
}

function isStale(opened: Kept<unknown> | undefined, now: number): boolean {
  return opened !== undefined && opened.kept_at < now - KEPT_FOR_MS;
}
