/** The six languages are complete, with the same gaps to fill and every plural form the language has. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

type Entry = { id: string; text: string };

function catalogue(language: string): { head: string; entries: Entry[] } {
  const source = readFileSync(new URL(`../src/words/catalogues/${language}.po`, import.meta.url), "utf8");
  const joined = source.replaceAll(/"\n"/g, "");
  const [head = "", ...blocks] = joined.split("\n\n");
  const entries = blocks.flatMap((block) => {
    const context = /^msgctxt "(.*)"$/m.exec(block)?.[1] ?? "";
    const id = /^msgid "(.*)"$/m.exec(block)?.[1];
    const text = /^msgstr "(.*)"$/m.exec(block)?.[1];
    return id ? [{ id: `${context}|${id}`, text: text ?? "" }] : [];
  });
  return { head, entries };
}

const english = catalogue("en");
const gaps = (text: string) => [...new Set([...text.matchAll(/\{\s*(\w+)\s*[,}]/g)].map((found) => found[1]))].sort();
const forms = (text: string) =>
  [...text.matchAll(/\b(zero|one|two|few|many|other) \{/g)].map((found) => found[1]).sort();

it("has words at all", () => {
  expect(english.entries.length).toBeGreaterThan(100);
});

describe.each(["es", "cy", "pl", "ar", "ur"])("the words in %s", (language) => {
  const { head, entries } = catalogue(language);
  const byId = new Map(entries.map((entry) => [entry.id, entry.text]));

  it("are complete", () => {
    expect(english.entries.filter((entry) => !byId.get(entry.id)).map((entry) => entry.id)).toEqual([]);
  });

  it("say that a native speaker has not yet read them", () => {
    expect(head).toContain("review by a native speaker pending");
  });

  it("fill the same gaps", () => {
    const differing = english.entries.filter(
      // Inside a plural the number may be written out ("one letter").
      (entry) => gaps(entry.id.slice(entry.id.indexOf("|") + 1)).join() !== gaps(byId.get(entry.id) ?? "").join(),
    );
    expect(differing.map((entry) => entry.id)).toEqual([]);
  });

  it("have every plural form of the language", () => {
    const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    // Spanish "many" is for millions only.
    const needed = language === "es" ? ["one", "other"] : [...wanted].sort();
    for (const entry of english.entries.filter((each) => each.id.includes(", plural,"))) {
      expect(forms(byId.get(entry.id) ?? "")).toEqual(needed);
    }
  });
});
