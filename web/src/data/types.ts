/**
 * What the pages are given: the server's own shapes, plus what only this device knows about a message on its way.
 */
import type {
  Composing,
  Contact,
  DemoPerson,
  Membership,
  Message,
  Owed,
  Role,
  TermsAcceptance,
  TermsText,
  Thread,
} from "../api/schema.ts";
import type { Closed } from "../session/closing.ts";

export type {
  Composing,
  Contact,
  DemoPerson,
  Held,
  Membership,
  Message,
  Overdue,
  Owed,
  OwnHours,
  Raised,
  Role,
  RuleAnswer,
  Span,
  TermsAcceptance,
  TermsText,
  Thread,
  Week,
} from "../api/schema.ts";

/**
 * How far a message of mine has come. `waiting`: no network; `sending`: on its way; `failed`: refused, needs me; `held`: on
 * the server, which lets it out at its hour; `stopped`: never let out; `sent`: with the others; `seen`: read by at least one
 * of them. Messages of others are always `sent`.
 */
export type MessageState = "sending" | "waiting" | "failed" | "held" | "stopped" | "sent" | "seen";

export type ShownMessage = Omit<Message, "seq"> & {
  /** Stays the same from the moment of writing, so that a list item survives becoming a stored message. */
  key: string;
  /** null: not with the others yet. */
  seq: number | null;
  state: MessageState;
  /** When the first reader saw it (RFC 3339); null when nobody has, and on older messages, where only a later time is known. */
  seenAt: string | null;
  /** Names, first reader first. */
  seenBy: string[];
  /** The problem code of a refusal. */
  problem: string | null;
  /** When a held one is let out, where the school's calendar knows. */
  visibleAt: string | null;
  /** When one refused for the hour can be sent again, where the school's calendar knows. */
  opens: string | null;
};

/** What an open conversation is told beside its messages: for who may write there, and for its staff. */
export type Opened = { composing: Composing | null; owed: Owed | null };

export type LiveState = "live" | "reconnecting" | "offline";

export type SessionState = "starting" | "signed-out" | "choosing" | "closed" | "terms" | "signed-in" | "offline-start";

export type Demo = { school: { code: string; name: string }; people: DemoPerson[] };

export type Session = {
  /** `closed`: the school lets the member in later, or elsewhere. `terms`: they must be accepted first. `offline-start`: the kept membership is shown read-only until the server is reached. */
  state: SessionState;
  member: Membership | null;
  memberships: Membership[];
  /** null unless this server runs the demo. */
  demo: Demo | null;
  /**
   * Problem code of the last failed sign-in, or of the right that ended (`signed-out`, `suspended`); `unreachable` when
   * no server answered.
   */
  problem: string | null;
  /** Never rejects: a failure is told in `problem`. */
  signIn(email: string, password: string): Promise<void>;
  signInDemo(person: string, role: Role): Promise<void>;
  choose(person: string, role: Role): Promise<void>;
  /** Wipes what was kept, even without network. */
  signOut(): Promise<void>;
  /** While `closed`: why, and until when. */
  closed: Closed | null;
  /** Asks whether the school has opened meanwhile; it is asked every minute by itself. */
  comeBack(): Promise<void>;
  /** Comes in for a reason that goes on the school's record. Rejects with Problem or Unreachable. */
  breakGlass(reason: string): Promise<void>;
  /** Rejects with Problem or Unreachable. */
  setLanguage(tag: string): Promise<void>;
  /** The terms in the way, in a language; null when there are none. Rejects with Problem or Unreachable. */
  readTerms(language: string): Promise<TermsText | null>;
  /** Rejects with Problem (`terms-changed`: read them again) or Unreachable; afterwards one is in. */
  acceptTerms(acceptance: TermsAcceptance): Promise<void>;
  /** Shows the terms and what is around them in another language, on this visit only. */
  speakHere(tag: string): void;
};

export type Threads = {
  threads: Thread[];
  loading: boolean;
  more: boolean;
  loadMore(): void;
  problem: string | null;
};

export type OneThread = { thread: Thread | null; problem: string | null };

export type Messages = {
  /** Oldest first; mine that are not yet sent come last. */
  messages: ShownMessage[];
  loading: boolean;
  more: boolean;
  loadOlder(): Promise<void>;
  send(text: string, aboutSafety: boolean): void;
  /** Takes back a held message; what the server says against it shows when the list is fetched again. */
  withdraw(id: string): Promise<void>;
  retry(key: string): void;
  discard(key: string): void;
  problem: string | null;
};

export type Contacts = {
  contacts: Contact[];
  loading: boolean;
  more: boolean;
  loadMore(): void;
  problem: string | null;
};

export type Unread = { threads: number; messages: number };
