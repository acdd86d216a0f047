/** What was said to be about a child’s safety, for those whom the school alerts to it. */
import { useLingui } from "@lingui/react/macro";
import { Link } from "react-router";
import { Empty } from "../components/Empty.tsx";
import { useRaised } from "../data/answers.ts";
import type { Raised } from "../data/types.ts";
import { seatName } from "../words/seats.ts";
import { useWhen } from "../words/useWhen.ts";
import { ListPage } from "./ListPage.tsx";

export default function SafetyPage() {
  const { t } = useLingui();
  return (
    <ListPage
      title={t`About a child’s safety`}
      purpose={t`Messages whose author said that they are about a child’s safety, newest first. Of these conversations you read these messages and nothing else.`}
      listed={useRaised()}
      empty={
        <Empty icon="warning" title={t`Nothing was raised`}>
          {t`When somebody says that a message is about a child’s safety, it stands here at once.`}
        </Empty>
      }
      label={t`What was raised`}
      name="raised"
      row={(each) => <Row key={each.id} raised={each} />}
    />
  );
}

function Row({ raised }: { raised: Raised }) {
  const { t, i18n } = useLingui();
  const when = useWhen();
  const sent = when.exact(raised.sent_at);
  const author = raised.author.name;
  const seat = seatName(raised.seat, i18n);
  return (
    <li>
      <h3>
        <bdi>{raised.pupil.name}</bdi>
        {raised.class && (
          <>
            {" · "}
            <bdi>{raised.class.name}</bdi>
          </>
        )}
      </h3>
      <p dir="auto">{raised.text}</p>
      <p className="leading-note">{t`${author} with ${seat}, ${sent}`}</p>
      <Link to={`/threads/${raised.thread}`} className="button button-soft" data-testid={`raised-${raised.id}`}>
        {t`Read it`}
        <span className="unseen"> {raised.pupil.name}</span>
      </Link>
    </li>
  );
}
