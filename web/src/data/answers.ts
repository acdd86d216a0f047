/** Lists of what waits for somebody: answers that are overdue, what was said about safety, and own messages that never left. */
import { QueryClient, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { Problem, Unreachable, unwrap } from "../api/problem.ts";
import type { Page } from "../api/schema.ts";
import { useWorkspace } from "../session/session.tsx";
import { keys, PAGE } from "./holding.ts";
import type { Held, Overdue, Raised } from "./types.ts";
import type { Workspace } from "./workspace.ts";

/** Stands in while nobody acts; nothing is ever asked through it. */
const idle = new QueryClient();
const noneStopped: readonly Held[] = [];
/** How often a page that stays open looks whether a message of mine was stopped meanwhile. */
const LOOK_MS = 120_000;

export type Listed<T> = {
  /** null until the first page is there. */
  items: T[] | null;
  more: boolean;
  loadMore(): void;
  problem: string | null;
};

export function useOverdue(): Listed<Overdue> {
  return useListed(keys.overdue, async ({ api }, query) =>
    unwrap(await api.GET("/messaging/v1/overdue", { params: { query } })),
  );
}

export function useRaised(): Listed<Raised> {
  return useListed(keys.raised, async ({ api }, query) =>
    unwrap(await api.GET("/messaging/v1/safety", { params: { query } })),
  );
}

export function useStopped(): { stopped: readonly Held[]; putAway(id: string): Promise<void> } {
  const workspace = useWorkspace();
  const { data } = useQuery(
    {
      queryKey: keys.stopped,
      queryFn: () => acting(workspace).fetchStopped(),
      enabled: workspace !== null && workspace.member.role !== "pupil",
      refetchInterval: LOOK_MS,
    },
    workspace?.queries ?? idle,
  );
  const putAway = useCallback(async (id: string) => workspace?.putAway(id).catch(() => {}), [workspace]);
  return { stopped: data ?? noneStopped, putAway };
}

type Paging = { limit: number; cursor?: string };

function useListed<T>(
  key: readonly string[],
  fetch: (workspace: Workspace, query: Paging) => Promise<Page<T>>,
): Listed<T> {
  const workspace = useWorkspace();
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(
    {
      queryKey: key,
      queryFn: ({ pageParam }) =>
        fetch(acting(workspace), { limit: PAGE, ...(pageParam !== null && { cursor: pageParam }) }),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.next,
      enabled: workspace !== null,
      staleTime: 0,
    },
    workspace?.queries ?? idle,
  );
  const loadMore = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  return {
    items: useMemo(() => data?.pages.flatMap((page) => page.items) ?? null, [data]),
    more: hasNextPage,
    loadMore,
    problem: error ? codeOf(error) : null,
  };
}

function acting(workspace: Workspace | null): Workspace {
  if (!workspace) throw new Error("nobody is signed in");
  return workspace;
}

function codeOf(failure: Error): string {
  if (failure instanceof Problem) return failure.code;
  return failure instanceof Unreachable ? "unreachable" : "unexpected";
}
