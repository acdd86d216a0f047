/**
 * Gives every page the session: who acts, what else this person may act as, and the ways in and out.
 */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { Session } from "../data/types.ts";
import type { Workspace } from "../data/workspace.ts";
import { systemClock } from "./clock.ts";
import { SessionMachine } from "./machine.ts";
import { browserSurroundings } from "./surroundings.ts";
import { browserTurns } from "./turns.ts";
import { forgetCaches, onUpdate, registerWorker, takeUpdate, updateWaits } from "./worker.ts";

const SessionContext = createContext<Session | null>(null);
const WorkspaceContext = createContext<Workspace | null>(null);

function browserMachine(): SessionMachine {
  return new SessionMachine({
    origin: location.origin,
    send: (request) => fetch(request),
    clock: systemClock,
    turns: browserTurns(),
    surroundings: browserSurroundings(),
    slots: localStorage,
    forgetCaches,
  });
}

/** `machine` is for tests and the gallery; left out, it is the browser's own. */
export function SessionProvider({ children, machine: given }: { children: ReactNode; machine?: SessionMachine }) {
  const [machine] = useState(() => given ?? browserMachine());
  const snapshot = useSyncExternalStore(machine.subscribe, machine.snapshot);
  useEffect(() => {
    void machine.start();
    void registerWorker();
  }, [machine]);
  const session = useMemo<Session>(() => {
    const { state, member, memberships, demo, problem, closed } = snapshot;
    return {
      state,
      member,
      memberships,
      demo,
      problem,
      closed,
      signIn: (email, password) => machine.signIn(email, password),
      signInDemo: (person, role) => machine.signInDemo(person, role),
      choose: (person, role) => machine.choose(person, role),
      signOut: () => machine.signOut(),
      comeBack: () => machine.comeBack(),
      breakGlass: (reason) => machine.breakGlass(reason),
      setLanguage: (tag) => machine.setLanguage(tag),
      readTerms: (language) => machine.readTerms(language),
      acceptTerms: (acceptance) => machine.acceptTerms(acceptance),
      speakHere: (tag) => machine.speakHere(tag),
    };
  }, [machine, snapshot]);
  return (
    <SessionContext value={session}>
      <WorkspaceContext value={snapshot.workspace}>{children}</WorkspaceContext>
    </SessionContext>
  );
}

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("useSession needs a SessionProvider above it");
  return session;
}

/** Only for src/data: null while nobody acts. */
export function useWorkspace(): Workspace | null {
  return useContext(WorkspaceContext);
}

/** A newer client waits; `take` reloads into it. */
export function useUpdate(): { waits: boolean; take(): void } {
  return { waits: useSyncExternalStore(onUpdate, updateWaits), take: takeUpdate };
}
