// Every screen, light and dark, wide and narrow: nothing that axe finds, nothing that leaves the page sideways, no
// shift of the layout; and a picture of each.

import assert from "node:assert/strict";
import { pageOpen, settled, shotPath, signInByForm, violations } from "./browser.mjs";
import { graphql } from "./server.mjs";

const SHIFT_MAX = 0.02;

export async function screensJudge({ browser, server, shots, only }) {
  await filled(server);
  const { project, runs } = await graphql(
    server,
    `{
      project(slug: "atlas") {
        sources { id }
        notes(first: 50) { nodes { id title } }
        blogPosts(first: 1) { nodes { id } }
      }
      runs(first: 50) { nodes { id kind } }
    }`,
  );
  const note = project.notes.nodes.find((one) => one.title.startsWith("How are")) ?? project.notes.nodes[0];
  const sync = runs.nodes.find((run) => run.kind === "SYNC");
  const paths = {
    home: "/",
    projects: "/projects",
    overview: "/projects/atlas",
    sources: "/projects/atlas/sources",
    source: `/projects/atlas/sources/${project.sources[0].id}`,
    code: "/projects/atlas/code",
    "code-file": "/projects/atlas/code?path=src/lib.rs&lines=6-12",
    notes: "/projects/atlas/notes",
    note: `/projects/atlas/notes/${note.id}`,
    patterns: "/projects/atlas/patterns",
    knowledge: "/projects/atlas/knowledge",
    posts: "/projects/atlas/posts",
    post: `/projects/atlas/posts/${project.blogPosts.nodes[0].id}`,
    "project-runs": "/projects/atlas/runs",
    "project-settings": "/projects/atlas/settings",
    runs: "/runs",
    run: `/runs/${sync.id}`,
    personas: "/personas",
    models: "/models",
    usage: "/usage",
    people: "/people",
    tokens: "/tokens",
    audit: "/audit",
    settings: "/settings",
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
    // The narrow page has the same elements: axe looks at it where the layout differs most.
    const judged = width > 1000 || scheme === "light";
    for (const found of judged ? await violations(page) : []) problems.push(`${name}: ${found}`);
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
    const shift = await page.evaluate(
      () =>
        new Promise((done) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
          }).observe({ type: "layout-shift", buffered: true });
          setTimeout(() => done(sum), 50);
        }),
    );
    if (shift > SHIFT_MAX) problems.push(`${name}: the layout shifts by ${shift.toFixed(3)}`);
    await look(name);
  }
  assert.deepEqual(problems, []);
  return page;
}

/** What the empty screens lack: a post, a memory entry, personas, a budget, an invitation. */
async function filled(server) {
  const { project } = await graphql(server, '{ project(slug: "atlas") { id blogPosts(first: 1) { nodes { id } } } }');
  if (project.blogPosts.nodes.length) return;
  const projectId = project.id;
  const make = (query, input) => graphql(server, query, { input });
  await make("mutation($input: CreateBlogPostInput!) { createBlogPost(input: $input) { blogPost { id } } }", {
    projectId,
    title: "What the atlas says",
    body: [
      "The **parts** of the atlas are read by `part_read`.",
      "| part | reads |\n|---|---|\n| 1 | text |",
      "![A map](https://maps.example/map.png)",
    ].join("\n\n"),
  });
  await make("mutation($input: CreateMemoryEntryInput!) { createMemoryEntry(input: $input) { memoryEntry { id } } }", {
    projectId,
    title: "Parts are numbered from zero",
    content: "We number parts from zero, because files do.",
    tags: ["parts"],
  });
  await make("mutation($input: CreateInsightInput!) { createInsight(input: $input) { insight { id } } }", {
    projectId,
    title: "Parsing fails late",
    detail: "An empty part is noticed only when it is read.",
    type: "pain_point",
    severity: "medium",
    suggestion: "Check the text when it arrives.",
  });
  await graphql(server, "mutation { installStarterPersonas { installed { id } } }");
  await make("mutation($input: CreateBudgetInput!) { createBudget(input: $input) { budget { id } } }", {
    scope: "TENANT",
    period: "MONTH",
    enforcement: "HARD",
    limitUsd: 50,
  });
  await make("mutation($input: InviteMemberInput!) { inviteMember(input: $input) { url } }", {
    email: "mira@example.org",
    role: "MEMBER",
  });
}
