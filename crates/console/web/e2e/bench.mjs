// Measures the console in a browser, against the program itself: the size of the first load, the largest paint with a
// cold cache, the slowest interaction on a list of many files, and how much the layout shifts.
//

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { browserStart, pageOpen, settled, signIn } from "./browser.mjs";
import { projectMake, serverStart } from "./server.mjs";

const { values } = parseArgs({
  options: {
    binary: { type: "string", default: process.env.NYXCORE_BINARY ?? "nyxcore" },
    preview: { type: "boolean", default: false },
    files: { type: "string", default: "10000" },
  },
});
const FILES = Number(values.files);

/** In a page: what its performance entries say, from its beginning on. */
const WATCH = () => {
  const seen = { paint: 0, shift: 0, moved: [], slowest: 0 };
  globalThis.seen = seen;
  const observe = (type, each, more = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true, ...more });
  observe("largest-contentful-paint", (entry) => (seen.paint = entry.startTime));
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
  const bytes = await page.evaluate(() => {
    const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const code = all.filter((entry) => !/\/(graphql|auth|api)\b/.test(new URL(entry.name).pathname));
    return code.reduce((sum, entry) => sum + entry.encodedBodySize, 0);
  });
  const { paint, shift, moved } = await seen(page);
  await page.context().close();
  if (moved.length) console.log(`      ${path}: ${shift.toFixed(4)} by ${moved.join("; ")}`);
  return { bytes, paint, shift };
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
  const { slowest, shift } = await seen(page);
  await page.context().close();
  return { slowest, shift };
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

const folder = mkdtempSync(join(tmpdir(), "nyxcore-bench-"));
const server = await serverStart(values);
const browser = await browserStart();
try {
  await manyFiles(server, folder);
  const entrance = await load(browser, server, "/", false);
  const home = await load(browser, server, "/", true);
  const code = await load(browser, server, "/projects/many/code", true);
  const use = await interact(browser, server);
  const rows = [
    ["First load, sign-in", entrance.bytes / 1000, "kB", 350],
    ["First load, home", home.bytes / 1000, "kB", 350],
    ["Largest paint, cold, sign-in", entrance.paint, "ms", 1500],
    ["Largest paint, cold, home", home.paint, "ms", 1500],
    [`Largest paint, cold, code of ${FILES} files`, code.paint, "ms", 1500],
    [`Slowest interaction, list of ${FILES} files`, use.slowest, "ms", 100],
    ["Layout shift, all pages", entrance.shift + home.shift + code.shift + use.shift, "", 0.001],
  ];
  for (const [name, value, unit, limit] of rows) {
    const figure = `${unit ? Math.round(value) : value.toFixed(4)} ${unit}`.trim();
    console.log(
      `${value > limit ? "OVER" : "ok  "}  ${name.padEnd(44)} ${figure.padStart(10)}   (at most ${limit} ${unit})`,
    );
  }
  process.exitCode = rows.some(([, value, , limit]) => value > limit) ? 1 : 0;
} finally {
  await browser.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
