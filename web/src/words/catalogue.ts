/** Loads the words of one language when it is first needed; English stands behind every one of them. */
import { i18n, type Messages } from "@lingui/core";
import { directionOf, type Language } from "./languages.ts";

const catalogues: Record<Language, () => Promise<{ messages: Messages }>> = {
  en: () => import("./catalogues/en.po"),
  cy: () => import("./catalogues/cy.po"),
  es: () => import("./catalogues/es.po"),
  pl: () => import("./catalogues/pl.po"),
  ar: () => import("./catalogues/ar.po"),
  ur: () => import("./catalogues/ur.po"),
};

let wanted: Language | null = null;

/** Speaks `language` from now on. A catalogue that cannot be fetched leaves the words as they are. */
export async function speak(language: Language): Promise<void> {
  wanted = language;
  const loaded = await catalogues[language]().catch(() => null);
  // Another choice was made meanwhile.
  if (wanted !== language) return;
  if (loaded) i18n.loadAndActivate({ locale: language, messages: loaded.messages });
  else if (i18n.locale === "") i18n.loadAndActivate({ locale: "en", messages: {} });
  document.documentElement.lang = i18n.locale;
  document.documentElement.dir = directionOf(i18n.locale);
}
