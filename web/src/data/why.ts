/** What the school's rules say about me just now, asked anew as hours begin and end and when other rules count. */
import { useQuery } from "@tanstack/react-query";
import { unwrap } from "../api/problem.ts";
import { useWorkspace } from "../session/session.tsx";
import { keys } from "./holding.ts";
import { codeOf, idle, RULES_AGAIN_MS } from "./hooks.ts";
import type { RuleAnswer } from "./types.ts";

export function useWhy(): { answers: readonly RuleAnswer[] | null; problem: string | null } {
  const workspace = useWorkspace();
  const { data, error } = useQuery(
    {
      queryKey: keys.why,
      queryFn: async () => {
        if (!workspace) throw new Error("nobody is signed in");
        return unwrap(await workspace.api.GET("/identity/v1/policy/explain")).answers;
      },
      enabled: workspace !== null,
      staleTime: 0,
      refetchInterval: RULES_AGAIN_MS,
    },
    workspace?.queries ?? idle,
  );
  return { answers: data ?? null, problem: data ? null : codeOf(error) };
}
