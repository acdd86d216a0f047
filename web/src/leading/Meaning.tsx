/** What rules mean in sentences, what a draft changes, and what is wrong with it, as the server says it. */
import { useLingui } from "@lingui/react/macro";
import type { Meaning, PolicyChange, PolicyFault } from "../api/schema.ts";
import { Notice } from "../components/Notice.tsx";
import { directionOf } from "../words/languages.ts";

export function Sentences({ meaning, only }: { meaning: Meaning; only?: readonly string[] | undefined }) {
  return (
    <div className="meaning" data-testid="meaning">
      <div className="meaning-parts" lang={meaning.language} dir={directionOf(meaning.language)}>
        {meaning.sections
          .filter((section) => !only || only.includes(section.key))
          .map((section) => (
            <section className="meaning-part" key={section.key}>
              <h3>{section.heading}</h3>
              <ul>
                {section.sentences.map((sentence) => (
                  <li key={sentence}>{sentence}</li>
                ))}
              </ul>
            </section>
          ))}
      </div>
    </div>
  );
}

export function Changes({ changes, language }: { changes: PolicyChange[]; language: string }) {
  const { t } = useLingui();
  return (
    <ul className="changes" data-testid="changes">
      {changes.map((each) => (
        <li key={each.path}>
          <span className="changes-about" lang={language} dir="auto">
            {each.about || each.path}
          </span>
          <span className="changes-path" lang="en" dir="ltr">
            {each.path}
          </span>
          <span dir="auto">
            {each.before !== null && (
              <del>
                <span className="unseen">{t`before:`} </span>
                {each.before}
              </del>
            )}{" "}
            {each.after !== null && (
              <ins>
                <span className="unseen">{t`now:`} </span>
                {each.after}
              </ins>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function Faults({ faults, language }: { faults: PolicyFault[]; language: string }) {
  const { t } = useLingui();
  if (faults.length === 0) return null;
  return (
    <Notice tone="brick" title={t`This cannot be saved yet`} urgent>
      <ul className="faults" lang={language} dir={directionOf(language)} data-testid="faults">
        {faults.map((each) => (
          <li key={`${each.path} ${each.problem}`}>
            <strong>
              <bdi>{each.line === null ? each.path : `${each.line}: ${each.path}`}</bdi>
            </strong>{" "}
            {each.problem}. {each.right}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
