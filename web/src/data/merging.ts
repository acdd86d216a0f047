/**
 * How pages, live catch-ups and what was kept become one conversation, and how unsent words take their place in it
 * without being shown twice or disappearing for a moment.
 */
import type { Held, Message, Thread } from "../api/schema.ts";
import type { Unsent } from "../keep/keep.ts";
import type { ShownMessage } from "./types.ts";

/** One run of messages without a gap, oldest first. */
export type Conversation = {
  messages: Message[];
  /** Nothing older is there to be fetched. */
  complete: boolean;
};

export const nothingYet: Conversation = { messages: [], complete: false };

export function newestSeq(conversation: Conversation | undefined): number {
  return conversation?.messages.at(-1)?.seq ?? 0;
}

/** The messages that reach without a gap up to the newest. */
export function newestRun(sorted: Message[]): Message[] {
  let start = Math.max(sorted.length - 1, 0);
  for (let index = sorted.length - 2; index >= 0; index--) {
    if ((sorted[index]?.seq ?? 0) + 1 !== sorted[index + 1]?.seq) break;
    start = index;
  }
  return sorted.slice(start);
}

/** `fetched` wins over what was there, unless it is an older version of the same message. */
export function mergeMessages(held: Conversation, fetched: Message[]): Conversation {
  if (fetched.length === 0) return held;
  const bySeq = new Map(held.messages.map((each) => [each.seq, each]));
  for (const each of fetched) {
    const known = bySeq.get(each.seq);
    bySeq.set(each.seq, known && known.version > each.version ? known : each);
  }
  const sorted = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  const messages = newestRun(sorted);
  const oldest = messages[0]?.seq;
  return { messages, complete: oldest === 1 || (held.complete && oldest === held.messages[0]?.seq) };
}

/** The list of conversations as far as it is known, newest first. */
export type ThreadList = { threads: Thread[]; next: string | null };

/** Two answers may cross: what is newer stays, and reading only moves forward. */
export function fresherThread(held: Thread | undefined, fetched: Thread): Thread {
  if (!held || held.head_seq < fetched.head_seq) return fetched;
  if (held.head_seq > fetched.head_seq) return held;
  if (held.my_read_seq <= fetched.my_read_seq) return fetched;
  return { ...fetched, my_read_seq: held.my_read_seq, unread: held.unread };
}

export function mergeThread(list: ThreadList, thread: Thread): ThreadList {
  return { ...list, threads: byNewest([...list.threads.filter((each) => each.id !== thread.id), thread]) };
}

export function withoutThread(list: ThreadList, id: string): ThreadList {
  return { ...list, threads: list.threads.filter((each) => each.id !== id) };
}

/** Adds a further page. */
export function addPage(list: ThreadList, page: { items: Thread[]; next: string | null }): ThreadList {
  const fresh = new Set(page.items.map((each) => each.id));
  return { threads: byNewest([...list.threads.filter((each) => !fresh.has(each.id)), ...page.items]), next: page.next };
}

/** Puts a fresh first page over the list; what should have been on that page and is not, is gone (`gone`). */
export function putFirstPage(
  list: ThreadList | undefined,
  page: { items: Thread[]; next: string | null },
): { list: ThreadList; gone: string[] } {
  if (!list) return { list: { threads: page.items, next: page.next }, gone: [] };
  const fresh = new Set(page.items.map((each) => each.id));
  const held = new Map(list.threads.map((each) => [each.id, each]));
  const items = page.items.map((each) => fresherThread(held.get(each.id), each));
  const oldest = Math.min(...page.items.map(saidAt));
  const beyond = list.threads.filter((each) => !fresh.has(each.id));
  const stays = (each: Thread) => page.next !== null && saidAt(each) <= oldest;
  const deeper = beyond.filter(stays);
  return {
    list: {
      threads: byNewest([...items, ...deeper]),
      next: deeper.length > 0 && page.next !== null ? (list.next ?? page.next) : page.next,
    },
    gone: beyond.filter((each) => !stays(each)).map((each) => each.id),
  };
}

function byNewest(threads: Thread[]): Thread[] {
  return threads.sort((a, b) => saidAt(b) - saidAt(a));
}

/** A conversation nobody has written in yet is the newest: somebody has just opened it. */
function saidAt(thread: Thread): number {
  return thread.last ? Date.parse(thread.last.sent_at) : Number.MAX_SAFE_INTEGER;
}

/** Everything up to `seq` is read by me. */
export function readUpTo(thread: Thread, seq: number): Thread {
  if (seq <= thread.my_read_seq) return thread;
  return { ...thread, my_read_seq: seq, unread: seq >= thread.head_seq ? 0 : thread.unread };
}

export type Pending = {
  unsent: readonly Unsent[];
  /** Which key a stored message was written under, for those sent from this tab. */
  keys: ReadonlyMap<string, string>;
  waitingForNetwork: boolean;
  author: Message["author"];
  /** Newest first, as the server lists them. */
  held: readonly Held[];
};

/**
 * What the page lists. A pending message gives way to its stored self: by the key it was sent under, or, when the
 * server's answer was lost, by being the first newer message of mine with the same words.
 */
export function shownMessages(
  conversation: Conversation,
  thread: Pick<Thread, "others_read"> | null,
  pending: Pending,
): ShownMessage[] {
  const keyOfId = new Map(pending.keys);
  const stored = new Set(conversation.messages.map((each) => keyOfId.get(each.id)));
  const released = new Set(conversation.messages.map((each) => each.id));
  const held = pending.held.filter((each) => !released.has(each.id)).reverse();
  const accepted = new Set(held.map((each) => keyOfId.get(each.id)));
  const waiting: Unsent[] = [];
  for (const each of pending.unsent) {
    if (stored.has(each.key) || accepted.has(each.key)) continue;
    const echo = each.state === "refused" ? undefined : echoOf(each, conversation.messages, keyOfId);
    if (echo) keyOfId.set(echo.id, each.key);
    else waiting.push(each);
  }
  const seen = sightings(conversation.messages, thread?.others_read ?? []);
  return [
    ...conversation.messages.map((each) => shownStored(each, keyOfId.get(each.id) ?? each.id, seen)),
    ...held.map((each) => shownHeld(each, keyOfId.get(each.id) ?? each.id, pending)),
    ...waiting.map((each) => shownUnsent(each, pending)),
  ];
}

function echoOf(unsent: Unsent, messages: Message[], taken: ReadonlyMap<string, string>): Message | undefined {
  return messages.find(
    (each) => each.mine && each.seq > unsent.after_seq && each.text.trim() === unsent.text && !taken.has(each.id),
  );
}

type Sighting = { seq: number; name: string; at: string; newestOfMine: number };

function sightings(messages: Message[], readers: Thread["others_read"]): Sighting[] {
  return [...readers]
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .map((each) => ({
      ...each,
      newestOfMine: messages.findLast((message) => message.mine && message.seq <= each.seq)?.seq ?? 0,
    }));
}

function shownStored(message: Message, key: string, sightings: Sighting[]): ShownMessage {
  const by = message.mine ? sightings.filter((each) => each.seq >= message.seq) : [];
  // A reader's time is that of their latest step; only the newest message of that step was surely seen then.
  const exact = by.find((each) => each.newestOfMine === message.seq);
  return {
    ...message,
    key,
    state: by.length > 0 ? "seen" : "sent",
    seenAt: by.every((each) => each.newestOfMine === message.seq) ? (exact?.at ?? null) : null,
    seenBy: by.map((each) => each.name),
    problem: null,
    visibleAt: null,
    opens: null,
  };
}

function shownHeld(held: Held, key: string, pending: Pending): ShownMessage {
  return {
    id: held.id,
    key,
    seq: null,
    author: pending.author,
    mine: true,
    text: held.text,
    language: held.language,
    sent_at: held.accepted_at,
    version: 0,
    translation: null,
    answer_by: held.answer_by,
    about_safety: false,
    state: held.state,
    seenAt: null,
    seenBy: [],
    problem: null,
    visibleAt: held.visible_at,
    opens: null,
  };
}

function shownUnsent(unsent: Unsent, pending: Pending): ShownMessage {
  return {
    id: unsent.key,
    key: unsent.key,
    seq: null,
    author: pending.author,
    mine: true,
    text: unsent.text,
    language: unsent.language,
    sent_at: new Date(unsent.written_at).toISOString(),
    version: 0,
    translation: null,
    answer_by: null,
    about_safety: unsent.about_safety ?? false,
    state: unsent.state === "refused" ? "failed" : pending.waitingForNetwork ? "waiting" : "sending",
    seenAt: null,
    seenBy: [],
    problem: unsent.code,
    visibleAt: null,
    opens: unsent.opens ?? null,
  };
}
