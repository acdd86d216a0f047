/** Gives every page its words: the acting person's language when signed in, else this browser's. */
import { i18n } from "@lingui/core";
import { I18nProvider as LinguiProvider } from "@lingui/react";
import { type ReactNode, useEffect, useState } from "react";
import { I18nProvider as AriaProvider } from "react-aria-components/I18nProvider";
import { useSession } from "../session/session.tsx";
import { speak } from "./catalogue.ts";
import { preferredLanguage, servedLanguage } from "./languages.ts";

const ariaLocales: Record<string, string> = {
  en: "en-GB",
  cy: "en-GB",
  es: "es-ES",
  pl: "pl-PL",
  ar: "ar-AE",
  ur: "ur-PK",
};

export function Words({ children }: { children: ReactNode }) {
  const { member } = useSession();
  const language = member ? servedLanguage(member.language) : preferredLanguage(navigator.languages);
  const [spoken, setSpoken] = useState(i18n.locale);

  useEffect(() => {
    let current = true;
    speak(language).then(() => {
      if (current) setSpoken(i18n.locale);
    });
    return () => {
      current = false;
    };
  }, [language]);

  if (spoken === "") return null;
  return (
    <LinguiProvider i18n={i18n}>
      <AriaProvider locale={ariaLocales[spoken] ?? "en-GB"}>{children}</AriaProvider>
    </LinguiProvider>
  );
}
