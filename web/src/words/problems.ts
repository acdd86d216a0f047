/** What every refusal of the server means to the person in front of the screen: what happened and what to do. */
import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";

const resting = msg`The school’s server is resting for a moment. Try again in a minute.`;

const words: Record<string, MessageDescriptor> = {
  "wrong-credentials": msg`The e-mail address and the password do not belong together. Check both and try again.`,
  "signed-out": msg`You are signed out. Sign in again to go on.`,
  "outside-hours": msg`Your school lets staff in during its working hours only. Come back when they begin.`,
  "outside-network": msg`Your school lets staff in from its own network only. Come back when you are at school.`,
  suspended: msg`Your access is paused. The school office can tell you why.`,
  forbidden: msg`Your role may not do this. Ask the school office if you need it.`,
  "not-found": msg`This is not here, or not yours to see. Go back to your messages.`,
  "too-many-requests": msg`That was too many tries in a short time. Wait a minute, then try again.`,
  "access-unknown": msg`The school’s server cannot check your access right now. Try again in a minute.`,
  unavailable: resting,
  "storage-full": resting,
  unreachable: msg`There is no network. Check your connection and try again.`,
  offline: msg`There is no network. Check your connection and try again.`,
  "too-large": msg`This is too long to send. Make it shorter.`,
  "invalid-input": msg`The server did not accept this. Check what you wrote and try again.`,
  malformed: msg`The server did not accept this. Check what you wrote and try again.`,
  "key-reused": msg`This was already sent with other words. Copy your text and send it anew.`,
  "terms-not-accepted": msg`The school’s terms come first. Read and accept them, then go on.`,
  "terms-changed": msg`The school changed its terms just now. Read them once more.`,
  "signature-missing": msg`Write your name and today’s date, then accept.`,
  "policy-refused": msg`The rules hold a mistake and were not saved. The list beside them says which.`,
  "nothing-differs": msg`These rules say the same as those that count now. Nothing was saved.`,
  "quiet-hours": msg`The school takes no messages at this hour. Send it again when it does.`,
  "no-conversation": msg`The school’s rules do not let you begin this conversation.`,
  "edit-conflict": msg`Someone changed this at the same time. Try again.`,
};

const unknown = msg`Something went wrong on our side. Try again in a minute.`;

/** Codes whose words change nothing by being sent again. */
const final = new Set([
  "too-large",
  "invalid-input",
  "malformed",
  "key-reused",
  "forbidden",
  "not-found",
  "suspended",
  "no-conversation",
]);

export function problemWords(code: string): MessageDescriptor {
  return words[code] ?? unknown;
}

/** Whether sending the same again can succeed; otherwise the one thing to offer is a copy of the text. */
export function worthRetrying(code: string): boolean {
  return !final.has(code);
}
