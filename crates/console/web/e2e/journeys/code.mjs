// The code of a project: its tree, its files and the searches in them.

import assert from "node:assert/strict";
import { pageOpen, signIn } from "../browser.mjs";

export async function the_code_is_read_by_keyboard({ browser, server }) {
  const page = await pageOpen(browser, server);
  await signIn(page);
  await page.goto("/projects/atlas/code");
  const tree = page.getByRole("tree", { name: "Files" });
  await tree.getByRole("treeitem", { name: "src" }).waitFor();
  await tree.focus();
  for (const key of ["Home", "ArrowRight", "ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);
  await page.getByRole("heading", { name: "src/lib.rs" }).waitFor();
  await page.getByLabel("Find in this file").fill("part_read_29");
  await page.getByText("1 of 1").waitFor();
  await page.locator("[data-found]").getByText("part_read_29").waitFor();
  // A line that is marked is in the address, and a reload shows it again.
  await page.getByLabel("Find in this file").fill("");
  await page.goto(`${new URL(page.url()).pathname}?path=src/lib.rs&lines=200-202`);
  await page.locator("[data-marked]").nth(2).waitFor();
  assert.equal(await page.locator("[data-marked]").count(), 3);
  await page.getByLabel("Search the code").fill("error.rs");
  await page.getByRole("treeitem", { name: "src/error.rs" }).click();
  await page.getByRole("heading", { name: "src/error.rs" }).waitFor();
  await page.getByText("Contents", { exact: true }).click();
  await page.getByLabel("Search the code").fill("what goes wrong");
  await page.getByRole("link", { name: /^src\/error\.rs:/ }).first().click();
  await page.locator("[data-marked]").first().waitFor();
  return page;
}

export async function ten_thousand_files_are_listed_and_found({ browser, server }) {
  const page = await pageOpen(browser, server);
  // The list of files comes from here; all else is the server's.
  const COUNT = 10_000;
  const path = (n) => `crates/part${String(n % 50).padStart(2, "0")}/src/file_${n}.rs`;
  await page.route("**/graphql", async (route) => {
    const { query, variables } = route.request().postDataJSON() ?? {};
    if (!/query SourceFiles/.test(query ?? "")) return route.fallback();
    const from = Number(variables.after ?? 0);
    const nodes = Array.from({ length: 200 }, (_, n) => ({
      __typename: "SourceFile", id: `source_file_${from + n}`, path: path(from + n), size: 10, language: "Rust",
    }));
    const pageInfo = { __typename: "PageInfo", hasNextPage: from + 200 < COUNT, endCursor: `${from + 200}` };
    const files = { __typename: "SourceFileConnection", nodes, pageInfo };
    await route.fulfill({ json: { data: { node: { __typename: "Source", id: variables.id, files } } } });
  });
  await signIn(page);
  await page.goto("/projects/atlas/code");
  await page.getByText("10,000 files").waitFor();
  await page.getByLabel("Search the code").fill("src file_");
  await page.getByText("10,000 of 10,000 files").waitFor();
  const tree = page.getByRole("tree", { name: "Files" });
  assert((await tree.getByRole("treeitem").count()) < 100, "only the rows in sight are drawn");
  await tree.focus();
  await page.keyboard.press("End");
  await tree.locator('[data-at][aria-posinset="10000"]').waitFor();
  await page.getByLabel("Search the code").fill("file_9999.rs");
  await page.getByText("1 of 10,000 files").waitFor();
  return page;
}
