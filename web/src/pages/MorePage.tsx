/** Who I am here, my language, what Bookbag is, and the way out. */
import { useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { Problem } from "../api/problem.ts";
import { Avatar } from "../components/Avatar.tsx";
import { Button } from "../components/Button.tsx";
import { Choice } from "../components/Choice.tsx";
import { useSession, useUpdate } from "../session/session.tsx";
import { LANGUAGES, type Language, servedLanguage } from "../words/languages.ts";
import { problemWords } from "../words/problems.ts";
import { roleNames } from "../words/roles.ts";
import { useTitle } from "./useTitle.ts";
import "./more-page.css";

export function MorePage() {
  const { t, i18n } = useLingui();
  const { member, demo, setLanguage, signOut, state } = useSession();
  const update = useUpdate();
  const navigate = useNavigate();
  const [changing, setChanging] = useState<Language | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [leaving, setLeaving] = useState(false);
  useTitle(t`More`);
  if (!member) return null;

  const change = async (language: Language) => {
    setRefusal(null);
    setChanging(language);
    try {
      await setLanguage(language);
    } catch (failure) {
      setRefusal(failure instanceof Problem ? failure.code : "unreachable");
    } finally {
      setChanging(null);
    }
  };

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div className="more-scroll" tabIndex={0}>
      <div className="more-page">
        <h1>{t`More`}</h1>
        <section className="more-card more-me" aria-label={t`You`}>
          <Avatar name={member.name} large />
          <div>
            <p className="more-name">
              <bdi>{member.name}</bdi>
            </p>
            <p className="more-note">
              {i18n._(roleNames[member.role])} · <bdi>{member.school.name}</bdi>
            </p>
          </div>
        </section>
        <section className="more-card" aria-label={t`Language`}>
          <Choice
            label={t`Your language`}
            value={changing ?? servedLanguage(member.language)}
            disabled={changing !== null || state === "offline-start"}
            options={LANGUAGES.map((each) => ({ value: each.tag, text: each.autonym, language: each.tag }))}
            onChange={change}
            help={t`Bookbag speaks this language, and messages are translated into it where that can be done.`}
            {...(refusal ? { error: i18n._(problemWords(refusal)) } : {})}
            data-testid="language-select"
          />
        </section>
        {(member.role === "leader" || member.role === "safeguarding") && (
          <section className="more-card" aria-labelledby="record-title">
            <h2 id="record-title">{t`The record`}</h2>
            <p>{t`Who let people in, paused them, changed the rules or read this record, and why.`}</p>
            <Link to="/record" className="button button-soft" data-testid="to-record">
              {t`Read the record`}
            </Link>
          </section>
        )}
        {member.role === "leader" && (
          <section className="more-card" aria-labelledby="overdue-title">
            <h2 id="overdue-title">{t`Overdue answers`}</h2>
            <p>{t`Families who wait longer than the school promised.`}</p>
            <Link to="/overdue" className="button button-soft" data-testid="to-overdue">
              {t`See who waits`}
            </Link>
          </section>
        )}
        {member.role !== "guardian" && member.role !== "pupil" && (
          <section className="more-card" aria-labelledby="hours-title">
            <h2 id="hours-title">{t`My hours`}</h2>
            <p>{t`When you work, and when your phone may ring. They can be shorter than the school’s.`}</p>
            <Link to="/hours" className="button button-soft" data-testid="to-hours">{t`See my hours`}</Link>
          </section>
        )}
        {member.role !== "guardian" && member.role !== "pupil" && (
          <section className="more-card" aria-labelledby="rules-title">
            <h2 id="rules-title">{t`The school’s rules`}</h2>
            <p>{t`When staff work and answer, when families write, and what the school promises.`}</p>
            <Link to="/rules" className="button button-soft" data-testid="to-rules">
              {member.role === "leader" ? t`Read and change the rules` : t`Read the rules`}
            </Link>
            {member.role === "leader" && (
              <Link to="/paused" className="button button-soft" data-testid="to-paused">
                {t`Paused access`}
              </Link>
            )}
          </section>
        )}
        <section className="more-card" aria-labelledby="why-title">
          <h2 id="why-title">{t`Why can’t I?`}</h2>
          <p>{t`When a message waits, a phone stays silent or the school is closed to you: what its rules say about you just now.`}</p>
          <Link to="/why" className="button button-soft" data-testid="to-why">{t`See why`}</Link>
        </section>
        {update.waits && (
          <section className="more-card" aria-labelledby="update-title">
            <h2 id="update-title">{t`A newer Bookbag is ready`}</h2>
            <p>{t`It starts by itself the next time you open Bookbag. Your messages and drafts stay.`}</p>
            <Button look="soft" onPress={update.take} data-testid="take-update">
              {t`Use it now`}
            </Button>
          </section>
        )}
        <section className="more-card" aria-labelledby="about-title">
          <h2 id="about-title">{t`About Bookbag`}</h2>
          <p>{t`Bookbag carries messages between school and home. Everyone reads in their own language and can always see the original.`}</p>
          <p className="more-note">{t`Translations are made by a machine and can be wrong. For anything about health, money or law, ask the school for a person who interprets.`}</p>
          {demo && (
            <p className="more-note">{t`This is a demo school. Its translator on this computer is small and makes more mistakes than a school’s real one.`}</p>
          )}
        </section>
        <section className="more-card" aria-labelledby="out-title">
          <h2 id="out-title">{t`Sign out`}</h2>
          <p>{t`This device forgets everything it kept for you: messages you read here, drafts, and messages still waiting to be sent.`}</p>
          <p className="more-note">{t`What was sent stays with the school. Sign out on every phone or computer you share.`}</p>
          <Button
            look="danger"
            isDisabled={leaving}
            onPress={async () => {
              setLeaving(true);
              // Whoever signs in next on this device starts at the beginning.
              navigate("/", { replace: true });
              await signOut();
            }}
            data-testid="sign-out"
          >
            {t`Sign out and forget`}
          </Button>
        </section>
      </div>
    </div>
  );
}
