/** What each act on the school's record is called; the server gives codes. One it has and we do not know is shown as its code. */
import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { Role } from "../data/types.ts";
import { roleNames } from "./roles.ts";

export const actWords: Record<string, MessageDescriptor> = {
  "membership-added": msg`Was let in`,
  "membership-ended": msg`Access was ended`,
  "guardian-suspended": msg`Access was paused`,
  "guardian-reinstated": msg`Access was given back`,
  "suspension-changed": msg`A pause was changed`,
  "guardianship-linked": msg`Was linked to a child`,
  "guardianship-ended": msg`The link to a child was ended`,
  "policy-changed": msg`The school’s rules were changed`,
  "terms-accepted": msg`Terms were accepted`,
  "password-changed": msg`The password was changed`,
  "session-reused": msg`Signed out, because a sign-in was used from two places`,
  "glass-broken": msg`Came in outside hours, with a reason`,
  "safety-read": msg`Read what was said about a child’s safety`,
  "record-read": msg`The record was read`,
  "record-exported": msg`The record was saved as a table`,
};

const others: Record<string, MessageDescriptor> = {
  operator: msg`Runs Bookbag`,
  account: msg`On their own account`,
};

export function roleWords(role: string): MessageDescriptor | null {
  return roleNames[role as Role] ?? others[role] ?? null;
}
