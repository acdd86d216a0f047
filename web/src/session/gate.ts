/** Somebody who is in but for the school's terms: they read them, accept them, and come in. */
import { type Api, authorised, openApi, reaching, type Send } from "../api/client.ts";
import { unwrap } from "../api/problem.ts";
import type { Membership, TermsAcceptance, TermsText } from "../api/schema.ts";
import type { Tokens } from "./tokens.ts";

export class TermsGate {
  readonly member: Membership;
  readonly tokens: Tokens;
  readonly #api: Api;

  constructor(parts: { origin: string; send: Send }, member: Membership, tokens: Tokens) {
    this.member = member;
    this.tokens = tokens;
    this.#api = openApi(parts.origin, authorised(reaching(parts.send), tokens));
  }

  async read(language: string): Promise<TermsText | null> {
    return unwrap(await this.#api.GET("/identity/v1/terms", { params: { query: { language } } })).due;
  }

  async accept(acceptance: TermsAcceptance): Promise<void> {
    unwrap(await this.#api.POST("/identity/v1/terms/acceptances", { body: acceptance }));
  }

  close(): void {
    this.tokens.close();
  }
}
