/** Who did what to whom, in which role, when and why: the school's record, for leaders and safeguarding. */
import { useLingui } from "@lingui/react/macro";
import { useMemo, useRef, useState } from "react";
import { Link } from "react-router";
import { Problem } from "../api/problem.ts";
import { Button } from "../components/Button.tsx";
import { Choice } from "../components/Choice.tsx";
import { Empty } from "../components/Empty.tsx";
import { Icon } from "../components/Icon.tsx";
import { Notice } from "../components/Notice.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { TextField } from "../components/TextField.tsx";
import { type RecordFilter, useRecord } from "../data/record.ts";
import { useTitle } from "../pages/useTitle.ts";
import { useWide } from "../pages/useWide.ts";
import { useSession } from "../session/session.tsx";
import { actWords } from "../words/acts.ts";
import { problemWords } from "../words/problems.ts";
import { beginOf } from "./days.ts";
import { Entries } from "./Entries.tsx";
import { RecordStateWords } from "./RecordStateWords.tsx";
import "./record.css";

type Person = { id: string; name: string };

export default function RecordPage() {
  const { t, i18n } = useLingui();
  const { member } = useSession();
  const zone = member?.school.zone ?? "UTC";
  const [first, setFirst] = useState("");
  const [last, setLast] = useState("");
  const [act, setAct] = useState("");
  const [person, setPerson] = useState<Person | null>(null);
  const [saving, setSaving] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const filter = useMemo<RecordFilter>(() => {
    const from = beginOf(first, zone);
    const to = beginOf(last, zone, 1);
    return {
      ...(from ? { from } : {}),
      ...(to ? { to } : {}),
      ...(person ? { person: person.id } : {}),
      ...(act ? { act } : {}),
    };
  }, [first, last, zone, person, act]);
  const { entries, more, loading, loadMore, state, problem, table } = useRecord(filter);
  const filtered = Object.keys(filter).length > 0;
  const scroll = useRef<HTMLDivElement>(null);
  const wide = useWide();
  useTitle(t`The record`);

  const choose = (chosen: Person) => {
    setPerson(chosen);
    // Whose part is shown stands above the entries, out of sight of the name that was pressed.
    scroll.current?.scrollTo({ top: 0 });
    scroll.current?.focus({ preventScroll: true });
  };

  const save = async () => {
    setSaving(true);
    setRefusal(null);
    try {
      keepFile(await table(), "record.csv");
    } catch (failure) {
      setRefusal(failure instanceof Problem ? failure.code : "unreachable");
    } finally {
      setSaving(false);
    }
  };
  const trouble = refusal ?? problem;
  const acts = Object.entries(actWords)
    .map(([value, words]) => ({ value, text: i18n._(words) }))
    .sort((one, other) => one.text.localeCompare(other.text, i18n.locale));

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div className="record-scroll" tabIndex={0} ref={scroll}>
      <div className="record-page">
        <header className="record-head">
          <Link to="/more" className="icon-button icon-button-green" aria-label={t`Back to More`}>
            <Icon name="back" />
          </Link>
          <h1>{t`The record`}</h1>
          <Button look="soft" onPress={save} isDisabled={saving} data-testid="record-save">
            {t`Save as a table`}
          </Button>
        </header>
        <p className="record-note">
          {t`Who did what to whom, in which role, when and why. A change made afterwards would show. Reading this is recorded too.`}
        </p>
        {state && <RecordStateWords state={state} />}
        <details className="record-which" open={wide}>
          <summary data-testid="record-which">{t`Which part`}</summary>
          <div className="record-filters">
            <TextField type="date" label={t`From`} value={first} onChange={setFirst} data-testid="record-from" />
            <TextField
              type="date"
              label={t`Until, this day included`}
              value={last}
              onChange={setLast}
              data-testid="record-to"
            />
            <Choice
              label={t`What was done`}
              value={act}
              options={[{ value: "", text: t`Everything` }, ...acts]}
              onChange={setAct}
              data-testid="record-act"
            />
          </div>
        </details>
        {person && (
          <p className="record-person">
            <span>
              {t`Only what this person did, or what was done to them:`} <bdi>{person.name}</bdi>
            </span>
            <Button look="plain" onPress={() => setPerson(null)} data-testid="record-everybody">
              {t`Show everybody`}
            </Button>
          </p>
        )}
        {trouble && (
          <Notice tone="brick" urgent>
            {i18n._(problemWords(trouble))}
          </Notice>
        )}
        {entries === null && !problem && <Skeleton shape="rows" label={t`The record is on its way`} />}
        {entries?.length === 0 && (
          <Empty icon="search" title={filtered ? t`Nothing of this kind` : t`Nothing yet`}>
            {filtered
              ? t`Nothing on the record fits what you asked for. Choose other days or another act.`
              : t`When somebody lets people in, pauses them or changes the rules, it appears here.`}
          </Empty>
        )}
        {entries && entries.length > 0 && <Entries entries={entries} onPerson={choose} />}
        {more && (
          <Button look="plain" onPress={loadMore} isDisabled={loading} data-testid="record-more">
            {t`Show earlier ones`}
          </Button>
        )}
      </div>
    </div>
  );
}

/** Hands a file to the browser, as if a link to it had been pressed. */
function keepFile(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
