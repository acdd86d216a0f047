/** Hours of a purpose: as those of staff, at any time, or a week of their own, day by day. */
import { useLingui } from "@lingui/react/macro";
import { Button } from "../components/Button.tsx";
import { Choice } from "../components/Choice.tsx";
import { IconButton } from "../components/IconButton.tsx";
import {
  type Hours,
  type NamedHours,
  ownWeek,
  type Span,
  sameAllWeek,
  WEEKDAYS,
  type Week,
  type Weekday,
} from "./document.ts";
import { weekdayName } from "./WeekDrawing.tsx";

/** The browser's own field for a time, which has no 24:00: midnight at the end of a day is 00:00 there. */
const shown = (time: string) => (time === "24:00" ? "00:00" : time);

export function HoursEditor({
  name,
  value,
  named,
  staff,
  onChange,
  testId,
}: {
  name: string;
  value: Hours;
  /** What can be chosen beside a week of its own; none: only the week. */
  named: readonly NamedHours[];
  staff: Hours;
  onChange(value: Hours): void;
  testId: string;
}) {
  const { t } = useLingui();
  const words: Record<NamedHours | "own", string> = {
    staff: t`As staff work`,
    always: t`At any time`,
    never: t`Never`,
    own: t`Hours of its own`,
  };
  const kind = typeof value === "string" ? value : "own";
  return (
    <div className="hours">
      {named.length > 0 && (
        <Choice
          label={name}
          value={kind}
          options={[...named, "own" as const].map((each) => ({ value: each, text: words[each] }))}
          onChange={(next) => onChange(next === "own" ? ownWeek(staff) : next)}
          data-testid={testId}
        />
      )}
      {typeof value !== "string" && <WeekEditor name={name} week={value} onChange={onChange} testId={testId} />}
    </div>
  );
}

function WeekEditor({
  name,
  week,
  onChange,
  testId,
}: {
  name: string;
  week: Week;
  onChange(week: Week): void;
  testId: string;
}) {
  const { t, i18n } = useLingui();
  const put = (day: Weekday, spans: Span[]) => onChange({ ...week, [day]: spans });
  const change = (day: Weekday, place: number, change: Partial<Span>) =>
    put(
      day,
      week[day].map((each, at) => (at === place ? { ...each, ...change } : each)),
    );
  const more = (day: Weekday) => {
    const last = week[day].at(-1);
    put(day, [...week[day], last ? { from: last.to, to: later(last.to) } : { from: "08:00", to: "16:00" }]);
  };
  return (
    <fieldset className="hours-week">
      <legend className="unseen">{name}</legend>
      {WEEKDAYS.map((day, index) => {
        const dayName = weekdayName(index, i18n.locale, "long");
        return (
          <div className="hours-day" key={day}>
            <span className="hours-name">{dayName}</span>
            <div className="hours-spans">
              {week[day].length === 0 && <span className="hours-none">{t`closed`}</span>}
              {week[day].map((span, place) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a span has no other name.
                <span className="hours-span" key={place}>
                  <input
                    type="time"
                    className="hours-time"
                    required
                    value={shown(span.from)}
                    aria-label={t`${dayName}, from`}
                    data-testid={`${testId}-${day}-from`}
                    onChange={(event) => event.target.value && change(day, place, { from: event.target.value })}
                  />
                  <span aria-hidden="true">–</span>
                  <input
                    type="time"
                    className="hours-time"
                    required
                    value={shown(span.to)}
                    aria-label={t`${dayName}, until`}
                    data-testid={`${testId}-${day}-to`}
                    onChange={(event) =>
                      event.target.value &&
                      change(day, place, { to: event.target.value === "00:00" ? "24:00" : event.target.value })
                    }
                  />
                  <IconButton
                    icon="close"
                    label={t`${dayName}: take these hours away`}
                    onPress={() =>
                      put(
                        day,
                        week[day].filter((_, at) => at !== place),
                      )
                    }
                  />
                </span>
              ))}
              {week[day].length < 3 && (
                <IconButton icon="plus" label={t`${dayName}: add hours`} onPress={() => more(day)} />
              )}
            </div>
          </div>
        );
      })}
      <Button
        look="quiet"
        onPress={() => onChange(sameAllWeek(week, week.monday))}
      >{t`Monday’s hours until Friday`}</Button>
    </fieldset>
  );
}

function later(time: string): string {
  const [hours = 0] = time.split(":").map(Number);
  return hours >= 23 ? "24:00" : `${String(hours + 1).padStart(2, "0")}:00`;
}
