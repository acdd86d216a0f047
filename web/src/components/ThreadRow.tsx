/** One conversation in the list: with whom, about whom, the last words, and what is unread in words and weight. */
import { Plural, useLingui } from "@lingui/react/macro";
import { NavLink } from "react-router";
import type { Thread } from "../data/types.ts";
import { useWhen } from "../words/useWhen.ts";
import { Avatar } from "./Avatar.tsx";
import "./thread-row.css";

export type ThreadRowProps = { thread: Thread; title: string; about: string };

export function ThreadRow({ thread, title, about }: ThreadRowProps) {
  const { t } = useLingui();
  const when = useWhen();
  const { last, unread } = thread;
  return (
    <NavLink
      to={`/threads/${thread.id}`}
      className="thread-row"
      data-unread={unread > 0 || undefined}
      data-testid={`thread-row-${thread.id}`}
    >
      <Avatar name={title} />
      <span className="thread-row-top">
        <bdi className="thread-row-title">{title}</bdi>
        {last && (
          <time className="thread-row-when" dateTime={last.sent_at} title={when.exact(last.sent_at)}>
            {when.brief(last.sent_at)}
          </time>
        )}
      </span>
      <span className="thread-row-about">{about}</span>
      <span className="thread-row-last">
        {last ? (
          <>
            {last.mine && <span className="thread-row-you">{t`You:`}</span>}
            <span className="thread-row-text" dir="auto">
              {last.text}
            </span>
          </>
        ) : (
          <span className="thread-row-text">{t`No messages yet`}</span>
        )}
        {unread > 0 && (
          <span className="thread-row-unread">
            <Plural value={unread} one="# new" other="# new" />
          </span>
        )}
      </span>
    </NavLink>
  );
}
