// Who may do what, and who sees whom.

import assert from "node:assert/strict";
import { heading, pageOpen, settled, signIn } from "../browser.mjs";
import { PASSWORD, graphql } from "../server.mjs";

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
  const page = await pageOpen(browser, server);
  await signIn(page, "grace@example.org");
  await page.goto("/");
  await heading(page, "Welcome to Globex").waitFor();
  await page.goto("/projects/atlas");
  await heading(page, "Nothing is here").waitFor();
  return page;
}

export async function a_role_that_changes_takes_the_buttons_with_it({ browser, server }) {
  const { viewer } = await graphql(
    server,
    "{ viewer { tenant { members(first: 50) { nodes { role user { id email } } } } } }",
  );
  let member = viewer.tenant.members.nodes.find((one) => one.user.email === "mona@example.org");
  if (!member) {
    const made = await graphql(
      server,
      'mutation { inviteMember(input: { email: "mona@example.org", role: MEMBER }) { url } }',
    );
    const invited = await pageOpen(browser, server);
    await invited.goto(new URL(made.inviteMember.url, server.url).href.replace(/^https?:\/\/[^/]+/, server.url));
    await invited.getByLabel("Your name").fill("Mona");
    await invited.getByLabel(/^Password/).fill(PASSWORD);
    await invited.getByRole("button", { name: "Accept the invitation" }).click();
    await invited.getByRole("navigation", { name: "Main navigation" }).waitFor({ state: "attached" });
    await invited.context().close();
    const now = await graphql(
      server,
      "{ viewer { tenant { members(first: 50) { nodes { role user { id email } } } } } }",
    );
    member = now.viewer.tenant.members.nodes.find((one) => one.user.email === "mona@example.org");
  }
  const page = await pageOpen(browser, server);
  await signIn(page, "mona@example.org");
  await page.goto("/projects/atlas/notes");
  await page.getByRole("link", { name: "How are functions named?" }).click();
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Text in Markdown").fill("Written before the role changed.");
  await graphql(
    server,
    "mutation($input: SetMemberRoleInput!) { setMemberRole(input: $input) { membership { role } } }",
    {
      input: { userId: member.user.id, role: "VIEWER" },
    },
  );
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Your role does not allow this.").first().waitFor();
  // What was typed is still there, and what the role no longer allows is gone.
  assert.equal(await page.getByLabel("Text in Markdown").inputValue(), "Written before the role changed.");
  await page.getByRole("button", { name: "Enrich" }).waitFor({ state: "detached" });
  return page;
}
