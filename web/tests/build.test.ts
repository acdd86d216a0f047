/** What is shipped: built once into a folder of its own, then weighed and looked through. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";

/** P7: the guardian's feed, first load, script, gzipped. */
const BUDGET_KB = 170;

type Chunk = { file: string; isEntry?: boolean; imports?: string[]; dynamicImports?: string[]; css?: string[] };

const here = resolve(import.meta.dirname, "..");
let dist: string;
let manifest: Record<string, Chunk>;

beforeAll(async () => {
  dist = await mkdtemp(join(tmpdir(), "bookbag-dist-"));
  const vite = join(here, "node_modules/vite/bin/vite.js");
  // Under the tests' own NODE_ENV the development build of React would be weighed.
  await promisify(execFile)(process.execPath, [vite, "build", "--outDir", dist, "--logLevel", "error"], {
    cwd: here,
    env: { ...process.env, NODE_ENV: "production" },
  });
  manifest = JSON.parse(await readFile(join(dist, ".vite/manifest.json"), "utf8"));
}, 120_000);

afterAll(async () => {
  await rm(dist, { recursive: true, force: true });
});

/** The chunk and everything it cannot run without. */
function needed(name: string, found = new Set<string>()): Set<string> {
  const chunk = manifest[name];
  if (!chunk || found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const each of chunk.imports ?? []) needed(each, found);
  return found;
}

async function weigh(files: Iterable<string>): Promise<number> {
  let sum = 0;
  for (const file of files) if (file.endsWith(".js")) sum += gzipSync(await readFile(join(dist, file))).length;
  return sum / 1024;
}

function entry(): string {
  const name = Object.keys(manifest).find((each) => manifest[each]?.isEntry);
  if (!name) throw new Error("the build has no entry");
  return name;
}

test("the script of the first load, with the heaviest language and the list of conversations, keeps to its budget", async () => {
  const shell = needed(entry());
  const alone = await weigh(shell);
  const pages = Object.keys(manifest).filter((each) => each.startsWith("src/pages/"));
  const words = Object.keys(manifest).filter((each) => each.endsWith(".po"));
  const ofWords = await Promise.all(words.map((each) => weigh(needed(each, new Set(shell)))));
  for (const page of pages) needed(page, shell);
  const withPage = await weigh(shell);
  const heaviest = Math.max(0, ...ofWords.map((each) => each - alone));
  const report = `script gzipped: shell ${alone.toFixed(1)} KB, with the list ${withPage.toFixed(1)} KB, words ${heaviest.toFixed(1)} KB`;
  expect(withPage + heaviest, report).toBeLessThanOrEqual(BUDGET_KB);
  process.stdout.write(`${report}\n`);
});

test("the page carries no script or style of its own, and nothing is fetched from anywhere else", async () => {
  const page = (await readFile(join(dist, "index.html"), "utf8")).replace(/<!--.*?-->/gs, "");
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=/);
  expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  for (const name of await readdir(join(dist, "assets"))) {
    if (!name.endsWith(".css")) continue;
    expect(await readFile(join(dist, "assets", name), "utf8"), name).not.toMatch(/url\((["']?)(?:data:|https?:|\/\/)/);
  }
});

test("the service worker keeps the shell and no answer of the server", async () => {
  const worker = await readFile(join(dist, "sw.js"), "utf8");
  const kept = [...worker.matchAll(/url:\s*["'`]([^"'`]+)["'`]/g)].map((each) => each[1] ?? "");
  const quoted = [...worker.matchAll(/["']url["']:\s*["']([^"']+)["']/g)].map((each) => each[1] ?? "");
  const all = [...kept, ...quoted];
  expect(all).toContain("index.html");
  expect(all).toContain(manifest[entry()]?.file);
  for (const url of all) expect(url).toMatch(/^(?:index\.html|manifest\.webmanifest|assets\/|icons\/)/);
  for (const path of ["identity", "messaging", "notify", "dev"]) expect(worker).toContain(path);
});

test("the client can be installed: its manifest names icons that are there", async () => {
  const described = JSON.parse(await readFile(join(dist, "manifest.webmanifest"), "utf8"));
  expect(described).toMatchObject({ start_url: "/", scope: "/", display: "standalone" });
  for (const { src } of described.icons) expect((await readFile(join(dist, src))).length, src).toBeGreaterThan(0);
});
