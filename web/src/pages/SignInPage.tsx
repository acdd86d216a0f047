/** The door: e-mail and password; in a demo school its people come first, one tap each. */
import { useLingui } from "@lingui/react/macro";
import { type FormEvent, useState } from "react";
import { Button } from "../components/Button.tsx";
import { Satchel } from "../components/Icon.tsx";
import { Notice } from "../components/Notice.tsx";
import { TextField } from "../components/TextField.tsx";
import { useSession } from "../session/session.tsx";
import { problemWords } from "../words/problems.ts";
import { DemoPeople } from "./DemoPeople.tsx";
import { useTitle } from "./useTitle.ts";
import "./sign-in-page.css";

export function SignInPage() {
  const { t, i18n } = useLingui();
  const { demo, problem, signIn } = useSession();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  /** Where the eye is: what this form was told stands in it, everything else at the top. */
  const [tried, setTried] = useState(false);
  useTitle(t`Sign in`);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setTried(true);
    await signIn(email.trim(), password);
    setBusy(false);
  };

  const refusal = problem && (
    <Notice tone="brick" urgent>
      {i18n._(problemWords(problem))}
    </Notice>
  );
  return (
    <main className="sign-in" data-demo={demo ? true : undefined}>
      <div className="sign-in-top">
        <div className="sign-in-mark">
          <Satchel large />
          <div>
            <p className="sign-in-name">Bookbag</p>
            <p className="sign-in-line">{t`School and home, in your language`}</p>
          </div>
        </div>
        {!tried && refusal}
      </div>
      {demo && <DemoPeople demo={demo} onEnter={() => setTried(false)} />}
      <section className="sign-in-door" aria-labelledby="sign-in-title">
        <form className="sign-in-form" onSubmit={submit}>
          <h1 id="sign-in-title">{t`Sign in`}</h1>
          {tried && refusal}
          <TextField
            label={t`E-mail address`}
            type="email"
            name="email"
            autoComplete="username"
            value={email}
            onChange={setEmail}
            maxLength={254}
            isRequired
            data-testid="sign-in-email"
          />
          <TextField
            label={t`Password`}
            type="password"
            name="password"
            autoComplete="current-password"
            value={password}
            onChange={setPassword}
            maxLength={256}
            isRequired
            data-testid="sign-in-password"
          />
          <Button type="submit" look="primary" wide isDisabled={busy} data-testid="sign-in-submit">
            {busy ? t`Signing in` : t`Sign in`}
          </Button>
          <p className="sign-in-help">{t`No sign-in yet? The school office gives you one.`}</p>
        </form>
      </section>
    </main>
  );
}
