/** The list alone on a phone; beside the open conversation on a wide screen. */
import { useLingui } from "@lingui/react/macro";
import { Outlet, useMatch } from "react-router";
import { Empty } from "../components/Empty.tsx";
import { useThreads } from "../data/hooks.ts";
import { ThreadList } from "./ThreadList.tsx";
import { useWide } from "./useWide.ts";
import "./messages-page.css";

export function MessagesPage() {
  const { t } = useLingui();
  const wide = useWide();
  const { threads } = useThreads();
  const open = useMatch("/threads/:id") !== null;
  return (
    <div className="messages-page">
      {(wide || !open) && <ThreadList />}
      {open ? (
        <Outlet />
      ) : (
        // Beside an empty list there is nothing to choose.
        wide &&
        threads.length > 0 && (
          <div className="messages-page-none">
            <Empty icon="messages" title={t`No conversation open`}>
              {t`Choose one from the list to read it here.`}
            </Empty>
          </div>
        )
      )}
    </div>
  );
}
