/** Tells the author of a message that it was never let out: they had lost the right to its conversation by its hour. */
import { useLingui } from "@lingui/react/macro";
import { Button } from "../components/Button.tsx";
import { Notice } from "../components/Notice.tsx";
import { useStopped } from "../data/answers.ts";
import { useWhen } from "../words/useWhen.ts";

export function StoppedNotice() {
  const { t } = useLingui();
  const when = useWhen();
  const { stopped, putAway } = useStopped();
  const newest = stopped[0];
  if (!newest) return null;
  const written = when.exact(newest.accepted_at);
  return (
    <div className="thread-list-stopped" data-testid="stopped">
      <Notice
        tone="marigold"
        title={t`A message was not sent`}
        urgent
        action={
          <Button look="quiet" onPress={() => void putAway(newest.id)} data-testid="put-away">
            {t`Put it away`}
          </Button>
        }
      >
        <p>{t`You wrote it ${written}. It waited for the school’s hours, and by then you could not write in that conversation any more. Nobody has read it. The school office can tell you why.`}</p>
        <p className="thread-list-stopped-words" lang={newest.language} dir="auto">
          {newest.text}
        </p>
      </Notice>
    </div>
  );
}
