import { defineConfig } from "@lingui/conf";
import { formatter } from "@lingui/format-po";

export default defineConfig({
  sourceLocale: "en",
  locales: ["en", "es", "cy", "pl", "ar", "ur"],
  fallbackLocales: { default: "en" },
  catalogs: [{ path: "<rootDir>/src/words/catalogues/{locale}", include: ["src"], exclude: ["src/gallery/**"] }],
  format: formatter({ lineNumbers: false, origins: true }),
});
