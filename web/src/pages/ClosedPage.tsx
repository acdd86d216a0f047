/** In place of the app for staff whom the school lets in later, or only from inside: until when, and what is left to do meanwhile. */
import { Plural, useLingui } from "@lingui/react/macro";
import { type FormEvent, useState } from "react";
import { Problem } from "../api/problem.ts";
import { Button } from "../components/Button.tsx";
import { Satchel } from "../components/Icon.tsx";
import { Notice } from "../components/Notice.tsx";
import { TextField } from "../components/TextField.tsx";
import { Why } from "../components/Why.tsx";
import { useSession } from "../session/session.tsx";
import { problemWords } from "../words/problems.ts";
import { actingAs } from "../words/roles.ts";
import { useWhen } from "../words/useWhen.ts";
import { useTitle } from "./useTitle.ts";
import "./sign-in-page.css";
import "./closed-page.css";

/** What the server takes as a reason at least and at most, in characters. */
const SHORTEST = 10;
const LONGEST = 500;

/** The decisions that matter to somebody who is out. */
const ABOUT_THE_DOOR = new Set(["may_enter", "on_duty", "may_ring"]);

export function ClosedPage() {
  const { t, i18n } = useLingui();
  const { member, memberships, closed, comeBack, choose, signOut } = useSession();
  const when = useWhen();
  const [busy, setBusy] = useState(false);
  const opens = closed?.opens ? when.ahead(closed.opens) : null;
  const fromInside = closed?.code === "outside-network";
  const title = fromInside ? t`Only from inside the school` : opens ? t`Closed until ${opens}` : t`Closed for now`;
  useTitle(title);
  if (!member || !closed) return null;
  const others = memberships.filter((each) => each.person !== member.person || each.role !== member.role);
  const during = async (work: () => Promise<void>) => {
    setBusy(true);
    await work();
    setBusy(false);
  };

  return (
    <main className="sign-in closed" data-testid="closed" data-code={closed.code}>
      <Satchel large />
      <div className="closed-top">
        <h1>{title}</h1>
        <p className="demo-note">
          <bdi>{member.school.name}</bdi> · {i18n._(actingAs[member.role])}
        </p>
        <p>{i18n._(problemWords(closed.code))}</p>
        <p>{t`What you had begun to write stays on this device and is there when you come back.`}</p>
        <p className="demo-note">{t`This page opens by itself when it is time.`}</p>
        <Button
          look="soft"
          isDisabled={busy}
          onPress={() => during(comeBack)}
          data-testid="come-back"
        >{t`Try again`}</Button>
      </div>
      {closed.why && (
        <section className="closed-part" aria-labelledby="closed-why" data-testid="closed-why">
          <h2 id="closed-why">{t`Why can’t I come in?`}</h2>
          <Why answers={closed.why.filter((each) => ABOUT_THE_DOOR.has(each.question))} />
        </section>
      )}
      {others.length > 0 && (
        <section className="closed-part" aria-labelledby="closed-others">
          <h2 id="closed-others">{t`Come in otherwise`}</h2>
          {others.map((each) => (
            <Button
              key={`${each.person}-${each.role}`}
              isDisabled={busy}
              onPress={() => during(() => choose(each.person, each.role))}
              data-testid={`membership-${each.person}-${each.role}`}
            >
              {i18n._(actingAs[each.role])} · <bdi>{each.school.name}</bdi>
            </Button>
          ))}
        </section>
      )}
      {closed.breakGlassMinutes !== null && <Glass minutes={closed.breakGlassMinutes} />}
      <Button look="quiet" onPress={signOut} data-testid="sign-out">{t`Sign out`}</Button>
    </main>
  );
}

/** The way in for a reason, which is always on the record. */
function Glass({ minutes }: { minutes: number }) {
  const { t, i18n } = useLingui();
  const { breakGlass } = useSession();
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await breakGlass(reason.trim());
    } catch (failure) {
      setProblem(failure instanceof Problem ? failure.code : "unreachable");
    } finally {
      setBusy(false);
    }
  };

  return (
    <section className="closed-part" aria-labelledby="closed-glass">
      <h2 id="closed-glass">{t`A child cannot wait?`}</h2>
      <p>{t`You may come in for a reason. It goes on the school’s record with your name, where the other leaders read it.`}</p>
      <form className="closed-form" onSubmit={submit}>
        <TextField
          label={t`Why you must come in now`}
          help={t`A sentence or two, without more about the child than is needed.`}
          value={reason}
          onChange={setReason}
          maxLength={LONGEST}
          isRequired
          data-testid="glass-reason"
        />
        {problem && (
          <Notice tone="brick" urgent>
            {i18n._(problemWords(problem))}
          </Notice>
        )}
        <Button
          type="submit"
          look="primary"
          isDisabled={busy || [...reason.trim()].length < SHORTEST}
          data-testid="break-glass"
        >
          <Plural value={minutes} one="Come in for # minute" other="Come in for # minutes" />
        </Button>
      </form>
    </section>
  );
}
