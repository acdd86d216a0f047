/** The rules as the document they are. */
import { useLingui } from "@lingui/react/macro";
import { Card } from "./Card.tsx";

export function DocumentTab({ text, onChange }: { text: string; onChange(text: string): void }) {
  const { t } = useLingui();
  return (
    <Card title={t`The document`}>
      <p className="leading-note">{t`Every setting of the school, for those who like to write it. Saving from the other pages changes only what you changed there, and leaves your notes.`}</p>
      <textarea
        className="leading-text leading-code"
        aria-label={t`The document`}
        dir="ltr"
        lang="en"
        spellCheck={false}
        rows={28}
        maxLength={60_000}
        value={text}
        data-testid="policy-yaml"
        onChange={(event) => onChange(event.target.value)}
      />
    </Card>
  );
}
