import { afterEach, beforeEach, expect, test } from "vitest";
import { Problem } from "../src/api/problem.ts";
import type { LiveState } from "../src/data/types.ts";
import { LiveStream, SILENCE_MS, type Told } from "../src/live/stream.ts";
import { MovedTime } from "./double/moved-time.ts";
import { browserFetch, refuse, School } from "./double/school.ts";

let school: School;
let time: MovedTime;
let online: boolean;
let told: Told[];
let states: LiveState[];
let refetched: number;
let rules: number;
let renewed: number;
let endedWith: string | null;
let heard: () => void;
let stream: LiveStream;
let running: Promise<void>;

beforeEach(async () => {
  school = await new School().open();
  time = new MovedTime();
  online = true;
  told = [];
  states = [];
  refetched = 0;
  rules = 0;
  renewed = 0;
  endedWith = null;
  heard = () => {};
  const send = browserFetch(school.cookie);
  const body = JSON.stringify({ person: "tess", role: "teacher" });
  const granted = await send(new Request(`${school.origin}/identity/v1/tokens`, { method: "POST", body }));
  const { token } = (await granted.json()) as { token: string };
  stream = new LiveStream(
    {
      clock: time,
      online: () => online,
      random: () => 1,
      open: (since, signal, withRenewed) => {
        if (withRenewed) renewed++;
        const headers = new Headers({ Authorization: `Bearer ${token}` });
        if (since !== null) headers.set("Last-Event-ID", since);
        return send(new Request(`${school.origin}/notify/v1/stream`, { headers, signal }));
      },
    },
    {
      told: (event) => {
        told.push(event);
        heard();
      },
      refetch: () => {
        refetched++;
        heard();
      },
      rules: () => {
        rules++;
        heard();
      },
      ended: ({ code }) => {
        endedWith = code;
        heard();
      },
      changed: (state) => {
        states.push(state);
        heard();
      },
    },
  );
});

afterEach(async () => {
  stream.close();
  await running;
  await school.close();
});

async function until(holds: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    heard = () => {
      if (holds()) resolve();
    };
    heard();
  });
}

async function live(): Promise<void> {
  running = stream.run();
  await until(() => stream.state === "live");
}

test("what the server tells is heard, with its kind", async () => {
  await live();
  school.tell("message", { thread: "t", message: "m", author: "rosa" });
  school.tell("read", { thread: "t", person: "rosa", seq: 4 });
  school.tell("translation", { thread: "t", message: "m", language: "es" });
  await until(() => told.length === 3);
  expect(told).toEqual([
    { kind: "message", thread: "t", message: "m", author: "rosa" },
    { kind: "read", thread: "t", person: "rosa", seq: 4 },
    { kind: "translation", thread: "t", message: "m", language: "es" },
  ]);
});

test("other rules are told, and a line that comes back says that they may be other ones", async () => {
  await live();
  expect(rules).toBe(0);
  school.tell("rules", {}, null);
  await until(() => rules === 1);
  school.breakStreams();
  await time.waitingWithin(500);
  time.move(500);
  await until(() => rules === 2);
  expect([refetched, told]).toEqual([1, []]);
});

test("a kind of frame this client does not know yet is passed over", async () => {
  await live();
  school.tell("award", { points: 3 });
  school.tell("read", { thread: "t", person: "rosa", seq: 4 });
  await until(() => told.length === 1);
  expect(told[0]?.kind).toBe("read");
});

test("the first line has everything fetched again once; a resumed one does not", async () => {
  await live();
  expect(refetched).toBe(1);
  school.breakStreams();
  await time.waitingWithin(500);
  time.move(500);
  await school.until(() => school.resumedFrom.length === 2);
  await until(() => stream.state === "live");
  expect(refetched).toBe(1);
});

test("a broken line resumes from the last number heard", async () => {
  await live();
  school.tell("message", { thread: "t", message: "m", author: "rosa" }, 41);
  await until(() => told.length === 1);
  school.breakStreams();
  await time.waitingWithin(500);
  time.move(500);
  await school.until(() => school.resumedFrom.length === 2);
  expect(school.resumedFrom).toEqual([null, "41"]);
  expect(states.slice(0, 2)).toEqual(["live", "reconnecting"]);
});

test("a line on which nothing was heard yet resumes from where it began", async () => {
  school.tell("message", {}, 7);
  school.tell("message", {});
  await live();
  school.breakStreams();
  await time.waitingWithin(500);
  time.move(500);
  await school.until(() => school.resumedFrom.length === 2);
  expect(school.resumedFrom[1]).toBe("8");
});

test("after a reset everything is fetched again, and the line resumes from where it began, not from the forgotten number", async () => {
  school.tell("message", {}, 7);
  await live();
  school.tell("message", { thread: "t", message: "m", author: "rosa" }, 0);
  await until(() => told.length === 1);
  school.tell("reset", {}, null);
  await until(() => refetched === 2);
  school.breakStreams();
  await time.waitingWithin(500);
  time.move(500);
  await school.until(() => school.resumedFrom.length === 2);
  expect(school.resumedFrom[1]).toBe(String(school.number));
});

test("a line that went silent is given up and opened again", async () => {
  await live();
  time.move(SILENCE_MS);
  await until(() => stream.state === "reconnecting");
  await time.waitingWithin(500);
  time.move(500);
  await until(() => stream.state === "live");
});

test("a beat is a sign of life", async () => {
  await live();
  time.move(SILENCE_MS - 1_000);
  school.beat();
  await time.waitingWithin(SILENCE_MS);
  await until(() => true);
  school.tell("read", { thread: "t", person: "rosa", seq: 1 });
  await until(() => told.length === 1);
  time.move(2_000);
  expect(stream.state).toBe("live");
});

test("a server that stays away is asked ever more seldom, until every fifteen seconds", async () => {
  const waits: number[] = [];
  for (let count = 0; count < 8; count++) school.next("GET /notify/v1/stream", refuse(503, "unavailable"));
  running = stream.run();
  for (let count = 0; count < 7; count++) {
    await school.asked("GET /notify/v1/stream", count + 1);
    await time.waitingWithin(15_000);
    const wait = time.waits()[0] ?? 0;
    waits.push(wait);
    time.move(wait);
  }
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
});

test("the return of the network does not wait for the timer", async () => {
  await live();
  online = false;
  stream.drop();
  await until(() => stream.state === "offline");
  await time.waitingWithin(500);
  online = true;
  stream.hurry();
  await until(() => stream.state === "live");
});

test("the end of the right is told with its code, and nobody comes back", async () => {
  await live();
  school.tell("ended", { code: "suspended" }, null);
  await until(() => endedWith !== null);
  await running;
  expect(endedWith).toBe("suspended");
  expect(school.resumedFrom).toHaveLength(1);
});

test("a line whose token is over is opened again at once with a new one, and nobody notices", async () => {
  await live();
  school.tell("message", { thread: "t", message: "m", author: "rosa" }, 41);
  await until(() => told.length === 1);
  time.move(6_000);
  school.tell("ended", { code: "token-expired" }, null);
  await school.until(() => school.resumedFrom.length === 2);
  school.tell("read", { thread: "t", person: "rosa", seq: 1 });
  await until(() => told.length === 2);
  expect([states, renewed, school.resumedFrom, refetched]).toEqual([["live"], 1, [null, "41"], 1]);
});

test("a line that is ended as soon as it begins is not opened again in a rush", async () => {
  await live();
  school.tell("ended", { code: "signed-out" }, null);
  await time.waitingWithin(500);
  time.move(500);
  await school.until(() => school.resumedFrom.length === 2);
  await until(() => stream.state === "live");
  school.tell("ended", { code: "signed-out" }, null);
  await time.waitingWithin(1_000);
  expect(time.waits()).toEqual([1_000]);
  expect([renewed, endedWith]).toEqual([1, null]);
});

test("a line refused for good ends; a refusal that passes does not", async () => {
  school.next("GET /notify/v1/stream", refuse(429, "too-many-requests"));
  school.next("GET /notify/v1/stream", refuse(403, "suspended"));
  running = stream.run();
  await time.waitingWithin(500);
  expect(endedWith).toBeNull();
  time.move(500);
  await running;
  expect(endedWith).toBe("suspended");
  expect(new Problem({ code: "too-many-requests" }, 429, null).passing).toBe(true);
});
