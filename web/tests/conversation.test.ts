import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Composing } from "../src/api/schema.ts";
import { KEPT_FOR_MS } from "../src/keep/keep.ts";
import { refuse, School } from "./double/school.ts";
import { Device } from "./double/visit.ts";

let school: School;
let device: Device;

beforeEach(async () => {
  school = await new School().open();
  school.thread("t", [{}, {}]);
  device = new Device(school);
});

afterEach(async () => {
  device.closeTabs();
  await school.close();
  for (const { name } of await indexedDB.databases()) if (name) indexedDB.deleteDatabase(name);
});

/** A tab that shows the conversation and hears what happens in it. */
async function reading() {
  const visit = await device.visit().beginLive();
  await visit.openThread("t");
  return visit;
}

const texts = () => school.messages.get("t")?.map((each) => each.text);

// What is written

test("written words are on screen at once, and become the stored message under the same key", async () => {
  const visit = await reading();
  const release = school.hold("POST /messaging");
  visit.workspace.write("t", " hello ");
  expect(visit.words("t").at(-1)).toBe("hello: sending");
  const { key } = visit.shown("t").at(-1) ?? {};
  release();
  await visit.until(() => visit.shown("t").at(-1)?.state === "sent");
  expect(visit.shown("t").at(-1)).toMatchObject({ key, seq: 3, text: "hello" });
});

test("on its way from pending to stored a message is never missing and never there twice", async () => {
  const visit = await reading();
  visit.workspace.write("t", "hello");
  await visit.eachChange((stop) => {
    expect(visit.shown("t").filter((each) => each.text === "hello")).toHaveLength(1);
    if (visit.shown("t").at(-1)?.state === "sent" && school.count("POST /messaging") === 1) stop();
  });
});

test("messages arrive in the order of writing, one request at a time", async () => {
  const visit = await reading();
  for (const text of ["one", "two", "three"]) visit.workspace.write("t", text);
  await visit.until(() => visit.words("t").at(-1) === "three: sent");
  expect(texts()?.slice(2)).toEqual(["one", "two", "three"]);
});

test("an answer that is lost leads to a second attempt with the same key, and to one message", async () => {
  const visit = await reading();
  school.next("POST /messaging", "cut-after");
  visit.workspace.write("t", "hello");
  await device.time.waitingWithin(1_000);
  device.time.move(1_000);
  await school.asked("POST /messaging", 2);
  await visit.until(() => visit.words("t").at(-1) === "hello: sent");
  expect(new Set(school.posted.map((each) => each.key)).size).toBe(1);
  expect(texts()?.filter((each) => each === "hello")).toHaveLength(1);
});

test("a message whose answer was lost is shown once even when it comes back on the live line first", async () => {
  const visit = await reading();
  school.next("POST /messaging", "cut-after");
  visit.workspace.write("t", "hello");
  await device.time.waitingWithin(1_000);
  school.tell("message", { thread: "t", message: "t-m3", author: "tess" });
  await visit.until(() => visit.shown("t").at(-1)?.seq === 3);
  expect(visit.words("t").filter((each) => each.startsWith("hello"))).toEqual(["hello: sent"]);
});

test("a busy server is tried again when it said, and nothing overtakes in the meantime", async () => {
  const visit = await reading();
  school.next("POST /messaging", refuse(503, "unavailable", { "Retry-After": "7" }));
  visit.workspace.write("t", "one");
  visit.workspace.write("t", "two");
  await device.time.waitingWithin(7_000);
  expect(texts()).toHaveLength(2);
  expect(device.time.waits()).toContain(7_000);
  device.time.move(7_000);
  await visit.until(() => visit.words("t").at(-1) === "two: sent");
  expect(texts()?.slice(2)).toEqual(["one", "two"]);
});

test("one conversation that cannot be written to does not hold up another", async () => {
  school.thread("u");
  const visit = await reading();
  school.next("POST /messaging/v1/threads/t", refuse(429, "too-many-requests"));
  visit.workspace.write("t", "one");
  visit.workspace.write("u", "two");
  await school.until(() => school.messages.get("u")?.length === 1);
  expect(texts()).toHaveLength(2);
});

test("a refused message says why, waits for its writer, and goes with the same key when tried again", async () => {
  const visit = await reading();
  school.next("POST /messaging", refuse(422, "invalid-input"));
  visit.workspace.write("t", "hello");
  await visit.until(() => visit.shown("t").at(-1)?.state === "failed");
  const { key = "", problem } = visit.shown("t").at(-1) ?? {};
  expect(problem).toBe("invalid-input");
  visit.workspace.retry(key);
  await visit.until(() => visit.words("t").at(-1) === "hello: sent");
  expect(school.posted.map((each) => each.key)).toEqual([key]);
});

test("a message refused for the hour says when it can be sent again, until it is", async () => {
  const visit = await reading();
  const opens = "2026-11-30T08:30:00Z";
  school.next("POST /messaging", refuse(403, "quiet-hours", {}, { opens }));
  visit.workspace.write("t", "hello");
  await visit.until(() => visit.shown("t").at(-1)?.state === "failed");
  const { key = "" } = visit.shown("t").at(-1) ?? {};
  expect(visit.shown("t").at(-1)).toMatchObject({ problem: "quiet-hours", opens });
  visit.workspace.retry(key);
  await visit.until(() => visit.words("t").at(-1) === "hello: sent");
  expect(visit.shown("t").at(-1)?.opens).toBeNull();
});

test("a refused message can be discarded, and stays away after a reload", async () => {
  const visit = await reading();
  school.next("POST /messaging", refuse(422, "invalid-input"));
  visit.workspace.write("t", "hello");
  await visit.until(() => visit.shown("t").at(-1)?.state === "failed");
  visit.workspace.discard(visit.shown("t").at(-1)?.key ?? "");
  await visit.until(() => visit.words("t").length === 2);
  visit.workspace.write("t", "after");
  await visit.until(() => visit.words("t").at(-1) === "after: sent");
  device.closeTabs();
  expect((await reading()).words("t").map((each) => each.split(":")[0])).toEqual(["words 1", "words 2", "after"]);
});

test("without network words wait, survive a restart, and go when the network is back", async () => {
  const visit = await reading();
  visit.tab.goes("offline");
  visit.workspace.write("t", "one");
  visit.workspace.write("t", "two");
  expect(visit.words("t").slice(2)).toEqual(["one: waiting", "two: waiting"]);
  const keysBefore = visit
    .shown("t")
    .slice(2)
    .map((each) => each.key);
  await visit.workspace.settled();
  device.closeTabs();
  const later = await device.visit({ offline: true }).begin();
  expect(later.shown("t").map((each) => each.key)).toEqual(keysBefore);
  later.tab.goes("online");
  await school.asked("POST /messaging", 2);
  await later.until(() => later.words("t").every((each) => !each.endsWith("waiting")));
  expect(texts()?.slice(2)).toEqual(["one", "two"]);
  expect(school.posted.map((each) => each.key)).toEqual(keysBefore);
});

test("a tab closed in the middle of sending leaves the message to the next visit, once", async () => {
  const visit = await reading();
  school.next("POST /messaging", "cut-after");
  visit.workspace.write("t", "hello");
  await school.asked("POST /messaging");
  device.closeTabs();
  const later = await reading();
  await school.asked("POST /messaging", 2);
  await later.until(() => later.words("t").at(-1) === "hello: sent");
  expect(texts()?.filter((each) => each === "hello")).toHaveLength(1);
});

test("two tabs of one membership do not both send, and both show the result", async () => {
  const one = await reading();
  const two = await reading();
  const release = school.hold("POST /messaging");
  one.workspace.write("t", "hello");
  await two.until(() => two.words("t").at(-1) === "hello: sending");
  two.workspace.hurry();
  release();
  await two.until(() => two.words("t").at(-1) === "hello: sent");
  await one.until(() => one.words("t").at(-1) === "hello: sent");
  expect(school.posted).toHaveLength(1);
});

// What is read

test("older messages come as they are scrolled to, until the first", async () => {
  for (let count = 0; count < 68; count++) school.say("t");
  const visit = await reading();
  expect(visit.shown("t")[0]?.seq).toBe(41);
  await visit.workspace.messages.older("t");
  expect(visit.shown("t")[0]?.seq).toBe(11);
  await visit.workspace.messages.older("t");
  expect(visit.shown("t").map((each) => each.seq)).toEqual(Array.from({ length: 70 }, (_, index) => index + 1));
  const asked = school.heard.length;
  await visit.workspace.messages.older("t");
  expect(school.heard.length).toBe(asked);
});

test("what was read before is there without network", async () => {
  const online = await reading();
  await online.workspace.settled();
  device.closeTabs();
  const visit = await device.visit({ offline: true }).begin();
  await expect(visit.workspace.messages.fetch("t")).rejects.toThrow("no answer");
  expect(visit.words("t")).toEqual(["words 1: sent", "words 2: sent"]);
});

test("a longer absence is filled without a gap", async () => {
  const online = await reading();
  await online.workspace.settled();
  device.closeTabs();
  for (let count = 0; count < 100; count++) school.say("t");
  const visit = await reading();
  expect(visit.shown("t").map((each) => each.seq)).toEqual(Array.from({ length: 102 }, (_, index) => index + 1));
});

test("what was kept more than seven days ago is gone, unsent words too", async () => {
  const visit = await reading();
  visit.tab.goes("offline");
  visit.workspace.write("t", "hello");
  await visit.workspace.settled();
  device.closeTabs();
  device.time.move(KEPT_FOR_MS + 1);
  const later = await device.visit({ offline: true }).begin();
  expect(later.state).toMatchObject({ state: "signed-out", member: null });
  expect(await indexedDB.databases()).toEqual([]);
});

test("a thread that is not mine any more is forgotten, also on this device", async () => {
  const visit = await reading();
  await visit.openList();
  school.threads.delete("t");
  await expect(visit.workspace.threads.fetch("t")).rejects.toMatchObject({ code: "not-found" });
  await visit.workspace.settled();
  device.closeTabs();
  const offline = await device.visit({ offline: true }).begin();
  expect(offline.workspace.threads.known("t")).toBeUndefined();
  await expect(offline.workspace.messages.fetch("t")).rejects.toThrow();
  expect(offline.words("t")).toEqual([]);
});

test("reading is told once, forward only, and the thread is no longer unread", async () => {
  const visit = await reading();
  await visit.workspace.threads.markRead("t", 2);
  await visit.workspace.threads.markRead("t", 2);
  await visit.workspace.threads.markRead("t", 1);
  expect(school.count("PUT /messaging/v1/threads/t/read")).toBe(1);
  expect(visit.workspace.threads.known("t")).toMatchObject({ unread: 0, my_read_seq: 2 });
});

test("reading that did not reach the server is told again when the page asks next", async () => {
  const visit = await reading();
  school.next("PUT /messaging", "cut");
  await visit.workspace.threads.markRead("t", 2);
  expect(visit.workspace.threads.known("t")?.unread).toBe(2);
  await visit.workspace.threads.markRead("t", 2);
  expect(visit.workspace.threads.known("t")?.unread).toBe(0);
});

// What is told

test("a message told on the live line is shown, and the list knows it", async () => {
  const visit = await reading();
  await visit.openList();
  school.say("t", { text: "news" });
  school.tell("message", { thread: "t", message: "t-m3", author: "rosa" });
  await visit.until(() => visit.words("t").at(-1) === "news: sent" && visit.workspace.threads.known("t")?.unread === 3);
});

test("a thread never seen before appears in the list when somebody writes in it", async () => {
  const visit = await reading();
  await visit.openList();
  school.thread("u", [{}]);
  school.tell("message", { thread: "u", message: "u-m1", author: "rosa" });
  await visit.until(() => visit.workspace.threads.known("u") !== undefined);
});

test("a translation told on the live line takes the place of its promise", async () => {
  const promise = { state: "on-its-way", language: "en", text: null, source_language: null } as const;
  const message = school.say("t", { text: "hola", language: "es", translation: promise });
  const visit = await reading();
  message.translation = { state: "stored", language: "en", text: "hello", source_language: "es" };
  school.tell("translation", { thread: "t", message: message.id, language: "en" });
  await visit.until(() => visit.shown("t").at(-1)?.translation?.text === "hello");
});

test("a receipt told on the live line turns sent into seen", async () => {
  const thread = school.threads.get("t");
  school.say("t", { mine: true, text: "mine" });
  const visit = await reading();
  expect(visit.words("t").at(-1)).toBe("mine: sent");
  thread?.others_read.push({ person: "rosa", name: "Rosa", seq: 3, at: "2026-01-05T15:10:00Z" });
  school.tell("read", { thread: "t", person: "rosa", seq: 3 });
  await visit.until(() => visit.words("t").at(-1) === "mine: seen");
  expect(visit.shown("t").at(-1)).toMatchObject({ seenAt: "2026-01-05T15:10:00Z", seenBy: ["Rosa"] });
});

test("a reset fetches again what is shown", async () => {
  const visit = await reading();
  school.say("t", { text: "missed" });
  school.tell("reset", {}, null);
  await visit.until(() => visit.words("t").at(-1) === "missed: sent");
});

const composing = (state: Composing["state"]): Composing => ({
  state,
  visible_at: null,
  opens: null,
  answer_by: null,
  reasons: [],
  safety: { words: "", number: "999" },
  urgent: null,
});

test("other rules are asked about as soon as they are told, and once more when every service obeys them", async () => {
  school.composing = composing("now");
  const visit = await device.visit().beginLive();
  const state = await visit.openComposer("t");
  expect(state()).toBe("now");
  school.composing = composing("held");
  school.tell("rules", {}, null);
  await visit.until(() => state() === "held");
  await device.time.waitingWithin(1_500);
  school.composing = composing("refused");
  device.time.move(1_500);
  await visit.until(() => state() === "refused");
});

test("a line ended with the session wipes the membership; ended with its token alone, it goes on", async () => {
  const visit = await reading();
  device.time.move(6_000);
  school.tell("ended", { code: "token-expired" }, null);
  await school.until(() => school.resumedFrom.length === 2);
  expect(visit.state.state).toBe("signed-in");
  device.time.move(6_000);
  school.endSession();
  school.tell("ended", { code: "signed-out" }, null);
  await visit.until(() => visit.state.state === "signed-out");
  expect(visit.state.problem).toBe("signed-out");
  await visit.machine.wiped();
  expect(await indexedDB.databases()).toEqual([]);
});

test("the line that ends for good wipes the membership and says why", async () => {
  const visit = await reading();
  school.tell("ended", { code: "suspended" }, null);
  await visit.until(() => visit.state.state === "signed-out");
  expect(visit.state.problem).toBe("suspended");
  await visit.machine.wiped();
  expect(await indexedDB.databases()).toEqual([]);
});
