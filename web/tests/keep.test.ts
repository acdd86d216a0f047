import "fake-indexeddb/auto";
import { afterEach, expect, test } from "vitest";
import { dropWhatExpired, KEPT_FOR_MS, Keep, type Unsent, wipe, wipeAll } from "../src/keep/keep.ts";
import { School } from "./double/school.ts";

const mine = "s1/tess/teacher";
const other = "s1/tess/guardian";
const day = KEPT_FOR_MS / 7;
let now = Date.UTC(2026, 0, 5);
const clock = () => now;
let open: Keep[] = [];

async function keep(key: typeof mine | typeof other = mine): Promise<Keep> {
  const opened = await Keep.open(key, clock);
  open.push(opened);
  return opened;
}

function unsent(key: string): Unsent {
  return { key, thread: "t", text: key, language: "en", written_at: now, after_seq: 0, state: "waiting", code: null };
}

function words() {
  const school = new School();
  const thread = school.thread("t", [{}, {}]);
  return { thread, messages: school.messages.get("t") ?? [] };
}

afterEach(async () => {
  for (const each of open) each.close();
  open = [];
  await wipeAll();
});

test("what one membership keeps cannot be read through another", async () => {
  const { thread, messages } = words();
  const first = await keep();
  await first.putThreads([thread]);
  await first.putMessages("t", messages);
  await first.addUnsent(unsent("k"));
  const second = await keep(other);
  expect([await second.threads(), await second.messages("t"), await second.unsent()]).toEqual([[], [], []]);
});

test("messages come oldest first, unsent ones in the order of writing", async () => {
  const { messages } = words();
  const kept = await keep();
  await kept.putMessages("t", [...messages].reverse());
  for (const key of ["b", "a", "c"]) await kept.addUnsent(unsent(key));
  expect((await kept.messages("t")).map((each) => each.seq)).toEqual([1, 2]);
  expect((await kept.unsent()).map((each) => each.key)).toEqual(["b", "a", "c"]);
});

test("what was fetched expires after seven days though the membership is opened daily; the unsent stays", async () => {
  const { thread, messages } = words();
  const first = await keep();
  await first.putThreads([thread]);
  await first.putMessages("t", messages);
  await first.addUnsent(unsent("k"));
  now += 4 * day;
  (await keep()).close();
  now += 4 * day;
  const later = await keep();
  expect([await later.threads(), await later.messages("t")]).toEqual([[], []]);
  expect(await later.unsent()).toHaveLength(1);
});

test("a membership nobody opened for seven days goes entirely, without anybody signing in as that person", async () => {
  const kept = await keep();
  await kept.addUnsent(unsent("k"));
  kept.close();
  now += KEPT_FOR_MS + 1;
  await dropWhatExpired(clock);
  expect(await indexedDB.databases()).toEqual([]);
});

test("somebody else using the device daily does not keep an absent person's membership alive", async () => {
  const absent = await keep();
  await absent.addUnsent(unsent("k"));
  absent.close();
  for (let today = 0; today < 8; today += 1) {
    now += day;
    await dropWhatExpired(clock);
    (await keep(other)).close();
  }
  expect((await indexedDB.databases()).map((each) => each.name)).toEqual([`bookbag:${other}`]);
});

test("a wipe succeeds while another tab has the same store open", async () => {
  await keep();
  await keep();
  await wipe(mine);
  expect(await indexedDB.databases()).toEqual([]);
});

test("forgetting a thread leaves the others alone", async () => {
  const { thread, messages } = words();
  const kept = await keep();
  await kept.putThreads([thread, { ...thread, id: "u" }]);
  await kept.putMessages("t", messages);
  await kept.putMessages("u", messages);
  await kept.putDraft("t", "half a sentence");
  await kept.forgetThread("t");
  expect((await kept.threads()).map((each) => each.id)).toEqual(["u"]);
  expect([(await kept.messages("t")).length, (await kept.messages("u")).length]).toEqual([0, 2]);
  expect(await kept.draft("t")).toBe("");
});
