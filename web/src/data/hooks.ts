/**
 * Everything a page may know or do, as hooks: kept data first, the server's when it answers, live from then on.
 */
import { QueryClient, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Problem, Unreachable } from "../api/problem.ts";
import { useWorkspace } from "../session/session.tsx";
import { keys } from "./holding.ts";
import { nothingYet } from "./merging.ts";
import type {
  Composing,
  Contacts,
  Held,
  LiveState,
  Messages,
  OneThread,
  Opened,
  Owed,
  OwnHours,
  Thread,
  Threads,
  Unread,
  Week,
} from "./types.ts";
import type { Workspace } from "./workspace.ts";

/** Stands in while nobody acts; nothing is ever asked through it. */
export const idle = new QueryClient();
const noThreads: Thread[] = [];
const noneHeld: Held[] = [];
/** How often an open conversation asks anew what the rules say: hours open and close while it is looked at. Other rules are told. */
export const RULES_AGAIN_MS = 20_000;
const nothing = () => {};

export function useThreads(): Threads {
  const workspace = useWorkspace();
  const { data, error, isPending } = useQuery(
    { queryKey: keys.threads, queryFn: () => acting(workspace).threads.fetchAll(), enabled: workspace !== null },
    workspace?.queries ?? idle,
  );
  const loadMore = useCallback(() => void workspace?.threads.more().catch(nothing), [workspace]);
  return {
    threads: data?.threads ?? noThreads,
    loading: isPending && error === null,
    more: Boolean(data?.next),
    loadMore,
    problem: codeOf(error),
  };
}

export function useThread(id: string): OneThread {
  const workspace = useWorkspace();
  const { data, error } = useQuery(
    {
      queryKey: keys.thread(id),
      queryFn: () => acting(workspace).threads.fetch(id),
      enabled: workspace !== null,
      initialData: () => workspace?.threads.known(id),
      initialDataUpdatedAt: 1,
    },
    workspace?.queries ?? idle,
  );
  const problem = codeOf(error);
  return { thread: problem === "not-found" ? null : (data ?? null), problem };
}

/** What would become of a message written now: undefined until the server said, null for who reads without writing. */
export function useComposing(id: string): Composing | null | undefined {
  return useOpened(id)?.composing;
}

/** For staff: what the family of a conversation waits for, and the word that nobody waits. */
export function useOwed(id: string): { owed: Owed | null; settle(seq: number): Promise<void> } {
  const workspace = useWorkspace();
  const settle = useCallback(async (seq: number) => workspace?.settle(id, seq).catch(nothing), [workspace, id]);
  return { owed: useOpened(id)?.owed ?? null, settle };
}

function useOpened(id: string): Opened | undefined {
  const workspace = useWorkspace();
  const { data } = useQuery(
    {
      queryKey: keys.composing(id),
      queryFn: () => acting(workspace).fetchOpened(id),
      enabled: workspace !== null,
      staleTime: 0,
      refetchInterval: RULES_AGAIN_MS,
    },
    workspace?.queries ?? idle,
  );
  return data;
}

export function useMessages(id: string): Messages {
  const workspace = useWorkspace();
  const version = useSyncExternalStore(workspace?.subscribe ?? never, workspace?.version ?? zero);
  const { thread } = useThread(id);
  const { data, error, isPending } = useQuery(
    { queryKey: keys.messages(id), queryFn: () => acting(workspace).messages.fetch(id), enabled: workspace !== null },
    workspace?.queries ?? idle,
  );
  const { data: held } = useQuery(
    { queryKey: keys.held(id), queryFn: () => acting(workspace).fetchHeld(id), enabled: workspace !== null },
    workspace?.queries ?? idle,
  );
  const problem = codeOf(error);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `version` stands for what is pending inside the workspace.
  const messages = useMemo(
    () =>
      workspace?.shown(id, problem === "not-found" ? nothingYet : (data ?? nothingYet), thread, held ?? noneHeld) ?? [],
    [workspace, id, data, thread, problem, version, held],
  );
  return {
    messages,
    loading: isPending && error === null,
    more: data !== undefined && data.messages.length > 0 && !data.complete,
    loadOlder: useCallback(async () => workspace?.messages.older(id).catch(nothing), [workspace, id]),
    send: useCallback((text, aboutSafety) => workspace?.write(id, text, aboutSafety), [workspace, id]),
    withdraw: useCallback(async (message) => workspace?.withdraw(id, message).catch(nothing), [workspace, id]),
    retry: useCallback((key) => workspace?.retry(key), [workspace]),
    discard: useCallback((key) => workspace?.discard(key), [workspace]),
    problem,
  };
}

export function useContacts(q: string): Contacts {
  const workspace = useWorkspace();
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(
    {
      queryKey: keys.contacts(q.trim()),
      queryFn: ({ pageParam }) => acting(workspace).fetchContacts(q.trim(), pageParam),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.next,
      enabled: workspace !== null,
      placeholderData: (previous) => previous,
    },
    workspace?.queries ?? idle,
  );
  const loadMore = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  return {
    contacts: useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]),
    loading: isPending && error === null,
    more: hasNextPage,
    loadMore,
    problem: codeOf(error),
  };
}

/** Finds or makes the conversation about a pupil with a seat; gives its id. Rejects with Problem or Unreachable. */
export function useOpenThread(): (pupilId: string, seatId: string) => Promise<string> {
  const workspace = useWorkspace();
  return useCallback((pupil, seat) => acting(workspace).threads.open(pupil, seat), [workspace]);
}

export function useUnread(): Unread {
  const workspace = useWorkspace();
  const { data } = useQuery(
    { queryKey: keys.unread, queryFn: () => acting(workspace).fetchUnread(), enabled: workspace !== null },
    workspace?.queries ?? idle,
  );
  return data ?? nothingUnread;
}

export function useLive(): LiveState {
  const workspace = useWorkspace();
  return useSyncExternalStore(workspace?.subscribe ?? never, () => workspace?.live ?? "offline");
}

/** Rises whenever what depends on the school's rules is to be asked again. */
export function useRulesAsked(): number {
  const workspace = useWorkspace();
  return useSyncExternalStore(workspace?.subscribe ?? never, workspace?.rules ?? zero);
}

/** Tells the server how far I have read, once per step and only while the page is visible. */
export function useMarkRead(thread: Thread | null, seq: number | null): void {
  const workspace = useWorkspace();
  const visible = useSyncExternalStore(onVisibility, isVisible);
  const live = useLive();
  const id = thread?.id;
  const read = thread?.my_read_seq ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `live` is here to try again when the network is back.
  useEffect(() => {
    if (!workspace || !visible || id === undefined || seq === null || seq <= read) return;
    workspace.threads.markRead(id, seq).catch(nothing);
  }, [workspace, visible, id, seq, read, live]);
}

/** The words typed but not sent, kept over reload. */
export function useDraft(id: string): [string, (text: string) => void] {
  const workspace = useWorkspace();
  const [draft, setDraft] = useState({ id, text: "" });
  useEffect(() => {
    let wanted = true;
    void workspace?.draft(id).then((text) => {
      // Words typed while the kept ones were being read win.
      if (wanted) setDraft((now) => (now.id === id && now.text !== "" ? now : { id, text }));
    });
    return () => {
      wanted = false;
    };
  }, [workspace, id]);
  const put = useCallback(
    (text: string) => {
      setDraft({ id, text });
      workspace?.putDraft(id, text);
    },
    [workspace, id],
  );
  return [draft.id === id ? draft.text : "", put];
}

/** My own hours as the server has them, and the way to change them; null while nothing is known. */
export function useOwnHours(): {
  hours: OwnHours | null;
  problem: string | null;
  save(week: Week | null): Promise<void>;
} {
  const workspace = useWorkspace();
  const [hours, setHours] = useState<OwnHours | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const read = useCallback(async () => {
    try {
      setHours((await workspace?.fetchHours()) ?? null);
    } catch (failure) {
      setProblem(codeOf(failure));
    }
  }, [workspace]);
  useEffect(() => void read(), [read]);
  const save = useCallback(
    async (week: Week | null) => {
      if (!hours) return;
      setProblem(null);
      try {
        setHours(await acting(workspace).putHours(week, hours.version));
      } catch (failure) {
        const code = codeOf(failure);
        if (code === "edit-conflict") await read();
        setProblem(code);
        throw failure;
      }
    },
    [workspace, hours, read],
  );
  return { hours, problem, save };
}

const nothingUnread: Unread = { threads: 0, messages: 0 };
const never = () => () => {};
const zero = () => 0;
const isVisible = () => document.visibilityState === "visible";

function onVisibility(changed: () => void): () => void {
  document.addEventListener("visibilitychange", changed);
  return () => document.removeEventListener("visibilitychange", changed);
}

function acting(workspace: Workspace | null): Workspace {
  if (!workspace) throw new Error("nobody is signed in");
  return workspace;
}

export function codeOf(failure: unknown): string | null {
  if (failure === null || failure === undefined) return null;
  if (failure instanceof Problem) return failure.code;
  return failure instanceof Unreachable ? "unreachable" : "unexpected";
}
