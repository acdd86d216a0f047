import { expect, test } from "vitest";
import type { Message, Thread } from "../src/api/schema.ts";
import {
  type Conversation,
  fresherThread,
  mergeMessages,
  mergeThread,
  newestRun,
  nothingYet,
  type Pending,
  putFirstPage,
  shownMessages,
} from "../src/data/merging.ts";
import type { Unsent } from "../src/keep/keep.ts";

function message(seq: number, change: Partial<Message> = {}): Message {
  return {
    id: `m${seq}`,
    seq,
    author: { id: "rosa", name: "Rosa", side: "family" },
    mine: false,
    text: `words ${seq}`,
    language: "en",
    sent_at: "2026-01-05T08:00:00Z",
    version: 1,
    translation: null,
    answer_by: null,
    about_safety: false,
    ...change,
  };
}

function conversation(...seqs: number[]): Conversation {
  return { messages: seqs.map((seq) => message(seq)), complete: false };
}

function unsent(key: string, text: string, change: Partial<Unsent> = {}): Unsent {
  return {
    key,
    thread: "t",
    text,
    language: "en",
    written_at: 0,
    after_seq: 2,
    state: "sending",
    code: null,
    ...change,
  };
}

function pending(...list: Unsent[]): Pending {
  return { unsent: list, keys: new Map(), waitingForNetwork: false, author: message(1).author, held: [] };
}

function thread(id: string, said: string | null, change: Partial<Thread> = {}): Thread {
  return {
    id,
    pupil: { id: "p", name: "Ana Ruiz", first_name: "Ana" },
    class: null,
    seat: { id: "s", kind: "class", subject: "", holders: [] },
    family_names: [],
    last: said ? { seq: 1, author_name: "Rosa", mine: false, text: "", sent_at: said } : null,
    unread: 0,
    head_seq: 1,
    my_read_seq: 0,
    others_read: [],
    ...change,
  };
}

const seqs = (of: Conversation) => of.messages.map((each) => each.seq);
const line = (of: { key: string; text: string; state: string }) => `${of.key} ${of.text} ${of.state}`;

test("a page newest first joins what was there, each message once", () => {
  expect(seqs(mergeMessages(conversation(3, 4, 5), [message(7), message(6), message(5)]))).toEqual([3, 4, 5, 6, 7]);
});

test("what lies before a gap is not shown as if nothing were missing", () => {
  expect(seqs(mergeMessages(conversation(1, 2), [message(9), message(8)]))).toEqual([8, 9]);
  expect(newestRun([message(1), message(3), message(4)]).map((each) => each.seq)).toEqual([3, 4]);
});

test("a conversation that reaches the first message is complete", () => {
  expect(mergeMessages(conversation(2), [message(1)]).complete).toBe(true);
  expect(mergeMessages(conversation(3), [message(2)]).complete).toBe(false);
});

test("an answer that was overtaken by a newer version of a message does not bring the old one back", () => {
  const held = { messages: [message(1, { version: 2, text: "new" })], complete: true };
  expect(mergeMessages(held, [message(1, { text: "old" })]).messages[0]?.text).toBe("new");
});

test("a translation that has come replaces the promise of one", () => {
  const translation = { state: "on-its-way", language: "es", text: null, source_language: null } as const;
  const held = { messages: [message(1, { translation })], complete: true };
  const stored = { ...translation, state: "stored", text: "palabras" } as const;
  expect(mergeMessages(held, [message(1, { translation: stored })]).messages[0]?.translation?.text).toBe("palabras");
});

test("pending words stand last, in the order of writing", () => {
  const shown = shownMessages(conversation(1, 2), null, pending(unsent("k1", "one"), unsent("k2", "two")));
  expect(shown.map(line)).toEqual(["m1 words 1 sent", "m2 words 2 sent", "k1 one sending", "k2 two sending"]);
});

test("a sent message keeps the key it was written under, and is not shown twice while its record still stands", () => {
  const held = { messages: [message(2), message(3, { mine: true, text: "one" })], complete: false };
  const both = { ...pending(unsent("k1", "one")), keys: new Map([["m3", "k1"]]) };
  expect(shownMessages(held, null, both).map(line)).toEqual(["m2 words 2 sent", "k1 one sent"]);
});

test("a message whose answer was lost is recognised when it comes by another way", () => {
  const held = {
    messages: [message(2, { mine: true, text: "one" }), message(3, { mine: true, text: "one" })],
    complete: false,
  };
  expect(shownMessages(held, null, pending(unsent("k1", "one"))).map(line)).toEqual(["m2 one sent", "k1 one sent"]);
});

test("one stored message stands for one pending message only", () => {
  const held = { messages: [message(3, { mine: true, text: "ok" })], complete: false };
  const shown = shownMessages(held, null, pending(unsent("k1", "ok"), unsent("k2", "ok")));
  expect(shown.map(line)).toEqual(["k1 ok sent", "k2 ok sending"]);
});

test("the same words of somebody else, or from before, are no echo", () => {
  const held = { messages: [message(2, { mine: true, text: "ok" }), message(3, { text: "ok" })], complete: false };
  expect(shownMessages(held, null, pending(unsent("k1", "ok"))).at(-1)?.state).toBe("sending");
});

test("without network a pending message waits, and a refused one tells why", () => {
  const offline = {
    ...pending(unsent("k1", "one"), unsent("k2", "two", { state: "refused", code: "too-large" })),
    waitingForNetwork: true,
  };
  expect(shownMessages(nothingYet, null, offline).map((each) => [each.state, each.problem])).toEqual([
    ["waiting", null],
    ["failed", "too-large"],
  ]);
});

test("my message is seen once somebody has read so far, with the time only where it is certain", () => {
  const held = { messages: [1, 2, 3].map((seq) => message(seq, { mine: true })), complete: true };
  const readers = [
    { person: "b", name: "Luis", seq: 2, at: "2026-01-05T16:00:00Z" },
    { person: "a", name: "Rosa", seq: 2, at: "2026-01-05T15:10:00Z" },
  ];
  const shown = shownMessages(held, { others_read: readers }, pending());
  expect(shown.map((each) => [each.state, each.seenAt, each.seenBy])).toEqual([
    ["seen", null, ["Rosa", "Luis"]],
    ["seen", "2026-01-05T15:10:00Z", ["Rosa", "Luis"]],
    ["sent", null, []],
  ]);
});

test("the thread somebody just wrote in goes to the top", () => {
  const list = { threads: [thread("a", "2026-01-05T10:00:00Z"), thread("b", "2026-01-05T09:00:00Z")], next: null };
  expect(mergeThread(list, thread("b", "2026-01-05T11:00:00Z")).threads.map((each) => each.id)).toEqual(["b", "a"]);
});

test("a thread missing from where it should stand in a fresh first page is gone; deeper ones stay", () => {
  const list = {
    threads: [
      thread("a", "2026-01-05T10:00:00Z"),
      thread("b", "2026-01-05T09:00:00Z"),
      thread("c", "2026-01-05T07:00:00Z"),
    ],
    next: "deep",
  };
  const page = { items: [thread("a", "2026-01-05T10:00:00Z"), thread("d", "2026-01-05T08:00:00Z")], next: "second" };
  const { list: fresh, gone } = putFirstPage(list, page);
  expect(fresh.threads.map((each) => each.id)).toEqual(["a", "d", "c"]);
  expect(fresh.next).toBe("deep");
  expect(gone).toEqual(["b"]);
});

test("reading does not move back when answers cross", () => {
  const held = thread("a", null, { my_read_seq: 1, unread: 0 });
  expect(fresherThread(held, thread("a", null, { my_read_seq: 0, unread: 1 }))).toMatchObject({
    my_read_seq: 1,
    unread: 0,
  });
  expect(fresherThread(held, thread("a", null, { head_seq: 2, my_read_seq: 1, unread: 1 })).unread).toBe(1);
});
