/** The entries: a table where there is room, cards on a phone. Pressing a name shows what that person did or met with. */
import { useLingui } from "@lingui/react/macro";
import { Fragment } from "react";
import type { RecordPerson } from "../api/schema.ts";
import { Button } from "../components/Button.tsx";
import { useWide } from "../pages/useWide.ts";
import { actWords, roleWords } from "../words/acts.ts";
import { useWhen } from "../words/useWhen.ts";
import type { Kept } from "./together.ts";

type Choose = (person: { id: string; name: string }) => void;

export function Entries({ entries, onPerson }: { entries: readonly Kept[]; onPerson: Choose }) {
  const wide = useWide();
  return wide ? <Table entries={entries} onPerson={onPerson} /> : <Cards entries={entries} onPerson={onPerson} />;
}

function Table({ entries, onPerson }: { entries: readonly Kept[]; onPerson: Choose }) {
  const { t } = useLingui();
  const when = useWhen();
  return (
    <table className="record-table" data-testid="record-entries">
      <thead>
        <tr>
          <th scope="col">{t`When`}</th>
          <th scope="col">{t`Who`}</th>
          <th scope="col">{t`What was done`}</th>
          <th scope="col">{t`To whom`}</th>
          <th scope="col">{t`Why`}</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={`${entry.service} ${entry.seq}`} data-testid={`record-${entry.act}`}>
            <td>
              <time dateTime={entry.at} title={when.exact(entry.at)}>
                {when.moment(entry.at)}
              </time>
            </td>
            <td>
              <Who entry={entry} onPerson={onPerson} />
            </td>
            <td>
              <Act code={entry.act} />
            </td>
            <td>
              <People people={entry.whom} onPerson={onPerson} />
            </td>
            <td>
              <Reason text={entry.reason} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cards({ entries, onPerson }: { entries: readonly Kept[]; onPerson: Choose }) {
  const { t } = useLingui();
  const when = useWhen();
  return (
    <ol className="record-cards" data-testid="record-entries">
      {entries.map((entry) => (
        <li key={`${entry.service} ${entry.seq}`} className="record-card" data-testid={`record-${entry.act}`}>
          <h2 className="record-act">
            <Act code={entry.act} />
          </h2>
          <p className="record-note">
            <time dateTime={entry.at}>{when.moment(entry.at)}</time>
          </p>
          <dl>
            <dt>{t`Who`}</dt>
            <dd>
              <Who entry={entry} onPerson={onPerson} />
            </dd>
            {entry.whom.length > 0 && (
              <>
                <dt>{t`To whom`}</dt>
                <dd>
                  <People people={entry.whom} onPerson={onPerson} />
                </dd>
              </>
            )}
            {entry.reason !== "" && (
              <>
                <dt>{t`Why`}</dt>
                <dd>
                  <Reason text={entry.reason} />
                </dd>
              </>
            )}
          </dl>
        </li>
      ))}
    </ol>
  );
}

function Act({ code }: { code: string }) {
  const { i18n } = useLingui();
  const words = actWords[code];
  return words ? i18n._(words) : <bdi>{code}</bdi>;
}

function Who({ entry, onPerson }: { entry: Kept; onPerson: Choose }) {
  const { i18n } = useLingui();
  const role = roleWords(entry.role);
  return (
    <>
      {entry.by && <Name person={entry.by} onPerson={onPerson} />}
      <span className="record-role">{role ? i18n._(role) : entry.role}</span>
    </>
  );
}

function People({ people, onPerson }: { people: readonly RecordPerson[]; onPerson: Choose }) {
  return people.map((person) => (
    <Fragment key={person.id}>
      <Name person={person} onPerson={onPerson} />
    </Fragment>
  ));
}

function Name({ person, onPerson }: { person: RecordPerson; onPerson: Choose }) {
  const { t } = useLingui();
  const name = person.name ?? t`Somebody whose name was erased`;
  return (
    <Button look="quiet" onPress={() => onPerson({ id: person.id, name })}>
      <bdi>{name}</bdi>
    </Button>
  );
}

/** A reason as it was given, in whatever language. Where it is a role, in which somebody was let in, it has words. */
function Reason({ text }: { text: string }) {
  const { i18n } = useLingui();
  const role = roleWords(text);
  if (role) return <span className="record-reason">{i18n._(role)}</span>;
  return <bdi className="record-reason">{text}</bdi>;
}
