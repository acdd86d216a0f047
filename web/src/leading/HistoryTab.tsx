/** Every version of the rules: who, when, why, from when it counts, and what it changed. */
import { useLingui } from "@lingui/react/macro";
import { useState } from "react";
import type { PolicyInFull } from "../api/schema.ts";
import { Button } from "../components/Button.tsx";
import { Notice } from "../components/Notice.tsx";
import { usePolicyVersions, useVersionInFull } from "../data/policy.ts";
import { problemWords } from "../words/problems.ts";
import { useWhen } from "../words/useWhen.ts";
import { Changes } from "./Meaning.tsx";

export function HistoryTab({ newest }: { newest: number }) {
  const { t, i18n } = useLingui();
  const { versions, problem } = usePolicyVersions(newest);
  const read = useVersionInFull();
  const when = useWhen();
  const [open, setOpen] = useState<PolicyInFull | null>(null);
  return (
    <section className="leading-card" aria-label={t`History`}>
      <h2>{t`History`}</h2>
      {problem && (
        <Notice tone="brick" urgent>
          {i18n._(problemWords(problem))}
        </Notice>
      )}
      <ol className="history" data-testid="policy-history">
        {versions.map((each) => (
          <li key={each.number}>
            <h3>
              {t`Version ${each.number}`} · <bdi>{each.author_name ?? t`Bookbag`}</bdi>
            </h3>
            <p dir="auto">{each.reason}</p>
            <p className="leading-note">
              {t`Made ${when.exact(each.made_at)}, counts from ${when.exact(each.counts_from)}.`}
            </p>
            {open?.version.number === each.number ? (
              open.changes.length > 0 ? (
                <Changes changes={open.changes} language={open.language} />
              ) : (
                <p className="leading-note">{t`The first version.`}</p>
              )
            ) : (
              <Button look="quiet" onPress={() => read(each.number).then(setOpen, () => {})}>
                {t`What version ${each.number} changed`}
              </Button>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
