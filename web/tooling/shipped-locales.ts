/**
 * Decides which of React Aria's packaged phrases are shipped: only those of the languages our own words are complete
 * in, because thirty languages of control labels would weigh more than the whole messaging client.
 */
import type { Plugin } from "vite";

const shipped = new Set(["en-US", "es-ES", "pl-PL", "ar-AE"]);
const phrases =
  /[\\/]react-(?:aria|stately|aria-components)[\\/].*[\\/](?:intl[\\/].*[\\/])?([a-z]{2}-[A-Z]{2})\.m?js$/;

export function shippedLocalesOnly(): Plugin {
  return {
    name: "bookbag:shipped-locales-only",
    enforce: "pre",
    load(id) {
      const locale = phrases.exec(id.split("?")[0] ?? "")?.[1];
      return locale && !shipped.has(locale) ? "export default {};" : null;
    },
  };
}
