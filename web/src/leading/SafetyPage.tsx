/** What was said to be about a child’s safety, for those whom the school alerts to it. */
import { useLingui } from "@lingui/react/macro";
import { Link } from "react-router";
import { Button } from "../components/Button.tsx";
import { Empty } from "../components/Empty.tsx";
import { Notice } from "../components/Notice.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { useRaised } from "../data/answers.ts";
import type { Raised } from "../data/types.ts";
import { useTitle } from "../pages/useTitle.ts";
import { problemWords } from "../words/problems.ts";
import { seatName } from "../words/seats.ts";
import { useWhen } from "../words/useWhen.ts";
import "./leading.css";

export default function SafetyPage() {
  const { t, i18n } = useLingui();
  const { items, more, loadMore, problem } = useRaised();
  useTitle(t`About a child’s safety`);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div className="leading-scroll" tabIndex={0}>
      <div className="leading-page">
        <header className="leading-top">
          <h1>{t`About a child’s safety`}</h1>
        </header>
        <div className="leading-main">
          <p className="leading-note">{t`Messages whose author said that they are about a child’s safety, newest first. Of these conversations you read these messages and nothing else.`}</p>
          {problem && (
            <Notice tone="brick" urgent>
              {i18n._(problemWords(problem))}
            </Notice>
          )}
          {items === null ? (
            !problem && <Skeleton shape="rows" label={t`The list is on its way`} />
          ) : items.length === 0 ? (
            <Empty icon="warning" title={t`Nothing was raised`}>
              {t`When somebody says that a message is about a child’s safety, it stands here at once.`}
            </Empty>
          ) : (
            <section className="leading-card" aria-label={t`What was raised`}>
              <ul className="history" data-testid="raised">
                {items.map((each) => (
                  <Row key={each.id} raised={each} />
                ))}
              </ul>
            </section>
          )}
          {more && <Button look="soft" onPress={loadMore} data-testid="more-raised">{t`Show more`}</Button>}
        </div>
      </div>
    </div>
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
