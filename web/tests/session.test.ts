import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openApi, reaching } from "../src/api/client.ts";
import { Tokens } from "../src/session/tokens.ts";
import { turnsInThisTab } from "../src/session/turns.ts";
import { MovedTime } from "./double/moved-time.ts";
import { browserFetch, membership, refuse, School } from "./double/school.ts";
import { Device } from "./double/visit.ts";

let school: School;
let device: Device;

beforeEach(async () => {
  school = await new School().open();
  device = new Device(school);
});

afterEach(async () => {
  device.closeTabs();
  await school.close();
  for (const { name } of await indexedDB.databases()) if (name) indexedDB.deleteDatabase(name);
});

async function keptNames(): Promise<string[]> {
  return (await indexedDB.databases()).map((each) => each.name ?? "").sort();
}

test("with no earlier visit and no session, the way in is shown, without a complaint", async () => {
  school.endSession();
  const visit = await device.visit().begin();
  expect(visit.state).toMatchObject({ state: "signed-out", problem: null, demo: null });
});

test("a demo server's people are offered where one signs in", async () => {
  school.endSession();
  school.demo = true;
  const visit = await device.visit().begin();
  expect(visit.state.demo?.school.code).toBe("oak");
});

test("of two schools a demo person opens the one that was pressed", async () => {
  school.endSession();
  school.demo = true;
  school.memberships.push(membership("tess-of-hill", "teacher"));
  const visit = await device.visit().begin();
  await visit.machine.signInDemo("tess-of-hill", "teacher");
  expect(visit.state).toMatchObject({ state: "signed-in", member: { person: "tess-of-hill" } });
});

test("a password opens the only membership at once", async () => {
  school.endSession();
  const visit = await device.visit().begin();
  await visit.machine.signIn("tess@example.org", "right");
  expect(visit.state).toMatchObject({ state: "signed-in", member: { person: "tess" }, problem: null });
});

test("a wrong password says so and leaves nothing behind", async () => {
  school.endSession();
  const visit = await device.visit().begin();
  await visit.machine.signIn("tess@example.org", "wrong");
  expect(visit.state).toMatchObject({ state: "signed-out", member: null, problem: "wrong-credentials" });
  expect(device.stored.size).toBe(0);
});

test("a sign-in without network says that nothing was reached", async () => {
  school.endSession();
  const visit = await device.visit().begin();
  school.next("POST /identity/v1/sessions", "cut");
  await visit.machine.signIn("tess@example.org", "right");
  expect(visit.state).toMatchObject({ state: "signed-out", problem: "unreachable" });
});

test("several memberships are asked about once; a reload takes the last chosen", async () => {
  school.memberships.push(membership("tess", "guardian"));
  const first = await device.visit().begin();
  expect(first.state.state).toBe("choosing");
  await first.machine.choose("tess", "guardian");
  expect(first.state.member?.role).toBe("guardian");
  device.closeTabs();
  const second = await device.visit().begin();
  expect(second.state).toMatchObject({ state: "signed-in", member: { role: "guardian" } });
});

test("only ids are remembered outside the membership's own store", async () => {
  await device.visit().begin();
  expect([...device.stored.values()]).toEqual([JSON.stringify({ school: "s1", person: "tess", role: "teacher" })]);
});

test("changing the role shows nothing of the other one", async () => {
  school.memberships.push(membership("tess", "guardian"));
  school.thread("t", [{}]);
  const visit = await device.visit().begin();
  await visit.machine.choose("tess", "teacher");
  await visit.openList();
  const teacher = visit.workspace;
  await visit.machine.choose("tess", "guardian");
  expect(visit.workspace).not.toBe(teacher);
  expect(visit.workspace.threads.known("t")).toBeUndefined();
  expect(teacher.threads.known("t")).toBeUndefined();
});

test("without network the kept membership is shown at once, and the network brings the rest", async () => {
  school.thread("t", [{}]);
  const online = await device.visit().begin();
  await online.openList();
  device.closeTabs();
  const visit = await device.visit({ offline: true }).begin();
  expect(visit.state).toMatchObject({ state: "offline-start", member: { person: "tess" } });
  expect(visit.workspace.threads.known("t")?.pupil.first_name).toBe("Ana");
  visit.tab.goes("online");
  await visit.until(() => visit.state.state === "signed-in" && visit.state.memberships.length === 1);
});

test("without network and with nothing kept, the reload is tried again by itself", async () => {
  school.next("GET /identity/v1/memberships", "cut");
  const visit = await device.visit().begin();
  expect(visit.state).toMatchObject({ state: "signed-out", problem: "unreachable" });
  device.time.move(1_000);
  await visit.until(() => visit.state.state === "signed-in");
});

test("a kept membership whose session has ended is wiped, and the sign-in says why", async () => {
  school.thread("t", [{}]);
  await (await device.visit().begin()).openList();
  device.closeTabs();
  school.endSession();
  const visit = device.visit();
  await visit.begin();
  await visit.until(() => visit.state.state === "signed-out");
  expect(visit.state.problem).toBe("signed-out");
  await visit.machine.wiped();
  expect(await keptNames()).toEqual([]);
});

test("a membership that is no longer granted is wiped, and the account's other one is opened", async () => {
  school.memberships.push(membership("tess", "guardian"));
  await (await device.visit().begin()).machine.choose("tess", "teacher");
  device.closeTabs();
  school.memberships.shift();
  const visit = device.visit();
  await visit.begin();
  await visit.until(() => visit.state.member?.role === "guardian");
  await visit.machine.wiped();
  expect(await keptNames()).toEqual(["bookbag:s1/tess/guardian"]);
});

test("signing out takes everything kept for every membership, and tells the server", async () => {
  school.memberships.push(membership("tess", "guardian"));
  const visit = await device.visit().begin();
  await visit.machine.choose("tess", "guardian");
  await visit.machine.choose("tess", "teacher");
  expect(await keptNames()).toHaveLength(2);
  await visit.machine.signOut();
  expect(visit.state).toMatchObject({ state: "signed-out", member: null, memberships: [], workspace: null });
  expect(await keptNames()).toEqual([]);
  expect(device.stored.size).toBe(0);
  expect(device.forgotCaches).toBe(1);
  expect(school.count("DELETE /identity/v1/sessions/current")).toBe(1);
});

test("signing out wipes every tab", async () => {
  const one = await device.visit().begin();
  const two = await device.visit().begin();
  await one.machine.signOut();
  await two.until(() => two.state.state === "signed-out");
  expect(await keptNames()).toEqual([]);
});

test("a sign-out without network wipes at once and is told to the server before anything else later", async () => {
  const visit = await device.visit().begin();
  visit.tab.goes("offline");
  await visit.machine.signOut();
  expect(await keptNames()).toEqual([]);
  device.closeTabs();
  const later = await device.visit().begin();
  expect(later.state.state).toBe("signed-out");
  expect(school.cookie).toBeNull();
});

test("however many ask at once, one renewal goes out", async () => {
  const time = new MovedTime();
  const open = openApi(school.origin, reaching(browserFetch(school.cookie)));
  const acting = { person: "tess", role: "teacher" } as const;
  const tokens = new Tokens(open, acting, { clock: time, turns: turnsInThisTab(), refused: () => {} });
  const first = await Promise.all([tokens.token(), tokens.token(), tokens.renew("old")]);
  expect(new Set(first).size).toBe(1);
  expect(school.count("POST /identity/v1/tokens")).toBe(1);
  time.move(560_000);
  expect(await tokens.token()).toBe(first[0]);
  time.move(20_000);
  expect(await tokens.token()).not.toBe(first[0]);
  expect(school.count("POST /identity/v1/tokens")).toBe(2);
});

test("two tabs that renew at once do not show a used cookie", async () => {
  const [one, two] = [await device.visit().begin(), await device.visit().begin()];
  school.forgetTokens();
  await Promise.all([one.workspace.fetchUnread(), two.workspace.fetchUnread()]);
  expect([one.state.state, two.state.state]).toEqual(["signed-in", "signed-in"]);
});

test("a token the server no longer takes is renewed and the request asked once more", async () => {
  const visit = await device.visit().begin();
  school.forgetTokens();
  expect(await visit.workspace.fetchUnread()).toEqual({ threads: 0, messages: 0 });
});

test("a suspension met on any request wipes that membership and goes to the sign-in with its code", async () => {
  const visit = await device.visit().begin();
  school.next("GET /messaging/v1/unread", refuse(403, "suspended"));
  await expect(visit.workspace.fetchUnread()).rejects.toMatchObject({ code: "suspended" });
  await visit.until(() => visit.state.state === "signed-out");
  expect(visit.state.problem).toBe("suspended");
  await visit.machine.wiped();
  expect(await keptNames()).toEqual([]);
});

const closed = () => refuse(403, "outside-hours", {}, { opens: "2026-01-06T08:00:00+00:00", break_glass_minutes: 30 });

test("outside the hours the school is closed, with the time it opens, and what was being written is kept", async () => {
  school.thread("t", [{}]);
  const visit = await device.visit().begin();
  visit.workspace.putDraft("t", "Tomorrow we");
  await visit.workspace.settled();
  school.next("GET /messaging/v1/unread", closed());
  await expect(visit.workspace.fetchUnread()).rejects.toMatchObject({ code: "outside-hours" });
  expect(visit.state).toMatchObject({
    state: "closed",
    workspace: null,
    member: { person: "tess" },
    closed: { code: "outside-hours", opens: "2026-01-06T08:00:00+00:00", breakGlassMinutes: 30 },
  });
  await visit.machine.comeBack();
  expect(visit.state).toMatchObject({ state: "signed-in", closed: null });
  expect(await visit.workspace.draft("t")).toBe("Tomorrow we");
});

test("what was being written outlasts a holiday in which the school is closed, and what was read does not", async () => {
  const day = 24 * 60 * 60 * 1000;
  school.thread("t", [{}]);
  const before = await device.visit().begin();
  await before.openList();
  before.workspace.putDraft("t", "After the holidays we");
  await before.workspace.settled();
  school.next(
    "GET /messaging/v1/unread",
    refuse(403, "outside-hours", {}, { opens: new Date(device.time.now() + 16 * day).toISOString() }),
  );
  await expect(before.workspace.fetchUnread()).rejects.toThrow();
  device.closeTabs();
  device.time.move(16 * day);
  school.hold("GET /messaging/v1/threads");
  const after = await device.visit().begin();
  expect(after.state.state).toBe("signed-in");
  expect(await after.workspace.draft("t")).toBe("After the holidays we");
  expect(after.workspace.threads.known("t")).toBeUndefined();
});

test("a message that was on its way when the school closed goes out once it opens", async () => {
  school.thread("t", [{}]);
  const visit = await device.visit().begin();
  await visit.openThread("t");
  school.next("POST /messaging/v1/threads/t/messages", closed());
  visit.workspace.write("t", "See you tomorrow");
  await visit.until(() => visit.state.state === "closed");
  expect(school.posted).toEqual([]);
  await visit.machine.comeBack();
  await visit.until(() => school.posted.length === 1);
  expect(school.posted[0]?.text).toBe("See you tomorrow");
});

test("the live line that is told so closes the school too", async () => {
  const visit = await device.visit().beginLive();
  school.next("POST /identity/v1/tokens", closed());
  school.tell("ended", { code: "outside-hours" }, null);
  await device.time.waitingWithin(1_000);
  device.time.move(1_000);
  await visit.until(() => visit.state.state === "closed");
});

test("while the school is closed a reload shows nothing that was kept, with and without network", async () => {
  school.thread("t", [{}]);
  const first = await device.visit().begin();
  school.next("GET /messaging/v1/unread", closed());
  await expect(first.workspace.fetchUnread()).rejects.toThrow();
  device.closeTabs();
  const offline = await device.visit({ offline: true }).begin();
  expect(offline.state).toMatchObject({ state: "closed", workspace: null, closed: { code: "outside-hours" } });
  offline.close();
  school.next("POST /identity/v1/tokens", closed());
  const online = await device.visit().begin();
  expect(online.state).toMatchObject({ state: "closed", workspace: null });
});

test("a closed school is asked each minute, and opens by itself", async () => {
  school.next("POST /identity/v1/tokens", closed());
  const visit = await device.visit().begin();
  expect(visit.state.state).toBe("closed");
  school.next("POST /identity/v1/tokens", closed());
  device.time.move(60_000);
  await school.asked("POST /identity/v1/tokens", 2);
  await device.time.waitingWithin(60_000);
  await new Promise((done) => setTimeout(done)); // the asking is over, and not only its answer in
  device.time.move(60_000);
  await visit.until(() => visit.state.state === "signed-in");
});

test("who looks at the closed page is told why, and comes in as soon as the rules let them", async () => {
  const why = [{ question: "may_enter", answer: "no", words: "Closed to staff.", reasons: [] }];
  school.saysAtDoor({ opens: "2026-01-06T08:00:00Z", why });
  school.next("POST /identity/v1/tokens", closed());
  const visit = await device.visit().begin();
  await visit.until(() => visit.state.closed?.why !== null);
  expect(visit.state.closed).toEqual({
    code: "outside-hours",
    opens: "2026-01-06T08:00:00Z",
    breakGlassMinutes: null,
    why,
  });
  await school.asked("seen=");
  school.saysAtDoor({ opens: "2026-01-05T19:00:00Z" });
  await visit.until(() => visit.state.closed?.opens === "2026-01-05T19:00:00Z");
  expect(school.count("POST /identity/v1/tokens")).toBe(1);
  await school.asked("seen=", 2);
  school.saysAtDoor({ open: true, code: null });
  await visit.until(() => visit.state.state === "signed-in");
  expect(school.count("GET /identity/v1/entry")).toBe(3);
});

test("whoever is told that it is open and is not let in asks again a second later, not at once", async () => {
  school.saysAtDoor({ open: true, code: null });
  for (let each = 0; each < 3; each++) school.next("POST /identity/v1/tokens", closed());
  const visit = await device.visit().begin();
  await school.asked("GET /identity/v1/entry", 2);
  await device.time.waitingWithin(1_000);
  expect(school.count("POST /identity/v1/tokens")).toBe(2);
  device.time.move(1_000);
  await school.asked("POST /identity/v1/tokens", 3);
  expect(visit.state.state).toBe("closed");
});

test("a closed page that nobody looks at leaves no question with the server", async () => {
  school.saysAtDoor({});
  school.next("POST /identity/v1/tokens", closed());
  const visit = device.visit();
  visit.tab.isVisible = false;
  await visit.begin();
  expect(visit.state.state).toBe("closed");
  expect(school.count("GET /identity/v1/entry")).toBe(0);
});

test("a session that ended while the school was closed takes what was kept with it", async () => {
  const visit = await device.visit().begin();
  school.next("GET /messaging/v1/unread", closed());
  await expect(visit.workspace.fetchUnread()).rejects.toThrow();
  school.endSession();
  await visit.machine.comeBack();
  expect(visit.state).toMatchObject({ state: "signed-out", problem: "signed-out", closed: null });
  await visit.machine.wiped();
  expect(await keptNames()).toEqual([]);
});

test("who is closed out in one role comes in through another", async () => {
  school.memberships.push(membership("tess", "guardian"));
  const visit = await device.visit().begin();
  school.next("POST /identity/v1/tokens", closed());
  await visit.machine.choose("tess", "teacher");
  expect(visit.state.state).toBe("closed");
  await visit.machine.choose("tess", "guardian");
  expect(visit.state).toMatchObject({ state: "signed-in", member: { role: "guardian" }, closed: null });
});

test("a reason opens the door, although some service has not heard of it yet", async () => {
  school.next("POST /identity/v1/tokens", closed());
  const visit = await device.visit().begin();
  school.next("POST /identity/v1/break-glass", { status: 201, body: { until: "2026-01-05T20:00:00+00:00" } });
  school.next("POST /identity/v1/tokens", closed());
  await visit.machine.breakGlass("A child has not come home");
  expect(visit.state.state).toBe("starting");
  device.time.move(1_000);
  await visit.until(() => visit.state.state === "signed-in");
});

test("the language is changed with the version that was read, and kept", async () => {
  const visit = await device.visit().begin();
  await visit.machine.setLanguage("cy");
  expect(visit.state.member?.language).toBe("cy");
  device.closeTabs();
  const offline = await device.visit({ offline: true }).begin();
  expect(offline.state.member?.language).toBe("cy");
});

test("a language change that crosses another edit is told, and nothing changes here", async () => {
  const visit = await device.visit().begin();
  school.next("PATCH /identity/v1/me", refuse(412, "edit-conflict"));
  await expect(visit.machine.setLanguage("cy")).rejects.toMatchObject({ code: "edit-conflict" });
  expect(visit.state.member?.language).toBe("en");
});

test("the terms stand before everything else, and accepting them opens it", async () => {
  school.termsDue = "2026-09";
  const visit = await device.visit().begin();
  expect(visit.state).toMatchObject({ state: "terms", member: { person: "tess" }, workspace: null });
  const due = await visit.machine.readTerms("en");
  expect(due).toMatchObject({ version: "2026-09", accepted: false });
  await visit.machine.acceptTerms({ version: "2026-09", language: "en", digest: "2026-09" });
  expect(visit.state).toMatchObject({ state: "signed-in", member: { person: "tess" } });
  expect(school.count("GET /messaging")).toBe(0);
});

test("new terms come over whoever is in, and what the device keeps stays", async () => {
  const visit = await device.visit().begin();
  const kept = await keptNames();
  school.termsDue = "2027-01";
  await expect(visit.workspace.fetchUnread()).rejects.toMatchObject({ code: "terms-not-accepted" });
  await visit.until(() => visit.state.state === "terms");
  expect(await keptNames()).toEqual(kept);
});

test("terms that changed while they were read must be read again", async () => {
  school.termsDue = "2026-09";
  const visit = await device.visit().begin();
  await visit.machine.readTerms("en");
  school.termsDue = "2027-01";
  const old = { version: "2026-09", language: "en", digest: "2026-09" };
  await expect(visit.machine.acceptTerms(old)).rejects.toMatchObject({ code: "terms-changed" });
  expect(visit.state.state).toBe("terms");
});

test("whoever does not accept can sign out", async () => {
  school.termsDue = "2026-09";
  const visit = await device.visit().begin();
  await visit.machine.signOut();
  expect(visit.state).toMatchObject({ state: "signed-out", member: null });
  expect(school.count("DELETE /identity/v1/sessions/current")).toBe(1);
});
