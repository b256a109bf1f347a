// Parts that are on many screens: the picker of models and the command palette.

import assert from "node:assert/strict";
import { pageOpen, signIn } from "../browser.mjs";
import { graphql } from "../server.mjs";

export async function the_picker_works_by_keyboard_alone({ browser, server }) {
  const mutate = (name, type, input) =>
    graphql(server, `mutation($input: ${type}!) { ${name}(input: $input) { __typename } }`, { input });
  const endpoint = { name: "local", baseUrl: "http://127.0.0.1:9/v1", protocol: "OPENAI_CHAT" };
  await mutate("setModelEndpoint", "SetModelEndpointInput", endpoint);
  const model = { id: "local-small", name: "Local Small", provider: "local", mode: "CHAT", contextWindow: 32_000 };
  await mutate("setModel", "SetModelInput", model);
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto("/projects/atlas/notes");
  await page.getByRole("link", { name: "How are functions named?" }).click();
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
