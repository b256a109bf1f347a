// A tenant at work, for the pictures of the screens: a project with two languages, a history, two syncs, and what
// people and a model wrote in it.

import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { graphql, mutate, noteEnrich, projectMake, scriptedModel, sourceSync } from "./api.mjs";

const PEOPLE = { ada: ["Ada", "ada@example.org"], mira: ["Mira", "mira@example.org"] };

/** Makes the sample, and gives the addresses of what is in it. */
export async function sampleMake(server, folder) {
  const path = repositoryMake(folder);
  const description = "Tides, charts and the berths of the harbour: what a pilot asks before a ship comes in.";
  const input = { name: "Harbour", slug: "harbour", description, url: path };
  const { id: projectId, sourceId } = await projectMake(server, input);
  repositoryChange(path);
  await sourceSync(server, projectId, sourceId);
  // The budgets first: they count what the notes cost.
  await tenantFill(server);
  const note = await notesMake(server, projectId);
  const post = await textsMake(server, projectId);
  const { runs } = await graphql(server, "{ runs(first: 50) { nodes { id kind project { id } } } }");
  const sync = runs.nodes.findLast((run) => run.kind === "SYNC" && run.project?.id === projectId);
  return { sourceId, note, post, sync: sync.id };
}

function commit(path, [name, email], daysAgo, message) {
  const at = new Date(Date.now() - daysAgo * 86_400_000).toISOString();
  const env = { ...process.env, GIT_AUTHOR_DATE: at, GIT_COMMITTER_DATE: at };
  const git = (...args) =>
    execFileSync("git", ["-C", path, "-c", `user.name=${name}`, "-c", `user.email=${email}`, ...args], {
      env,
      stdio: "pipe",
    });
  git("add", ".");
  git("commit", "-qm", message);
}

function repositoryMake(folder) {
  const path = join(folder, "harbour");
  const write = (name, text) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  mkdirSync(path, { recursive: true });
  execFileSync("git", ["init", "-q", "-b", "main", path]);
  write("Cargo.toml", '[package]\nname = "harbour"\nversion = "0.3.0"\nedition = "2024"\n');
  write("README.md", "# Harbour\n\nAnswers what a pilot asks: the tide, the chart, and the berth.\n");
  const modules = "pub mod berth;\npub mod chart;\nmod error;\npub mod tide;\npub use error::Error;\n";
  write("src/lib.rs", `//! The harbour.\n\n${modules}`);
  const cases = "    /// Nothing was given.\n    Empty,\n";
  write("src/error.rs", `/// What goes wrong.\n#[derive(Debug)]\npub enum Error {\n${cases}}\n`);
  commit(path, PEOPLE.ada, 200, "Begin the harbour");
  for (const [n, area] of ["tide", "chart", "berth"].entries()) {
    write(`src/${area}.rs`, rustText(area, 14 - 4 * n));
    commit(path, PEOPLE.ada, 180 - 20 * n, `Read the ${area}`);
  }
  write("web/src/plot.ts", typescriptText("Plot", 12));
  write("web/src/format.ts", typescriptText("Format", 6));
  write("web/package.json", '{ "name": "harbour-web", "private": true, "scripts": { "test": "vitest run" } }\n');
  commit(path, PEOPLE.mira, 90, "Plot the tide in the browser");
  for (let n = 0; n < 6; n += 1) {
    appendFileSync(join(path, "src", "tide.rs"), rustFunction("tide", 20 + n));
    if (n % 2) appendFileSync(join(path, "src", "chart.rs"), rustFunction("chart", 20 + n));
    commit(path, n % 3 ? PEOPLE.ada : PEOPLE.mira, 60 - 8 * n, `Correct the tide of quarter ${n + 1}`);
  }
  return path;
}

/** What the second sync brings. */
function repositoryChange(path) {
  for (let n = 40; n < 46; n += 1)
    appendFileSync(
      join(path, "src", "berth.rs"),
      `\n/// Finds the berth ${n}.\npub fn berth_find_${n}(text: &str) -> usize {\n    text.parse().unwrap()\n}\n`,
    );
  writeFileSync(join(path, "src", "berth_test.rs"), rustText("berth_test", 4));
  commit(path, PEOPLE.mira, 1, "Find a berth by its number");
}

const rustText = (area, count) => {
  const functions = Array.from({ length: count }, (_, n) => rustFunction(area, n));
  return `//! The ${area}.\n\nuse crate::Error;\n\n${functions.join("\n")}`;
};

const rustFunction = (area, n) => `/// Reads the ${area} of the hour ${n}.
pub fn ${area}_read_${n}(text: &str) -> Result<usize, Error> {
    if text.is_empty() {
        return Err(Error::Empty);
    }
    let metres = text.trim().parse().map_err(|_| Error::Empty)?;
    Ok(if metres > ${n} { metres } else { ${n} })
}
`;

const typescriptText = (area, count) =>
  Array.from(
    { length: count },
    (_, n) =>
      `/** Draws the part ${n}. */\nexport function draw${area}${n}(values: number[]): string {\n` +
      `  if (values.length === 0) return "";\n  return values.map((value) => value.toFixed(${n % 4})).join(", ");\n}\n`,
  ).join("\n");

const ANSWER = {
  markdown:
    "## How a tide is read\n\nEach reader is named after what it reads, `tide_read` first [1]. It checks for an " +
    "empty text, trims it, and hands an error up with `?` [2].\n\n## What follows\n\nA reader for berths keeps both habits.",
  action_points: [
    { text: "Replace unwrap in berth_find by the error of the crate.", citations: [1] },
    { text: "Describe the unit of the readers: metres.", citations: [2] },
  ],
  open_questions: ["Which chart datum do the readings refer to?"],
};

async function notesMake(server, projectId) {
  const write = async (title, body) =>
    (await mutate(server, "createNote", { projectId, title, body }, "note { id }")).note.id;
  await write("Berths for deep ships", "Which berths have more than nine metres at low water, and who may change that?");
  await write("One error type, or one a module?", "`Error::Empty` says little. Collect what callers do with it first.");
  const note = await write(
    "How is a tide read?",
    "Where are tides read, how are such functions named, and what happens to an **empty** reading?\n\n" +
      "- tide_read\n- berth_find",
  );
  const model = await scriptedModel(server, { answer: ANSWER });
  try {
    await noteEnrich(server, { noteId: note, provider: "scripted", model: "scripted-writer" });
  } finally {
    await model.stop();
  }
  return note;
}

async function textsMake(server, projectId) {
  const body = [
    "The **tide** of each hour is read by `tide_read`, and plotted in the browser.",
    "| hour | metres |\n|---|---|\n| 6 | 1.2 |\n| 12 | 3.9 |",
    "![A chart of the harbour](https://charts.example/harbour.png)",
  ].join("\n\n");
  await mutate(server, "createBlogPost", { projectId, title: "Berths by number", body: "Since this week." });
  const post = { projectId, title: "Reading the tide", body };
  const made = await mutate(server, "createBlogPost", post, "blogPost { id }");
  const memory = (title, content, tags) => mutate(server, "createMemoryEntry", { projectId, title, content, tags });
  await memory("Heights are metres above chart datum", "Feet are converted where they come in.", ["units", "tide"]);
  await memory("A berth is found by its number", "Names of berths change with their tenants.", ["berth"]);
  await mutate(server, "createInsight", {
    projectId,
    title: "Parsing fails late",
    detail: "An empty reading is noticed only when it is parsed.",
    type: "pain_point",
    severity: "medium",
    suggestion: "Check the text when it arrives.",
  });
  return made.blogPost.id;
}

async function tenantFill(server) {
  await graphql(server, "mutation { installStarterPersonas { installed { id } } }");
  await mutate(server, "createBudget", { scope: "TENANT", period: "MONTH", enforcement: "HARD", limitUsd: 50 });
  await mutate(server, "createBudget", {
    scope: "PURPOSE",
    purpose: "note_enrichment",
    period: "DAY",
    enforcement: "SOFT",
    limitUsd: 0.01,
  });
  await mutate(server, "inviteMember", { email: "mira@example.org", role: "MEMBER" });
  await mutate(server, "createApiToken", { name: "Continuous integration", role: "VIEWER" });
}
