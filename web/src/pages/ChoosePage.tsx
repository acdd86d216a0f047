/** Several roles or schools: as whom today. */
import { useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { Button as AriaButton } from "react-aria-components/Button";
import { Avatar } from "../components/Avatar.tsx";
import { Button } from "../components/Button.tsx";
import { Satchel } from "../components/Icon.tsx";
import { Notice } from "../components/Notice.tsx";
import { useSession } from "../session/session.tsx";
import { problemWords } from "../words/problems.ts";
import { roleNames } from "../words/roles.ts";
import { useTitle } from "./useTitle.ts";
import "./sign-in-page.css";

export function ChoosePage() {
  const { t, i18n } = useLingui();
  const { memberships, choose, signOut, problem } = useSession();
  const [busy, setBusy] = useState(false);
  const firstName = memberships[0]?.first_name ?? "";
  useTitle(t`Choose your role`);
  return (
    <main className="sign-in">
      <Satchel large />
      <section className="demo" aria-labelledby="choose-title">
        <h1 id="choose-title">{t`Hello ${firstName}. As whom do you come in?`}</h1>
        <p className="demo-note">{t`You can change this at the top of every page.`}</p>
        {problem && (
          <Notice tone="brick" urgent>
            {i18n._(problemWords(problem))}
          </Notice>
        )}
        <div className="demo-group">
          <ul>
            {memberships.map((each) => (
              <li key={`${each.person}-${each.role}`}>
                <AriaButton
                  className="demo-person"
                  isDisabled={busy}
                  data-testid={`membership-${each.person}-${each.role}`}
                  onPress={async () => {
                    setBusy(true);
                    await choose(each.person, each.role);
                    setBusy(false);
                  }}
                >
                  <Avatar name={each.school.name} />
                  <span className="demo-person-words">
                    <span className="demo-person-name">{i18n._(roleNames[each.role])}</span>
                    <bdi className="demo-person-note">{each.school.name}</bdi>
                  </span>
                </AriaButton>
              </li>
            ))}
          </ul>
        </div>
        <Button look="quiet" onPress={signOut} data-testid="sign-out">{t`Sign out`}</Button>
      </section>
    </main>
  );
}
