/** What a conversation is called by the one who looks: staff see the child, families see the person at school. */
import type { I18n } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { Contact, Membership, Thread } from "../data/types.ts";
import { inWords, seatName } from "../words/seats.ts";

export type ThreadNames = {
  title: string;
  /** One line under the title. */
  about: string;
  /** "Send to Ms Hughes". */
  send: string;
};

type Described = Pick<Thread, "pupil" | "class" | "seat"> & { family: readonly string[] };

export function threadNames(thread: Thread, member: Membership | null, i18n: I18n): ThreadNames {
  return describe({ ...thread, family: thread.family_names }, member, i18n);
}

export function contactNames(contact: Contact, member: Membership | null, i18n: I18n): ThreadNames {
  return describe({ ...contact, family: contact.family.map((each) => each.name) }, member, i18n);
}

function describe(
  { pupil, class: schoolClass, seat, family }: Described,
  member: Membership | null,
  i18n: I18n,
): ThreadNames {
  const name = apart(pupil.first_name);
  if (member?.role === "guardian" || member?.role === "pupil") {
    const person = seatName(seat, i18n);
    return {
      title: person,
      about: joined(i18n._(msg`about ${name}`), schoolClass?.name),
      send: i18n._(msg`Send to ${person}`),
    };
  }
  return {
    title: pupil.name,
    about: joined(
      family.length > 0 ? inWords(family.map(apart), i18n) : i18n._(msg`${name}’s family`),
      schoolClass?.name,
    ),
    send: i18n._(msg`Send to ${name}’s family`),
  };
}

/** A name keeps its own direction and leaves that of the line alone. */
function apart(name: string): string {
  return `\u2068${name}\u2069`;
}

function joined(...parts: (string | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined)
    .map(apart)
    .join(" · ");
}
