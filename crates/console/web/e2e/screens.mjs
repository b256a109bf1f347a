// Every screen, light and dark, wide and narrow: nothing that axe finds, nothing that leaves the page sideways, no
// shift of the layout; and a picture of each.

import assert from "node:assert/strict";
import { pageOpen, settled, shotPath, signInByForm, violations } from "./browser.mjs";
import { mutate } from "./api.mjs";
import { sampleMake } from "./sample.mjs";

export async function screensJudge({ browser, server, shots, only }) {
  const { sourceId, note, post, sync } = await sampleMake(server, server.folder);
  await mutate(server, "createProject", { name: "Quay", slug: "quay" });
  const paths = {
    home: "/",
    projects: "/projects",
    overview: "/projects/harbour",
    sources: "/projects/harbour/sources",
    source: `/projects/harbour/sources/${sourceId}`,
    code: "/projects/harbour/code",
    "code-file": "/projects/harbour/code?path=src/tide.rs&lines=5-12",
    notes: "/projects/harbour/notes",
    note: `/projects/harbour/notes/${note}`,
    patterns: "/projects/harbour/patterns",
    knowledge: "/projects/harbour/knowledge",
    posts: "/projects/harbour/posts",
    post: `/projects/harbour/posts/${post}`,
    "project-runs": "/projects/harbour/runs",
    "project-settings": "/projects/harbour/settings",
    runs: "/runs",
    run: `/runs/${sync}`,
    personas: "/personas",
    models: "/models",
    usage: "/usage",
    people: "/people",
    tokens: "/tokens",
    audit: "/audit",
    settings: "/settings",
    // A project with nothing in it: what its screens say first.
    "overview-empty": "/projects/quay",
    "sources-empty": "/projects/quay/sources",
    "code-empty": "/projects/quay/code",
    "notes-empty": "/projects/quay/notes",
    "patterns-empty": "/projects/quay/patterns",
    "knowledge-empty": "/projects/quay/knowledge",
    "posts-empty": "/projects/quay/posts",
    "not-found": "/nothing/here",
  };
  const kinds = ["light", "dark"].flatMap((scheme) => [1280, 390].map((width) => ({ scheme, width })));
  return kinds.map(({ scheme, width }) => ({
    name: `screens_are_accessible_${scheme}_${width}`,
    run: () => judge({ browser, server, shots, scheme, width, paths, only }),
  }));
}

async function judge({ browser, server, shots, scheme, width, paths, only }) {
  const page = await pageOpen(browser, server, { colorScheme: scheme, viewport: { width, height: 900 } });
  const problems = [];
  const look = async (name) => {
    const sideways = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    if (sideways > 0) problems.push(`${name}: the page is ${sideways} px too wide`);
    for (const found of await violations(page)) problems.push(`${name}: ${found}`);
    if (shots) await page.screenshot({ path: shotPath(shots, `${name}-${width}-${scheme}`), fullPage: true });
  };
  await page.goto("/");
  await page.getByLabel("Email address").waitFor();
  await look("sign-in");
  await signInByForm(page);
  for (const [name, path] of Object.entries(paths)) {
    if (only && !only.split(",").includes(name)) continue;
    await page.goto(path);
    await settled(page);
    const moves = await page.evaluate(
      () =>
        new Promise((done) => {
          const moves = [];
          new PerformanceObserver((list) => {
            for (const { hadRecentInput, value, sources } of list.getEntries()) {
              const nodes = sources.map(({ node }) => `${node?.nodeName} ${node?.textContent?.slice(0, 40) ?? ""}`);
              if (!hadRecentInput) moves.push(`${value.toFixed(4)} ${nodes.join(", ")}`);
            }
          }).observe({ type: "layout-shift", buffered: true });
          setTimeout(() => done(moves), 50);
        }),
    );
    for (const move of moves) problems.push(`${name}: the layout shifts by ${move}`);
    await look(name);
  }
  assert.deepEqual(problems, []);
  return page;
}
