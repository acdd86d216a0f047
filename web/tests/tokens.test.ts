/** Every pair of letters and ground that stands on a page can be read: WCAG AA, 4.5 to 1, in both themes. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("../src/design/tokens.css", import.meta.url), "utf8");
const [lightText = "", darkText = ""] = css.split("@media (prefers-color-scheme: dark)");

function colours(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/--([a-z-]+):\s*(#[0-9a-f]{6})/gi)].map((found) => [found[1] ?? "", found[2] ?? ""]),
  );
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((from) => {
    const value = Number.parseInt(hex.slice(from, from + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const grounds = ["paper", "card", "grey-fill", "soft-green"];
const textPairs: [string, string][] = [
  ...grounds.flatMap((ground): [string, string][] => [
    ["ink", ground],
    ["grey-text", ground],
    ["green", ground],
    ["green-strong", ground],
  ]),
  ["ink", "soft-marigold"],
  ["ink", "soft-brick"],
  ["ink", "soft-sky"],
  ["brick", "paper"],
  ["brick", "card"],
  ["brick", "soft-brick"],
  ["on-green", "green"],
  ["on-green", "green-strong"],
  ["on-brick", "brick"],
];
/** Edges that tell where one may type: 3 to 1 (WCAG 1.4.11). */
const edgePairs: [string, string][] = [
  ["grey-edge", "paper"],
  ["grey-edge", "card"],
  ["brick", "card"],
];

describe.each([
  ["light", colours(lightText)],
  ["dark", new Map([...colours(lightText), ...colours(darkText)])],
])("the %s theme", (_name, theme) => {
  const of = (token: string) => {
    const value = theme.get(token);
    if (!value) throw new Error(`no token ${token}`);
    return value;
  };

  it.each(textPairs)("lets %s be read on %s", (letters, ground) => {
    expect(contrast(of(letters), of(ground))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(edgePairs)("lets the edge %s be seen on %s", (edge, ground) => {
    expect(contrast(of(edge), of(ground))).toBeGreaterThanOrEqual(3);
  });
});

it("measures black on white as 21 to 1", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
});
