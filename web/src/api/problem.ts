/** What can come back instead of an answer: the server refused (Problem) or nothing was heard from it (Unreachable). */
import type { ProblemDocument } from "./schema.ts";

export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  /** Seconds the server asks us to wait; null when it did not say. */
  readonly retryAfter: number | null;
  readonly limit: number | null;
  /** When the school lets staff in again; null when that is not what is told. */
  readonly opens: string | null;
  /** For how long one may come in for a reason; null for who may not. */
  readonly breakGlassMinutes: number | null;

  constructor(document: Partial<ProblemDocument>, status: number, retryAfter: number | null) {
    super(document.code ?? `http-${status}`);
    this.code = document.code ?? (status >= 500 ? "unavailable" : "unexpected");
    this.status = status;
    this.retryAfter = retryAfter ?? document.retry_after ?? null;
    this.limit = document.limit ?? null;
    this.opens = document.opens ?? null;
    this.breakGlassMinutes = document.break_glass_minutes ?? null;
  }

  /** The same request may succeed later without any change by the writer. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

export class Unreachable extends Error {}

/** The body of a success; throws Problem for everything else. */
export function unwrap<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.response.ok) return answer.data as T;
  throw problemOf(answer.error, answer.response);
}

export function problemOf(body: unknown, response: Response): Problem {
  const document = typeof body === "object" && body !== null ? (body as Partial<ProblemDocument>) : {};
  const header = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return new Problem(document, response.status, Number.isFinite(header) ? header : null);
}
