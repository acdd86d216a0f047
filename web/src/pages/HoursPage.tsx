/** My own hours, for staff: the school's, or shorter ones. Longer ones cannot be chosen, and the server refuses them. */
import { useLingui } from "@lingui/react/macro";
import { type FormEvent, useEffect, useState } from "react";
import { Link } from "react-router";
import { WEEKDAYS } from "../api/schema.ts";
import { Button } from "../components/Button.tsx";
import { Choice } from "../components/Choice.tsx";
import { Notice } from "../components/Notice.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { useOwnHours } from "../data/hooks.ts";
import type { OwnHours, Span, Week } from "../data/types.ts";
import { problemWords } from "../words/problems.ts";
import { weekdayNamed } from "../words/when.ts";
import { useTitle } from "./useTitle.ts";
import "./more-page.css";
import "./hours-page.css";

type Weekday = (typeof WEEKDAYS)[number];

export function HoursPage() {
  const { t, i18n } = useLingui();
  const { hours, problem, save } = useOwnHours();
  useTitle(t`My hours`);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div className="more-scroll" tabIndex={0}>
      <div className="more-page">
        <h1>{t`My hours`}</h1>
        <section className="more-card" aria-label={t`My hours`}>
          <p>{t`In these hours you are at work and your phone may ring. They can be shorter than the school’s, never longer.`}</p>
          {hours ? (
            <HoursForm hours={hours} save={save} />
          ) : problem ? null : (
            <Skeleton shape="rows" label={t`Your hours are on their way`} />
          )}
          {problem && (
            <Notice tone="brick" urgent>
              {problem === "invalid-input"
                ? t`These hours reach beyond the school’s, or end before they begin. Choose times inside the school’s hours.`
                : i18n._(problemWords(problem))}
            </Notice>
          )}
        </section>
        <Link to="/more" className="button button-quiet hours-back">{t`Back to More`}</Link>
      </div>
    </div>
  );
}

function HoursForm({ hours, save }: { hours: OwnHours; save(week: Week | null): Promise<void> }) {
  const { t } = useLingui();
  const { school } = hours;
  const [week, setWeek] = useState(hours.week);
  const [busy, setBusy] = useState(false);
  const [saved, setSaved] = useState(false);
  useEffect(() => setWeek(hours.week), [hours]);
  if (!school || !hours.may_narrow)
    return <Notice tone="sky">{t`This school keeps one set of hours for everybody. A leader can change that.`}</Notice>;

  const change = (next: Week | null) => {
    setSaved(false);
    setWeek(next);
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    await save(week).then(
      () => setSaved(true),
      () => {},
    );
    setBusy(false);
  };

  return (
    <form className="hours-form" onSubmit={submit}>
      <Choice
        label={t`Which hours`}
        value={week ? "own" : "school"}
        options={[
          { value: "school", text: t`The school’s hours` },
          { value: "own", text: t`Shorter hours of my own` },
        ]}
        onChange={(kind) => change(kind === "own" ? structuredClone(school) : null)}
        data-testid="hours-kind"
      />
      {WEEKDAYS.map((day, index) =>
        school[day].length === 0 ? null : (
          <DayRow
            key={day}
            day={day}
            index={index}
            school={school[day]}
            spans={(week ?? school)[day]}
            fixed={week === null}
            onChange={(spans) => week && change({ ...week, [day]: spans })}
          />
        ),
      )}
      <div className="hours-save">
        <Button type="submit" look="primary" isDisabled={busy} data-testid="save-hours">{t`Save my hours`}</Button>
        <p role="status">{saved ? t`Saved. It counts from now on.` : ""}</p>
      </div>
    </form>
  );
}

/** One weekday: whether one works at all, and from when until when. */
function DayRow(props: {
  day: Weekday;
  index: number;
  school: Span[];
  spans: Span[];
  fixed: boolean;
  onChange(spans: Span[]): void;
}) {
  const { t, i18n } = useLingui();
  const { day, school, spans, fixed, onChange } = props;
  const dayName = weekdayNamed(props.index, i18n.locale);
  const put = (place: number, part: Partial<Span>) =>
    onChange(spans.map((each, at) => (at === place ? { ...each, ...part } : each)));
  return (
    <fieldset className="hours-row" disabled={fixed}>
      <legend className="unseen">{dayName}</legend>
      <label className="hours-works">
        <input
          type="checkbox"
          checked={spans.length > 0}
          onChange={(event) => onChange(event.target.checked ? structuredClone(school) : [])}
          data-testid={`works-${day}`}
        />
        {dayName}
      </label>
      <div className="hours-times">
        {spans.length === 0 && <span className="more-note">{t`not at work`}</span>}
        {spans.map((span, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a span has no other name.
          <span className="hours-span" key={place}>
            <Time
              name={t`${dayName}, from`}
              value={span.from}
              onChange={(from) => put(place, { from })}
              id={`${day}-from`}
            />
            <span aria-hidden="true">–</span>
            <Time
              name={t`${dayName}, until`}
              value={span.to}
              onChange={(to) => put(place, { to: to === "00:00" ? "24:00" : to })}
              id={`${day}-to`}
            />
          </span>
        ))}
      </div>
    </fieldset>
  );
}

function Time({
  name,
  value,
  onChange,
  id,
}: {
  name: string;
  value: string;
  onChange(value: string): void;
  id: string;
}) {
  return (
    <input
      type="time"
      className="hours-time"
      required
      aria-label={name}
      value={value === "24:00" ? "00:00" : value}
      onChange={(event) => event.target.value && onChange(event.target.value)}
      data-testid={id}
    />
  );
}
