/** The languages Bookbag speaks, each by its own name, and how they are written. */
export const LANGUAGES = [
  { tag: "en", autonym: "English", direction: "ltr" },
  { tag: "cy", autonym: "Cymraeg", direction: "ltr" },
  { tag: "es", autonym: "Español", direction: "ltr" },
  { tag: "pl", autonym: "Polski", direction: "ltr" },
  { tag: "ar", autonym: "العربية", direction: "rtl" },
  { tag: "ur", autonym: "اردو", direction: "rtl" },
] as const;

export type Language = (typeof LANGUAGES)[number]["tag"];

const rightToLeft = new Set(["ar", "ur", "fa", "he", "ps", "sd", "ug", "yi", "ckb", "dv"]);

/** The language of ours that serves `tag` ("es-MX" → "es"); English for one we do not speak. */
export function servedLanguage(tag: string): Language {
  const primary = tag.toLowerCase().split("-")[0];
  return LANGUAGES.find((each) => each.tag === primary)?.tag ?? "en";
}

export function directionOf(tag: string): "ltr" | "rtl" {
  return rightToLeft.has(tag.toLowerCase().split("-")[0] ?? "") ? "rtl" : "ltr";
}

/** The first of the browser's languages that we speak. */
export function preferredLanguage(wanted: readonly string[]): Language {
  const spoken = wanted.find((tag) => LANGUAGES.some((each) => each.tag === tag.toLowerCase().split("-")[0]));
  return servedLanguage(spoken ?? "en");
}
