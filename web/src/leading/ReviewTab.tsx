/** The last look before rules are saved: everything that differs, why, and from when it counts. */
import { useLingui } from "@lingui/react/macro";
import { type FormEvent, useState } from "react";
import { Button } from "../components/Button.tsx";
import { Choice } from "../components/Choice.tsx";
import { Notice } from "../components/Notice.tsx";
import { TextField } from "../components/TextField.tsx";
import type { PolicyEditing } from "../data/policy.ts";
import { problemWords } from "../words/problems.ts";
import { Changes } from "./Meaning.tsx";

export function ReviewTab({ editing, done }: { editing: PolicyEditing; done(): void }) {
  const { t, i18n } = useLingui();
  const [reason, setReason] = useState("");
  const [start, setStart] = useState<"now" | "later">("now");
  const [from, setFrom] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const { checked } = editing;

  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const refused = await editing.save(reason.trim(), start === "later" && from ? new Date(from).toISOString() : null);
    setBusy(false);
    setProblem(refused);
    if (refused === null) done();
  };

  return (
    <form className="leading-card" onSubmit={save}>
      <h2>{t`What will change`}</h2>
      {checked && <Changes changes={checked.changes} language={checked.language} />}
      <TextField
        label={t`Why`}
        help={t`Kept in the history, for leaders and for the school’s record.`}
        value={reason}
        onChange={setReason}
        isRequired
        maxLength={500}
        data-testid="policy-reason"
      />
      <Choice<"now" | "later">
        label={t`It counts`}
        value={start}
        options={[
          { value: "now", text: t`from now on` },
          { value: "later", text: t`from a later time` },
        ]}
        onChange={setStart}
      />
      {start === "later" && (
        <TextField label={t`From`} type="datetime-local" value={from} onChange={setFrom} isRequired />
      )}
      {problem && (
        <Notice
          tone="brick"
          urgent
          {...(problem === "edit-conflict" && {
            action: <Button look="soft" onPress={() => void editing.reread()}>{t`Read the rules again`}</Button>,
          })}
        >
          {i18n._(problemWords(problem))}
        </Notice>
      )}
      <Button
        type="submit"
        look="primary"
        isDisabled={busy || reason.trim() === "" || !checked?.changes.length || (start === "later" && from === "")}
        data-testid="save-policy"
      >
        {t`Save for the whole school`}
      </Button>
    </form>
  );
}
