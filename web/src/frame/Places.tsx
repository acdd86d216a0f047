/** Where one can go: at the thumb on a phone, at the side on a wide screen. */
import { Plural, useLingui } from "@lingui/react/macro";
import { NavLink } from "react-router";
import { Icon } from "../components/Icon.tsx";
import { useUnread } from "../data/hooks.ts";
import { places } from "./places.ts";
import "./places.css";

export function Places() {
  const { t, i18n } = useLingui();
  const { messages } = useUnread();
  return (
    <nav className="places" aria-label={t`Places`}>
      <ul>
        {places.map((place) => (
          <li key={place.to}>
            <NavLink to={place.to} className="place">
              <span className="place-icon">
                <Icon name={place.icon} />
                {place.counts === "unread" && messages > 0 && (
                  <span className="place-count" aria-hidden="true">
                    {messages > 99 ? "99+" : messages}
                  </span>
                )}
              </span>
              <span>{i18n._(place.name)}</span>
              {place.counts === "unread" && messages > 0 && (
                <span className="unseen">
                  <Plural value={messages} one="# unread" other="# unread" />
                </span>
              )}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}
