/** The reasons behind the decisions of the school's rules, in the reader's words. The codes are the server's and never change their meaning. */
import type { I18n } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { RuleAnswer, RuleReason } from "../api/schema.ts";
import type { Role } from "../data/types.ts";
import { roleNames } from "./roles.ts";
import type { When } from "./useWhen.ts";

/** What is asked about oneself, as the heading of its answer. */
export function questionWords(question: string, i18n: I18n): string {
  switch (question) {
    case "on_duty":
      return i18n._(msg`Am I at work now?`);
    case "may_enter":
      return i18n._(msg`May I come in now?`);
    case "may_send":
      return i18n._(msg`May I write now?`);
    case "may_send_about_safety":
      return i18n._(msg`May I write about a child’s safety?`);
    case "may_ring":
      return i18n._(msg`May my phone ring now?`);
    default:
      return question;
  }
}

export function answerWords(answer: string, i18n: I18n): string {
  if (answer === "yes" || answer === "now") return i18n._(msg`Yes`);
  if (answer === "held") return i18n._(msg`Yes, and it waits`);
  return i18n._(msg`No`);
}

export function isNo(answer: string): boolean {
  return answer === "no" || answer === "refused";
}

/** The reasons of one answer as sentences; a reason newer than this client is said in the server's words. */
export function whyWords(answer: RuleAnswer, i18n: I18n, when: When): string[] {
  const said = answer.reasons.map((reason) => reasonWords(reason, i18n, when));
  return said.every((each) => each !== null) ? said : [answer.words];
}

export function reasonWords(reason: RuleReason, i18n: I18n, when: When): string | null {
  return reason.at === null ? plainly(reason, i18n) : atTheHour(reason.code, when.ahead(reason.at), i18n);
}

function atTheHour(code: string, moment: string, i18n: I18n): string | null {
  switch (code) {
    case "on_duty":
      return i18n._(msg`By the school’s hours, and your own where they are shorter, you work until ${moment}.`);
    case "off_duty":
      return i18n._(msg`By the school’s hours, and your own where they are shorter, you are back at work ${moment}.`);
    case "access_open":
      return i18n._(msg`The school is open to staff until ${moment}.`);
    case "access_closed":
      return i18n._(msg`The school lets staff in at certain hours only. They begin again ${moment}.`);
    case "held_until":
      return i18n._(msg`Your message is kept and arrives ${moment}.`);
    case "refused_until":
      return i18n._(msg`The school takes messages again ${moment}.`);
    case "quiet_time":
      return i18n._(msg`It is quiet time at school until ${moment}.`);
    case "lesson_time":
      return i18n._(msg`Lessons go on until ${moment}.`);
    case "answer_by":
      return i18n._(msg`You can expect an answer by ${moment}.`);
    case "silent_until":
      return i18n._(msg`Your phone stays silent until ${moment}.`);
    default:
      return plainly({ code, at: null, roles: [], network: null }, i18n);
  }
}

function plainly({ code, roles, network }: RuleReason, i18n: I18n): string | null {
  switch (code) {
    case "no_hours_known":
    case "off_duty":
    case "access_closed":
      return i18n._(msg`The school’s calendar has no later date yet. A school leader can add the next term.`);
    case "on_duty":
    case "access_open":
    case "access_always":
      return i18n._(msg`You may come in at any time.`);
    case "access_exempt":
      return i18n._(msg`In your role you may come in at any time.`);
    case "access_wrong_place":
      return i18n._(msg`Staff come in from the school’s own network only, and this device is on another one.`);
    case "access_right_place":
      return network === null ? null : i18n._(msg`This device is on the school’s network (${network}).`);
    case "sent_now":
      return i18n._(msg`Your message arrives at once.`);
    case "held_until":
      return i18n._(msg`Your message waits until the school’s calendar goes on.`);
    case "refused_until":
      return i18n._(msg`The school takes no messages now.`);
    case "quiet_time":
      return i18n._(msg`It is quiet time at school.`);
    case "lesson_time":
      return i18n._(msg`Lessons are going on.`);
    case "about_safety": {
      const who = listed(roles, i18n);
      return i18n._(msg`What is about a child’s safety never waits. It reaches at once: ${who}.`);
    }
    case "pupils_have_no_messages":
      return i18n._(msg`Pupils have no messages.`);
    case "sender_exempt":
      return i18n._(msg`In your role you may write at any time.`);
    case "no_answer_promised":
      return i18n._(msg`The school promises no time for an answer.`);
    case "answer_after_calendar":
      return i18n._(msg`The answer comes after the last date in the school’s calendar.`);
    case "rings_now":
      return i18n._(msg`Your phone may ring now.`);
    case "silent_until":
      return i18n._(msg`Your phone stays silent.`);
    case "rings_exempt":
      return i18n._(msg`In your role you are told at any time.`);
    case "staff_begin":
      return i18n._(msg`Here the school begins a conversation. You can answer once it has written.`);
    case "no_conversation":
    case "class_teachers_only":
      return i18n._(msg`The school’s rules do not let you write here.`);
    default:
      return null;
  }
}

function listed(roles: readonly string[], i18n: I18n): string {
  const names = roles.map((role) => (role in roleNames ? i18n._(roleNames[role as Role]) : role));
  return new Intl.ListFormat(i18n.locale, { type: "conjunction" }).format(names);
}
