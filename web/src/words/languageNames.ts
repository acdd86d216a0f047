/** What a language is called in the reader's own; our six in our own words, since browsers do not know Welsh. */
import type { I18n, MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";

const ours: Record<string, MessageDescriptor> = {
  en: msg({ message: "English", context: "language" }),
  cy: msg({ message: "Welsh", context: "language" }),
  es: msg({ message: "Spanish", context: "language" }),
  pl: msg({ message: "Polish", context: "language" }),
  ar: msg({ message: "Arabic", context: "language" }),
  ur: msg({ message: "Urdu", context: "language" }),
};

export function languageName(tag: string, i18n: I18n): string {
  const known = ours[tag.toLowerCase().split("-")[0] ?? ""];
  if (known) return i18n._(known);
  return new Intl.DisplayNames([i18n.locale, "en"], { type: "language" }).of(tag) ?? tag;
}
