/** "Why can't I?": what the school's rules say about me just now, and about one conversation where one came from there. */
import { useLingui } from "@lingui/react/macro";
import { Link, useSearchParams } from "react-router";
import { Notice } from "../components/Notice.tsx";
import { RulesNote } from "../components/SchoolRules.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { Why } from "../components/Why.tsx";
import { useComposing, useThread } from "../data/hooks.ts";
import { useWhy } from "../data/why.ts";
import { useSession } from "../session/session.tsx";
import { problemWords } from "../words/problems.ts";
import { threadNames } from "./threadNames.ts";
import { useTitle } from "./useTitle.ts";
import "./more-page.css";
import "./why-page.css";

export function WhyPage() {
  const { t, i18n } = useLingui();
  const { member } = useSession();
  const [asked] = useSearchParams();
  const thread = asked.get("thread");
  const { answers, problem } = useWhy();
  useTitle(t`Why can’t I?`);
  if (!member) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div className="more-scroll" tabIndex={0}>
      <div className="more-page">
        <h1>{t`Why can’t I?`}</h1>
        <p>{t`The rules of your school decide when messages arrive, when phones ring and when staff come in. This is what they say about you just now.`}</p>
        {thread && <OneConversation id={thread} />}
        <section className="more-card" aria-label={t`What the rules say about me`} data-testid="why">
          {answers ? (
            <Why answers={answers} />
          ) : problem ? (
            <Notice tone="brick" urgent>
              {i18n._(problemWords(problem))}
            </Notice>
          ) : (
            <Skeleton shape="rows" label={t`The rules are on their way`} />
          )}
        </section>
        <p className="more-note">{t`School leaders can change these rules. Ask the school office if one of them stands in your way.`}</p>
        <Link to={thread ? `/threads/${thread}` : "/more"} className="button button-quiet why-back">
          {thread ? t`Back to the conversation` : t`Back to More`}
        </Link>
      </div>
    </div>
  );
}

function OneConversation({ id }: { id: string }) {
  const { t, i18n } = useLingui();
  const { member } = useSession();
  const { thread } = useThread(id);
  const composing = useComposing(id);
  if (!thread || composing === undefined) return null;
  const { title, about } = threadNames(thread, member, i18n);
  return (
    <section className="more-card" aria-labelledby="why-here" data-testid="why-here">
      <h2 id="why-here">{t`In this conversation`}</h2>
      <p className="more-note">
        <bdi>{title}</bdi> · {about}
      </p>
      {composing === null ? (
        <p>{t`You read here only what is about a child’s safety.`}</p>
      ) : (
        <RulesNote composing={composing} always />
      )}
    </section>
  );
}
