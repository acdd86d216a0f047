/** Where a message is written; nothing typed here is ever thrown away by us. */
import { Plural, useLingui } from "@lingui/react/macro";
import { type KeyboardEvent, useId, useRef, useState } from "react";
import type { Composing } from "../data/types.ts";
import { Button } from "./Button.tsx";
import { RulesNote, SafetyChoice, UrgentNote } from "./SchoolRules.tsx";
import { TextArea } from "./TextArea.tsx";
import "./composer.css";

export const LONGEST = 4000;
const COUNT_FROM = 3600;

export type ComposerProps = {
  /** The button says to whom: "Send to Ms Hughes". */
  sendLabel: string;
  text: string;
  onText(text: string): void;
  onSend(text: string, aboutSafety: boolean): void;
  language: string;
  disabled?: boolean;
  /** Why nothing can be sent now. */
  why?: string | undefined;
  /** What the school's rules make of a message written now; left out while nobody has said. */
  composing?: Composing | null | undefined;
  /** Where the rules are explained. */
  explained?: string | undefined;
};

export function Composer(props: ComposerProps) {
  const { sendLabel, text, onText, onSend, language, disabled = false, why, composing, explained } = props;
  const [aboutSafety, setAboutSafety] = useState(false);
  const { t } = useLingui();
  const area = useRef<HTMLTextAreaElement>(null);
  const noteId = useId();
  // The server counts characters, not UTF-16 units.
  const length = text.length < COUNT_FROM ? text.length : [...text].length;
  const tooMany = length - LONGEST;
  const refused = composing?.state === "refused" && !aboutSafety;
  const ready = text.trim() !== "" && tooMany <= 0 && !disabled && !refused;

  const send = () => {
    if (!ready) return;
    onSend(text.trim(), aboutSafety);
    onText("");
    setAboutSafety(false);
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      send();
    }
  };
  const note = why ?? (length >= COUNT_FROM ? "count" : undefined);

  return (
    <form
      className="composer"
      aria-label={t`Write a message`}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {composing && (
        <div className="composer-rules">
          {!aboutSafety && <RulesNote composing={composing} why={explained} />}
          {composing.urgent && <UrgentNote urgent={composing.urgent} />}
          <SafetyChoice safety={composing.safety} chosen={aboutSafety} onChoose={setAboutSafety} />
        </div>
      )}
      <TextArea
        ref={area}
        label={t`Your message`}
        placeholder={t`Write a message`}
        value={text}
        onChange={onText}
        onKeyDown={onKeyDown}
        language={language}
        invalid={tooMany > 0}
        disabled={disabled}
        describedBy={note ? noteId : undefined}
        data-testid="composer"
      />
      <div className="composer-foot">
        <p
          id={noteId}
          className={tooMany > 0 ? "composer-note composer-note-over" : "composer-note"}
          aria-live="polite"
        >
          {why ??
            (length < COUNT_FROM ? null : tooMany > 0 ? (
              <Plural value={tooMany} one="# character too many" other="# characters too many" />
            ) : (
              <Plural value={-tooMany} one="# character left" other="# characters left" />
            ))}
        </p>
        <Button type="submit" look={ready ? "primary" : "soft"} isDisabled={!ready} data-testid="send">
          {sendLabel}
        </Button>
      </div>
    </form>
  );
}
