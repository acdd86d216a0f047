import re
s = open("workspace.ts").read()
def body(start, end):
    a = s.index(start); b = s.index(end, a); return s[a:b].rstrip() + "\n"

holding = '''/**
 * What is held for one membership, in memory and on the device, and the manners of fetching it: one run at a time, and
 * nobody waits for what is only a comfort.
 */
import { notifyManager, QueryClient } from "@tanstack/react-query";
import type { Api } from "../api/client.ts";
import { Problem, Unreachable } from "../api/problem.ts";
import type { Thread } from "../api/schema.ts";
import type { Keep } from "../keep/keep.ts";
import type { Conversation, ThreadList } from "./merging.ts";

export const PAGE = 30;
export const CATCH_UP_PAGE = 100;

// One frame less between an answer and its being shown.
notifyManager.setScheduler(queueMicrotask);

export const keys = {
  threads: ["threads"] as const,
  thread: (id: string) => ["thread", id] as const,
  messages: (id: string) => ["messages", id] as const,
  contacts: (q: string) => ["contacts", q] as const,
  unread: ["unread"] as const,
};

export class Holding {
  readonly api: Api;
  readonly keep: Keep;
  readonly queries: QueryClient;
  readonly #running = new Map<string, { again: boolean; done: Promise<void> }>();
  readonly #keeping = new Set<Promise<void>>();
  #closed = false;

  constructor(api: Api, keep: Keep) {
    this.api = api;
    this.keep = keep;
    this.queries = new QueryClient({
      defaultOptions: {
        queries: {
          // The stream says when something changed; what it may have missed is fetched again as a whole.
          staleTime: 60_000,
          gcTime: 10 * 60_000,
          networkMode: "always",
          refetchOnWindowFocus: false,
          refetchOnReconnect: false,
          retry: (count, failure) => count < 2 && (!(failure instanceof Problem) || failure.passing),
        },
      },
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Nothing is kept or fetched from here on; what is kept stays. */
  close(): void {
    this.#closed = true;
  }

  threads(): ThreadList | undefined {
    return this.queries.getQueryData<ThreadList>(keys.threads);
  }

  thread(id: string): Thread | undefined {
    return this.queries.getQueryData<Thread>(keys.thread(id)) ?? this.threads()?.threads.find((each) => each.id === id);
  }

  conversation(id: string): Conversation | undefined {
    return this.queries.getQueryData<Conversation>(keys.messages(id));
  }

''' 
once = body("  /** One run at a time; asked", "  #end(code: string)")
once = once.replace("#once<", "once<").replace("  #once(", "  once(").replace("async #quietly(", "async quietly(").replace("  #keepQuietly(", "  keepQuietly(").replace("this.#parts.keep", "this.keep")
holding += once + '''
  /** Resolves when everything said so far is kept. */
  async settled(): Promise<void> {
    await Promise.all(this.#keeping);
  }

'''
of = body("  /** A conversation that is not there, or not ours", "  /** One run at a time")
of = of.replace("async #ofThread", "async ofThread").replace("this.#keepQuietly","this.keepQuietly").replace("/** A conversation", "/** Work on a conversation. One")
of = of.replace("One that is not there", "One that is not there")
holding += of + "}\n"
holding = holding.replace("import type { Conversation, ThreadList } from \"./merging.ts\";", "import { type Conversation, nothingYet, type ThreadList, withoutThread } from \"./merging.ts\";")
open("holding.ts","w").write(holding)

def move(t):
    for a,b in [("this.#keepQuietly","this.#held.keepQuietly"),("this.#once(","this.#held.once("),("this.#ofThread(","this.#held.ofThread("),("this.#api","this.#held.api"),("this.queries","this.#held.queries"),("this.#threads()","this.#held.threads()"),("this.#conversation(","this.#held.conversation("),("this.knownThread(","this.known("),("this.#parts.keep","this.#held.keep")]:
        t=t.replace(a,b)
    return t

threads = '''/** The conversations of one membership: which there are, beginning one, and how far each is read. */
import { mintKey } from "../api/client.ts";
import { Problem, Unreachable, unwrap } from "../api/problem.ts";
import type { Page, Thread } from "../api/schema.ts";
import { type Holding, keys, PAGE } from "./holding.ts";
import { addPage, fresherThread, mergeThread, putFirstPage, readUpTo, type ThreadList } from "./merging.ts";

export class ThreadShelf {
  readonly #held: Holding;
  readonly #readAsked = new Map<string, number>();
  readonly #openKeys = new Map<string, string>();

  constructor(held: Holding) {
    this.#held = held;
  }

'''
t = body("  async fetchThreads()", "  // Messages\n")
t += "\n" + body("  /** Moves forward only; a step", "  // The rest\n")
t += "\n" + body("  async #refreshThread(", "  async #catchUp(").replace("async #refreshThread","async refresh")
t += "\n" + body("  async #threadsPage(", "  #messages(id")
t += "\n" + body("  #putThread(", "  /** A conversation that is not there")
t = t.replace("async fetchThreads(","async fetchAll(").replace("async moreThreads(","async more(").replace("async fetchThread(","async fetch(").replace("this.fetchThread(","this.fetch(").replace("  knownThread(id","  known(id").replace("async openThread(","async open(")
t = move(t).replace("#threadsPage","#page").replace("#putThread","#put")
k = t.index("  known(id"); e = t.index("  async open(", k)
t = t[:k] + "  known(id: string): Thread | undefined {\n    return this.#held.thread(id);\n  }\n\n" + t[e:]
open("threads.ts","w").write(threads + t + "}\n")

messages = '''/** The messages of each conversation: fetched in pages, caught up after an absence, kept for the next visit. */
import { unwrap } from "../api/problem.ts";
import type { Message, Page } from "../api/schema.ts";
import { CATCH_UP_PAGE, type Holding, keys, PAGE } from "./holding.ts";
import { type Conversation, mergeMessages, newestRun, newestSeq, nothingYet } from "./merging.ts";

/** A longer absence is not filled: the newest page is shown and older ones load when they are scrolled to. */
const MOST_CATCH_UP_PAGES = 3;

export class MessageShelf {
  readonly #held: Holding;

  constructor(held: Holding) {
    this.#held = held;
  }

'''
m = body("  async fetchMessages(", "  shown(id: string")
m += "\n" + body("  async #catchUp(", "  async #sent(")
m += "\n" + body("  async #takeUpKept(", "  async #threadsPage(")
m += "\n" + body("  #messages(id: string", "  #threads(): ThreadList")
m = m.replace("async fetchMessages(","async fetch(").replace("async olderMessages(","async older(").replace("async #catchUp(","async catchUp(").replace("async #refreshMessage(","async refresh(").replace("#addMessages","add").replace("this.add","this.add")
m = move(m).replace("#messages(","#page(").replace("this.#messages","this.#page")
open("messages.ts","w").write(messages + m + "}\n")
