// What people do in the console, from one end to the other. Each journey is one function; it throws where the console
// does not do what it should.

import assert from "node:assert/strict";
import { pageOpen, settled, signIn } from "./browser.mjs";
import { PASSWORD, graphql } from "./server.mjs";

const heading = (page, name) => page.getByRole("heading", { name });

export async function first_journey_from_sign_in_to_an_applied_enrichment({ browser, server }) {
  const page = await pageOpen(browser, server);
  await signIn(page);
  await heading(page, "Welcome to Acme").waitFor();
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
  await page.getByText("Fetch from the repository").first().waitFor();
  await page.getByText("Ready").first().waitFor();
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByText("Lines of code").waitFor();
  await page.getByRole("link", { name: "Patterns", exact: true }).click();
  await page.getByText("Functions and methods are snake_case").first().click();
  await page.getByText("Follow the pattern").waitFor();
  await page.getByRole("button", { name: /src\/lib\.rs:/ }).first().click();
  await page.getByRole("dialog").locator("[data-marked]").first().waitFor();
  await page.keyboard.press("Escape");
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

export async function a_note_with_script_is_harmless({ browser, server }) {
  const { project } = await graphql(server, '{ project(slug: "atlas") { id } }');
  const body = '<script>window.hacked = 1</script><img src="https://evil.example/x.png" onerror="window.hacked = 1">\n\n[click](javascript:window.hacked=1) ![far](https://evil.example/y.png)\n\nשלום **עולם**';
  const made = await graphql(server, "mutation($input: CreateNoteInput!) { createNote(input: $input) { note { id } } }", {
    input: { projectId: project.id, title: "א".repeat(200), body },
  });
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto(`/projects/atlas/notes/${made.createNote.note.id}`);
  await page.getByText("עולם").waitFor();
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
  assert.equal(await page.locator(".markdown a", { hasText: "click" }).getAttribute("href"), null);
  assert.equal(await page.locator(".markdown img").count(), 0);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "a long title overflows");
  return page;
}

export async function nothing_typed_is_lost_when_the_session_ends({ browser, server }) {
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto("/projects/atlas/notes");
  await page.getByRole("link", { name: "How are functions named?" }).click();
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Text in Markdown").fill("Typed before the session ended.");
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Save" }).click();
  const again = page.getByRole("dialog", { name: "Your session has ended" });
  await again.getByLabel(/^Password/).fill(PASSWORD);
  await again.getByRole("button", { name: "Sign in" }).click();
  await again.waitFor({ state: "detached" });
  assert.equal(await page.getByLabel("Text in Markdown").inputValue(), "Typed before the session ended.");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("article .markdown", { hasText: "Typed before the session ended." }).waitFor();
  return page;
}

export async function a_draft_survives_a_reload({ browser, server }) {
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto("/projects/atlas/notes");
  await page.getByRole("link", { name: "How are functions named?" }).click();
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Text in Markdown").fill("Not saved yet.");
  await page.reload();
  await page.getByRole("button", { name: "Continue editing" }).click();
  assert.equal(await page.getByLabel("Text in Markdown").inputValue(), "Not saved yet.");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard the changes" }).click();
  await page.getByRole("button", { name: "Edit" }).waitFor();
  return page;
}

export async function an_invited_viewer_sees_no_dead_buttons({ browser, server }) {
  const owner = await pageOpen(browser, server);
  await signIn(owner);
  await owner.goto("/people");
  await owner.getByRole("button", { name: "Invite" }).click();
  const form = owner.getByRole("dialog", { name: "Invite" });
  await form.getByLabel("Email address").fill("vera@example.org");
  await form.getByRole("textbox", { name: "Role" }).or(form.getByRole("combobox", { name: "Role" })).first().click();
  await owner.getByRole("option", { name: /^Viewer/ }).click();
  await form.getByRole("button", { name: "Create the link" }).click();
  const link = await form.locator(".code").first().innerText();
  const page = await pageOpen(browser, server);
  await page.goto(link.replace(new URL(link).origin, server.url));
  await page.getByLabel("Your name").fill("Vera");
  await page.getByLabel(/^Password/).fill(PASSWORD);
  await page.getByRole("button", { name: "Accept the invitation" }).click();
  await page.getByRole("navigation", { name: "Main navigation" }).waitFor({ state: "attached" });
  for (const [path, words] of [
    ["/projects", /create/i],
    ["/projects/atlas/sources", /sync now|import|add/i],
    ["/projects/atlas/notes", /write/i],
    ["/personas", /create|add/i],
    ["/models", /add/i],
    ["/tokens", /create/i],
  ]) {
    await page.goto(path);
    await settled(page);
    const buttons = await page.getByRole("main").getByRole("button").allInnerTexts();
    assert.deepEqual(buttons.filter((text) => words.test(text)), [], path);
  }
  assert.equal(await page.getByRole("link", { name: "Audit log" }).count(), 0);
  await owner.context().close();
  return page;
}

export async function two_tenants_see_nothing_of_each_other({ browser, server }) {
  const page = await pageOpen(browser, server);
  await signIn(page, "grace@example.org");
  await heading(page, "Welcome to Globex").waitFor();
  await page.goto("/projects/atlas");
  await heading(page, "Nothing is here").waitFor();
  return page;
}

export async function the_picker_works_by_keyboard_alone({ browser, server }) {
  await graphql(server, 'mutation { setModelEndpoint(input: { name: "local", baseUrl: "http://127.0.0.1:9/v1", protocol: OPENAI_CHAT }) { provider { id } } }');
  await graphql(server, 'mutation { setModel(input: { id: "local-small", name: "Local Small", provider: "local", mode: CHAT, contextWindow: 32000 }) { model { id } } }');
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto("/projects/atlas/notes");
  await page.getByRole("link", { name: "How are functions named?" }).click();
  const picker = page.getByRole("button", { name: /^Model/ });
  await picker.focus();
  await page.keyboard.press("Enter");
  const search = page.getByRole("textbox", { name: "Search models" }).or(page.getByRole("combobox", { name: "Search models" })).or(page.getByPlaceholder("Search models")).first();
  await search.waitFor();
  await page.keyboard.type("local small");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByText("local · Local Small").or(page.getByText("Local Small")).first().waitFor();
  assert.match(await picker.innerText(), /Local Small/);
  // The keyboard goes on where it was.
  await page.waitForFunction(() => document.activeElement?.textContent?.includes("Local Small"));
  return page;
}

export async function the_command_palette_finds_a_project({ browser, server }) {
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Search pages, projects and knowledge").fill("atl");
  await page.getByRole("button", { name: "Atlas" }).or(page.getByRole("option", { name: "Atlas" })).first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/projects\/atlas/);
  return page;
}

export async function a_lost_connection_is_told_and_mended({ browser, server }) {
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto("/projects/atlas/sources");
  await settled(page);
  await page.context().setOffline(true);
  await page.evaluate(() => dispatchEvent(new Event("offline")));
  await page.getByRole("button", { name: "Sync now" }).click();
  await page.getByText("The server does not answer.").first().waitFor();
  await page.context().setOffline(false);
  await page.getByRole("button", { name: "Sync now" }).click();
  await page.getByText(/Sync of Atlas: Succeeded/).waitFor();
  return page;
}

export async function without_javascript_a_notice_is_shown({ browser, server }) {
  const page = await pageOpen(browser, server, { javaScriptEnabled: false });
  await page.goto("/projects");
  assert.match(await page.locator("body").innerText(), /needs JavaScript/);
  return page;
}
