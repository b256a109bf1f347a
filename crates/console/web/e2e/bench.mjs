// Measures the console in a browser, against the program itself: the size of the first load, the largest paint with a
// cold cache, the slowest interaction on a list of many files, and how much the layout shifts. Each figure is the
// median of `--rounds`.
//
//   node e2e/bench.mjs --binary target/release/nyxcore [--rounds 5] [--files 10000]
//
// `--preview` serves the bundle in `dist` in front of a program that has none; `--compare FOLDER` measures the bundle
// in that folder too, in turn with it.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectMake } from "./api.mjs";
import { browserStart, pageOpen, settled, signIn } from "./browser.mjs";
import { previewStart, serverStart } from "./server.mjs";

const { values } = parseArgs({
  options: {
    binary: { type: "string", default: process.env.NYXCORE_BINARY ?? "nyxcore" },
    preview: { type: "boolean", default: false },
    compare: { type: "string" },
    files: { type: "string", default: "10000" },
    rounds: { type: "string", default: "5" },
  },
});
const FILES = Number(values.files);
const ROUNDS = Number(values.rounds);

/** In a page: what its performance entries say, from its beginning on. */
const WATCH = () => {
  const seen = { paint: 0, painted: "", shift: 0, moved: [], slowest: 0 };
  globalThis.seen = seen;
  const observe = (type, each, more = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true, ...more });
  observe("largest-contentful-paint", (entry) => {
    seen.paint = entry.startTime;
    seen.painted = `${entry.element?.nodeName} “${entry.element?.textContent?.slice(0, 40) ?? ""}”`;
  });
  observe("layout-shift", (entry) => {
    if (entry.hadRecentInput) return;
    seen.shift += entry.value;
    seen.moved.push(...entry.sources.map(({ node }) => `${node?.nodeName} ${node?.className ?? ""}`));
  });
  observe("event", (entry) => (seen.slowest = Math.max(seen.slowest, entry.duration)), { durationThreshold: 16 });
};

const seen = (page) => page.evaluate(() => globalThis.seen);
/** A page of a profile of its own: nothing is in its cache. */
const fresh = async (browser, server) => {
  const page = await pageOpen(browser, server);
  await page.addInitScript(WATCH);
  return page;
};

async function load(browser, server, path, signedIn) {
  const page = await fresh(browser, server);
  if (signedIn) await signIn(page);
  await page.goto(path);
  await settled(page);
  await page.waitForTimeout(300);
  const files = await page.evaluate(() => {
    const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const code = all.map((entry) => ({ path: new URL(entry.name).pathname, size: entry.encodedBodySize }));
    return code.filter((entry) => !/\/(graphql|auth|api)\b/.test(entry.path));
  });
  const { paint, painted, shift, moved } = await seen(page);
  await page.context().close();
  const notes = [`largest: ${painted}`, ...moved.map((one) => `moved: ${one}`)];
  return { bytes: files.reduce((sum, file) => sum + size(server, file), 0), paint, shift, notes };
}

/** The preview compresses nothing: its files count as they are beside them for the program. */
function size(server, { path, size }) {
  const compressed = server.bundle && `${server.bundle}${path}.br`;
  return compressed && existsSync(compressed) ? statSync(compressed).size : size;
}

async function interact(browser, server) {
  const page = await fresh(browser, server);
  await signIn(page);
  await page.goto("/projects/many/code");
  await page.getByText(`${FILES.toLocaleString("en")} files`).waitFor();
  await page.getByLabel("Search the code").pressSequentially("src file_7", { delay: 60 });
  await page.getByLabel("Search the code").fill("");
  const tree = page.getByRole("tree", { name: "Files" });
  await tree.getByRole("treeitem").first().click();
  for (const key of ["End", "Home", "PageDown", "ArrowDown", "ArrowRight", "Enter"]) {
    await page.keyboard.press(key);
    await page.waitForTimeout(100);
  }
  await page.waitForTimeout(300);
  const { slowest, shift, moved } = await seen(page);
  await page.context().close();
  return { slowest, shift, notes: moved.map((one) => `moved: ${one}`) };
}

/** A repository of many small files, synced. */
async function manyFiles(server, folder) {
  const path = join(folder, "many");
  for (let n = 0; n < FILES; n += 1) {
    const place = join(path, `part${String(n % 100).padStart(2, "0")}`, "src");
    if (n < 100) mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `file_${n}.txt`), `The file ${n}.\n`);
  }
  const git = (...args) =>
    execFileSync("git", ["-C", path, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args], {
      stdio: "pipe",
    });
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-qm", "Begin");
  await projectMake(server, { name: "Many", slug: "many", url: path });
}

const median = (figures) => [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)];

async function round(browser, server) {
  const entrance = await load(browser, server, "/", false);
  const home = await load(browser, server, "/", true);
  const code = await load(browser, server, "/projects/many/code", true);
  const use = await interact(browser, server);
  const parts = { entrance, home, code, use };
  for (const [name, { notes }] of Object.entries(parts)) server.notes[name] = [...new Set(notes)];
  return [
    entrance.bytes / 1000,
    home.bytes / 1000,
    entrance.paint,
    home.paint,
    code.paint,
    use.slowest,
    entrance.shift + home.shift + code.shift + use.shift,
  ];
}

const LIMITS = [
  ["First load, sign-in", "kB", 350],
  ["First load, home", "kB", 350],
  ["Largest paint, cold, sign-in", "ms", 1500],
  ["Largest paint, cold, home", "ms", 1500],
  [`Largest paint, cold, code of ${FILES} files`, "ms", 1500],
  [`Slowest interaction, list of ${FILES} files`, "ms", 100],
  ["Layout shift, all pages", "", 0],
];

const folder = mkdtempSync(join(tmpdir(), "nyxcore-bench-"));
const server = await serverStart(values);
const browser = await browserStart();
const other = values.compare && (await previewStart(server.api, values.compare));
try {
  await manyFiles(server, folder);
  const bundle = values.preview ? join(import.meta.dirname, "..", "dist") : undefined;
  const measured = [
    ...(other ? [{ ...server, url: other.url, bundle: values.compare, title: values.compare }] : []),
    { ...server, bundle, title: bundle ?? "The program" },
  ].map((one) => ({ ...one, rows: [], notes: {} }));
  for (let n = 0; n < ROUNDS; n += 1) for (const one of measured) one.rows.push(await round(browser, one));
  for (const { title, rows, notes } of measured) {
    console.log(`${title}: medians of ${ROUNDS}, machine load ${loadavg()[0].toFixed(1)}`);
    for (const [at, [name, unit, limit]] of LIMITS.entries()) {
      const figures = rows.map((row) => row[at]);
      const text = (value) => (unit ? String(Math.round(value)) : value.toFixed(4));
      const all = `${text(Math.min(...figures))}–${text(Math.max(...figures))}`;
      const value = median(figures);
      const verdict = value > limit ? "OVER" : "ok  ";
      console.log(
        `${verdict}  ${name.padEnd(44)} ${`${text(value)} ${unit}`.padStart(10)}   (${all}; at most ${limit} ${unit})`,
      );
    }
    for (const [name, lines] of Object.entries(notes)) for (const line of lines) console.log(`      ${name}: ${line}`);
  }
  const last = measured.at(-1);
  process.exitCode = LIMITS.some(([, , limit], at) => median(last.rows.map((row) => row[at])) > limit) ? 1 : 0;
} finally {
  await browser.close();
  await other?.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
