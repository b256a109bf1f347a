// The browser tests, against the program itself:
//
//   node e2e/run.mjs --binary target/debug/nyxcore [--preview] [--shots FOLDER] [--database-url URL] [WORD…]
//
// `--database-url` is the address of a superuser of PostgreSQL, to be used instead of SQLite. `--preview` serves the
// bundle in `dist` in front of a program that has none. WORDs choose journeys by their names; `screens` judges each
// screen, or those that `--screens home,code` names.

import { parseArgs } from "node:util";
import { projectMake } from "./api.mjs";
import { browserStart } from "./browser.mjs";
import * as journeys from "./journeys/index.mjs";
import { screensJudge } from "./screens.mjs";
import { serverStart } from "./server.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    binary: { type: "string", default: process.env.NYXCORE_BINARY ?? "nyxcore" },
    preview: { type: "boolean", default: false },
    shots: { type: "string" },
    "database-url": { type: "string" },
    screens: { type: "string" },
  },
});

const began = Date.now();
const server = await serverStart({ ...values, databaseUrl: values["database-url"] });
const browser = await browserStart();
const failures = [];

/** Runs one test; the page that it leaves has complained of nothing and asked no other host. */
async function test(name, run) {
  const start = Date.now();
  try {
    const page = await run();
    if (page) {
      if (page.complaints.length) throw new Error(`the page complains: ${page.complaints.join("\n")}`);
      if (page.foreign.length) throw new Error(`the page asks another host: ${page.foreign.join(", ")}`);
    }
    console.log(`ok    ${name.replaceAll("_", " ")} (${Date.now() - start} ms)`);
  } catch (error) {
    failures.push(name);
    console.log(`FAIL  ${name.replaceAll("_", " ")}\n${String(error?.stack ?? error).replace(/^/gm, "      ")}`);
    const open = browser.contexts().flatMap((context) => context.pages()).at(-1);
    if (open && values.shots) await open.screenshot({ path: `${values.shots}/failed-${name}.png` }).catch(() => {});
    const text = await open?.locator("body").innerText({ timeout: 1000 }).catch(() => undefined);
    if (text) console.log(`      The page shows:\n${text.slice(0, 4000).replace(/^/gm, "      | ")}`);
  } finally {
    for (const context of browser.contexts()) await context.close();
  }
}

try {
  const chosen = (name) => positionals.length === 0 || positionals.some((word) => name.includes(word));
  const judged = chosen("screens");
  const names = Object.keys(journeys).filter((name) => chosen(name) || positionals.includes("_"));
  // The project that most tests look at. Whatever else a test uses it makes itself, by the API.
  if (judged || names.some((name) => !name.startsWith("first_"))) {
    server.atlas = (await projectMake(server, { name: "Atlas", slug: "atlas", url: server.repository })).id;
  }
  // The screens come first: what the journeys leave behind is no picture of a tenant at work.
  const screens = judged ? await screensJudge({ browser, server, shots: values.shots, only: values.screens }) : [];
  for (const one of screens) await test(one.name, one.run);
  for (const name of names) await test(name, () => journeys[name]({ browser, server }));
} finally {
  await browser.close();
  await server.stop();
}
const verdict = failures.length ? `${failures.length} failed` : "all passed";
console.log(`${verdict} in ${((Date.now() - began) / 1000).toFixed(1)} s`);
process.exit(failures.length ? 1 : 0);
