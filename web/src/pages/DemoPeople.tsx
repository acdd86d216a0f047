/** The people of a demo school, grouped by role; this exists nowhere else. */
import { useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { Button as AriaButton } from "react-aria-components/Button";
import { Avatar } from "../components/Avatar.tsx";
import type { Demo, DemoPerson } from "../data/types.ts";
import { useSession } from "../session/session.tsx";
import { languageName } from "../words/languageNames.ts";
import { roleNames, roleOrder } from "../words/roles.ts";

export function DemoPeople({ demo, onEnter }: { demo: Demo; onEnter(): void }) {
  const { t, i18n } = useLingui();
  const { signInDemo } = useSession();
  const [busy, setBusy] = useState(false);
  const roles = roleOrder.filter((role) => demo.people.some((each) => each.role === role));
  const school = demo.school.name;

  const enter = async (person: DemoPerson) => {
    setBusy(true);
    onEnter();
    await signInDemo(person.person, person.role);
    setBusy(false);
  };

  return (
    <section className="demo" aria-labelledby="demo-title">
      <h2 id="demo-title">{t`Try ${school}`}</h2>
      <p className="demo-note">{t`A demo school. Press a person to look through their eyes.`}</p>
      <a className="demo-skip" href="#sign-in-title">{t`Sign in with a password`}</a>
      {roles.map((role) => (
        <div key={role} className="demo-group">
          <h3>{i18n._(roleNames[role])}</h3>
          <ul>
            {demo.people
              .filter((each) => each.role === role)
              .map((person) => (
                <li key={`${person.person}-${person.role}`}>
                  <AriaButton
                    className="demo-person"
                    isDisabled={busy}
                    onPress={() => enter(person)}
                    data-testid={`demo-person-${person.person}-${person.role}`}
                  >
                    <Avatar name={person.name} />
                    <span className="demo-person-words">
                      <bdi className="demo-person-name">{person.name}</bdi>
                      <span className="demo-person-note">
                        {languageName(person.language, i18n)}
                        {person.note && (
                          <>
                            {" · "}
                            <bdi>{person.note}</bdi>
                          </>
                        )}
                      </span>
                    </span>
                  </AriaButton>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </section>
  );
}
