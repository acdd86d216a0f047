/** An address that leads nowhere. */
import { useLingui } from "@lingui/react/macro";
import { Link } from "react-router";
import { Empty } from "../components/Empty.tsx";
import { useTitle } from "./useTitle.ts";

export function NowherePage() {
  const { t } = useLingui();
  useTitle(t`Page not found`);
  return (
    <Empty
      icon="search"
      title={t`There is no page here`}
      action={<Link to="/threads" className="button button-primary">{t`To my messages`}</Link>}
    >
      {t`The link may be old, or a letter may be missing. Nothing is lost.`}
    </Empty>
  );
}
