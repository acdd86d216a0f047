/**
 * The open line on which the server tells what has changed: it resumes where it broke off, notices a line that went
 * dead without closing, and comes back by itself.
 */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { Problem, problemOf } from "../api/problem.ts";
import type { LiveState } from "../data/types.ts";
import { backoff, type Clock } from "../session/clock.ts";
import { isClosing } from "../session/closing.ts";

/** The server beats every 10 s; two missed beats and some. */
export const SILENCE_MS = 25_000;
const SUSPENDED = "suspended";
/** Refusals after which listening again is of no use until the person has done something. */
export const ENDINGS = new Set([SUSPENDED, "terms-not-accepted"]);
const FIRST_WAIT_MS = 500;
const MOST_WAIT_MS = 15_000;
/** A line that lasted less is counted as one more failure. */
const LASTED_MS = 5_000;

export type Told =
  | { kind: "message"; thread: string; message: string; author: string }
  | { kind: "read"; thread: string; person: string; seq: number }
  | { kind: "translation"; thread: string; message: string; language: string };

export type Listener = {
  told(event: Told): void;
  /** What happened before now is not told on this line: everything shown may be out of date. */
  refetch(): void;
  /** Other rules of the school count, or may have begun to while the line was down. */
  rules(): void;
  /** The right to listen has ended until the person does something, and why. Nothing is told after this. */
  ended(refusal: Problem): void;
  changed(state: LiveState): void;
};

export type Parts = {
  /** Opens the line; `since` is the last number heard. With `renewed`, the token in use was just said to be over. */
  open(since: string | null, signal: AbortSignal, renewed: boolean): Promise<Response>;
  clock: Clock;
  online(): boolean;
  random?: () => number;
  silence?: number;
};

export class LiveStream {
  readonly #parts: Parts;
  readonly #listener: Listener;
  #state: LiveState = "reconnecting";
  #since: string | null = null;
  /** The server's number when this line began. */
  #began: string | null = null;
  #attempt = 0;
  #closed = false;
  /** The last line ended in order, because its token did: the next one follows at once. */
  #goOn = false;
  #tokenIsOver = false;
  #connection: AbortController | null = null;
  #hurry: (() => void) | null = null;

  constructor(parts: Parts, listener: Listener) {
    this.#parts = parts;
    this.#listener = listener;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** Runs until closed or ended. */
  async run(): Promise<void> {
    while (!this.#closed) {
      if (!this.#goOn) this.#show(this.#parts.online() ? "reconnecting" : "offline");
      const began = this.#parts.clock.now();
      this.#goOn = false;
      try {
        await this.#listen();
      } catch (failure) {
        if (failure instanceof Problem && (ENDINGS.has(failure.code) || isClosing(failure.code))) this.#end(failure);
        // Anything else is a line that broke: the next one is tried below. A session that ended shows in the renewal.
      }
      if (this.#closed) return;
      const lasted = this.#parts.clock.now() - began >= LASTED_MS;
      if (lasted) this.#attempt = 0;
      if (this.#goOn && lasted) continue;
      this.#goOn = false;
      this.#show(this.#parts.online() ? "reconnecting" : "offline");
      await this.#pause();
    }
  }

  /** The network is back, or the page is looked at again: try now. */
  hurry(): void {
    this.#attempt = 0;
    this.#hurry?.();
  }

  /** The network is known to be gone: do not wait for the silence to tell. */
  drop(): void {
    this.#connection?.abort();
  }

  close(): void {
    this.#closed = true;
    this.#connection?.abort();
    this.#hurry?.();
  }

  async #listen(): Promise<void> {
    const connection = new AbortController();
    this.#connection = connection;
    this.#began = null;
    const silence = this.#parts.silence ?? SILENCE_MS;
    let cancel = this.#parts.clock.after(silence, () => connection.abort());
    try {
      const answer = await this.#parts.open(this.#since, connection.signal, this.#tokenIsOver);
      this.#tokenIsOver = false;
      if (!answer.ok) throw problemOf(await answer.json().catch(() => null), answer);
      if (!answer.body) return;
      const resumed = this.#since !== null;
      const parser = createParser({ onEvent: (frame) => this.#take(frame, resumed) });
      const words = new TextDecoder();
      const reader = answer.body.getReader();
      // A body that is already buffered is not interrupted by the signal alone.
      connection.signal.addEventListener("abort", () => void reader.cancel().catch(() => {}), { once: true });
      while (!this.#closed && !connection.signal.aborted) {
        const { done, value } = await reader.read();
        if (done) return;
        cancel();
        cancel = this.#parts.clock.after(silence, () => connection.abort());
        parser.feed(words.decode(value, { stream: true }));
      }
    } finally {
      cancel();
      connection.abort();
      if (this.#connection === connection) this.#connection = null;
    }
  }

  #take(frame: EventSourceMessage, resumed: boolean): void {
    if (this.#closed) return;
    const data = parsed(frame.data);
    switch (frame.event) {
      case "ready":
        this.#began = data.number === undefined ? null : String(data.number);
        this.#since ??= this.#began;
        this.#show("live");
        if (resumed) this.#listener.rules();
        else this.#listener.refetch();
        break;
      case "reset":
        this.#since = frame.id ?? this.#began;
        this.#listener.refetch();
        break;
      case "ended":
        // Every token ends, and the rights in it may be out of date: whether the session goes on, the renewal tells.
        if (data.code === SUSPENDED) this.#end(new Problem({ code: SUSPENDED }, 403, null));
        else {
          this.#tokenIsOver = true;
          this.#goOn = true;
          this.#connection?.abort();
        }
        return;
      case "rules":
        this.#listener.rules();
        break;
      case "message":
      case "read":
      case "translation":
        this.#listener.told({ kind: frame.event, ...data } as Told);
        break;
    }
    // Last, so that a frame whose telling failed would be asked for again.
    if (frame.id) this.#since = frame.id;
  }

  #end(refusal: Problem): void {
    if (this.#closed) return;
    this.close();
    this.#listener.ended(refusal);
  }

  #show(state: LiveState): void {
    if (this.#closed || state === this.#state) return;
    this.#state = state;
    this.#listener.changed(state);
  }

  #pause(): Promise<void> {
    const wait = backoff(this.#attempt++, FIRST_WAIT_MS, MOST_WAIT_MS, this.#parts.random ?? Math.random);
    return new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.after(wait, resolve);
      this.#hurry = () => {
        cancel();
        resolve();
      };
    }).then(() => {
      this.#hurry = null;
    });
  }
}

function parsed(data: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
