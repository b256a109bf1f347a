// Who may do what, and who sees whom.

import assert from "node:assert/strict";
import { members, mutate, noteMake } from "../api.mjs";
import { heading, pageOpen, settled, signIn } from "../browser.mjs";
import { PASSWORD } from "../server.mjs";

export async function an_invited_viewer_sees_no_dead_buttons({ browser, server }) {
  const owner = await pageOpen(browser, server);
  await signIn(owner);
  await owner.goto("/people");
  await owner.getByRole("button", { name: "Invite" }).click();
  const form = owner.getByRole("dialog", { name: "Invite" });
  await form.getByLabel("Email address").fill("vera@example.org");
  await form
    .getByRole("textbox", { name: "Role" })
    .or(form.getByRole("combobox", { name: "Role" }))
    .first()
    .click();
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
    assert.deepEqual(
      buttons.filter((text) => words.test(text)),
      [],
      path,
    );
  }
  assert.equal(await page.getByRole("link", { name: "Audit log" }).count(), 0);
  await owner.context().close();
  return page;
}

export async function two_tenants_see_nothing_of_each_other({ browser, server }) {
  // Two browsers at once, each signed in to a tenant of its own.
  const ada = await pageOpen(browser, server);
  await signIn(ada);
  await ada.goto("/projects/atlas");
  await heading(ada, "Atlas").waitFor();
  const grace = await pageOpen(browser, server);
  await signIn(grace, "grace@example.org");
  await grace.goto("/");
  await heading(grace, "Welcome to Globex").waitFor();
  // What goes on in one is no news in the other.
  await ada.goto("/projects/atlas/sources");
  await ada.getByRole("button", { name: "Sync now" }).click();
  await ada.getByText(/Sync of Atlas: Succeeded/).waitFor();
  assert.equal(await grace.getByText("Atlas").count(), 0);
  await grace.goto("/runs");
  await heading(grace, "No runs yet").waitFor();
  await grace.goto("/projects/atlas");
  await heading(grace, "Nothing is here").waitFor();
  assert.deepEqual([ada.complaints, ada.foreign], [[], []]);
  await ada.context().close();
  return grace;
}

export async function a_role_that_changes_takes_the_buttons_with_it({ browser, server }) {
  const { url } = await mutate(server, "inviteMember", { email: "mona@example.org", role: "MEMBER" }, "url");
  const { pathname, search, hash } = new URL(url, server.url);
  const invited = await pageOpen(browser, server);
  await invited.goto(`${pathname}${search}${hash}`);
  await invited.getByLabel("Your name").fill("Mona");
  await invited.getByLabel(/^Password/).fill(PASSWORD);
  await invited.getByRole("button", { name: "Accept the invitation" }).click();
  await invited.getByRole("navigation", { name: "Main navigation" }).waitFor({ state: "attached" });
  await invited.context().close();
  const { "mona@example.org": mona } = await members(server);
  const note = await noteMake(server, "A note of two roles");
  const page = await pageOpen(browser, server);
  await signIn(page, "mona@example.org");
  await page.goto(note.path);
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Text in Markdown").fill("Written before the role changed.");
  await mutate(server, "setMemberRole", { userId: mona.id, role: "VIEWER" });
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Your role does not allow this.").first().waitFor();
  // What was typed is still there, and what the role no longer allows is gone.
  assert.equal(await page.getByLabel("Text in Markdown").inputValue(), "Written before the role changed.");
  await page.getByRole("button", { name: "Enrich" }).waitFor({ state: "detached" });
  return page;
}
