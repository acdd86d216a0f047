/**
 * How every request leaves this client: same origin, a deadline, the token of the acting membership, one renewal when
 * the server says the token has run out, and a network failure told apart from a refusal.
 */
import createClient, { type Client } from "openapi-fetch";
import { Unreachable } from "./problem.ts";
import type { paths } from "./schema.ts";

export type Api = Client<paths>;
export type Send = (request: Request) => Promise<Response>;

const DEADLINE_MS = 20_000;

export type TokenSource = {
  /** A token good for some seconds yet. */
  token(): Promise<string>;
  /** A token newer than `stale`; many callers share one renewal. */
  renew(stale: string): Promise<string>;
};

/** `fetch` that fails with Unreachable when no answer came at all. */
export function reaching(send: Send, deadline = DEADLINE_MS): Send {
  return async (request) => {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(deadline)]);
    try {
      return await send(new Request(request, { signal }));
    } catch (failure) {
      if (request.signal.aborted) throw failure;
      throw new Unreachable("no answer from the server", { cause: failure });
    }
  };
}

/** Adds the bearer token; on `401` renews it once and asks once more. */
export function authorised(send: Send, tokens: TokenSource): Send {
  return async (request) => {
    const again = request.clone();
    const token = await tokens.token();
    const answer = await send(withToken(request, token));
    if (answer.status !== 401) return answer;
    await answer.body?.cancel();
    return send(withToken(again, await tokens.renew(token)));
  };
}

function withToken(request: Request, token: string): Request {
  const headers = new Headers(request.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return new Request(request, { headers });
}

export function openApi(origin: string, send: Send): Api {
  return createClient<paths>({ baseUrl: origin, fetch: send, credentials: "same-origin" });
}

/** 36 characters of [0-9a-f-]; `crypto.randomUUID` alone would fail on plain http in a school's own network. */
export function mintKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
