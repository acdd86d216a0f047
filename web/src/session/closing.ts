/** What staff are told outside the school's hours or its network: why, when it opens, and whether there is a way in for a reason. */
import { Problem } from "../api/problem.ts";
import type { RuleAnswer } from "../api/schema.ts";

const CLOSED = new Set(["outside-hours", "outside-network"]);

export type Closed = {
  code: string;
  /** When the hours begin again; null when nobody knows, or when it is about the place. */
  opens: string | null;
  /** For how long one may come in for a reason; null for who may not. */
  breakGlassMinutes: number | null;
  /** What the rules say, decision by decision; null until the server was asked. */
  why: readonly RuleAnswer[] | null;
};

export function isClosing(code: string): boolean {
  return CLOSED.has(code);
}

/** What a refusal says about being closed; null when it is about something else. */
export function closedBy(failure: unknown): Closed | null {
  if (!(failure instanceof Problem) || !isClosing(failure.code)) return null;
  const { code, opens, breakGlassMinutes } = failure;
  return { code, opens, breakGlassMinutes, why: null };
}
