/** The conversations, newest first; thousands stay as quick as ten. */
import { useLingui } from "@lingui/react/macro";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { Link } from "react-router";
import { Empty } from "../components/Empty.tsx";
import { Icon } from "../components/Icon.tsx";
import { Notice } from "../components/Notice.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { ThreadRow } from "../components/ThreadRow.tsx";
import { useThreads } from "../data/hooks.ts";
import { useSession } from "../session/session.tsx";
import { problemWords } from "../words/problems.ts";
import { StoppedNotice } from "./StoppedNotice.tsx";
import { threadNames } from "./threadNames.ts";
import "./thread-list.css";

// Back brings the reader to where they were.
let keptOffset = 0;
let keptFor = "";

export function ThreadList() {
  const { t, i18n } = useLingui();
  const { member, state } = useSession();
  const { threads, loading, more, loadMore, problem } = useThreads();
  const scroller = useRef<HTMLDivElement>(null);
  const who = `${member?.person} ${member?.role}`;
  const rows = useVirtualizer({
    count: threads.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 100,
    getItemKey: (index) => threads[index]?.id ?? index,
    initialOffset: () => (keptFor === who ? keptOffset : 0),
    overscan: 6,
  });
  const shown = rows.getVirtualItems();
  const lastShown = shown.at(-1)?.index ?? 0;

  useEffect(() => {
    if (more && !loading && lastShown >= threads.length - 5) loadMore();
  }, [more, loading, lastShown, threads.length, loadMore]);

  const staff = member?.role !== "guardian" && member?.role !== "pupil";
  const mayWrite = state === "signed-in";

  return (
    <section className="thread-list" aria-label={t`Conversations`}>
      <div className="thread-list-head">
        <h1>{t`Messages`}</h1>
        {(member?.role === "safeguarding" || member?.role === "leader") && (
          <Link to="/safety" className="button button-soft" data-testid="to-safety">
            <Icon name="warning" />
            {t`Child safety`}
          </Link>
        )}
        {mayWrite && (
          <Link to="/new" className="button button-soft" data-testid="new-conversation">
            <Icon name="plus" />
            {t`New message`}
          </Link>
        )}
      </div>
      {mayWrite && <StoppedNotice />}
      {problem && threads.length === 0 && !loading && (
        <div className="thread-list-notice">
          <Notice tone="brick" urgent>
            {i18n._(problemWords(problem))}
          </Notice>
        </div>
      )}
      {threads.length === 0 && loading && <Skeleton shape="rows" label={t`Loading your messages`} />}
      {threads.length === 0 && !loading && !problem && (
        <Empty
          icon="messages"
          title={t`No messages yet`}
          action={
            mayWrite && (
              <Link to="/new" className="button button-primary">
                {staff ? t`Write to a family` : t`Write to the school`}
              </Link>
            )
          }
        >
          {staff
            ? t`Your conversations with families appear here. Each family reads in its own language.`
            : t`Your conversations with the school appear here, in your language. You can write first.`}
        </Empty>
      )}
      <div
        className="thread-list-scroll"
        ref={scroller}
        tabIndex={threads.length === 0 ? -1 : 0}
        onScroll={(event) => {
          keptOffset = event.currentTarget.scrollTop;
          keptFor = who;
        }}
      >
        <ul className="thread-list-all" style={{ blockSize: rows.getTotalSize() }}>
          {shown.map((row) => {
            const thread = threads[row.index];
            if (!thread) return null;
            const names = threadNames(thread, member, i18n);
            return (
              <li
                key={row.key}
                ref={rows.measureElement}
                data-index={row.index}
                className="thread-list-row"
                style={{ transform: `translateY(${row.start}px)` }}
              >
                <ThreadRow thread={thread} title={names.title} about={names.about} />
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}
