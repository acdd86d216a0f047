/** What becomes of a family’s message, what is said about a child’s safety, and by when an answer is promised. */
import { useLingui } from "@lingui/react/macro";
import { Choice } from "../components/Choice.tsx";
import { Card } from "./Card.tsx";
import { type Outside, type PromiseKind, promiseOf, type TabProps } from "./document.ts";
import { NameField, NumberField } from "./fields.tsx";
import { HoursEditor } from "./HoursEditor.tsx";
import { WordsFields } from "./WordsFields.tsx";

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
