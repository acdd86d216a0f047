/** The school's year as months one reads at a glance; beside each month stands in words what the colours say. */
import { useLingui } from "@lingui/react/macro";
import { dateNamed, monthNamed, weekdayLetter } from "../words/when.ts";
import type { Calendar, Note, YearMonth } from "./year.ts";
import { yearOf } from "./year.ts";
import "./year-drawing.css";

type YearDrawingProps = { calendar: Calendar; working: ReadonlySet<number>; today: string };

export function YearDrawing({ calendar, working, today }: YearDrawingProps) {
  const { t } = useLingui();
  const months = yearOf(calendar, working);
  const days = months.flatMap((month) => month.days);
  const count = (kind: string) => days.filter((day) => day.kind === kind).length;
  const [schoolDays, training] = [count("school"), count("training")];
  if (months.length === 0) return <p className="leading-note">{t`The year is drawn as soon as there is a term.`}</p>;
  return (
    <figure className="year" aria-label={t`The school year`} data-testid="year">
      <figcaption className="year-caption">
        <ul className="year-key">
          <li data-kind="school">{t`School days: ${schoolDays}`}</li>
          <li data-kind="training">{t`Staff alone: ${training}`}</li>
          <li data-kind="closed">{t`Closed`}</li>
          <li data-kind="holiday">{t`Holidays`}</li>
        </ul>
      </figcaption>
      <div className="year-months">
        {months.map((month) => (
          <Month key={`${month.year}-${month.month}`} month={month} today={today} />
        ))}
      </div>
    </figure>
  );
}

function Month({ month, today }: { month: YearMonth; today: string }) {
  const { t, i18n } = useLingui();
  const name = monthNamed(month.year, month.month, i18n.locale);
  const { schoolDays } = month;
  return (
    <section className="year-month" aria-label={name} data-testid={`month-${month.days[0]?.date.slice(0, 7)}`}>
      <h3>{name}</h3>
      <p className="year-count">{t`School days: ${schoolDays}`}</p>
      <div className="year-days" aria-hidden="true">
        {[0, 1, 2, 3, 4, 5, 6].map((index) => (
          <span key={index} className="year-weekday">
            {weekdayLetter(index, i18n.locale)}
          </span>
        ))}
        {month.days.map(({ day, date, kind }) => (
          <span
            key={day}
            className="year-day"
            data-kind={kind}
            data-today={date === today || undefined}
            style={day === 1 ? { gridColumnStart: month.lead + 1 } : undefined}
          >
            {day}
          </span>
        ))}
      </div>
      {month.notes.length > 0 && (
        <ul className="year-notes">
          {month.notes.map((note) => (
            <li key={`${note.first} ${note.name}`} data-kind={note.kind}>
              {when(note, i18n.locale)}: <bdi>{note.name}</bdi>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function when({ first, last }: Note, language: string): string {
  const begins = dateNamed(first, language);
  return first === last ? begins : `${begins} – ${dateNamed(last, language)}`;
}
