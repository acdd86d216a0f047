/** The school's record for whoever may read it: newest first, filtered, as a table to keep. Nothing of it is kept on this device. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Api } from "../api/client.ts";
import { Problem, unwrap } from "../api/problem.ts";
import type { RecordState } from "../api/schema.ts";
import {
  type Kept,
  oneTable,
  type Part,
  type Parts,
  type Service,
  services,
  stateOf,
  together,
} from "../record/together.ts";
import { useWorkspace } from "../session/session.tsx";

/** What the record is asked for; `from` and `to` are instants. */
export type RecordFilter = { from?: string; to?: string; person?: string; act?: string };

export type SchoolRecord = {
  /** null until the first pages are there. */
  entries: Kept[] | null;
  more: boolean;
  loading: boolean;
  loadMore(): void;
  state: RecordState | null;
  problem: string | null;
  /** Gives the table as a file; rejects with Problem or Unreachable. */
  table(): Promise<Blob>;
};

type Asked = RecordFilter & { limit?: number; cursor?: string };

const PAGE = 50;
const codeOf = (failure: unknown) => (failure instanceof Problem ? failure.code : "unreachable");

/** How each service is asked for its part. */
const doors = {
  identity: {
    page: async (api: Api, query: Asked) => unwrap(await api.GET("/identity/v1/audit", { params: { query } })),
    state: async (api: Api) => unwrap(await api.GET("/identity/v1/audit/state")),
    table: async (api: Api, query: RecordFilter) =>
      unwrap(await api.GET("/identity/v1/audit/export", { params: { query }, parseAs: "text" })),
  },
  messaging: {
    page: async (api: Api, query: Asked) => unwrap(await api.GET("/messaging/v1/audit", { params: { query } })),
    state: async (api: Api) => unwrap(await api.GET("/messaging/v1/audit/state")),
    table: async (api: Api, query: RecordFilter) =>
      unwrap(await api.GET("/messaging/v1/audit/export", { params: { query }, parseAs: "text" })),
  },
};

export function useRecord({ from, to, person, act }: RecordFilter): SchoolRecord {
  const workspace = useWorkspace();
  const [parts, setParts] = useState<Parts | null>(null);
  const [state, setState] = useState<RecordState | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  const asked = useRef(0);
  const wanted = useMemo<RecordFilter>(
    () => ({
      ...(from ? { from } : {}),
      ...(to ? { to } : {}),
      ...(person ? { person } : {}),
      ...(act ? { act } : {}),
    }),
    [from, to, person, act],
  );

  /** Asks each service for its first page, or for the one after what there is. A part that does not answer hides no other. */
  const ask = useCallback(
    async (known: Parts | null) => {
      if (!workspace) return;
      const turn = known === null ? ++asked.current : asked.current;
      setLoading(true);
      const pages = services
        .filter((service) => known === null || known[service]?.next)
        .map(async (service): Promise<[Service, Part]> => {
          const cursor = known?.[service]?.next;
          const page = await doors[service].page(workspace.api, {
            ...wanted,
            limit: PAGE,
            ...(cursor ? { cursor } : {}),
          });
          return [service, { items: [...(known?.[service]?.items ?? []), ...page.items], next: page.next }];
        });
      const came = await Promise.allSettled(pages);
      if (turn !== asked.current) return;
      const found = came.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      const failed = came.find((one) => one.status === "rejected");
      if (found.length > 0) setParts({ ...known, ...Object.fromEntries(found) });
      setProblem(failed ? codeOf(failed.reason) : null);
      if (known === null && !failed) {
        const states = await Promise.allSettled(services.map((service) => doors[service].state(workspace.api)));
        const told = states.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
        if (turn === asked.current) setState(told.length === services.length ? stateOf(told) : null);
      }
      if (turn === asked.current) setLoading(false);
    },
    [workspace, wanted],
  );

  useEffect(() => {
    void ask(null);
  }, [ask]);

  const table = useCallback(async () => {
    if (!workspace) throw new Error("nobody acts");
    const tables = await Promise.all(services.map((service) => doors[service].table(workspace.api, wanted)));
    return new Blob([oneTable(tables)], { type: "text/csv;charset=utf-8" });
  }, [workspace, wanted]);

  const entries = useMemo(() => parts && together(parts), [parts]);
  const more = parts !== null && services.some((service) => parts[service]?.next);
  const loadMore = useCallback(() => void (more && ask(parts)), [ask, more, parts]);
  return { entries, more, loading, loadMore, state, problem, table };
}
