/** The school’s year: terms, holidays inside them, and single closed days. */
import { useLingui } from "@lingui/react/macro";
import { Button } from "../components/Button.tsx";
import { IconButton } from "../components/IconButton.tsx";
import { dateIn } from "../words/when.ts";
import { Card } from "./Card.tsx";
import type { ClosedDay, Period, TabProps } from "./document.ts";
import { DateField, NameField } from "./fields.tsx";
import { YearDrawing } from "./YearDrawing.tsx";
import { workingWeekdays } from "./year.ts";

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
