/** Messages and conversations in every state, for the gallery. */
import type { ShownMessage, Thread } from "../data/types.ts";

const now = Date.now();
const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString();

const plain: ShownMessage = {
  id: "m",
  key: "m",
  seq: 1,
  author: { id: "hughes", name: "Ms Hughes", side: "staff" },
  mine: false,
  text: "Maya read a whole book aloud today. We are so proud of her!",
  language: "en",
  sent_at: ago(60),
  version: 1,
  translation: null,
  answer_by: null,
  about_safety: false,
  visibleAt: null,
  opens: null,
  state: "sent",
  seenAt: null,
  seenBy: [],
  problem: null,
};

const mine: ShownMessage = {
  ...plain,
  author: { id: "ana", name: "Ana Ruiz", side: "family" },
  mine: true,
  text: "Thank you! She told us all about it at home.",
};

let number = 0;
const numbered = (message: ShownMessage): ShownMessage => {
  number += 1;
  return { ...message, id: `example-${number}`, key: `example-${number}`, seq: message.seq === null ? null : number };
};

const states: ShownMessage[] = [
  plain,
  {
    ...plain,
    translation: {
      state: "stored",
      language: "es",
      text: "Maya leyó un libro entero en voz alta hoy. ¡Estamos muy orgullosos de ella!",
      source_language: "en",
    },
  },
  { ...plain, translation: { state: "on-its-way", language: "pl", text: null, source_language: "en" } },
  { ...plain, translation: { state: "unavailable", language: "cy", text: null, source_language: "en" } },
  { ...plain, text: "شكرًا جزيلًا، أخبرتنا بكل شيء.", language: "ar" },
  { ...plain, text: "بہت شکریہ، مایا نے گھر پر سب کچھ بتایا۔", language: "ur" },
  { ...mine, seq: null, state: "sending" as const },
  { ...mine, seq: null, state: "waiting" as const },
  { ...mine },
  { ...mine, answer_by: ago(-24 * 60) },
  { ...mine, seq: null, state: "held" as const, visibleAt: ago(-12 * 60), answer_by: ago(-36 * 60) },
  { ...mine, seq: null, state: "stopped" as const },
  { ...mine, about_safety: true },
  { ...mine, state: "seen" as const, seenAt: ago(12), seenBy: ["Ms Hughes"] },
  { ...mine, seq: null, state: "failed" as const, problem: "unavailable" },
  { ...mine, seq: null, state: "failed" as const, problem: "too-large" },
];

export const bubbles = states.map(numbered);

const thread: Thread = {
  id: "t1",
  pupil: { id: "maya", name: "Maya Ruiz", first_name: "Maya" },
  class: { id: "oak", name: "Oak class" },
  seat: { id: "seat", kind: "class_teacher", subject: "", holders: ["Ms Hughes"] },
  family_names: ["Ana Ruiz"],
  last: { seq: 3, author_name: "Ana Ruiz", mine: false, text: "Thank you! She told us all about it.", sent_at: ago(5) },
  unread: 2,
  head_seq: 3,
  my_read_seq: 1,
  others_read: [],
};

export const threads: Thread[] = [
  thread,
  {
    ...thread,
    id: "t2",
    unread: 0,
    last: { seq: 3, author_name: "me", mine: true, text: "See you then", sent_at: ago(2000) },
  },
  { ...thread, id: "t3", unread: 0, last: null },
];
