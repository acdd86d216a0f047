/** The school and the role one acts in, at all times; the switch when there are several. */
import { useLingui } from "@lingui/react/macro";
import { Link, useNavigate } from "react-router";
import { Choice } from "../components/Choice.tsx";
import { Satchel } from "../components/Icon.tsx";
import type { Membership } from "../data/types.ts";
import { useSession } from "../session/session.tsx";
import { actingAs, roleNames } from "../words/roles.ts";
import "./header.css";

const keyOf = (each: Membership) => `${each.person} ${each.role}`;

export function Header() {
  const { t, i18n } = useLingui();
  const { member, memberships, choose, state } = useSession();
  const navigate = useNavigate();
  if (!member) return null;
  const schools = new Set(memberships.map((each) => each.school.id)).size;

  const change = async (key: string) => {
    const wanted = memberships.find((each) => keyOf(each) === key);
    if (!wanted) return;
    // A conversation of one role is not the other's to see.
    navigate("/threads");
    await choose(wanted.person, wanted.role);
  };

  return (
    <header className="header">
      <Link to="/threads" className="header-school">
        <Satchel />
        <bdi>{member.school.name}</bdi>
      </Link>
      {memberships.length > 1 ? (
        <Choice
          label={t`Act as`}
          labelUnseen
          look="quiet"
          value={keyOf(member)}
          brief={i18n._(actingAs[member.role])}
          disabled={state === "offline-start"}
          options={memberships.map((each) => ({
            value: keyOf(each),
            text: schools > 1 ? `${i18n._(roleNames[each.role])} · ${each.school.name}` : i18n._(actingAs[each.role]),
          }))}
          onChange={change}
          data-testid="role-switch"
        />
      ) : (
        <p className="header-role">{i18n._(actingAs[member.role])}</p>
      )}
    </header>
  );
}
