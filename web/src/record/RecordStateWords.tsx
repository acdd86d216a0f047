/** How far the record is sealed, in words: what has no seal yet could still be cut off unseen, and that is said. */
import { Plural, useLingui } from "@lingui/react/macro";
import type { RecordState } from "../api/schema.ts";
import { Notice } from "../components/Notice.tsx";
import { useWhen } from "../words/useWhen.ts";

export function RecordStateWords({ state }: { state: RecordState }) {
  const { t } = useLingui();
  const when = useWhen();
  const { entries, anchored, anchored_at: at } = state;
  const time = at === null ? "" : when.moment(at);
  return (
    <Notice tone="sky">
      <p data-testid="record-state">
        <Plural
          value={entries}
          one="# entry, sealed together with all before it, so that any change would show."
          other="# entries, each sealed together with all before it, so that any change would show."
        />{" "}
        {anchored === 0
          ? t`None is sealed outside the database yet; that happens once a minute.`
          : anchored === entries
            ? t`All are sealed outside the database too (${time}).`
            : t`${anchored} of them are sealed outside the database too (${time}); newer ones follow within a minute.`}
      </p>
    </Notice>
  );
}
