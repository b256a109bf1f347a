// What goes wrong around the console, told in plain words.

import assert from "node:assert/strict";
import { mutate } from "../api.mjs";
import { heading, pageOpen, settled, signIn } from "../browser.mjs";

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

export async function a_project_deleted_elsewhere_is_told({ browser, server }) {
  const input = { name: "Shortlived", slug: "shortlived" };
  const { project } = await mutate(server, "createProject", input, "project { id }");
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto("/projects/shortlived/notes");
  await heading(page, "No notes yet").waitFor();
  await page.getByRole("button", { name: "Write a note" }).click();
  const form = page.getByRole("dialog", { name: "Write a note" });
  await form.getByLabel("Title").fill("Too late");
  await mutate(server, "deleteProject", { projectId: project.id });
  await form.getByRole("button", { name: "Write a note" }).click();
  await page.getByText("This does not exist, or no longer exists.").first().waitFor();
  assert.equal(await form.getByLabel("Title").inputValue(), "Too late");
  await page.goto("/projects/shortlived");
  await heading(page, "Nothing is here").waitFor();
  return page;
}

export async function long_names_and_right_to_left_text_stay_in_the_page({ browser, server }) {
  const names = ["W".repeat(200), "ש".repeat(100) + " " + "עולם ".repeat(12)];
  for (const [index, name] of names.entries()) {
    await mutate(server, "createProject", { name: name.trim().slice(0, 200), slug: `long-${index}` });
  }
  const page = await pageOpen(browser, server, { viewport: { width: 390, height: 844 } });
  await signIn(page);
  for (const path of ["/projects", "/projects/long-0", "/projects/long-1/notes", "/projects/long-0/settings", "/"]) {
    await page.goto(path);
    await settled(page);
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(sideways <= 0, `${path} is ${sideways} px too wide`);
  }
  // Text that is written from right to left begins at the right.
  await page.goto("/projects/long-1");
  const title = page.getByRole("main").getByRole("heading", { level: 1 });
  await title.waitFor();
  assert.equal(await title.evaluate((element) => element.matches(":dir(rtl)")), true);
  return page;
}

export async function a_clock_that_is_wrong_tells_the_right_times({ browser, server }) {
  let page;
  for (const days of [-3, 3]) {
    page = await pageOpen(browser, server);
    // Wrong from the first script on.
    await page.clock.install({ time: Date.now() + days * 86_400_000 });
    await page.clock.resume();
    await signIn(page);
    await page.goto("/projects/atlas/runs");
    const times = page.getByRole("main").locator("time");
    await times.first().waitFor();
    for (const text of await times.allInnerTexts())
      assert.doesNotMatch(text, /days? ago|in \d/, `${days} days off, a run is told as ${text}`);
  }
  return page;
}
