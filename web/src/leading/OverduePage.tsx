/** Families who wait longer for an answer than they were promised: for help where it is needed, not for counting. */
import { Plural, useLingui } from "@lingui/react/macro";
import { Empty } from "../components/Empty.tsx";
import { useOverdue } from "../data/answers.ts";
import type { Overdue } from "../data/types.ts";
import { seatKind, seatName } from "../words/seats.ts";
import { useWhen } from "../words/useWhen.ts";
import { ListPage } from "./ListPage.tsx";

export default function OverduePage() {
  const { t } = useLingui();
  return (
    <ListPage
      title={t`Overdue answers`}
      purpose={t`Families who wait longer than the school promised when they wrote, the longest first. What they wrote stays between them and the member of staff. Ask whether help is needed.`}
      listed={useOverdue()}
      empty={
        <Empty icon="messages" title={t`Nobody waits longer than promised`}>
          {t`Every family has its answer, or still has time to get it.`}
        </Empty>
      }
      label={t`Who waits`}
      name="overdue"
      row={(each) => <Row key={each.thread} overdue={each} />}
    />
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
