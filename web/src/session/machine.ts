/**
 * Who acts in this tab, from the first moment of a visit to the last: the ways in (password, demo, an earlier visit),
 * the choice among memberships, and the ways out, each of which takes what was kept with it.
 */
import { type Api, openApi, reaching } from "../api/client.ts";
import { Problem, Unreachable, unwrap } from "../api/problem.ts";
import type { Membership, Role, TermsAcceptance, TermsText } from "../api/schema.ts";
import { Workspace } from "../data/workspace.ts";
import { dropWhatExpired, Keep, keyOf, wipe, wipeAll } from "../keep/keep.ts";
import { backoff } from "./clock.ts";
import { type Closed, closedBy } from "./closing.ts";
import { DemoPeople } from "./demo.ts";
import { ClosedDoor } from "./door.ts";
import { TermsGate } from "./gate.ts";
import { nobodyYet, type Parts, type Snapshot } from "./parts.ts";
import { Remembered } from "./remembered.ts";
import type { Surroundings } from "./surroundings.ts";
import { Tokens } from "./tokens.ts";

export const UNREACHABLE = "unreachable";
const FIRST_WAIT_MS = 1_000;
const MOST_WAIT_MS = 30_000;

type Acting = { workspace: Workspace; tokens: Tokens };

export class SessionMachine {
  readonly #parts: Parts;
  readonly #open: Api;
  readonly #remembered: Remembered;
  readonly #listeners = new Set<() => void>();
  readonly #tabs: ReturnType<Surroundings["tabs"]>;
  readonly #door: ClosedDoor;
  readonly #demo: DemoPeople;
  #snapshot: Snapshot = nobodyYet;
  #acting: Acting | null = null;
  #gate: TermsGate | null = null;
  #begun = false;
  #resuming: Promise<void> | null = null;
  #attempt = 0;
  #forgetRetry: (() => void) | null = null;
  #wiping: Promise<unknown> = Promise.resolve();
  /** Rises when somebody comes in or goes out: what was asked for before is no longer wanted. */
  #visit = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#open = openApi(parts.origin, reaching(parts.send));
    this.#remembered = new Remembered(parts.slots);
    this.#tabs = parts.surroundings.tabs("session", (said) => this.#heard(said));
    this.#demo = new DemoPeople(this.#open, (demo) => this.#show({ demo }));
    this.#door = new ClosedDoor({
      open: this.#open,
      clock: parts.clock,
      surroundings: parts.surroundings,
      random: parts.random ?? Math.random,
      tryAgain: () => void this.#resume(),
      told: (closed) => this.#toldAtDoor(closed),
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): Snapshot => this.#snapshot;

  /** Takes up the last visit, kept content first. Safe to call again. */
  async start(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    this.#parts.surroundings.on("online", () => void this.#forgetRetryAnd(() => this.#resume()));
    this.#parts.surroundings.on("visible", () => void this.comeBack());
    await dropWhatExpired(this.#parts.clock.now).catch(() => {});
    if (!this.#remembered.leaving) await this.#showKept();
    await this.#resume();
  }

  /** Resolves when what the last way out had to take with it is gone. */
  async wiped(): Promise<void> {
    await this.#wiping;
  }

  async signIn(email: string, password: string): Promise<void> {
    await this.#enter(async () =>
      unwrap(await this.#open.POST("/identity/v1/sessions", { body: { email, password } })),
    );
  }

  async signInDemo(person: string, role: Role): Promise<void> {
    await this.#enter(
      async () => unwrap(await this.#open.POST("/identity/v1/demo/sessions", { body: { person, role } })),
      { person, role },
    );
  }

  async choose(person: string, role: Role): Promise<void> {
    const visit = this.#leaveWorkspace();
    try {
      await this.#act({ person, role }, visit);
    } catch (failure) {
      if (visit !== this.#visit) return;
      const { memberships } = this.#snapshot;
      this.#show({ state: memberships.length > 0 ? "choosing" : "signed-out", member: null, problem: codeOf(failure) });
    }
  }

  async signOut(): Promise<void> {
    this.#remembered.leaving = true;
    await this.#goOut(null, wipeAll);
    this.#tabs.say("signed-out");
    await this.#tellLeaving();
    await this.#demo.find();
  }

  async comeBack(): Promise<void> {
    if (this.#snapshot.state === "closed") await this.#forgetRetryAnd(() => this.#resume());
  }

  async breakGlass(reason: string): Promise<void> {
    const { state, member } = this.#snapshot;
    if (state !== "closed" || !member) return;
    await this.#door.breakGlass(member, reason);
    await this.comeBack();
  }

  async setLanguage(tag: string): Promise<void> {
    const workspace = this.#acting?.workspace;
    if (!workspace) return;
    const member = await workspace.setLanguage(tag);
    if (this.#acting?.workspace !== workspace) return;
    this.#show({
      member,
      memberships: this.#snapshot.memberships.map((each) =>
        each.person === member.person ? { ...each, language: member.language } : each,
      ),
    });
  }

  async readTerms(language: string): Promise<TermsText | null> {
    return (await this.#gate?.read(language)) ?? null;
  }

  async acceptTerms(acceptance: TermsAcceptance): Promise<void> {
    const gate = this.#gate;
    if (!gate) return;
    await gate.accept(acceptance);
    if (this.#gate === gate) await this.choose(gate.member.person, gate.member.role);
  }

  speakHere(language: string): void {
    const { state, member } = this.#snapshot;
    if (state === "terms" && member) this.#show({ member: { ...member, language } });
  }

  /** First paint: what was kept of the membership last acted in, before the server is asked. */
  async #showKept(): Promise<void> {
    const chosen = this.#remembered.chosen;
    if (!chosen) return;
    const visit = this.#visit;
    try {
      const keep = await Keep.open(`${chosen.school}/${chosen.person}/${chosen.role}`, this.#parts.clock.now);
      const member = await keep.member();
      if (!member) {
        keep.close();
        return void (await wipe(keep.key));
      }
      if (visit !== this.#visit) return keep.close();
      const { closed } = this.#remembered;
      if (closed) {
        keep.close();
        return this.#show({ state: "closed", member, closed });
      }
      await this.#settle(member, keep, this.#tokensFor(chosen), visit);
    } catch {
      // Nothing can be kept on this device: the server is asked instead.
    }
  }

  /** Asks the server whether the last visit still stands; comes back to it until there is an answer. */
  #resume(): Promise<void> {
    this.#resuming ??= this.#askAgain().finally(() => {
      this.#resuming = null;
    });
    return this.#resuming;
  }

  async #askAgain(): Promise<void> {
    const visit = this.#visit;
    const { state } = this.#snapshot;
    if (state === "signed-in" && this.#snapshot.memberships.length > 0) return;
    if (state === "choosing" || state === "terms" || (state === "signed-out" && this.#snapshot.problem !== UNREACHABLE))
      return;
    try {
      if (this.#remembered.leaving) {
        if (!(await this.#tellLeaving())) throw new Unreachable("still to be signed out");
        this.#show({ state: "signed-out", problem: null });
        return void (await this.#demo.find());
      }
      if (!this.#remembered.chosen) void this.#demo.find();
      // In turn with renewals: a cookie that another tab has just had rotated would look like a session that ended.
      const { memberships } = await this.#parts.turns("tokens", async () =>
        unwrap(await this.#open.GET("/identity/v1/memberships")),
      );
      if (visit !== this.#visit) return;
      this.#attempt = 0;
      await this.#takeUp(memberships, visit);
    } catch (failure) {
      if (visit !== this.#visit) return;
      if (failure instanceof Problem && !failure.passing) return this.#refused(failure);
      if (this.#snapshot.state === "closed") return this.#door.lookLater();
      this.#show({
        state: this.#acting ? "offline-start" : "signed-out",
        problem: this.#acting ? null : UNREACHABLE,
      });
      const wait = backoff(this.#attempt++, FIRST_WAIT_MS, MOST_WAIT_MS, this.#parts.random ?? Math.random);
      this.#forgetRetry?.();
      this.#forgetRetry = this.#parts.clock.after(wait, () => void this.#resume());
    }
  }

  async #takeUp(memberships: Membership[], visit: number): Promise<void> {
    const acting = this.#acting;
    if (acting) {
      const { person, role } = acting.workspace.member;
      if (!memberships.some((each) => each.person === person && each.role === role)) {
        const key = keyOf(acting.workspace.member);
        await this.#goOut(null, () => wipe(key));
        return this.#offer(memberships, undefined, this.#visit);
      }
      this.#show({ state: "signed-in", memberships });
      const { member, termsAccepted } = await acting.tokens.grant();
      if (visit !== this.#visit) return;
      if (!termsAccepted) return this.#askForTerms(acting.workspace);
      this.#show({ member: { ...member, language: acting.workspace.member.language } });
      return;
    }
    const chosen = this.#remembered.chosen;
    await this.#offer(
      memberships,
      memberships.find((each) => each.person === chosen?.person && each.role === chosen.role),
      visit,
    );
  }

  async #enter(
    ask: () => Promise<{ memberships: Membership[] }>,
    wanted?: { person: string; role: Role },
  ): Promise<void> {
    const visit = this.#leaveWorkspace();
    this.#show({ problem: null });
    try {
      const { memberships } = await ask();
      if (visit !== this.#visit) return;
      this.#remembered.leaving = false;
      const one = memberships.find((each) => each.person === wanted?.person && each.role === wanted.role);
      await this.#offer(memberships, one, visit);
      this.#tabs.say("signed-in");
    } catch (failure) {
      if (visit !== this.#visit) return;
      this.#show({ state: "signed-out", member: null, problem: codeOf(failure) });
    }
  }

  /** Acts as the wanted one, the only one, or asks which. */
  async #offer(memberships: Membership[], wanted: Membership | undefined, visit: number): Promise<void> {
    const one = wanted ?? (memberships.length === 1 ? memberships[0] : undefined);
    this.#show({ memberships });
    if (one) await this.#act(one, visit);
    else this.#show({ state: "choosing", problem: null });
  }

  async #act(wanted: { person: string; role: Role }, visit: number): Promise<void> {
    const tokens = this.#tokensFor(wanted);
    const granted = await tokens.grant().catch((failure: unknown) => {
      const closed = closedBy(failure);
      if (!closed) throw failure;
      return closed;
    });
    if (visit !== this.#visit) return tokens.close();
    if ("code" in granted) {
      tokens.close();
      const known = this.#snapshot.memberships.find(
        (each) => each.person === wanted.person && each.role === wanted.role,
      );
      return known && this.#shut(known, granted);
    }
    const { member, termsAccepted } = granted;
    if (!termsAccepted) return this.#showTerms(member, tokens);
    const keep = await Keep.open(keyOf(member), this.#parts.clock.now);
    await keep.putMember(member).catch(() => {});
    await this.#settle(member, keep, tokens, visit);
  }

  /** The terms changed while somebody was in; what this device keeps for them stays. */
  #askForTerms(workspace: Workspace): Promise<void> {
    if (this.#acting?.workspace !== workspace) return Promise.resolve();
    const { person, role } = workspace.member;
    return this.choose(person, role);
  }

  #showTerms(member: Membership, tokens: Tokens): void {
    this.#gate = new TermsGate(this.#parts, member, tokens);
    this.#remembered.choose(member);
    this.#show({ state: "terms", member, workspace: null, problem: null });
  }

  async #settle(member: Membership, keep: Keep, tokens: Tokens, visit: number): Promise<void> {
    const ended = (refusal: Problem) => void this.#ended(refusal, workspace);
    const workspace: Workspace = new Workspace({ ...this.#parts, member, keep, tokens, ended });
    await workspace.wake();
    if (visit !== this.#visit) return void workspace.close();
    this.#acting = { workspace, tokens };
    this.#remembered.choose(member);
    this.#remembered.closed = null;
    this.#show({ state: "signed-in", member, workspace, problem: null, closed: null });
    workspace.subscribe(() => {
      if (workspace.live === "live" && this.#snapshot.state === "offline-start") void this.#resume();
    });
    workspace.start();
  }

  #tokensFor({ person, role }: { person: string; role: Role }): Tokens {
    const refused = (refusal: Problem) => {
      if (this.#acting?.tokens === tokens) void this.#ended(refusal, this.#acting.workspace);
      if (this.#gate?.tokens === tokens) void this.#goOut(refusal.code, async () => {}).then(() => this.#demo.find());
    };
    const tokens: Tokens = new Tokens(this.#open, { person, role }, { ...this.#parts, refused });
    return tokens;
  }

  /** The server ended this membership's right, or the whole session. */
  async #ended(refusal: Problem, workspace: Workspace): Promise<void> {
    if (this.#acting?.workspace !== workspace) return;
    const closed = closedBy(refusal);
    if (closed) return this.#shut(workspace.member, closed);
    if (refusal.code === "terms-not-accepted") return this.#askForTerms(workspace);
    const { code } = refusal;
    const key = keyOf(workspace.member);
    if (code === "not-found") {
      await this.#goOut(null, () => wipe(key));
      await this.#resuming;
      this.#show({ state: "starting" });
      return this.#resume();
    }
    // A session that ended took every membership of the account with it; a suspension is one school's.
    await this.#goOut(code, code === "signed-out" ? wipeAll : () => wipe(key));
    await this.#demo.find();
  }

  /** The school is closed to this member: the app goes, and what this device keeps for them stays until it opens. */
  #shut(member: Membership, closed: Closed): void {
    if (closed.opens) this.#acting?.workspace.awayUntil(closed.opens);
    // What was said of it a moment ago is shown until the server says otherwise.
    const before = this.#snapshot.closed;
    if (before?.code === closed.code && before.opens === closed.opens) closed.why ??= before.why;
    this.#leaveWorkspace();
    this.#remembered.choose(member);
    this.#remembered.closed = closed;
    // A reason that was given just now is still on its way to the services.
    this.#show({ state: this.#door.settling ? "starting" : "closed", member, closed, problem: null });
    this.#door.stand(member);
  }

  /** What the server says to somebody who stands before the closed door, once it is something else than before. */
  #toldAtDoor(closed: Closed): void {
    if (this.#snapshot.state !== "closed") return;
    this.#remembered.closed = closed;
    this.#show({ closed });
  }

  async #refused(failure: Problem): Promise<void> {
    const acting = this.#acting;
    if (acting) return this.#ended(failure, acting.workspace);
    if (this.#snapshot.state === "closed" && failure.status === 401) {
      await this.#goOut(failure.code, wipeAll);
      return this.#demo.find();
    }
    const visit = this.#visit;
    // First, so that nothing moves at the door once it is drawn.
    await this.#demo.find();
    // Nobody was signed in: that is no problem worth telling.
    if (visit === this.#visit)
      this.#show({ state: "signed-out", problem: failure.status === 401 ? null : failure.code });
  }

  async #goOut(problem: string | null, forget: () => Promise<void>): Promise<void> {
    this.#leaveWorkspace();
    this.#remembered.chosen = null;
    this.#remembered.closed = null;
    this.#show({ state: "signed-out", member: null, memberships: [], problem, closed: null });
    this.#wiping = Promise.allSettled([forget(), this.#parts.forgetCaches()]);
    await this.#wiping;
  }

  #leaveWorkspace(): number {
    this.#forgetRetry?.();
    this.#forgetRetry = null;
    this.#door.leave();
    const acting = this.#acting;
    this.#acting = null;
    if (acting) this.#show({ state: "starting", member: null, workspace: null });
    acting?.workspace.close();
    this.#gate?.close();
    this.#gate = null;
    return ++this.#visit;
  }

  /** Ends the session on the server; false when the server could not be told yet. */
  async #tellLeaving(): Promise<boolean> {
    try {
      await this.#parts.turns("tokens", async () => unwrap(await this.#open.DELETE("/identity/v1/sessions/current")));
    } catch (failure) {
      if (!(failure instanceof Problem) || failure.passing) return false;
    }
    this.#remembered.leaving = false;
    return true;
  }

  #heard(said: unknown): void {
    if (said === "signed-out" && this.#acting) void this.#goOut(null, async () => {}).then(() => this.#demo.find());
    if (said === "signed-in" && this.#snapshot.state === "signed-out") {
      this.#show({ state: "starting", problem: null });
      void this.#resume();
    }
  }

  #forgetRetryAnd(work: () => Promise<void>): Promise<void> {
    this.#forgetRetry?.();
    this.#forgetRetry = null;
    return work();
  }

  #show(change: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function codeOf(failure: unknown): string {
  if (failure instanceof Problem) return failure.code;
  return failure instanceof Unreachable ? UNREACHABLE : "unexpected";
}
