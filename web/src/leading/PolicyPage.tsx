/** The school's rules: in words for all staff; for leaders also to change, with what a change would mean beside it. */
import { useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { Button } from "../components/Button.tsx";
import { Notice } from "../components/Notice.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { type PolicyEditing, usePolicyEditing } from "../data/policy.ts";
import { useTitle } from "../pages/useTitle.ts";
import { problemWords } from "../words/problems.ts";
import { useWhen } from "../words/useWhen.ts";
import { CalendarTab } from "./CalendarTab.tsx";
import { DocumentTab } from "./DocumentTab.tsx";
import { type PolicyData, withValue } from "./document.ts";
import { HistoryTab } from "./HistoryTab.tsx";
import { HoursTab } from "./HoursTab.tsx";
import { Changes, Faults, Sentences } from "./Meaning.tsx";
import { MessagesTab } from "./MessagesTab.tsx";
import { ReviewTab } from "./ReviewTab.tsx";
import { TermsTab } from "./TermsTab.tsx";
import { WeekDrawing } from "./WeekDrawing.tsx";
import "./leading.css";

type Tab = "rules" | "hours" | "messages" | "calendar" | "terms" | "document" | "history" | "review";

export default function PolicyPage() {
  const { t, i18n } = useLingui();
  const editing = usePolicyEditing();
  const when = useWhen();
  const [tab, setTab] = useState<Tab>("rules");
  const [saved, setSaved] = useState(false);
  const { policy, draft, checked, problem } = editing;
  useTitle(t`The school’s rules`);

  if (!policy) {
    return (
      <div className="leading-page">
        {problem ? (
          <Notice
            tone="brick"
            urgent
            action={<Button look="soft" onPress={() => void editing.reread()}>{t`Try again`}</Button>}
          >
            {i18n._(problemWords(problem))}
          </Notice>
        ) : (
          <Skeleton shape="rows" label={t`The rules are on their way`} />
        )}
      </div>
    );
  }

  const mayEdit = policy.data !== null;
  const meaning = checked?.meaning ?? policy.meaning;
  const changes = checked?.changes ?? [];
  const tabs: { key: Tab; name: string }[] = [
    { key: "rules", name: t`In words` },
    { key: "hours", name: t`Hours` },
    { key: "messages", name: t`Messages` },
    { key: "calendar", name: t`Calendar` },
    { key: "terms", name: t`Terms and guardians` },
    { key: "document", name: t`Document` },
    { key: "history", name: t`History` },
  ];
  const go = (next: Tab) => {
    setSaved(false);
    setTab(next);
  };

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div className="leading-scroll" tabIndex={0}>
      <div className="leading-page" data-aside={(mayEdit && tab !== "rules") || undefined}>
        <header className="leading-top">
          <div>
            <h1>{t`The school’s rules`}</h1>
            <p className="leading-version" data-testid="policy-version">
              {t`Version ${policy.version.number}, from ${when.exact(policy.version.counts_from)}`}
            </p>
          </div>
          {mayEdit && draft && (
            <div className="leading-acts">
              <Button look="quiet" onPress={() => editing.change(null)}>{t`Leave it as it was`}</Button>
              <Button
                look="primary"
                isDisabled={editing.checking || !checked || checked.faults.length > 0 || changes.length === 0}
                onPress={() => go("review")}
                data-testid="review-changes"
              >
                {t`Look over changes (${changes.length})`}
              </Button>
            </div>
          )}
        </header>
        {mayEdit && (
          <nav className="leading-tabs" aria-label={t`Parts of the rules`}>
            {tabs.map(({ key, name }) => (
              <button
                key={key}
                type="button"
                className="leading-tab"
                aria-current={tab === key ? "page" : undefined}
                onClick={() => go(key)}
                data-testid={`tab-${key}`}
              >
                {name}
              </button>
            ))}
          </nav>
        )}
        <div className="leading-main">
          {saved && (
            <Notice tone="green" urgent>
              {t`Saved. Every phone and computer follows within seconds.`}
            </Notice>
          )}
          {problem && (
            <Notice tone="brick" urgent>
              {i18n._(problemWords(problem))}
            </Notice>
          )}
          {policy.review && policy.review.state !== "far" && tab === "rules" && (
            <Notice
              tone="marigold"
              title={
                policy.review.state === "past" ? t`The rules were to be looked at again` : t`Soon to be looked at again`
              }
            >
              {t`The date in the rules is ${policy.review.next}. Read them through, then set the next date under “Terms and guardians”.`}
            </Notice>
          )}
          {policy.waiting.map((each) => (
            <Notice tone="sky" key={each.number}>
              {t`Version ${each.number} waits and counts from ${when.exact(each.counts_from)}.`}
            </Notice>
          ))}
          {tab === "review" ? (
            <ReviewTab
              editing={editing}
              done={() => {
                setTab("rules");
                setSaved(true);
              }}
            />
          ) : tab === "history" ? (
            <HistoryTab newest={policy.newest} />
          ) : tab === "rules" || !mayEdit ? (
            <>
              <section className="leading-card">
                <WeekDrawing week={meaning.week} zone={meaning.zone} />
              </section>
              <Sentences meaning={meaning} />
            </>
          ) : (
            <EditedTab tab={tab} editing={editing} />
          )}
        </div>
        {mayEdit && tab !== "rules" && tab !== "history" && tab !== "review" && (
          <aside className="leading-aside" aria-label={t`What this means`}>
            <Faults faults={checked?.faults ?? []} language={checked?.language ?? meaning.language} />
            {tab === "hours" && <WeekDrawing week={meaning.week} zone={meaning.zone} />}
            <h2>{t`What this means`}</h2>
            <Sentences meaning={meaning} only={sectionsOf[tab]} />
            {changes.length > 0 && (
              <>
                <h2>{t`You changed`}</h2>
                <Changes changes={changes} language={checked?.language ?? meaning.language} />
              </>
            )}
          </aside>
        )}
      </div>
    </div>
  );
}

/** Which sentences stand beside which part; the document has them all. */
const sectionsOf: Record<string, readonly string[] | undefined> = {
  hours: ["hours", "messages"],
  messages: ["messages", "answers"],
  calendar: ["hours", "answers"],
  terms: ["guardians", "conduct"],
};

function EditedTab({ tab, editing }: { tab: Tab; editing: PolicyEditing }) {
  const { policy, draft, checked } = editing;
  if (!policy?.data || policy.document === null) return null;
  if (tab === "document") {
    const text = draft && "document" in draft ? draft.document : (checked?.document ?? policy.document);
    return <DocumentTab text={text} onChange={(document) => editing.change({ document })} />;
  }
  // What was written in the document is shown in the other parts as soon as it holds no mistake.
  const data = (draft && "data" in draft ? draft.data : (checked?.data ?? policy.data)) as PolicyData;
  const put = (path: readonly (string | number)[], value: unknown) =>
    editing.change({ data: withValue(data, path, value) });
  switch (tab) {
    case "hours":
      return <HoursTab data={data} put={put} />;
    case "messages":
      return <MessagesTab data={data} put={put} />;
    case "calendar":
      return <CalendarTab data={data} put={put} />;
    default:
      return <TermsTab data={data} put={put} />;
  }
}
