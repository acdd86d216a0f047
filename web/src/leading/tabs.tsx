/** The parts of the editor: hours, messages, calendar, guardians and terms, and the document itself. */
import { useLingui } from "@lingui/react/macro";
import type { ReactNode } from "react";
import { Button } from "../components/Button.tsx";
import { Choice } from "../components/Choice.tsx";
import { IconButton } from "../components/IconButton.tsx";
import { LANGUAGES } from "../words/languages.ts";
import { dateIn } from "../words/when.ts";
import {
  type ClosedDay,
  type Outside,
  type Period,
  type PolicyData,
  type PromiseKind,
  promiseOf,
  type TermsOf,
  type Words,
} from "./document.ts";
import { HoursEditor } from "./HoursEditor.tsx";
import { YearDrawing } from "./YearDrawing.tsx";
import { workingWeekdays } from "./year.ts";

export type TabProps = {
  data: PolicyData;
  put(path: readonly (string | number)[], value: unknown): void;
};

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="leading-card" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function HoursTab({ data, put }: TabProps) {
  const { t } = useLingui();
  const staff = data.staff.hours;
  return (
    <>
      <Card title={t`Staff work`}>
        <p className="leading-note">{t`In term time, on days that are not closed. Answers promised in working days count these days.`}</p>
        <HoursEditor
          name={t`Staff work`}
          value={staff}
          named={[]}
          staff={staff}
          onChange={(hours) => put(["staff", "hours"], hours)}
          testId="staff-hours"
        />
      </Card>
      <Card title={t`Lessons`}>
        <HoursEditor
          name={t`Lessons are given`}
          value={data.lessons.hours}
          named={["never"]}
          staff={staff}
          onChange={(hours) => put(["lessons", "hours"], hours)}
          testId="lesson-hours"
        />
      </Card>
      <Card title={t`Staff and their phones`}>
        <HoursEditor
          name={t`Staff may come in`}
          value={data.staff.access.hours}
          named={["always", "staff"]}
          staff={staff}
          onChange={(hours) => put(["staff", "access", "hours"], hours)}
          testId="access-hours"
        />
        <HoursEditor
          name={t`Phones of staff may ring`}
          value={data.staff.notifications.hours}
          named={["staff", "always"]}
          staff={staff}
          onChange={(hours) => put(["staff", "notifications", "hours"], hours)}
          testId="ring-hours"
        />
        <Choice
          label={t`While somebody teaches`}
          value={data.staff.notifications.in_lessons}
          options={[
            { value: "silent", text: t`their phone is silent` },
            { value: "ring", text: t`their phone may ring` },
          ]}
          onChange={(value) => put(["staff", "notifications", "in_lessons"], value)}
        />
      </Card>
    </>
  );
}

export function MessagesTab({ data, put }: TabProps) {
  const { t } = useLingui();
  const { families } = data.messages;
  const { promise } = data.answers;
  const outside: { value: Outside; text: string }[] = [
    { value: "hold", text: t`accept it and keep it until the next opening` },
    { value: "refuse", text: t`refuse it and say when to write` },
    { value: "send", text: t`let it through` },
  ];
  const kinds: { value: PromiseKind; text: string }[] = [
    { value: "hours_on_working_days", text: t`within some hours, on working days` },
    { value: "working_days", text: t`within some working days` },
    { value: "end_of_day", text: t`by a time of the same working day` },
    { value: "none", text: t`no promise` },
  ];
  return (
    <>
      <Card title={t`Messages from families`}>
        <HoursEditor
          name={t`They go straight through`}
          value={families.hours}
          named={["always", "staff"]}
          staff={data.staff.hours}
          onChange={(hours) => put(["messages", "families", "hours"], hours)}
          testId="family-hours"
        />
        <Choice
          label={t`A message outside these hours`}
          value={families.outside}
          options={outside}
          onChange={(value) => put(["messages", "families", "outside"], value)}
          data-testid="family-outside"
        />
        <Choice
          label={t`A message during lessons`}
          value={families.in_lessons}
          options={outside}
          onChange={(value) => put(["messages", "families", "in_lessons"], value)}
        />
        <p className="leading-note">{t`A message about a child’s safety is never held, whatever stands here.`}</p>
      </Card>
      <Card title={t`A child’s safety`}>
        <p className="leading-note">{t`What a family is shown at once when a message is about a child’s safety. Whoever reads another language is shown the first.`}</p>
        <WordsFields
          words={data.safety.words}
          first={data.school.languages[0]}
          rows={3}
          most={1_000}
          onChange={(words) => put(["safety", "words"], words)}
          testId="safety-words"
        />
        <div className="leading-field">
          <span aria-hidden="true">{t`Number to call at once; empty: the office’s`}</span>
          <NameField
            label={t`Number to call at once; empty: the office’s`}
            value={data.safety.number ?? ""}
            onChange={(number) => put(["safety", "number"], number || undefined)}
          />
        </div>
      </Card>
      <Card title={t`Answers`}>
        <HoursEditor
          name={t`Staff answer`}
          value={data.answers.slots}
          named={["staff", "always"]}
          staff={data.staff.hours}
          onChange={(hours) => put(["answers", "slots"], hours)}
          testId="answer-hours"
        />
        <Choice
          label={t`An answer is promised`}
          value={promise.kind}
          options={kinds}
          onChange={(kind) => put(["answers", "promise"], promiseOf(kind))}
          data-testid="promise-kind"
        />
        {promise.kind === "hours_on_working_days" && (
          <NumberField
            label={t`Hours`}
            value={promise.hours ?? 24}
            most={240}
            onChange={(hours) => put(["answers", "promise", "hours"], hours)}
          />
        )}
        {promise.kind === "working_days" && (
          <NumberField
            label={t`Working days`}
            value={promise.days ?? 2}
            most={20}
            onChange={(days) => put(["answers", "promise", "days"], days)}
          />
        )}
        {promise.kind === "end_of_day" && (
          <label className="leading-field">
            <span>{t`Time`}</span>
            <input
              type="time"
              className="hours-time"
              value={promise.time ?? "15:00"}
              onChange={(event) => event.target.value && put(["answers", "promise", "time"], event.target.value)}
            />
          </label>
        )}
      </Card>
    </>
  );
}

/** The same words in each language the school writes them in, and a way to write them in one more. */
function WordsFields(props: {
  words: Words;
  first: string | undefined;
  rows: number;
  most: number;
  onChange(words: Words): void;
  testId: string;
}) {
  const { t } = useLingui();
  const { words, first, onChange, testId } = props;
  const written = Object.entries(words).map(([tag, text]) => ({
    tag,
    text,
    name: LANGUAGES.find((each) => each.tag === tag)?.autonym ?? tag,
  }));
  const others = LANGUAGES.filter((each) => !(each.tag in words));
  return (
    <>
      {written.map((each) => (
        <div className="leading-field leading-wide" key={each.tag}>
          <span className="leading-words-head">
            <bdi>{each.name}</bdi>
            {each.tag !== first && (
              <IconButton
                icon="close"
                label={t`Take ${each.name} away`}
                onPress={() => onChange(Object.fromEntries(Object.entries(words).filter(([tag]) => tag !== each.tag)))}
              />
            )}
          </span>
          <textarea
            className="leading-text"
            aria-label={each.name}
            lang={each.tag}
            dir="auto"
            rows={props.rows}
            maxLength={props.most}
            value={each.text}
            data-testid={`${testId}-${each.tag}`}
            onChange={(event) => onChange({ ...words, [each.tag]: event.target.value })}
          />
        </div>
      ))}
      {others.length > 0 && (
        <Choice
          label={t`In another language`}
          value=""
          options={[
            { value: "", text: t`Choose one` },
            ...others.map(({ tag, autonym }) => ({ value: tag, text: autonym })),
          ]}
          onChange={(tag) => tag && onChange({ ...words, [tag]: "" })}
          data-testid={`${testId}-more`}
        />
      )}
    </>
  );
}

function NumberField(props: { label: string; value: number; most: number; onChange(value: number): void }) {
  return (
    <label className="leading-field">
      <span>{props.label}</span>
      <input
        type="number"
        className="hours-time"
        min={1}
        max={props.most}
        value={props.value}
        onChange={(event) => event.target.valueAsNumber >= 1 && props.onChange(event.target.valueAsNumber)}
      />
    </label>
  );
}

function DateField({ label, value, onChange }: { label: string; value: string; onChange(value: string): void }) {
  return (
    <input
      type="date"
      className="hours-time"
      aria-label={label}
      value={value}
      onChange={(event) => event.target.value && onChange(event.target.value)}
    />
  );
}

function NameField({ label, value, onChange }: { label: string; value: string; onChange(value: string): void }) {
  return (
    <input
      type="text"
      className="hours-time leading-name"
      aria-label={label}
      maxLength={200}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Periods({ items, add, onChange }: { items: Period[]; add: string; onChange(items: Period[]): void }) {
  const { t } = useLingui();
  const change = (place: number, change: Partial<Period>) =>
    onChange(items.map((each, at) => (at === place ? { ...each, ...change } : each)));
  const last = items.at(-1)?.last ?? "2026-09-01";
  return (
    <>
      <ul className="leading-rows">
        {items.map((each, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a row has no other name while it is typed.
          <li key={place}>
            <NameField label={t`Name`} value={each.name} onChange={(name) => change(place, { name })} />
            <DateField
              label={t`${each.name}, first day`}
              value={each.first}
              onChange={(first) => change(place, { first })}
            />
            <span aria-hidden="true">–</span>
            <DateField
              label={t`${each.name}, last day`}
              value={each.last}
              onChange={(end) => change(place, { last: end })}
            />
            <IconButton
              icon="close"
              label={t`Take ${each.name} away`}
              onPress={() => onChange(items.filter((_, at) => at !== place))}
            />
          </li>
        ))}
      </ul>
      <Button
        look="quiet"
        onPress={() => onChange([...items, { name: add, first: dayAfter(last), last: dayAfter(last) }])}
      >
        {add}
      </Button>
    </>
  );
}

function dayAfter(date: string): string {
  const next = new Date(`${date}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}

export function CalendarTab({ data, put }: TabProps) {
  const { t } = useLingui();
  const { terms, holidays, closed_days } = data.calendar;
  const changeDay = (place: number, change: Partial<ClosedDay>) =>
    put(
      ["calendar", "closed_days"],
      closed_days.map((each, at) => (at === place ? { ...each, ...change } : each)),
    );
  return (
    <>
      <Card title={t`The year`}>
        <YearDrawing
          calendar={data.calendar}
          working={workingWeekdays(data.staff.hours)}
          today={dateIn(Date.now(), data.calendar.zone)}
        />
      </Card>
      <Card title={t`Terms`}>
        <Periods items={terms} add={t`Another term`} onChange={(items) => put(["calendar", "terms"], items)} />
      </Card>
      <Card title={t`Holidays inside a term`}>
        <Periods items={holidays} add={t`Another holiday`} onChange={(items) => put(["calendar", "holidays"], items)} />
      </Card>
      <Card title={t`Single closed days`}>
        <ul className="leading-rows">
          {closed_days.map((each, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a row has no other name while it is typed.
            <li key={place}>
              <NameField label={t`Name`} value={each.name} onChange={(name) => changeDay(place, { name })} />
              <DateField
                label={t`${each.name}, which day`}
                value={each.date}
                onChange={(date) => changeDay(place, { date })}
              />
              <label className="leading-check">
                <input
                  type="checkbox"
                  checked={each.staff_work}
                  onChange={(event) => changeDay(place, { staff_work: event.target.checked })}
                />
                <span>{t`staff work`}</span>
              </label>
              <IconButton
                icon="close"
                label={t`Take ${each.name} away`}
                onPress={() =>
                  put(
                    ["calendar", "closed_days"],
                    closed_days.filter((_, at) => at !== place),
                  )
                }
              />
            </li>
          ))}
        </ul>
        <Button
          look="quiet"
          onPress={() =>
            put(
              ["calendar", "closed_days"],
              [...closed_days, { date: terms[0]?.first ?? "2026-09-01", name: t`Training day`, staff_work: true }],
            )
          }
        >
          {t`Another closed day`}
        </Button>
      </Card>
    </>
  );
}

export function TermsTab({ data, put }: TabProps) {
  const { t } = useLingui();
  const parts: { key: "guardians" | "staff" | "pupils"; title: string }[] = [
    { key: "guardians", title: t`What families accept` },
    { key: "staff", title: t`What staff accept` },
    { key: "pupils", title: t`What pupils sign` },
  ];
  return (
    <>
      <p className="leading-note">{t`Other words need another version. Everybody is then asked again, before anything else.`}</p>
      {parts.map(({ key, title }) => {
        const terms: TermsOf | undefined = data.terms[key];
        return terms ? (
          <Card key={key} title={title}>
            <div className="leading-field">
              <span aria-hidden="true">{t`Version`}</span>
              <NameField
                label={t`Version`}
                value={terms.version}
                onChange={(version) => put(["terms", key, "version"], version)}
              />
            </div>
            <WordsFields
              words={terms.text}
              first={data.school.languages[0]}
              rows={6}
              most={20_000}
              onChange={(text) => put(["terms", key, "text"], text)}
              testId={`terms-${key}`}
            />
          </Card>
        ) : null;
      })}
      <Card title={t`Guardians`}>
        <NumberField
          label={t`At most, for each child`}
          value={data.guardians.per_child}
          most={10}
          onChange={(count) => put(["guardians", "per_child"], count)}
        />
        <Choice
          label={t`One more`}
          value={data.guardians.more}
          options={[
            { value: "on_request", text: t`when somebody approves it` },
            { value: "never", text: t`never` },
          ]}
          onChange={(value) => put(["guardians", "more"], value)}
        />
      </Card>
      <Card title={t`Review`}>
        <div className="leading-field">
          <span aria-hidden="true">{t`These rules are looked at again on`}</span>
          <DateField
            label={t`These rules are looked at again on`}
            value={data.review.next}
            onChange={(next) => put(["review", "next"], next)}
          />
        </div>
      </Card>
    </>
  );
}

export function DocumentTab({ text, onChange }: { text: string; onChange(text: string): void }) {
  const { t } = useLingui();
  return (
    <Card title={t`The document`}>
      <p className="leading-note">{t`Every setting of the school, for those who like to write it. Saving from the other pages changes only what you changed there, and leaves your notes.`}</p>
      <textarea
        className="leading-text leading-code"
        aria-label={t`The document`}
        dir="ltr"
        lang="en"
        spellCheck={false}
        rows={28}
        maxLength={60_000}
        value={text}
        data-testid="policy-yaml"
        onChange={(event) => onChange(event.target.value)}
      />
    </Card>
  );
}
