/** What the school's rules say to somebody, decision by decision: the question, the answer, and why. */
import { useLingui } from "@lingui/react/macro";
import type { RuleAnswer } from "../api/schema.ts";
import { answerWords, isNo, questionWords, whyWords } from "../words/reasons.ts";
import { useWhen } from "../words/useWhen.ts";
import "./why.css";

export function Why({ answers }: { answers: readonly RuleAnswer[] }) {
  const { i18n } = useLingui();
  const when = useWhen();
  return (
    <dl className="why">
      {answers.map((each) => (
        <div
          key={each.question}
          className="why-row"
          data-testid={`why-${each.question}`}
          data-answer={each.answer}
          data-no={isNo(each.answer) || undefined}
        >
          <dt>
            <span>{questionWords(each.question, i18n)}</span>
            <strong className="why-answer">{answerWords(each.answer, i18n)}</strong>
          </dt>
          <dd>{whyWords(each, i18n, when).join(" ")}</dd>
        </div>
      ))}
    </dl>
  );
}
