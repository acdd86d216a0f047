/** Families who wait longer for an answer than they were promised: for help where it is needed, not for counting. */
import { Plural, useLingui } from "@lingui/react/macro";
import { Button } from "../components/Button.tsx";
import { Empty } from "../components/Empty.tsx";
import { Notice } from "../components/Notice.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { useOverdue } from "../data/answers.ts";
import type { Overdue } from "../data/types.ts";
import { useTitle } from "../pages/useTitle.ts";
import { problemWords } from "../words/problems.ts";
import { seatKind, seatName } from "../words/seats.ts";
import { useWhen } from "../words/useWhen.ts";
import "./leading.css";

export default function OverduePage() {
  const { t, i18n } = useLingui();
  const { items, more, loadMore, problem } = useOverdue();
  useTitle(t`Overdue answers`);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div className="leading-scroll" tabIndex={0}>
      <div className="leading-page">
        <header className="leading-top">
          <h1>{t`Overdue answers`}</h1>
        </header>
        <div className="leading-main">
          <p className="leading-note">{t`Families who wait longer than the school promised when they wrote, the longest first. What they wrote stays between them and the member of staff. Ask whether help is needed.`}</p>
          {problem && (
            <Notice tone="brick" urgent>
              {i18n._(problemWords(problem))}
            </Notice>
          )}
          {items === null ? (
            !problem && <Skeleton shape="rows" label={t`The list is on its way`} />
          ) : items.length === 0 ? (
            <Empty icon="messages" title={t`Nobody waits longer than promised`}>
              {t`Every family has its answer, or still has time to get it.`}
            </Empty>
          ) : (
            <section className="leading-card" aria-label={t`Who waits`}>
              <ul className="history" data-testid="overdue">
                {items.map((each) => (
                  <Row key={each.thread} overdue={each} />
                ))}
              </ul>
            </section>
          )}
          {more && <Button look="soft" onPress={loadMore} data-testid="more-overdue">{t`Show more`}</Button>}
        </div>
      </div>
    </div>
  );
}

function Row({ overdue }: { overdue: Overdue }) {
  const { t, i18n } = useLingui();
  const when = useWhen();
  const { pupil, seat, messages } = overdue;
  const promised = when.exact(overdue.answer_by);
  const wrote = when.exact(overdue.since);
  const kind = seatKind(seat, i18n);
  return (
    <li>
      <h3>
        <bdi>{pupil.name}</bdi>
        {overdue.class && (
          <>
            {" · "}
            <bdi>{overdue.class.name}</bdi>
          </>
        )}
      </h3>
      <p>{t`Promised by ${promised}`}</p>
      <p className="leading-note">
        <bdi>{seatName(seat, i18n)}</bdi>
        {kind !== "" && seat.holders.length > 0 && (
          <>
            {" · "}
            <bdi>{kind}</bdi>
          </>
        )}
        {" · "}
        {t`written ${wrote}`}
        {" · "}
        <Plural value={messages} one="# message" other="# messages" />
      </p>
    </li>
  );
}
