/** The school's record for whoever may read it: newest first, filtered, as a table to keep. Nothing of it is kept on this device. */
import { useCallback, useEffect, useRef, useState } from "react";
import { Problem, unwrap } from "../api/problem.ts";
import type { RecordEntry, RecordState } from "../api/schema.ts";
import { useWorkspace } from "../session/session.tsx";

/** What the record is asked for; `from` and `to` are instants. */
export type RecordFilter = { from?: string; to?: string; person?: string; act?: string };

export type SchoolRecord = {
  /** null until the first page is there. */
  entries: RecordEntry[] | null;
  more: boolean;
  loading: boolean;
  loadMore(): void;
  state: RecordState | null;
  problem: string | null;
  /** Gives the table as a file; rejects with Problem or Unreachable. */
  table(): Promise<Blob>;
};

const PAGE = 50;
const codeOf = (failure: unknown) => (failure instanceof Problem ? failure.code : "unreachable");

export function useRecord(filter: RecordFilter): SchoolRecord {
  const workspace = useWorkspace();
  const [entries, setEntries] = useState<RecordEntry[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [state, setState] = useState<RecordState | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  const asked = useRef(0);
  const { from, to, person, act } = filter;

  const ask = useCallback(
    async (cursor: string | null) => {
      if (!workspace) return;
      const turn = cursor === null ? ++asked.current : asked.current;
      setLoading(true);
      const wanted = {
        ...(from ? { from } : {}),
        ...(to ? { to } : {}),
        ...(person ? { person } : {}),
        ...(act ? { act } : {}),
      };
      try {
        const page = unwrap(
          await workspace.api.GET("/identity/v1/audit", {
            params: { query: { ...wanted, limit: PAGE, ...(cursor ? { cursor } : {}) } },
          }),
        );
        if (turn !== asked.current) return;
        setEntries((known) => (cursor === null ? page.items : [...(known ?? []), ...page.items]));
        setNext(page.next);
        setProblem(null);
        if (cursor === null) setState(unwrap(await workspace.api.GET("/identity/v1/audit/state")));
      } catch (failure) {
        if (turn === asked.current) setProblem(codeOf(failure));
      } finally {
        if (turn === asked.current) setLoading(false);
      }
    },
    [workspace, from, to, person, act],
  );

  useEffect(() => {
    void ask(null);
  }, [ask]);

  const table = useCallback(async () => {
    if (!workspace) throw new Error("nobody acts");
    const query = {
      ...(from ? { from } : {}),
      ...(to ? { to } : {}),
      ...(person ? { person } : {}),
      ...(act ? { act } : {}),
    };
    return unwrap(
      await workspace.api.GET("/identity/v1/audit/export", { params: { query }, parseAs: "blob" }),
    ) as unknown as Blob;
  }, [workspace, from, to, person, act]);

  const loadMore = useCallback(() => void (next && ask(next)), [ask, next]);
  return { entries, more: next !== null, loading, loadMore, state, problem, table };
}
