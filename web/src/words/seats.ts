/** Whom one writes to: the people in a seat, or the seat itself while nobody sits in it. */
import type { I18n, MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { Seat } from "../api/schema.ts";

const kinds: Record<string, MessageDescriptor> = {
  class_teacher: msg`Class teacher`,
  specialist: msg`Specialist teacher`,
  office: msg`School office`,
  leaders: msg`School leaders`,
};

export function seatKind(seat: Seat, i18n: I18n): string {
  if (seat.subject) return seat.subject;
  const known = kinds[seat.kind];
  return known ? i18n._(known) : "";
}

export function seatName(seat: Seat, i18n: I18n): string {
  return seat.holders.length > 0 ? inWords(seat.holders, i18n) : seatKind(seat, i18n) || i18n._(msg`The school`);
}

/** "Ana and Luis", "Ana, Luis and Maya" in the reader's language. */
export function inWords(names: readonly string[], i18n: I18n): string {
  if (i18n.locale === "cy") return names.length < 2 ? (names[0] ?? "") : names.join(", ");
  return new Intl.ListFormat(i18n.locale === "en" ? "en-GB" : i18n.locale, { type: "conjunction" }).format(names);
}
