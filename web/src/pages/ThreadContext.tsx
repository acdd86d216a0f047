/** Who is here and about whom: the column at the side, or behind the "i" on a phone. */
import { useLingui } from "@lingui/react/macro";
import { Avatar } from "../components/Avatar.tsx";
import type { Thread } from "../data/types.ts";
import { useSession } from "../session/session.tsx";
import { seatKind, seatName } from "../words/seats.ts";
import { useWhen } from "../words/useWhen.ts";
import "./thread-context.css";

export function ThreadContext({ thread }: { thread: Thread }) {
  const { t, i18n } = useLingui();
  const when = useWhen();
  const { member } = useSession();
  const guardian = member?.role === "guardian";
  const people = guardian || thread.family_names.length === 0 ? thread.seat.holders : thread.family_names;
  const readOf = (name: string) => thread.others_read.find((each) => each.name === name);
  const kind = seatKind(thread.seat, i18n);

  return (
    <div className="thread-context">
      <h2>{t`About`}</h2>
      <p>
        <bdi>{thread.pupil.name}</bdi>
        {thread.class && (
          <>
            <br />
            <bdi className="thread-context-note">{thread.class.name}</bdi>
          </>
        )}
      </p>
      <h2>{t`Who is here`}</h2>
      <ul>
        {people.map((name) => {
          const read = readOf(name);
          const moment = read ? when.moment(read.at) : "";
          return (
            <li key={name} className="thread-context-person">
              <Avatar name={name} />
              <span>
                <bdi>{name}</bdi>
                <span className="thread-context-note">
                  {read && read.seq > 0 ? t`Last read ${moment}` : t`Has not read yet`}
                </span>
              </span>
            </li>
          );
        })}
        {people.length === 0 && <li className="thread-context-note">{seatName(thread.seat, i18n)}</li>}
      </ul>
      {kind && (
        <>
          <h2>{t`Place at school`}</h2>
          <p>{kind}</p>
        </>
      )}
      <p className="thread-context-note">
        {guardian
          ? t`Only you, the other guardians of this child and this person at school can read here.`
          : t`Only this child’s guardians and the people in this place at school can read here.`}
      </p>
    </div>
  );
}
