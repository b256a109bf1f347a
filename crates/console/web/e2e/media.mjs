// Makes the picture and the short recording that the README opens with, from the program itself on a repository.
//
//   node e2e/media.mjs --binary target/release/nyxcore --repository . --output docs/media [--preview]
//
// The recording is an animation of screenshots: `img2webp` and `cwebp` of Debian's package `webp` put it together.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { modelAdd, mutate, projectMake } from "./api.mjs";
import { browserStart, pageOpen, settled, signIn } from "./browser.mjs";
import { modelStart } from "./model.mjs";
import { serverStart } from "./server.mjs";

const { values } = parseArgs({
  options: {
    binary: { type: "string", default: process.env.NYXCORE_BINARY ?? "nyxcore" },
    preview: { type: "boolean", default: false },
    repository: { type: "string", default: "." },
    output: { type: "string", default: "docs/media" },
    name: { type: "string", default: "nyxcore" },
  },
});
const SIZE = { width: 1200, height: 750 };
/** The most that the recording may weigh, in bytes. */
const MOST = 1_500_000;

const NOTE = {
  title: "Where should a newcomer start?",
  body: "How is code written here: names of functions and types, handling of errors, tests, imports?",
};
const ANSWER = {
  markdown: [
    "## Start with the conventions",
    "Functions are named in snake_case, the object first [1]. Errors are enums of their crate, passed on with `?` [2].",
    "## Then read one path from end to end",
    "Follow a sync: the gateway takes the mutation, a worker claims the run, and each phase is told as an event [3].",
  ].join("\n\n"),
  action_points: [{ text: "Add a guide that follows one sync through the code.", citations: [3] }],
  open_questions: [],
};

const frames = mkdtempSync(join(tmpdir(), "nyxcore-media-"));
const output = resolve(values.output);
const model = await modelStart({ pauseMs: 40, answer: ANSWER });
const server = await serverStart(values);
const browser = await browserStart();
const animation = [];

/** One frame, shown for so long. */
async function frame(page, ms) {
  const path = join(frames, `${String(animation.length).padStart(3, "0")}.png`);
  await page.screenshot({ path });
  animation.push({ path, ms });
}

/** A copy of the repository with its history, and without the names of those who wrote it. */
function anonymous() {
  const copy = join(frames, "repository");
  execFileSync("git", ["clone", "-q", "--single-branch", `file://${resolve(values.repository)}`, copy]);
  const names = ["AUTHOR", "COMMITTER"].map((who) => `GIT_${who}_NAME=Ada GIT_${who}_EMAIL=ada@example.org`).join(" ");
  const env = { ...process.env, FILTER_BRANCH_SQUELCH_WARNING: "1" };
  execFileSync("git", ["-C", copy, "filter-branch", "-f", "--env-filter", `export ${names}`], { env, stdio: "pipe" });
  return copy;
}

async function record() {
  const { id: projectId } = await projectMake(server, { name: values.name, slug: "project", url: anonymous() });
  await modelAdd(server, {
    provider: "local",
    baseUrl: model.url,
    id: "local-writer",
    name: "Local Writer",
    capabilities: ["json_schema"],
    contextWindow: 64_000,
    maxOutputTokens: 8000,
    inputUsdPerMtok: 1,
    outputUsdPerMtok: 4,
  });
  const { note } = await mutate(server, "createNote", { projectId, ...NOTE }, "note { id }");
  const page = await pageOpen(browser, server, { viewport: SIZE, colorScheme: "light" });
  await signIn(page);
  await page.goto("/projects/project");
  await page.getByText("Lines of code").waitFor();
  await settled(page);
  await frame(page, 2200);
  execFileSync("cwebp", ["-quiet", "-q", "86", animation[0].path, "-o", join(output, "console.webp")]);
  await page.getByRole("link", { name: "Patterns", exact: true }).click();
  await settled(page);
  await frame(page, 1200);
  await page
    .getByRole("button", { name: /errors? /i })
    .first()
    .click();
  const evidence = page.getByRole("region", { name: /errors? /i }).first();
  await evidence.getByText("Follow the pattern").waitFor();
  await settled(page);
  await frame(page, 2000);
  await evidence.getByRole("link", { name: /:\d+/ }).first().click();
  await page.locator("[data-marked]").first().waitFor();
  await page.getByText(/^[\d,]+ files$/).waitFor();
  await settled(page);
  await frame(page, 2200);
  await page.goto(`/projects/project/notes/${note.id}`);
  await page.getByRole("button", { name: "Enrich", exact: true }).waitFor();
  await settled(page);
  await frame(page, 1200);
  const release = model.hold();
  await page.getByRole("button", { name: "Enrich", exact: true }).click();
  await page.getByRole("heading", { name: "Start with the conventions" }).waitFor();
  // The text has the page to itself.
  await page.getByRole("region", { name: "Enrichments" }).evaluate((element) => element.scrollIntoView());
  await frame(page, 500);
  release();
  for (let step = 0; step < 6; step += 1) {
    await page.waitForTimeout(250);
    await frame(page, 250);
  }
  await page.getByRole("button", { name: "Apply" }).waitFor();
  await settled(page);
  await page.getByRole("region", { name: "Enrichments" }).evaluate((element) => element.scrollIntoView());
  await frame(page, 3000);
}

try {
  mkdirSync(output, { recursive: true });
  await record();
  const path = join(output, "console-tour.webp");
  const parts = animation.flatMap((one) => ["-lossy", "-q", "60", "-m", "4", "-d", String(one.ms), one.path]);
  execFileSync("img2webp", ["-loop", "0", ...parts, "-o", path], { stdio: "pipe" });
  const { size } = statSync(path);
  console.log(`${path}: ${animation.length} frames, ${Math.round(size / 1000)} kB`);
  if (size > MOST) throw new Error(`the recording weighs more than ${MOST / 1000} kB`);
} finally {
  await browser.close();
  await server.stop();
  await model.stop();
  rmSync(frames, { recursive: true, force: true });
}
