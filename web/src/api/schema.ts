/**
 * The server's HTTP contract as this client uses it, in the shape openapi-typescript writes. Written by hand, so that
 * the client is built without a running server; tests/e2e/test_contract.py holds it against the server's own.
 */

export type Role = "guardian" | "pupil" | "teacher" | "assistant" | "specialist" | "leader" | "safeguarding" | "office";

export type School = { id: string; code: string; name: string; zone: string; language: string };

/** One person in one role in one school: what a token stands for. */
export type Membership = {
  person: string;
  role: Role;
  name: string;
  first_name: string;
  language: string;
  school: School;
};

export type Me = Membership & { version: number };

export type DemoPerson = { person: string; role: Role; name: string; language: string; note: string };

export type Pupil = { id: string; name: string; first_name: string };
export type SchoolClass = { id: string; name: string };
export type Seat = { id: string; kind: string; subject: string; holders: string[] };

export type Contact = {
  pupil: Pupil;
  class: SchoolClass | null;
  seat: Seat;
  /** Filled for staff only: a guardian never learns who else belongs to the family. */
  family: { name: string; relationship: string; language: string }[];
  thread: string | null;
};

export type Thread = {
  id: string;
  pupil: Pupil;
  class: SchoolClass | null;
  seat: Seat;
  family_names: string[];
  last: { seq: number; author_name: string; mine: boolean; text: string; sent_at: string } | null;
  unread: number;
  head_seq: number;
  my_read_seq: number;
  others_read: { person: string; name: string; seq: number; at: string }[];
};

export type Translation = {
  state: "stored" | "on-its-way" | "unavailable";
  language: string;
  text: string | null;
  source_language: string | null;
};

export type Message = {
  id: string;
  /** Without gaps inside one thread, rising with time. */
  seq: number;
  author: { id: string; name: string; side: "staff" | "family" };
  mine: boolean;
  /** Always the words as they were written. */
  text: string;
  language: string;
  sent_at: string;
  version: number;
  /** null: written in the reader's own language. */
  translation: Translation | null;
  /** By when the family was promised an answer. */
  answer_by: string | null;
  about_safety: boolean;
};

/** A message as the server took it. While it is held it has no number (0) and `visible_at` is its hour, where one is known. */
export type Accepted = Message & {
  state: "sent" | "held" | "withdrawn" | "stopped";
  visible_at: string | null;
  reasons: string[];
};

/** A message of one's own that waits for its hour, or was stopped because one may not write there any more. */
export type Held = {
  id: string;
  thread: string;
  text: string;
  language: string;
  accepted_at: string;
  state: "held" | "stopped";
  visible_at: string | null;
  answer_by: string | null;
  reasons: string[];
};

/** What would become of a message written now, by the school's rules. */
export type Composing = {
  state: "now" | "held" | "refused";
  visible_at: string | null;
  opens: string | null;
  answer_by: string | null;
  reasons: { code: string; at: string | null }[];
  safety: { words: string; number: string };
  /** Where a family turns with what cannot wait; null for staff. The number is empty where it is not a call. */
  urgent: { words: string; number: string } | null;
};

/** What a family waits for: up to which message nobody has answered, since when, and by when it was promised. */
export type Owed = { seq: number; since: string; answer_by: string; messages: number };

/** A family that waits longer than it was promised. */
export type Overdue = {
  thread: string;
  pupil: Pupil;
  class: SchoolClass | null;
  seat: Seat;
  since: string;
  answer_by: string;
  messages: number;
};

/** A message about a child’s safety; `text` is its beginning, in the reader’s language where it is translated. */
export type Raised = {
  id: string;
  thread: string;
  seq: number;
  pupil: Pupil;
  class: SchoolClass | null;
  seat: Seat;
  author: Message["author"];
  text: string;
  sent_at: string;
};

/** Somebody an entry of the record speaks of; without a name once it is erased. */
export type RecordPerson = { id: string; name: string | null };

/** One act on the school's record; `by` is null for an operator. */
export type RecordEntry = {
  seq: number;
  at: string;
  by: RecordPerson | null;
  role: string;
  act: string;
  kind: string;
  about: string | null;
  whom: RecordPerson[];
  reason: string;
};

/** How long the record is and up to which entry it is anchored outside the database; 0 for none. */
export type RecordState = { entries: number; last_at: string | null; anchored: number; anchored_at: string | null };

type RecordFilters = { from?: string; to?: string; person?: string; act?: string };
/** A text to accept; `digest` stands for exactly these words. */
export type TermsText = {
  version: string;
  language: string;
  text: string;
  agreement: "accept" | "name_and_date";
  digest: string;
  accepted: boolean;
};

export type TermsAcceptance = {
  version: string;
  language: string;
  digest: string;
  signature?: { name: string; date: string } | null;
};

export type PolicyVersion = {
  number: number;
  author: string | null;
  author_name: string | null;
  author_role: string;
  reason: string;
  made_at: string;
  counts_from: string;
};
/** Minutes since midnight, the end outside. */
export type DaySpan = { start: number; end: number };
export type DrawnDay = {
  weekday: string;
  staff: DaySpan[];
  access: DaySpan[];
  rings: DaySpan[];
  lessons: DaySpan[];
  answers: DaySpan[];
  families: (DaySpan & { outcome: "now" | "held" | "refused" })[];
};
/** `language` is the one the server could say it in; English where the reader's is not there yet. */
export type Meaning = {
  language: string;
  sections: { key: string; heading: string; sentences: string[] }[];
  week: DrawnDay[];
  zone: string;
};
export type PolicyShown = {
  version: PolicyVersion;
  meaning: Meaning;
  waiting: PolicyVersion[];
  newest: number;
  /** Filled for leaders only. */
  document: string | null;
  data: Record<string, unknown> | null;
  review: { state: "far" | "near" | "past"; next: string } | null;
};
export type PolicyChange = { path: string; about: string; before: string | null; after: string | null };
export type PolicyFault = { path: string; problem: string; right: string; line: number | null };
export type PolicyDraft = {
  /** In which the mistakes and changes are said. */
  language: string;
  faults: PolicyFault[];
  changes: PolicyChange[];
  meaning: Meaning | null;
  document: string | null;
  data: Record<string, unknown> | null;
};
export type PolicyInFull = {
  language: string;
  version: PolicyVersion;
  document: string;
  data: Record<string, unknown>;
  changes: PolicyChange[];
};
/** One reason of a decision; `at` is until when, or when again, or by when: the code says which. */
export type RuleReason = { code: string; at: string | null; roles: string[]; network: string | null };
/** One question about somebody with its answer, and why; `words` are in the language the server could say it in. */
export type RuleAnswer = { question: string; answer: string; words: string; reasons: RuleReason[] };
export type Explained = { at: string; person: string; role: string; language: string; answers: RuleAnswer[] };
/** Whether somebody may come in now; `mark` stands for what is said of it. */
export type Door = {
  at: string;
  open: boolean;
  code: string | null;
  opens: string | null;
  break_glass_minutes: number | null;
  why: RuleAnswer[];
  mark: string;
};
type GivenDraft = { document?: string | null; data?: Record<string, unknown> | null };

export type Suspension = {
  id: string;
  person: string;
  name: string;
  reason: string;
  author_name: string | null;
  began_at: string;
  ends_at: string | null;
  ended_at: string | null;
  ended_by: string | null;
};
export type Guardian = { person: string; name: string; children: string[]; suspended: boolean };

export const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
/** "HH:MM" in the school's zone; "24:00" is the end of the day. */
export type Span = { from: string; to: string };
export type Week = { days: string } & Record<(typeof WEEKDAYS)[number], Span[]>;

export type OwnHours = {
  /** null: the school's hours. */
  week: Week | null;
  version: number;
  /** What can be narrowed; null where the hours of staff are no week. */
  school: Week | null;
  may_narrow: boolean;
};

export type Page<T> = { items: T[]; next: string | null };

export type ProblemDocument = {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  field?: string;
  limit?: number;
  retry_after?: number;
  /** When the hours of staff begin again; absent when the calendar knows no such time. */
  opens?: string;
  /** For how long one may come in for a reason; absent for who may not. */
  break_glass_minutes?: number;
};

type Json<T> = { content: { "application/json": T } };
type Empty = { content?: never };
type Refusal = { content: { "application/problem+json": ProblemDocument } };
type None = { query?: never; header?: never; path?: never; cookie?: never };
type Paging = { limit?: number; cursor?: string };
type Operation<Success extends Record<number, unknown>, Parameters = None, Body = never> = {
  parameters: Parameters;
  responses: Success & { default: Refusal };
} & ([Body] extends [never] ? { requestBody?: never } : { requestBody: Json<Body> });

export interface paths {
  "/identity/v1/sessions": {
    post: Operation<
      { 201: Json<{ session: string; memberships: Membership[] }> },
      None,
      { email: string; password: string }
    >;
  };
  "/identity/v1/sessions/current": { delete: Operation<{ 204: Empty }> };
  "/identity/v1/tokens": {
    post: Operation<
      { 200: Json<{ token: string; expires_in: number; member: Membership; terms_accepted: boolean }> },
      None,
      { person: string; role: Role }
    >;
  };
  "/identity/v1/entry": {
    get: Operation<{ 200: Json<Door> }, { query: { person: string; role: Role; seen?: string } }>;
  };
  "/identity/v1/break-glass": {
    post: Operation<{ 201: Json<{ until: string }> }, None, { person: string; role: Role; reason: string }>;
  };
  "/identity/v1/memberships": { get: Operation<{ 200: Json<{ memberships: Membership[] }> }> };
  "/identity/v1/me": {
    get: Operation<{ 200: Json<Me> }>;
    patch: Operation<{ 200: Json<Me> }, { header: { "If-Match": string } }, { language: string }>;
  };
  "/identity/v1/audit": { get: Operation<{ 200: Json<Page<RecordEntry>> }, { query?: Paging & RecordFilters }> };
  "/identity/v1/audit/state": { get: Operation<{ 200: Json<RecordState> }> };
  "/identity/v1/audit/export": {
    get: Operation<{ 200: { content: { "text/csv": string } } }, { query?: RecordFilters }>;
  };
  "/identity/v1/me/hours": {
    get: Operation<{ 200: Json<OwnHours> }>;
    put: Operation<{ 200: Json<OwnHours> }, { header: { "If-Match": string } }, { week: Week | null }>;
  };
  "/identity/v1/terms": {
    get: Operation<{ 200: Json<{ due: TermsText | null }> }, { query?: { language?: string } }>;
  };
  "/identity/v1/terms/acceptances": { post: Operation<{ 204: Empty }, None, TermsAcceptance> };
  "/identity/v1/policy": { get: Operation<{ 200: Json<PolicyShown> }> };
  "/identity/v1/policy/check": { post: Operation<{ 200: Json<PolicyDraft> }, None, GivenDraft> };
  "/identity/v1/policy/versions": {
    get: Operation<{ 200: Json<Page<PolicyVersion>> }, { query?: Paging }>;
    post: Operation<
      { 201: Json<PolicyVersion> },
      { header: { "If-Match": string } },
      GivenDraft & { reason: string; counts_from?: string | null }
    >;
  };
  "/identity/v1/policy/versions/{number}": {
    get: Operation<{ 200: Json<PolicyInFull> }, { path: { number: number } }>;
  };
  "/identity/v1/policy/explain": {
    get: Operation<{ 200: Json<Explained> }, { query?: { instant?: string; person?: string; role?: Role } }>;
  };
  "/identity/v1/suspensions": { get: Operation<{ 200: Json<{ items: Suspension[] }> }> };
  "/identity/v1/guardians": { get: Operation<{ 200: Json<{ items: Guardian[] }> }, { query?: { text?: string } }> };
  "/identity/v1/people/{person}/suspension": {
    post: Operation<{ 204: Empty }, { path: { person: string } }, { reason: string; until?: string | null }>;
    delete: Operation<{ 204: Empty }, { path: { person: string } }>;
  };
  "/identity/v1/demo/people": {
    get: Operation<{ 200: Json<{ school: { code: string; name: string }; people: DemoPerson[] }> }>;
  };
  "/identity/v1/demo/sessions": {
    post: Operation<
      { 201: Json<{ session: string; memberships: Membership[] }> },
      None,
      { person: string; role: Role }
    >;
  };
  "/messaging/v1/contacts": {
    get: Operation<{ 200: Json<Page<Contact>> }, { query?: Paging & { q?: string } }>;
  };
  "/messaging/v1/threads": {
    get: Operation<{ 200: Json<Page<Thread>> }, { query?: Paging }>;
    post: Operation<
      { 200: Json<Thread>; 201: Json<Thread> },
      { header: { "Idempotency-Key": string } },
      { pupil: string; seat: string }
    >;
  };
  "/messaging/v1/threads/{thread}": {
    get: Operation<
      { 200: Json<Thread & { composing: Composing | null; owed: Owed | null }> },
      { path: { thread: string } }
    >;
  };
  "/messaging/v1/threads/{thread}/messages": {
    get: Operation<{ 200: Json<Page<Message>> }, { path: { thread: string }; query?: Paging & { after?: number } }>;
    post: Operation<
      { 201: Json<Accepted> },
      { path: { thread: string }; header: { "Idempotency-Key": string } },
      { text: string; language?: string; about_safety?: boolean }
    >;
  };
  "/messaging/v1/held": {
    get: Operation<{ 200: Json<Page<Held>> }, { query?: Paging & { thread?: string; state?: Held["state"] } }>;
  };
  "/messaging/v1/held/{message}": { delete: Operation<{ 204: Empty }, { path: { message: string } }> };
  "/messaging/v1/audit": { get: Operation<{ 200: Json<Page<RecordEntry>> }, { query?: Paging & RecordFilters }> };
  "/messaging/v1/audit/state": { get: Operation<{ 200: Json<RecordState> }> };
  "/messaging/v1/audit/export": {
    get: Operation<{ 200: { content: { "text/csv": string } } }, { query?: RecordFilters }>;
  };
  "/messaging/v1/overdue": { get: Operation<{ 200: Json<Page<Overdue>> }, { query?: Paging }> };
  "/messaging/v1/safety": { get: Operation<{ 200: Json<Page<Raised>> }, { query?: Paging }> };
  "/messaging/v1/threads/{thread}/settled": {
    put: Operation<{ 204: Empty }, { path: { thread: string } }, { seq: number }>;
  };
  "/messaging/v1/threads/{thread}/read": {
    put: Operation<{ 204: Empty }, { path: { thread: string } }, { seq: number }>;
  };
  "/messaging/v1/unread": { get: Operation<{ 200: Json<{ threads: number; messages: number }> }> };
  "/notify/v1/notifications/seen": { put: Operation<{ 204: Empty }, None, { thread: string }> };
}
