/** An ordinary school week as bands, with the same in a table for whoever does not see bands. */
import { useLingui } from "@lingui/react/macro";
import type { DaySpan, DrawnDay } from "../api/schema.ts";
import "./week-drawing.css";

const FIRST = 6 * 60;
const LAST = 20 * 60;
const WIDTH = LAST - FIRST;
const ROW = 34;

const clock = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const spansIn = (spans: DaySpan[]) => spans.map((each) => `${clock(each.start)}–${clock(each.end)}`).join(", ");

/** The part of a span between the hours drawn; null when none is. */
function drawn({ start, end }: DaySpan): { x: number; width: number } | null {
  const x = Math.max(start, FIRST) - FIRST;
  const width = Math.min(end, LAST) - FIRST - x;
  return width > 0 ? { x, width } : null;
}

/** "2026-11-30" is a Monday. */
export function weekdayName(index: number, locale: string, width: "long" | "short"): string {
  return new Intl.DateTimeFormat(locale, { weekday: width, timeZone: "UTC" }).format(Date.UTC(2026, 10, 30 + index));
}

export function WeekDrawing({ week, zone }: { week: DrawnDay[]; zone: string }) {
  const { t, i18n } = useLingui();
  const held = (day: DrawnDay) => day.families.filter((each) => each.outcome === "held");
  const refused = (day: DrawnDay) => day.families.filter((each) => each.outcome === "refused");
  const anyHeld = week.some((day) => held(day).length > 0);
  const anyRefused = week.some((day) => refused(day).length > 0);
  const anyLessons = week.some((day) => day.lessons.length > 0);
  return (
    <figure className="week" aria-label={t`A school week`}>
      <figcaption className="week-caption">
        <span className="week-title">{t`A school week`}</span>
        <bdi className="week-zone">
          {clock(FIRST)}–{clock(LAST)}, {zone}
        </bdi>
      </figcaption>
      <div className="week-days" aria-hidden="true">
        {week.map((day, index) => (
          <div className="week-day" key={day.weekday}>
            <span className="week-name">{weekdayName(index, i18n.locale, "short")}</span>
            <svg className="week-bands" viewBox={`0 0 ${WIDTH} ${ROW}`} preserveAspectRatio="none" focusable="false">
              <title>{day.weekday}</title>
              <rect className="week-ground" x={0} y={0} width={WIDTH} height={ROW} rx={5} />
              {bands(held(day), "week-held", 0, ROW)}
              {bands(refused(day), "week-refused", 0, ROW)}
              {bands(day.staff, "week-staff", 4, ROW - 8)}
              {bands(day.lessons, "week-lessons", 4, ROW - 8)}
              {bands(day.answers, "week-answers", ROW - 11, 7)}
            </svg>
          </div>
        ))}
        <div className="week-day week-hours">
          <span />
          <span className="week-scale">
            {[6, 8, 10, 12, 14, 16, 18, 20].map((hour) => (
              <span key={hour}>{hour}</span>
            ))}
          </span>
        </div>
      </div>
      <ul className="week-key" aria-hidden="true">
        <li className="week-key-staff">{t`staff at work`}</li>
        {anyLessons && <li className="week-key-lessons">{t`lessons, no replies expected`}</li>}
        <li className="week-key-answers">{t`answers given`}</li>
        {anyHeld && <li className="week-key-held">{t`families may write, it waits`}</li>}
        {anyRefused && <li className="week-key-refused">{t`families are told when to write`}</li>}
      </ul>
      <details className="week-table">
        <summary>{t`The same as a table`}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
        <section className="week-table-scroll" tabIndex={0} aria-label={t`The same as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t`Day`}</th>
                <th scope="col">{t`Staff`}</th>
                <th scope="col">{t`Lessons`}</th>
                <th scope="col">{t`Answers`}</th>
                <th scope="col">{t`Phones ring`}</th>
                <th scope="col">{t`Messages wait`}</th>
              </tr>
            </thead>
            <tbody>
              {week.map((day, index) => (
                <tr key={day.weekday}>
                  <th scope="row">{weekdayName(index, i18n.locale, "long")}</th>
                  {[day.staff, day.lessons, day.answers, day.rings, [...held(day), ...refused(day)]].map(
                    (spans, column) => (
                      // biome-ignore lint/suspicious/noArrayIndexKey: columns have no other name.
                      <td key={column}>{spansIn(spans) || "–"}</td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </figure>
  );
}

function bands(spans: DaySpan[], name: string, y: number, height: number) {
  return spans.map((span) => {
    const at = drawn(span);
    return (
      at && (
        <rect key={`${name} ${span.start}`} className={name} x={at.x} y={y} width={at.width} height={height} rx={3} />
      )
    );
  });
}
