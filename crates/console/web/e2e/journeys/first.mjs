// The first hour with the console: from the sign-in to a note that was enriched.

import assert from "node:assert/strict";
import { noteEnrich, noteMake } from "../api.mjs";
import { heading, pageOpen, signIn, signInByForm } from "../browser.mjs";

export async function first_journey_from_sign_in_to_an_applied_enrichment({ browser, server }) {
  const page = await pageOpen(browser, server);
  // A tenant of its own: nothing is in it yet.
  await signInByForm(page, "ida@example.org");
  await heading(page, "Welcome to Umbra").waitFor();
  await page.getByRole("main").getByRole("link", { name: "Create project" }).click();
  await heading(page, "No projects yet").waitFor();
  await page.getByRole("button", { name: "Create project" }).first().click();
  const form = page.getByRole("dialog", { name: "Create project" });
  await form.getByLabel("Name").fill("Atlas");
  await form.getByRole("button", { name: "Create project" }).click();
  await page.getByRole("heading", { name: "No repository yet" }).waitFor();
  assert(await page.getByRole("button", { name: "Import from GitHub" }).isVisible());
  await page.getByRole("button", { name: "Add Git URL" }).click();
  const add = page.getByRole("dialog", { name: "Add Git URL" });
  assert.equal(await add.getByLabel("Folder to scan").inputValue(), "/");
  await add.getByLabel("Git URL").fill(server.repository);
  await add.getByRole("button", { name: "Add and sync" }).click();
  await page.waitForURL(/\/sources\/source_/);
  // The sync is followed through a reload.
  await page.reload();
  await page.getByRole("region", { name: /^(Syncing|Latest sync)/ }).getByText("Fetch from the repository").waitFor();
  const main = page.getByRole("main");
  await main.getByText("Ready", { exact: true }).waitFor();
  await page.getByRole("navigation", { name: "Parts of the project" }).getByRole("link", { name: "Overview" }).click();
  await main.getByText("Lines of code").waitFor();
  await page.getByRole("link", { name: "Patterns", exact: true }).click();
  await page.getByText("Functions and methods are snake_case").first().click();
  await page.getByText("Follow the pattern").waitFor();
  // The evidence opens the code with its lines marked, and the address names them.
  await page
    .getByRole("link", { name: /src\/lib\.rs:/ })
    .first()
    .click();
  await page.waitForURL(/\/code\?.*lines=/);
  await page.locator("[data-marked]").first().waitFor();
  await page.getByRole("link", { name: "Notes", exact: true }).click();
  await heading(page, "No notes yet").waitFor();
  await page.getByRole("button", { name: "Write a note" }).click();
  const note = page.getByRole("dialog", { name: "Write a note" });
  await note.getByLabel("Title").fill("How are functions named?");
  await note.getByLabel("Text in Markdown").fill("Names of functions, handling of errors, doc comments.");
  await note.getByRole("button", { name: "Write a note" }).click();
  await page.waitForURL(/\/notes\/note_/);
  await page.getByRole("button", { name: "Enrich" }).click();
  await page.getByText("How the code is written").waitFor();
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Apply" }).click();
  await page.getByText("The text was added to the note.").waitFor();
  await page.locator("article .markdown", { hasText: "How the code is written" }).first().waitFor();
  await page.getByText("Applied").first().waitFor();
  return page;
}

export async function a_version_is_compared_and_restored({ browser, server }) {
  const page = await pageOpen(browser, server);
  const note = await noteMake(server, "Which version is it?");
  await noteEnrich(server, { noteId: note.id, mode: "EXTRACTIVE" });
  await signIn(page);
  await page.goto(note.path);
  const versions = page.getByRole("region", { name: "Versions" });
  await versions.getByText("before an enrichment").waitFor();
  await versions.getByRole("button", { name: "Compare with now" }).click();
  await versions.locator("ins", { hasText: "How the code is written" }).first().waitFor();
  assert.equal(await versions.locator("del").count(), 0, "the enrichment only added lines");
  await versions.getByRole("button", { name: "Restore" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
  await page.getByText("The version was restored.").waitFor();
  await versions.getByText("before a restore").waitFor();
  await page
    .locator("article .markdown", { hasText: /^Names of functions, handling of errors, doc comments\.\s*$/ })
    .waitFor();
  return page;
}
