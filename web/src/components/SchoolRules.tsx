/**
 * What the school's rules make of a message, said before one writes: when it will be seen, by when an answer is promised,
 * and the one kind of message that never waits.
 */
import { Trans, useLingui } from "@lingui/react/macro";
import { Link } from "react-router";
import type { Composing } from "../data/types.ts";
import { useWhen } from "../words/useWhen.ts";
import { Notice } from "./Notice.tsx";
import "./school-rules.css";
import "./why.css";

export type RulesNoteProps = {
  composing: Composing;
  /** Where the rules are explained; left out where that is. */
  why?: string | undefined;
  /** Says also that nothing stands in the way. */
  always?: boolean;
};

export function RulesNote({ composing, why, always = false }: RulesNoteProps) {
  const { t } = useLingui();
  const found = useSentences(composing);
  const sentences = always && found.length === 0 ? [t`Your message arrives at once.`] : found;
  if (sentences.length === 0) return null;
  return (
    <div data-testid="rules-note" data-state={composing.state}>
      <Notice tone="sky" title={t`From the school’s rules`}>
        {sentences.join(" ")}
        {why && (
          <>
            {" "}
            <Link to={why} className="why-link" data-testid="why-link">{t`Why?`}</Link>
          </>
        )}
      </Notice>
    </div>
  );
}

function useSentences(composing: Composing): string[] {
  const { t } = useLingui();
  const when = useWhen();
  const { state, visible_at, opens, answer_by } = composing;
  const said = (code: string) => composing.reasons.find((each) => each.code === code);
  const answer = () => {
    if (answer_by === null) return [];
    const moment = when.ahead(answer_by);
    return [t`You can expect an answer by ${moment}.`];
  };
  if (state === "refused") {
    const kept = t`What you write is kept here.`;
    if (said("staff_begin")) return [t`Here the school begins a conversation. You can answer once it has written.`];
    if (said("no_conversation") || said("class_teachers_only"))
      return [t`The school’s rules do not let you write here.`];
    if (opens === null) return [t`The school takes no messages now.`, kept];
    const moment = when.ahead(opens);
    return [t`The school takes no messages now. You can send from ${moment}.`, kept];
  }
  if (state === "held") {
    if (visible_at === null) return [t`Your message waits until the school’s calendar goes on.`];
    const moment = when.ahead(visible_at);
    return [t`Your message will be seen ${moment}.`, ...answer()];
  }
  const quiet = said("quiet_time")?.at;
  const lesson = said("lesson_time")?.at;
  if (quiet) {
    const moment = when.ahead(quiet);
    return [
      t`It is quiet time at school until ${moment}. Your message arrives now and may not be seen before.`,
      ...answer(),
    ];
  }
  if (lesson) {
    const moment = when.ahead(lesson);
    return [t`Lessons go on until ${moment}. Your message may not be seen before.`, ...answer()];
  }
  return answer();
}

/** For what cannot wait for an answer: the school’s own words and the number they speak of. */
export function UrgentNote({ urgent }: { urgent: NonNullable<Composing["urgent"]> }) {
  const { words } = urgent;
  const number = asDialled(urgent.number);
  return (
    <p className="urgent-note" data-testid="urgent-note">
      <span>
        <strong>
          <Trans>If it is urgent:</Trans>
        </strong>{" "}
        <bdi>{words}</bdi>
      </span>
      {urgent.number !== "" && (
        <a className="urgent-note-call" href={`tel:${urgent.number.replaceAll(" ", "")}`}>
          <Trans>Call {number}</Trans>
        </a>
      )}
    </p>
  );
}

/** A number is read in the order in which it is dialled, in a line from right to left too. */
function asDialled(number: string): string {
  return `\u2066${number}\u2069`;
}

export type SafetyChoiceProps = {
  safety: Composing["safety"];
  chosen: boolean;
  onChoose(chosen: boolean): void;
};

/** Always offered: what is about a child's safety goes out at any hour and to those who look after it. */
export function SafetyChoice({ safety, chosen, onChoose }: SafetyChoiceProps) {
  const number = asDialled(safety.number);
  return (
    <div className="safety-choice">
      <label className="safety-choice-label">
        <input
          type="checkbox"
          checked={chosen}
          onChange={(event) => onChoose(event.target.checked)}
          data-testid="about-safety"
        />
        <Trans>It is about a child’s safety</Trans>
      </label>
      {chosen && (
        <div data-testid="safety-words">
          <Notice
            tone="brick"
            urgent
            action={
              <a className="button button-danger" href={`tel:${safety.number.replaceAll(" ", "")}`}>
                <Trans>Call {number}</Trans>
              </a>
            }
          >
            <bdi>{safety.words}</bdi>
          </Notice>
        </div>
      )}
    </div>
  );
}
