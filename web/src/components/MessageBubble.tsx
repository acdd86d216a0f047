/**
 * One message as its reader sees it: in their language first, the original one press away, and how far it has come
 * in words.
 */
import { Trans, useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { Link } from "react-router";
import type { ShownMessage } from "../data/types.ts";
import { languageName } from "../words/languageNames.ts";
import { problemWords, worthRetrying } from "../words/problems.ts";
import { inWords } from "../words/seats.ts";
import { useWhen } from "../words/useWhen.ts";
import { Button } from "./Button.tsx";
import { Icon } from "./Icon.tsx";
import "./message-bubble.css";

/** Refusals that the school's rules explain. */
const byTheRules = new Set(["quiet-hours", "no-conversation"]);

export type MessageBubbleProps = {
  message: ShownMessage;
  /** Who wrote it, where several could have. */
  withAuthor?: boolean;
  /** The last of several by one author: the time stands under it. */
  withTime?: boolean;
  /** My newest: how far it has come stands under it. */
  withState?: boolean;
  onRetry?(): void;
  onDiscard?(): void;
  /** Takes a held message back. */
  onWithdraw?(): void;
  /** Where the rules by which it waits or was refused are explained. */
  explained?: string;
};

export function MessageBubble(props: MessageBubbleProps) {
  const { message, withAuthor = false, withTime = false, withState = false } = props;
  const { t } = useLingui();
  const when = useWhen();
  const [original, setOriginal] = useState(false);
  const translation = message.mine ? null : message.translation;
  const translated = translation?.state === "stored" && translation.text !== null;
  const showsTranslation = translated && !original;
  const unsettled = message.state !== "sent" && message.state !== "seen";
  const exact = when.exact(message.sent_at);
  const author = message.author.name;

  return (
    <article
      className={message.mine ? "bubble-row bubble-row-mine" : "bubble-row"}
      data-testid={`message-${message.seq === null ? message.key : message.id}`}
      data-state={message.state}
      aria-label={message.mine ? t`You, ${exact}` : t`${author}, ${exact}`}
    >
      {withAuthor && <bdi className="bubble-author">{author}</bdi>}
      {message.about_safety && (
        <p className="bubble-safety">
          <Icon name="warning" />
          <Trans>About a child’s safety</Trans>
        </p>
      )}
      <div className="bubble" title={exact}>
        <p
          className="bubble-text"
          dir="auto"
          lang={showsTranslation ? translation.language : message.language}
          data-testid={`text-${message.seq === null ? message.key : message.id}`}
        >
          {showsTranslation ? translation.text : message.text}
        </p>
        {translation && (
          <TranslationLine
            message={message}
            translated={translated}
            original={original}
            onToggle={() => setOriginal(!original)}
          />
        )}
      </div>
      {message.state === "failed" ? (
        <Refusal message={message} onRetry={props.onRetry} onDiscard={props.onDiscard} explained={props.explained} />
      ) : message.state === "held" ? (
        <Waiting message={message} onWithdraw={props.onWithdraw} explained={props.explained} />
      ) : withState || unsettled ? (
        <StateWords message={message} />
      ) : (
        withTime && (
          <time className="bubble-note" dateTime={message.sent_at}>
            {when.time(message.sent_at)}
          </time>
        )
      )}
    </article>
  );
}

function TranslationLine({
  message,
  translated,
  original,
  onToggle,
}: {
  message: ShownMessage;
  translated: boolean;
  original: boolean;
  onToggle(): void;
}) {
  const { i18n } = useLingui();
  const translation = message.translation;
  if (!translation) return null;
  const source = languageName(translation.source_language ?? message.language, i18n);
  const wanted = languageName(translation.language, i18n);
  if (!translated) {
    return (
      <p className="bubble-translation">
        {translation.state === "on-its-way" ? (
          <Trans>Translation on its way</Trans>
        ) : (
          <Trans>No translation into {wanted} yet · original shown</Trans>
        )}
      </p>
    );
  }
  return (
    <p className="bubble-translation">
      {original ? <Trans>Written in {source}</Trans> : <Trans>Translated from {source}</Trans>}
      {" · "}
      <button type="button" className="bubble-toggle" data-testid="translation-toggle" onClick={onToggle}>
        {original ? <Trans>show translation</Trans> : <Trans>show original</Trans>}
      </button>
    </p>
  );
}

function StateWords({ message }: { message: ShownMessage }) {
  const { t, i18n } = useLingui();
  const when = useWhen();
  const words = (): string => {
    switch (message.state) {
      case "sending":
        return t`Sending`;
      case "waiting":
        return t`Waiting for network`;
      case "stopped":
        return t`Not sent: you may not write here any more`;
      case "seen": {
        const moment = message.seenAt ? when.moment(message.seenAt) : "";
        const who = inWords(message.seenBy, i18n);
        return message.seenBy.length > 0 ? t`Seen ${moment} (${who})` : t`Seen ${moment}`;
      }
      default: {
        const moment = when.moment(message.sent_at);
        if (message.answer_by === null || Date.parse(message.answer_by) < Date.now()) return t`Sent ${moment}`;
        const by = when.ahead(message.answer_by);
        return t`Sent ${moment} · answer by ${by}`;
      }
    }
  };
  return (
    <p className="bubble-note" data-testid="message-state" title={when.exact(message.seenAt ?? message.sent_at)}>
      {words()}
    </p>
  );
}

function WhyLink({ to }: { to: string | undefined }) {
  const { t } = useLingui();
  if (!to) return null;
  return <Link to={to} className="button button-quiet" data-testid="why-message">{t`Why?`}</Link>;
}

function Waiting({
  message,
  onWithdraw,
  explained,
}: {
  message: ShownMessage;
  onWithdraw: (() => void) | undefined;
  explained: string | undefined;
}) {
  const { t } = useLingui();
  const when = useWhen();
  const seen = message.visibleAt === null ? null : when.ahead(message.visibleAt);
  const by = message.answer_by === null ? null : when.ahead(message.answer_by);
  return (
    <div className="bubble-waiting">
      <p className="bubble-note" data-testid="message-state">
        {seen === null ? t`Held` : by === null ? t`Held until ${seen}` : t`Held until ${seen} · answer by ${by}`}
      </p>
      <Button look="quiet" onPress={() => onWithdraw?.()} data-testid="withdraw">{t`Take back`}</Button>
      <WhyLink to={explained} />
    </div>
  );
}

function Refusal({
  message,
  onRetry,
  onDiscard,
  explained,
}: {
  message: ShownMessage;
  onRetry: (() => void) | undefined;
  onDiscard: (() => void) | undefined;
  explained: string | undefined;
}) {
  const { t } = useLingui();
  const when = useWhen();
  const code = message.problem ?? "unavailable";
  const reason = problemWords(code);
  const again = code === "quiet-hours" && message.opens !== null ? when.ahead(message.opens) : null;
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(message.text);
    setCopied(true);
  };
  return (
    <div className="bubble-refusal" role="alert">
      <p data-testid="message-state">
        <strong>{t`Not sent.`}</strong>{" "}
        {again === null ? <RefusalReason reason={reason} /> : <SendFrom moment={again} />}{" "}
        {t`Your words are kept here.`}
      </p>
      <div className="bubble-actions">
        {worthRetrying(code) ? (
          <Button look="quiet" onPress={() => onRetry?.()} data-testid="retry">{t`Try again`}</Button>
        ) : copied ? (
          <Button
            look="quiet"
            onPress={() => onDiscard?.()}
            data-testid="discard"
          >{t`Copied · remove from here`}</Button>
        ) : (
          <Button look="quiet" onPress={copy} data-testid="copy">{t`Copy the text`}</Button>
        )}
        {byTheRules.has(code) && <WhyLink to={explained} />}
      </div>
    </div>
  );
}

function SendFrom({ moment }: { moment: string }) {
  return <Trans>The school takes no messages now. You can send from {moment}.</Trans>;
}

function RefusalReason({ reason }: { reason: ReturnType<typeof problemWords> }) {
  const { i18n } = useLingui();
  return <>{i18n._(reason)}</>;
}
