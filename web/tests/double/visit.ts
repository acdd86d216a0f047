/** One tab of one browser on the server double, as the session would build it. */
import { type QueryKey, QueryObserver } from "@tanstack/react-query";
import type { Send } from "../../src/api/client.ts";
import { keys } from "../../src/data/holding.ts";
import type { Opened, ShownMessage } from "../../src/data/types.ts";
import type { Workspace } from "../../src/data/workspace.ts";
import { SessionMachine } from "../../src/session/machine.ts";
import type { Slots } from "../../src/session/remembered.ts";
import { turnsInThisTab } from "../../src/session/turns.ts";
import { MovedTime } from "./moved-time.ts";
import { browserFetch, type School } from "./school.ts";
import { Browser, type Tab } from "./surroundings.ts";

/** What a browser keeps between visits and shares between tabs. */
export class Device {
  readonly browser = new Browser();
  readonly time = new MovedTime();
  readonly turns = turnsInThisTab();
  readonly stored = new Map<string, string>();
  readonly send: Send;
  forgotCaches = 0;
  readonly #open: Visit[] = [];

  constructor(school: School) {
    this.send = browserFetch(school.cookie);
    this.school = school;
  }

  readonly school: School;

  visit(change: { offline?: boolean } = {}): Visit {
    const visit = new Visit(this, change.offline ?? false);
    this.#open.push(visit);
    return visit;
  }

  /** As closing every tab does. */
  closeTabs(): void {
    for (const each of this.#open.splice(0)) each.close();
  }
}

export class Visit {
  readonly tab: Tab;
  readonly machine: SessionMachine;
  #openObservers: (() => void)[] = [];

  constructor(device: Device, offline: boolean) {
    this.tab = device.browser.tab();
    this.tab.isOnline = !offline;
    const slots: Slots = {
      getItem: (name) => device.stored.get(name) ?? null,
      setItem: (name, value) => void device.stored.set(name, value),
      removeItem: (name) => void device.stored.delete(name),
    };
    this.machine = new SessionMachine({
      origin: device.school.origin,
      send: async (request) => {
        if (!this.tab.isOnline) throw new TypeError("no network");
        return device.send(request);
      },
      clock: device.time,
      turns: device.turns,
      surroundings: this.tab,
      slots,
      forgetCaches: async () => void device.forgotCaches++,
      random: () => 1,
    });
  }

  get state() {
    return this.machine.snapshot();
  }

  get workspace(): Workspace {
    const { workspace } = this.state;
    if (!workspace) throw new Error(`nobody is signed in: ${this.state.state} ${this.state.problem}`);
    return workspace;
  }

  /** Started and acting. */
  async begin(): Promise<this> {
    await this.machine.start();
    return this;
  }

  /** Started, acting and listening. */
  async beginLive(): Promise<this> {
    await this.begin();
    await this.until(() => this.workspace.live === "live");
    return this;
  }

  /** As a page that shows this conversation. */
  async openThread(id: string): Promise<void> {
    this.#watch(keys.thread(id), () => this.workspace.threads.fetch(id));
    this.#watch(keys.messages(id), () => this.workspace.messages.fetch(id));
    await this.until(() => this.workspace.queries.isFetching() === 0 && this.workspace.threads.known(id) !== undefined);
  }

  /** As a page on which one writes in this conversation; gives what it says would become of a message. */
  async openComposer(id: string): Promise<() => string | undefined> {
    this.#watch(keys.composing(id), () => this.workspace.fetchOpened(id));
    await this.until(() => this.workspace.queries.isFetching() === 0);
    return () => this.workspace.queries.getQueryData<Opened>(keys.composing(id))?.composing?.state;
  }

  async openList(): Promise<void> {
    this.#watch(keys.threads, () => this.workspace.threads.fetchAll());
    await this.until(() => this.workspace.queries.isFetching() === 0);
  }

  shown(id: string): ShownMessage[] {
    const { queries } = this.workspace;
    const conversation = queries.getQueryData<never>(keys.messages(id)) ?? { messages: [], complete: false };
    return this.workspace.shown(id, conversation, this.workspace.threads.known(id) ?? null);
  }

  words(id: string): string[] {
    return this.shown(id).map((each) => `${each.text}: ${each.state}`);
  }

  /** Resolves when it holds; looked at after every change of session, pending messages or fetched data. */
  async until(holds: () => boolean): Promise<void> {
    await this.eachChange((stop) => {
      if (holds()) stop();
    });
  }

  /** Runs `look` now and after every change, until it stops itself. */
  async eachChange(look: (stop: () => void) => void): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      let workspace: Workspace | null = null;
      let endings: (() => void)[] = [];
      let over = false;
      const stop = () => {
        over = true;
        for (const end of endings) end();
        endSession();
        resolve();
      };
      const changed = () => {
        if (over) return;
        const now = this.state.workspace;
        if (now !== workspace) {
          for (const end of endings) end();
          workspace = now;
          endings = now ? [now.subscribe(changed), now.queries.getQueryCache().subscribe(changed)] : [];
        }
        try {
          look(stop);
        } catch (failure) {
          reject(failure);
        }
      };
      const endSession = this.machine.subscribe(changed);
      changed();
    });
  }

  close(): void {
    for (const end of this.#openObservers.splice(0)) end();
    this.state.workspace?.close();
  }

  #watch(queryKey: QueryKey, queryFn: () => Promise<unknown>): void {
    const observer = new QueryObserver<unknown>(this.workspace.queries, { queryKey, queryFn, retry: false });
    this.#openObservers.push(observer.subscribe(() => {}));
  }
}
