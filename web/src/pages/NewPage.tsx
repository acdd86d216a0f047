/** Begins a conversation: find the child, press the person or the family. */
import { useLingui } from "@lingui/react/macro";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { Button as AriaButton } from "react-aria-components/Button";
import { Link, useNavigate } from "react-router";
import { Problem } from "../api/problem.ts";
import { Avatar } from "../components/Avatar.tsx";
import { Empty } from "../components/Empty.tsx";
import { Icon } from "../components/Icon.tsx";
import { Notice } from "../components/Notice.tsx";
import { SearchField } from "../components/SearchField.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { useContacts, useOpenThread } from "../data/hooks.ts";
import type { Contact } from "../data/types.ts";
import { useSession } from "../session/session.tsx";
import { problemWords } from "../words/problems.ts";
import { seatKind } from "../words/seats.ts";
import { contactNames } from "./threadNames.ts";
import { useTitle } from "./useTitle.ts";
import "./new-page.css";

const PAUSE_MS = 200;

export function NewPage() {
  const { t, i18n } = useLingui();
  const { member } = useSession();
  const navigate = useNavigate();
  const openThread = useOpenThread();
  const [typed, setTyped] = useState("");
  const sought = useDeferredValue(useSettled(typed.trim()));
  const { contacts, loading, more, loadMore, problem } = useContacts(sought);
  const [opening, setOpening] = useState<string | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  useTitle(t`New message`);

  const rows = useVirtualizer({
    count: contacts.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 88,
    getItemKey: (index) => contactKey(contacts[index], index),
    overscan: 6,
  });
  const shown = rows.getVirtualItems();
  const lastShown = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && lastShown >= contacts.length - 5) loadMore();
  }, [more, loading, lastShown, contacts.length, loadMore]);

  const open = async (contact: Contact) => {
    setRefusal(null);
    setOpening(contactKey(contact, 0));
    try {
      const id = contact.thread ?? (await openThread(contact.pupil.id, contact.seat.id));
      navigate(`/threads/${id}`, { replace: true });
    } catch (failure) {
      setRefusal(failure instanceof Problem ? failure.code : "unreachable");
    } finally {
      setOpening(null);
    }
  };

  const guardian = member?.role === "guardian";
  const trouble = refusal ?? (contacts.length === 0 && !loading ? problem : null);
  return (
    <section className="new-page" aria-labelledby="new-title">
      <header className="new-head">
        <Link to="/threads" className="icon-button icon-button-green" aria-label={t`Back to your messages`}>
          <Icon name="back" />
        </Link>
        <h1 id="new-title">{guardian ? t`Write to the school` : t`Write to a family`}</h1>
      </header>
      <div className="new-search">
        <SearchField
          label={guardian ? t`Find a person at school` : t`Find a child`}
          placeholder={guardian ? t`Name of a teacher or child` : t`Name of a child`}
          clear={t`Empty the search`}
          value={typed}
          onChange={setTyped}
        />
        {trouble && (
          <Notice tone="brick" urgent>
            {i18n._(problemWords(trouble))}
          </Notice>
        )}
      </div>
      {contacts.length === 0 && loading && <Skeleton shape="rows" label={t`Loading names`} />}
      {contacts.length === 0 && !loading && !problem && sought !== "" && (
        <Empty icon="search" title={t`No one found`}>
          {t`Nobody you may write to has “${sought}” in the name. Try a first name only.`}
        </Empty>
      )}
      {contacts.length === 0 && !loading && !problem && sought === "" && (
        <Empty icon="messages" title={t`Nobody to write to yet`}>
          {guardian
            ? t`When the school links your child to you, their teachers appear here. Ask the school office.`
            : t`When you hold a class, its families appear here. Ask the school office.`}
        </Empty>
      )}
      <div className="new-scroll" ref={scroller} tabIndex={contacts.length === 0 ? -1 : 0}>
        <ul className="new-all" style={{ blockSize: rows.getTotalSize() }}>
          {shown.map((row) => {
            const contact = contacts[row.index];
            if (!contact) return null;
            const names = contactNames(contact, member, i18n);
            const kind = guardian ? seatKind(contact.seat, i18n) : "";
            return (
              <li
                key={row.key}
                ref={rows.measureElement}
                data-index={row.index}
                className="new-row"
                style={{ transform: `translateY(${row.start}px)` }}
              >
                <AriaButton
                  className="new-contact"
                  isDisabled={opening !== null}
                  onPress={() => open(contact)}
                  data-testid={`contact-${contact.pupil.id}-${contact.seat.id}`}
                >
                  <Avatar name={names.title} />
                  <span className="new-words">
                    <bdi className="new-name">{names.title}</bdi>
                    <span className="new-note">
                      {[kind, names.about].filter((part) => part && part !== names.title).join(" · ")}
                    </span>
                  </span>
                  <Icon name="forward" />
                </AriaButton>
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}

function contactKey(contact: Contact | undefined, index: number): string {
  return contact ? `${contact.pupil.id}-${contact.seat.id}` : String(index);
}

/** What was typed, once the fingers rest. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
