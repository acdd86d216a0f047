/** Who is suspended, why and until when; suspending a guardian and letting them back. */
import { useLingui } from "@lingui/react/macro";
import { type FormEvent, useEffect, useState } from "react";
import type { Guardian, Suspension } from "../api/schema.ts";
import { Avatar } from "../components/Avatar.tsx";
import { Button } from "../components/Button.tsx";
import { Empty } from "../components/Empty.tsx";
import { Notice } from "../components/Notice.tsx";
import { SearchField } from "../components/SearchField.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { TextField } from "../components/TextField.tsx";
import { useSuspending } from "../data/policy.ts";
import { useTitle } from "../pages/useTitle.ts";
import { problemWords } from "../words/problems.ts";
import { useWhen } from "../words/useWhen.ts";
import "./leading.css";

const PAUSE_MS = 250;

export default function SuspensionsPage() {
  const { t, i18n } = useLingui();
  const { suspensions, guardians, problem, seek, suspend, reinstate } = useSuspending();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState<Guardian | null>(null);
  useTitle(t`Paused access`);

  useEffect(() => {
    const pause = setTimeout(() => void seek(text.trim()), PAUSE_MS);
    return () => clearTimeout(pause);
  }, [text, seek]);

  const lasting = suspensions?.filter((each) => each.ended_at === null) ?? [];
  const past = suspensions?.filter((each) => each.ended_at !== null) ?? [];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div className="leading-scroll" tabIndex={0}>
      <div className="leading-page">
        <header className="leading-top">
          <h1>{t`Paused access`}</h1>
        </header>
        <div className="leading-main">
          <p className="leading-note">{t`A guardian whose access is paused sees nothing here and is told to speak to the office. What the law and safety ask for still reaches them by letter and e-mail.`}</p>
          {problem && (
            <Notice tone="brick" urgent>
              {i18n._(problemWords(problem))}
            </Notice>
          )}
          <section className="leading-card" aria-label={t`Paused now`}>
            <h2>{t`Paused now`}</h2>
            {suspensions === null ? (
              <Skeleton shape="rows" label={t`The list is on its way`} />
            ) : lasting.length === 0 ? (
              <p className="leading-note">{t`Nobody’s access is paused.`}</p>
            ) : (
              <ul className="history" data-testid="suspended-now">
                {lasting.map((each) => (
                  <Row key={each.id} suspension={each}>
                    <Button
                      look="soft"
                      onPress={() => void reinstate(each.person)}
                      data-testid={`reinstate-${each.person}`}
                    >
                      {t`Let ${each.name} back in`}
                    </Button>
                  </Row>
                ))}
              </ul>
            )}
          </section>
          <section className="leading-card" aria-label={t`Pause somebody’s access`}>
            <h2>{t`Pause somebody’s access`}</h2>
            {chosen ? (
              <SuspendForm
                guardian={chosen}
                onCancel={() => setChosen(null)}
                suspend={async (reason, until) => {
                  if ((await suspend(chosen.person, reason, until)) === null) setChosen(null);
                }}
              />
            ) : (
              <>
                <SearchField
                  label={t`A guardian or a child`}
                  placeholder={t`A guardian or a child`}
                  clear={t`Empty the search`}
                  value={text}
                  onChange={setText}
                />
                {guardians.length === 0 ? (
                  <Empty
                    icon="search"
                    title={t`Nobody of this name`}
                  >{t`Look for part of a guardian’s or a child’s name.`}</Empty>
                ) : (
                  <ul className="leading-people">
                    {guardians.slice(0, 20).map((each) => (
                      <li key={each.person}>
                        <Avatar name={each.name} />
                        <span className="leading-person">
                          <bdi>{each.name}</bdi>
                          <span className="leading-note">
                            <bdi>{each.children.join(", ")}</bdi>
                          </span>
                        </span>
                        {each.suspended ? (
                          <span className="leading-note">{t`paused`}</span>
                        ) : (
                          <Button look="quiet" onPress={() => setChosen(each)} data-testid={`suspend-${each.person}`}>
                            {t`Pause`}
                            <span className="unseen"> {each.name}</span>
                          </Button>
                        )}
                      </li>
                    ))}
                  </ul>
                )}
              </>
            )}
          </section>
          {past.length > 0 && (
            <section className="leading-card" aria-label={t`Before`}>
              <h2>{t`Before`}</h2>
              <ul className="history">
                {past.map((each) => (
                  <Row key={each.id} suspension={each} />
                ))}
              </ul>
            </section>
          )}
        </div>
      </div>
    </div>
  );
}

function Row({ suspension, children }: { suspension: Suspension; children?: React.ReactNode }) {
  const { t } = useLingui();
  const when = useWhen();
  const { name, reason, author_name, began_at, ends_at, ended_at, ended_by } = suspension;
  return (
    <li>
      <h3>
        <bdi>{name}</bdi>
      </h3>
      <p dir="auto">{reason}</p>
      <p className="leading-note">
        {t`By ${author_name ?? t`Bookbag`}, ${when.exact(began_at)}.`}{" "}
        {ended_at
          ? ended_by
            ? t`Let back in ${when.exact(ended_at)}.`
            : t`Ended by itself ${when.exact(ended_at)}.`
          : ends_at
            ? t`Ends by itself ${when.exact(ends_at)}.`
            : t`Without an end: a leader ends it.`}
      </p>
      {children}
    </li>
  );
}

function SuspendForm(props: {
  guardian: Guardian;
  onCancel(): void;
  suspend(reason: string, until: string | null): Promise<void>;
}) {
  const { t } = useLingui();
  const [reason, setReason] = useState("");
  const [until, setUntil] = useState("");
  const [busy, setBusy] = useState(false);
  const { name } = props.guardian;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    await props.suspend(reason.trim(), until === "" ? null : new Date(until).toISOString());
    setBusy(false);
  };
  return (
    <form className="leading-form" onSubmit={submit}>
      <p>{t`${name} will be signed out everywhere within seconds. Other roles they have at the school stay.`}</p>
      <TextField
        label={t`Why`}
        help={t`Kept in the school’s record.`}
        value={reason}
        onChange={setReason}
        isRequired
        maxLength={500}
        data-testid="suspend-reason"
      />
      <TextField
        label={t`Until (leave empty for no end)`}
        type="datetime-local"
        value={until}
        onChange={setUntil}
        data-testid="suspend-until"
      />
      <div className="leading-acts">
        <Button look="quiet" onPress={props.onCancel}>{t`Leave it`}</Button>
        <Button type="submit" look="danger" isDisabled={busy || reason.trim() === ""} data-testid="suspend-now">
          {t`Pause the access of ${name}`}
        </Button>
      </div>
    </form>
  );
}
