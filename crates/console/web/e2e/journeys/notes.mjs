// Notes: harmless whatever they say, and never lost while they are written.

import assert from "node:assert/strict";
import { mutate, noteMake } from "../api.mjs";
import { pageOpen, signIn } from "../browser.mjs";
import { PASSWORD } from "../server.mjs";

export async function a_note_with_script_is_harmless({ browser, server }) {
  const body = [
    '<script>window.hacked = 1</script><img src="https://evil.example/x.png" onerror="window.hacked = 1">',
    "[click](javascript:window.hacked=1) ![far](https://evil.example/y.png)",
    "שלום **עולם**",
  ].join("\n\n");
  const note = await noteMake(server, "א".repeat(200), body);
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto(note.path);
  await page.getByText("עולם").waitFor();
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
  assert.equal(await page.locator(".markdown a", { hasText: "click" }).getAttribute("href"), null);
  assert.equal(await page.locator(".markdown img").count(), 0);
  assert.equal(
    await page.evaluate(() => document.documentElement.scrollWidth > innerWidth),
    false,
    "a long title overflows",
  );
  return page;
}

export async function nothing_typed_is_lost_when_the_session_ends({ browser, server }) {
  const page = await pageOpen(browser, server);
  await signIn(page);
  const note = await noteMake(server, "A note that a session loses");
  await page.goto(note.path);
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
  const note = await noteMake(server, "A note with a draft");
  await page.goto(note.path);
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

export async function a_post_with_a_remote_image_loads_nothing({ browser, server }) {
  const input = {
    projectId: server.atlas,
    title: "A post from elsewhere",
    body: "![A map](https://maps.example/map.png)\n\n<img src='https://maps.example/pixel.gif'>",
  };
  const { blogPost } = await mutate(server, "createBlogPost", input, "blogPost { id }");
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto(`/projects/atlas/posts/${blogPost.id}`);
  const link = page.locator(".markdown a", { hasText: "A map" });
  await link.waitFor();
  assert.equal(await link.getAttribute("href"), "https://maps.example/map.png");
  assert.equal(await page.locator(".markdown img").count(), 0);
  return page;
}
