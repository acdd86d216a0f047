/** One conversation: who, what was said, and where to answer. */
import { useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { Avatar } from "../components/Avatar.tsx";
import { Composer } from "../components/Composer.tsx";
import { Empty } from "../components/Empty.tsx";
import { Icon } from "../components/Icon.tsx";
import { IconButton } from "../components/IconButton.tsx";
import { Notice } from "../components/Notice.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { useComposing, useDraft, useMarkRead, useMessages, useOwed, useThread } from "../data/hooks.ts";
import { useSession } from "../session/session.tsx";
import { servedLanguage } from "../words/languages.ts";
import { problemWords } from "../words/problems.ts";
import { MessageList } from "./MessageList.tsx";
import { OwedNote } from "./OwedNote.tsx";
import { ThreadContext } from "./ThreadContext.tsx";
import { threadNames } from "./threadNames.ts";
import { useTitle } from "./useTitle.ts";
import "./thread-page.css";

export function ThreadPage() {
  const { id = "" } = useParams();
  // A conversation keeps nothing of the one before it.
  return <OneThread key={id} id={id} />;
}

function OneThread({ id }: { id: string }) {
  const { t, i18n } = useLingui();
  const { member, state } = useSession();
  const { thread, problem } = useThread(id);
  const data = useMessages(id);
  const composing = useComposing(id);
  const { owed, settle } = useOwed(id);
  const [draft, setDraft] = useDraft(id);
  const [about, setAbout] = useState(false);
  const newestSeq = data.messages.findLast((each) => each.seq !== null)?.seq ?? null;
  useMarkRead(thread, newestSeq);
  const names = thread && threadNames(thread, member, i18n);
  useTitle(names?.title ?? "");

  if (!thread || !names) {
    return (
      <section className="thread-page" aria-label={t`Conversation`}>
        <header className="thread-head">
          <Back />
        </header>
        {problem ? (
          <Empty
            icon="warning"
            title={t`This conversation cannot be shown`}
            action={<Link to="/threads" className="button button-primary">{t`To my messages`}</Link>}
          >
            {i18n._(problemWords(problem))}
          </Empty>
        ) : (
          <Skeleton shape="bubbles" label={t`Loading the conversation`} />
        )}
      </section>
    );
  }

  const readOnly = state !== "signed-in";
  return (
    <div className="thread-columns">
      <section className="thread-page" aria-label={t`Conversation`}>
        <header className="thread-head">
          <Back />
          <Avatar name={names.title} />
          <div className="thread-head-names">
            <h1>
              <bdi>{names.title}</bdi>
            </h1>
            <p>{names.about}</p>
          </div>
          <span className="thread-head-info">
            <IconButton
              icon="info"
              label={t`About this conversation`}
              aria-expanded={about}
              onPress={() => setAbout(!about)}
            />
          </span>
        </header>
        {about && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
          <div className="thread-about" tabIndex={0}>
            <ThreadContext thread={thread} />
          </div>
        )}
        {data.messages.length > 0 ? (
          <MessageList thread={thread} data={data} />
        ) : data.loading ? (
          <Skeleton shape="bubbles" label={t`Loading the conversation`} />
        ) : data.problem ? (
          <div className="thread-page-problem">
            <Notice tone="brick" urgent>
              {i18n._(problemWords(data.problem))}
            </Notice>
          </div>
        ) : (
          <Empty icon="messages" title={t`Say hello`}>
            {t`Write in your own language. The other side reads in theirs, where a translation can be made.`}
          </Empty>
        )}
        {owed && !readOnly && <OwedNote owed={owed} onSettle={settle} />}
        <Composer
          sendLabel={names.send}
          text={draft}
          onText={setDraft}
          onSend={data.send}
          language={servedLanguage(member?.language ?? "en")}
          composing={composing}
          explained={`/why?thread=${id}`}
          disabled={readOnly || composing === null}
          why={
            readOnly
              ? t`Writing works again when the school’s server is reached.`
              : composing === null
                ? t`You read here only what is about a child’s safety.`
                : undefined
          }
        />
      </section>
      <aside className="thread-aside" aria-label={t`About this conversation`}>
        <ThreadContext thread={thread} />
      </aside>
    </div>
  );
}

function Back() {
  const { t } = useLingui();
  return (
    <Link to="/threads" className="icon-button icon-button-green thread-back" aria-label={t`Back to your messages`}>
      <Icon name="back" />
    </Link>
  );
}
