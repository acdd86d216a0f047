/** To staff, in a conversation: by when its family was told to expect an answer, and the way to say that none is needed. */
import { useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { Button } from "../components/Button.tsx";
import type { Owed } from "../data/types.ts";
import { useWhen } from "../words/useWhen.ts";
import "./owed-note.css";

export function OwedNote({ owed, onSettle }: { owed: Owed; onSettle(seq: number): Promise<void> }) {
  const { t } = useLingui();
  const when = useWhen();
  const [busy, setBusy] = useState(false);
  const moment = when.ahead(owed.answer_by);
  const overdue = Date.parse(owed.answer_by) < Date.now();
  return (
    <div className="owed-note" data-testid="owed-note" data-overdue={overdue || undefined}>
      <p>
        {overdue
          ? t`The family was promised an answer by ${moment} and still waits.`
          : t`The family was promised an answer by ${moment}.`}
      </p>
      <Button
        look="quiet"
        isDisabled={busy}
        onPress={async () => {
          setBusy(true);
          await onSettle(owed.seq);
          setBusy(false);
        }}
        data-testid="settle"
      >
        {t`It needs no answer`}
      </Button>
    </div>
  );
}
