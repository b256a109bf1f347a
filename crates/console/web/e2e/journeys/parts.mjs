// Parts that are on many screens: the picker of models and the command palette.

import assert from "node:assert/strict";
import { modelAdd, noteMake } from "../api.mjs";
import { pageOpen, signIn } from "../browser.mjs";

export async function the_picker_works_by_keyboard_alone({ browser, server }) {
  const baseUrl = "http://127.0.0.1:9/v1";
  await modelAdd(server, { provider: "local", baseUrl, id: "local-small", name: "Local Small" });
  const note = await noteMake(server, "Which model writes here?");
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto(note.path);
  const picker = page.getByRole("button", { name: /^Model/ });
  await picker.focus();
  await page.keyboard.press("Enter");
  const search = page
    .getByRole("textbox", { name: "Search models" })
    .or(page.getByRole("combobox", { name: "Search models" }))
    .or(page.getByPlaceholder("Search models"))
    .first();
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
  await page.goto("/");
  await page.getByRole("navigation", { name: "Main navigation" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Search pages, projects and knowledge").fill("atl");
  await page
    .getByRole("button", { name: "Atlas" })
    .or(page.getByRole("option", { name: "Atlas" }))
    .first()
    .waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/projects\/atlas/);
  return page;
}
