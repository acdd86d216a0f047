/** The school's rules for whoever leads it: read, changed as a draft that the server checks while one types, saved as a version. */
import { useCallback, useEffect, useRef, useState } from "react";
import { Problem, unwrap } from "../api/problem.ts";
import type { Guardian, PolicyDraft, PolicyInFull, PolicyShown, PolicyVersion, Suspension } from "../api/schema.ts";
import { useWorkspace } from "../session/session.tsx";
import { useRulesAsked } from "./hooks.ts";

const PAUSE_MS = 350;

export type Draft = { data: Record<string, unknown> } | { document: string };

export type PolicyEditing = {
  policy: PolicyShown | null;
  /** null: nothing was changed. */
  draft: Draft | null;
  /** What the server says of the draft as it stands, or of the one before while it is asked. */
  checked: PolicyDraft | null;
  checking: boolean;
  problem: string | null;
  change(draft: Draft | null): void;
  /** Gives the problem code of a refusal, or null. */
  save(reason: string, countsFrom: string | null): Promise<string | null>;
  reread(): Promise<void>;
};

export const codeOf = (failure: unknown) => (failure instanceof Problem ? failure.code : "unreachable");

export function usePolicyEditing(): PolicyEditing {
  const workspace = useWorkspace();
  const [policy, setPolicy] = useState<PolicyShown | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [checked, setChecked] = useState<PolicyDraft | null>(null);
  const [checking, setChecking] = useState(false);
  const asked = useRef(0);
  const rules = useRulesAsked();

  const reread = useCallback(async () => {
    if (!workspace) return;
    try {
      setPolicy(unwrap(await workspace.api.GET("/identity/v1/policy")));
      setProblem(null);
    } catch (failure) {
      setProblem(codeOf(failure));
    }
  }, [workspace]);

  // What somebody is changing stays under their hands; saving it tells that other rules came between.
  const changing = draft !== null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `rules` is here to read again when other rules count.
  useEffect(() => {
    if (!changing) void reread();
  }, [reread, rules, changing]);

  useEffect(() => {
    const turn = ++asked.current;
    if (!workspace || draft === null) {
      setChecked(null);
      setChecking(false);
      return;
    }
    setChecking(true);
    const pause = setTimeout(async () => {
      try {
        const said = unwrap(await workspace.api.POST("/identity/v1/policy/check", { body: draft }));
        if (turn === asked.current) setChecked(said);
        if (turn === asked.current) setProblem(null);
      } catch (failure) {
        if (turn === asked.current) setProblem(codeOf(failure));
      } finally {
        if (turn === asked.current) setChecking(false);
      }
    }, PAUSE_MS);
    return () => clearTimeout(pause);
  }, [workspace, draft]);

  const save = useCallback(
    async (reason: string, countsFrom: string | null) => {
      if (!workspace || !policy || !draft) return null;
      try {
        unwrap(
          await workspace.api.POST("/identity/v1/policy/versions", {
            params: { header: { "If-Match": `"${policy.newest}"` } },
            body: { ...draft, reason, counts_from: countsFrom },
          }),
        );
      } catch (failure) {
        return codeOf(failure);
      }
      setDraft(null);
      await reread();
      return null;
    },
    [workspace, policy, draft, reread],
  );

  return { policy, draft, checked, checking, problem, change: setDraft, save, reread };
}

export function usePolicyVersions(newest: number): { versions: PolicyVersion[]; problem: string | null } {
  const workspace = useWorkspace();
  const [versions, setVersions] = useState<PolicyVersion[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a newer version makes the history longer.
  useEffect(() => {
    let wanted = true;
    workspace?.api.GET("/identity/v1/policy/versions").then(
      (answer) => {
        if (!wanted) return;
        try {
          setVersions(unwrap(answer).items);
        } catch (failure) {
          setProblem(codeOf(failure));
        }
      },
      () => wanted && setProblem("unreachable"),
    );
    return () => {
      wanted = false;
    };
  }, [workspace, newest]);
  return { versions, problem };
}

export function useVersionInFull(): (number: number) => Promise<PolicyInFull> {
  const workspace = useWorkspace();
  return useCallback(
    async (number) => {
      if (!workspace) throw new Error("nobody is signed in");
      return unwrap(await workspace.api.GET("/identity/v1/policy/versions/{number}", { params: { path: { number } } }));
    },
    [workspace],
  );
}

const of = (person: string) => ({ params: { path: { person } } });

export type Suspending = {
  suspensions: Suspension[] | null;
  guardians: Guardian[];
  problem: string | null;
  seek(text: string): Promise<void>;
  /** Each gives the problem code of a refusal, or null. */
  suspend(person: string, reason: string, until: string | null): Promise<string | null>;
  reinstate(person: string): Promise<string | null>;
};

export function useSuspending(): Suspending {
  const workspace = useWorkspace();
  const [suspensions, setSuspensions] = useState<Suspension[] | null>(null);
  const [guardians, setGuardians] = useState<Guardian[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const sought = useRef("");

  const tried = useCallback(async (work: () => Promise<void>): Promise<string | null> => {
    try {
      await work();
      setProblem(null);
      return null;
    } catch (failure) {
      setProblem(codeOf(failure));
      return codeOf(failure);
    }
  }, []);

  const seek = useCallback(
    async (text: string) => {
      sought.current = text;
      await tried(async () => {
        if (!workspace) return;
        const found = unwrap(await workspace.api.GET("/identity/v1/guardians", { params: { query: { text } } }));
        if (sought.current === text) setGuardians(found.items);
      });
    },
    [workspace, tried],
  );

  const reread = useCallback(async () => {
    if (!workspace) return;
    setSuspensions(unwrap(await workspace.api.GET("/identity/v1/suspensions")).items);
    await seek(sought.current);
  }, [workspace, seek]);

  useEffect(() => {
    void tried(reread);
  }, [tried, reread]);

  const suspend = useCallback(
    (person: string, reason: string, until: string | null) =>
      tried(async () => {
        if (!workspace) return;
        unwrap(
          await workspace.api.POST("/identity/v1/people/{person}/suspension", {
            ...of(person),
            body: { reason, until },
          }),
        );
        await reread();
      }),
    [workspace, tried, reread],
  );
  const reinstate = useCallback(
    (person: string) =>
      tried(async () => {
        if (!workspace) return;
        unwrap(await workspace.api.DELETE("/identity/v1/people/{person}/suspension", of(person)));
        await reread();
      }),
    [workspace, tried, reread],
  );
  return { suspensions, guardians, problem, seek, suspend, reinstate };
}
