/** What stands around every page. On a phone a conversation takes the whole screen, except what must stay in sight. */
import { useLingui } from "@lingui/react/macro";
import { useEffect, useRef } from "react";
import { Outlet, useLocation, useMatch } from "react-router";
import { useSession } from "../session/session.tsx";
import { Header } from "./Header.tsx";
import { LiveStrip } from "./LiveStrip.tsx";
import { Places } from "./Places.tsx";
import "./frame.css";

export function Frame() {
  const { t } = useLingui();
  const { state, memberships } = useSession();
  const inThread = useMatch("/threads/:id") !== null;
  const inNew = useMatch("/new") !== null;
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const first = useRef(true);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page is read from its beginning.
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    main.current?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <div
      className="frame"
      data-page={inThread || inNew ? "alone" : "place"}
      data-role-in-sight={memberships.length > 1 || undefined}
    >
      <a className="skip" href="#main">{t`Skip to the page`}</a>
      <Header />
      <LiveStrip readOnly={state === "offline-start"} />
      <Places />
      <main id="main" className="frame-main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}
