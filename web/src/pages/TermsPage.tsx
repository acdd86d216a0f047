/** The school's terms, before everything else: read them in a language, accept them, or go. Pupils write name and date. */
import { useLingui } from "@lingui/react/macro";
import { type FormEvent, useCallback, useEffect, useState } from "react";
import { Problem } from "../api/problem.ts";
import type { TermsText } from "../api/schema.ts";
import { Button } from "../components/Button.tsx";
import { Choice } from "../components/Choice.tsx";
import { Satchel } from "../components/Icon.tsx";
import { Notice } from "../components/Notice.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { TextField } from "../components/TextField.tsx";
import { useSession } from "../session/session.tsx";
import { directionOf, LANGUAGES, servedLanguage } from "../words/languages.ts";
import { problemWords } from "../words/problems.ts";
import { actingAs } from "../words/roles.ts";
import { useTitle } from "./useTitle.ts";
import "./sign-in-page.css";
import "./terms-page.css";

const codeOf = (failure: unknown) => (failure instanceof Problem ? failure.code : "unreachable");

/** Today by the school's clock, as YYYY-MM-DD. */
const todayAt = (zone: string) => new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(new Date());

export function TermsPage() {
  const { t, i18n } = useLingui();
  const { member, readTerms, acceptTerms, speakHere, signOut } = useSession();
  const [terms, setTerms] = useState<TermsText | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [name, setName] = useState("");
  const [date, setDate] = useState(() => todayAt(member?.school.zone ?? "UTC"));
  const language = member?.language ?? "en";
  useTitle(t`The school’s terms`);

  const read = useCallback(async () => {
    try {
      setTerms(await readTerms(language));
      setProblem(null);
    } catch (failure) {
      setProblem(codeOf(failure));
    }
  }, [readTerms, language]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the session's functions are new with each of its changes; only the language matters.
  useEffect(() => {
    void read();
  }, [language]);

  if (!member) return null;
  const signed = terms?.agreement === "name_and_date";

  const accept = async (event: FormEvent) => {
    event.preventDefault();
    if (!terms) return;
    setBusy(true);
    setProblem(null);
    try {
      const { version, language: shown, digest } = terms;
      await acceptTerms({
        version,
        language: shown,
        digest,
        ...(signed && { signature: { name: name.trim(), date } }),
      });
    } catch (failure) {
      const code = codeOf(failure);
      if (code === "terms-changed") await read();
      setProblem(signed && code === "invalid-input" ? "signature-missing" : code);
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="sign-in terms">
      <Satchel large />
      <div className="terms-top">
        <h1>{t`The school’s terms`}</h1>
        <p className="demo-note">
          <bdi>{member.school.name}</bdi> · {i18n._(actingAs[member.role])}
        </p>
        <p>{t`Before you come in, read what the school asks of everybody who uses Bookbag here.`}</p>
      </div>
      <Choice
        label={t`Your language`}
        value={servedLanguage(language)}
        options={LANGUAGES.map((each) => ({ value: each.tag, text: each.autonym, language: each.tag }))}
        onChange={speakHere}
        data-testid="terms-language"
      />
      {terms ? (
        <form className="terms-paper" onSubmit={accept} data-testid="terms">
          {terms.language !== servedLanguage(language) && (
            <p className="demo-note">{t`The school has not written its terms in your language yet. This is its own text.`}</p>
          )}
          <div className="terms-text" lang={terms.language} dir={directionOf(terms.language)}>
            {terms.text
              .split(/\n{2,}/)
              .filter((paragraph) => paragraph.trim() !== "")
              .map((paragraph) => (
                <p key={paragraph}>{paragraph}</p>
              ))}
          </div>
          {signed && (
            <>
              <TextField
                label={t`Your name`}
                value={name}
                onChange={setName}
                isRequired
                maxLength={120}
                autoComplete="off"
                data-testid="terms-name"
              />
              <TextField label={t`Today’s date`} type="date" value={date} onChange={setDate} isRequired />
            </>
          )}
          {problem && (
            <Notice tone="brick" urgent>
              {i18n._(problemWords(problem))}
            </Notice>
          )}
          <Button
            type="submit"
            look="primary"
            wide
            isDisabled={busy || (signed && name.trim() === "")}
            data-testid="accept-terms"
          >
            {signed ? t`Sign and go on` : t`I accept and go on`}
          </Button>
        </form>
      ) : problem ? (
        <Notice tone="brick" urgent action={<Button look="soft" onPress={() => void read()}>{t`Try again`}</Button>}>
          {i18n._(problemWords(problem))}
        </Notice>
      ) : (
        <Skeleton shape="rows" label={t`The terms are on their way`} />
      )}
      <div className="terms-out">
        <p className="demo-note">{t`If you do not agree, sign out and speak to the school office. Nothing is kept of this.`}</p>
        <Button look="quiet" onPress={signOut} data-testid="sign-out">{t`Sign out`}</Button>
      </div>
    </main>
  );
}
