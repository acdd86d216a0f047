/**
 * The messages of one conversation: opens at the newest, keeps its place while older ones arrive above, and moves to
 * a new one only for a reader who is already at the end.
 */
import { useLingui } from "@lingui/react/macro";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type UIEvent, useEffect, useMemo, useRef, useState } from "react";
import { Button } from "../components/Button.tsx";
import { Icon } from "../components/Icon.tsx";
import { MessageBubble } from "../components/MessageBubble.tsx";
import type { Messages, ShownMessage, Thread } from "../data/types.ts";
import { useWhen } from "../words/useWhen.ts";
import { dayKey } from "../words/when.ts";
import "./message-list.css";

/** As close to the newest as counts for being there. */
const AT_END_PX = 80;
const RUN_MS = 10 * 60_000;

export type MessageListProps = {
  thread: Thread;
  data: Pick<Messages, "messages" | "more" | "loadOlder" | "retry" | "discard" | "withdraw">;
};

export function MessageList({ thread, data }: MessageListProps) {
  const { t } = useLingui();
  const when = useWhen();
  const { messages, more, loadOlder } = data;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: messages.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 96,
    getItemKey: (index) => messages[index]?.key ?? index,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: AT_END_PX,
    paddingStart: 12,
    paddingEnd: 16,
    overscan: 8,
  });

  const [atEnd, setAtEnd] = useState(true);
  const [missed, setMissed] = useState(0);
  const [news, setNews] = useState("");
  const newest = messages.at(-1);
  const opened = useRef(false);
  const before = useRef<string | null>(null);

  // Opened: at the newest, before anything is painted twice.
  useEffect(() => {
    if (opened.current || messages.length === 0) return;
    opened.current = true;
    rows.scrollToEnd();
  }, [messages.length, rows]);

  useEffect(() => {
    if (!newest) return;
    const previous = before.current;
    before.current = newest.key;
    if (previous === null || previous === newest.key) return;
    if (newest.mine) {
      rows.scrollToEnd();
      return;
    }
    const author = newest.author.name;
    setNews(t`New message from ${author}`);
    if (!rows.isAtEnd(AT_END_PX * 3)) setMissed((count) => count + 1);
  }, [newest, rows, t]);

  // Writing more lines, or the phone's keyboard, makes the list lower: the newest stays in sight.
  const wasAtEnd = useRef(true);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      if (wasAtEnd.current) rows.scrollToEnd();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [rows]);

  // A translation arriving, or its original asked for, makes a message higher.
  const height = rows.getTotalSize();
  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the height.
  useEffect(() => {
    if (wasAtEnd.current) rows.scrollToEnd();
  }, [height, rows]);

  const shown = rows.getVirtualItems();
  const firstShown = shown[0]?.index ?? 0;
  const asking = useRef(false);
  useEffect(() => {
    if (!opened.current || !more || asking.current || firstShown > 4 || messages.length === 0) return;
    // Just opened, the first drawing is of the top; the reader is on the way to the end.
    const list = scroller.current;
    if (wasAtEnd.current && list && list.scrollHeight > list.clientHeight) return;
    asking.current = true;
    loadOlder().finally(() => {
      asking.current = false;
    });
  }, [firstShown, more, loadOlder, messages.length]);

  const severalOthers = useMemo(() => {
    const others = new Set(messages.filter((each) => !each.mine).map((each) => each.author.id));
    return others.size > 1 || thread.family_names.length > 1 || thread.seat.holders.length > 1;
  }, [messages, thread.family_names.length, thread.seat.holders.length]);
  const myNewest = messages.findLast((each) => each.mine)?.key;

  const onScroll = ({ currentTarget: list }: UIEvent<HTMLElement>) => {
    // Of the list itself: `rows` hears of this scroll only after us.
    const end = list.scrollHeight - list.clientHeight - list.scrollTop <= AT_END_PX;
    setAtEnd(end);
    wasAtEnd.current = end;
    if (end) setMissed(0);
  };

  return (
    <div className="message-list">
      <section
        className="message-list-scroll"
        ref={scroller}
        onScroll={onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        tabIndex={0}
        aria-label={t`Messages`}
      >
        <ol className="message-list-all" style={{ blockSize: height }}>
          {shown.map((row) => {
            const message = messages[row.index];
            if (!message) return null;
            const previous = messages[row.index - 1];
            const next = messages[row.index + 1];
            // What the oldest shown follows is known once nothing older is to come; told too early, it would jump.
            const newDay = previous
              ? dayKey(previous.sent_at, when.zone) !== dayKey(message.sent_at, when.zone)
              : !more;
            const goesOn = !newDay && (!previous || sameRun(previous, message));
            return (
              <li
                key={row.key}
                ref={rows.measureElement}
                data-index={row.index}
                className="message-list-row"
                data-run={goesOn ? "goes-on" : "begins"}
                style={{ transform: `translateY(${row.start}px)` }}
              >
                {newDay && (
                  <h2 className="message-list-day">
                    <time dateTime={message.sent_at}>{when.day(message.sent_at)}</time>
                  </h2>
                )}
                <MessageBubble
                  message={message}
                  withAuthor={severalOthers && !message.mine && !goesOn}
                  withTime={!sameRun(message, next)}
                  withState={message.key === myNewest}
                  onRetry={() => data.retry(message.key)}
                  onDiscard={() => data.discard(message.key)}
                  onWithdraw={() => void data.withdraw(message.id)}
                  explained={`/why?thread=${thread.id}`}
                />
              </li>
            );
          })}
        </ol>
      </section>
      <p className="unseen" aria-live="polite">
        {news}
      </p>
      {!atEnd && (
        <div className="message-list-pill">
          <Button look={missed > 0 ? "primary" : "plain"} onPress={() => rows.scrollToEnd()} data-testid="to-newest">
            <Icon name="down" />
            {missed > 0 ? t`New message` : t`To the newest`}
          </Button>
        </div>
      )}
    </div>
  );
}

function sameRun(first: ShownMessage | undefined, second: ShownMessage | undefined): boolean {
  if (!first || !second || first.author.id !== second.author.id) return false;
  return Date.parse(second.sent_at) - Date.parse(first.sent_at) < RUN_MS;
}
