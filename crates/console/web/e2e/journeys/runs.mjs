// Runs that are watched: an import from GitHub, and a note that a model writes while the reader looks on.

import assert from "node:assert/strict";
import { mutate, noteMake, scriptedModel } from "../api.mjs";
import { heading, pageOpen, signIn, socketsOf } from "../browser.mjs";
import { GITHUB_TOKEN, githubStart } from "../github.mjs";
import { ANSWER } from "../model.mjs";

export async function a_repository_is_imported_from_github({ browser, server }) {
  const github = await githubStart({ root: server.remotes, names: ["maps", "charts", "globe"] });
  try {
    await mutate(server, "createProject", { name: "Maps", slug: "maps" });
    const page = await pageOpen(browser, server);
    await signIn(page);
    await page.goto("/projects/maps/sources");
    await heading(page, "No repository yet").waitFor();
    await page.getByRole("button", { name: "Import from GitHub" }).click();
    const dialog = page.getByRole("dialog", { name: "Import from GitHub" });
    await dialog.getByLabel("Personal access token").fill("github_pat_wrong");
    await dialog.getByLabel("Server").fill(github.url);
    await dialog.getByRole("button", { name: "Connect" }).click();
    await dialog.getByRole("alert").waitFor();
    await dialog.getByLabel("Personal access token").fill(GITHUB_TOKEN);
    await dialog.getByRole("button", { name: "Connect" }).click();
    await page.getByText("Connected as octocat.").waitFor();
    for (const name of ["acme/maps", "acme/charts"]) await dialog.getByRole("checkbox", { name }).check();
    await dialog.getByRole("button", { name: "Import 2 repositories" }).click();
    await dialog.getByText("Imported").nth(1).waitFor();
    await dialog.getByRole("button", { name: "Done" }).click();
    // Both are synced, and the list says so without a reload.
    await page.getByText("Ready").nth(1).waitFor();
    await page.getByRole("link", { name: "Code", exact: true }).click();
    await page.getByRole("treeitem", { name: "README.md" }).waitFor();
    return page;
  } finally {
    await github.stop();
  }
}

export async function a_sync_is_watched_through_a_lost_connection({ browser, server }) {
  const github = await githubStart({ root: server.remotes, names: ["globe"] });
  const release = github.hold();
  try {
    const { project } = await mutate(server, "createProject", { name: "Globe", slug: "globe" }, "project { id }");
    const url = `${github.url}/acme/globe.git`;
    const { source } = await mutate(server, "addSource", { projectId: project.id, url }, "source { id }");
    const page = await pageOpen(browser, server);
    const sockets = await socketsOf(page);
    await signIn(page);
    await page.goto(`/projects/globe/sources/${source.id}`);
    await page.getByRole("button", { name: "Sync now" }).click();
    // The repository does not answer yet: the sync stands in its first phase.
    const running = page.getByRole("region", { name: "Syncing now" });
    await running.getByText("Fetch from the repository").waitFor();
    await page.reload();
    await running.getByText("Fetch from the repository").waitFor();
    await sockets.at(-1).close({ code: 1012 });
    await page.getByRole("status").getByText("Reconnecting", { exact: true }).waitFor();
    release();
    const ended = page.getByRole("region", { name: "Latest sync" });
    await ended.getByText("Store the result").waitFor();
    await page.getByRole("main").getByText("Ready", { exact: true }).waitFor();
    assert.equal(await ended.getByText("Fetch from the repository").count(), 1, "a phase is shown once");
    return page;
  } finally {
    release();
    await github.stop();
  }
}

export async function a_model_writes_a_note_before_the_readers_eyes({ browser, server }) {
  const model = await scriptedModel(server);
  try {
    const note = await noteMake(server, "Who reads parts?", "Which function reads a part, part_read?");
    const page = await pageOpen(browser, server);
    const sockets = await socketsOf(page);
    await signIn(page);
    await page.goto(note.path);
    await page.getByRole("button", { name: /^Model/ }).click();
    await page.getByRole("option", { name: /^Scripted Writer/ }).click();
    await page.getByRole("button", { name: "Preview the context" }).click();
    const preview = page.getByRole("dialog", { name: "What the enrichment is given" });
    await preview.getByText(/^scripted · scripted-writer gets these texts/i).waitFor();
    await preview.getByText("User text").click();
    await preview.getByRole("group", { name: "User text" }).getByText("part_read").first().waitFor();
    await page.keyboard.press("Escape");
    assert.equal(model.requests.length, 0, "a preview calls no model");
    const release = model.hold();
    await page.getByRole("button", { name: "Enrich", exact: true }).click();
    const card = page.getByRole("region", { name: "Enrichments" }).getByRole("article").first();
    await card.getByRole("heading", { name: "What the code says" }).waitFor();
    // The connection drops in the middle: the rest arrives over the next one, and nothing twice.
    await sockets.at(-1).close({ code: 1012 });
    await page.getByRole("status").getByText("Reconnecting", { exact: true }).waitFor();
    release();
    await card.getByText("Each checks for an empty text first.").waitFor();
    await card.getByText("$0.007").waitFor();
    await card.getByText("1,000 tokens in, 500 out").waitFor();
    await card.getByText(ANSWER.open_questions[0]).waitFor();
    assert.equal(await card.getByRole("heading", { name: "What the code says" }).count(), 1);
    assert(sockets.length > 1, "the page connected again");
    return page;
  } finally {
    await model.stop();
  }
}

export async function what_projects_share_is_found_by_a_consolidation({ browser, server }) {
  const { project } = await mutate(server, "createProject", { name: "Borealis", slug: "borealis" }, "project { id }");
  const pains = [
    [server.atlas, "The worker lost its lease in a long batch."],
    [project.id, "A lease expired while the worker did a long batch."],
  ];
  for (const [projectId, detail] of pains) {
    await mutate(server, "createInsight", { projectId, type: "pain_point", title: detail, detail });
  }
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto("/projects/atlas/knowledge");
  await page.getByRole("button", { name: "Find what projects share" }).click();
  const dialog = page.getByRole("dialog", { name: "Consolidate projects" });
  const projects = dialog.getByLabel("Projects", { exact: true }).first();
  await projects.fill("Bor");
  await page.getByRole("option", { name: "Borealis" }).click();
  await projects.press("Escape");
  await dialog.getByRole("button", { name: "Start the consolidation" }).click();
  await heading(page, "Consolidation").waitFor();
  await page.getByText("Succeeded").first().waitFor();
  await page.goto("/projects/borealis/knowledge");
  await page.getByRole("tab", { name: "Consolidations" }).click();
  await page.getByText(/lease/).first().waitFor();
  return page;
}
