// The other ways in: the link that `nyxcore quickstart` prints, and GraphiQL.

import assert from "node:assert/strict";
import { heading, pageOpen, signIn } from "../browser.mjs";
import { quickstart } from "../server.mjs";

export async function the_link_of_quickstart_signs_in_once({ browser, server }) {
  const started = await quickstart(server);
  try {
    const page = await pageOpen(browser, started);
    await page.goto(started.link);
    await page.getByRole("navigation", { name: "Parts of the project" }).waitFor();
    await page.getByRole("main").getByText("Lines of code").waitFor();
    assert(!page.url().includes("#"), "the secret leaves the address");
    // In another browser the same link is used up.
    const late = await pageOpen(browser, started);
    await late.goto(started.link);
    await late.getByText("A link opens the console once").first().waitFor();
    await late.context().close();
    return page;
  } finally {
    await started.stop();
  }
}

export async function graphiql_asks_this_server_alone({ browser, server }) {
  // Its files are the program's own, with or without a preview in front.
  const page = await pageOpen(browser, { ...server, url: server.api });
  await signIn(page);
  await page.goto("/graphql");
  await page.getByText("Signed in as ada@example.org, in the tenant acme.").waitFor();
  await page.getByRole("button", { name: /^Execute query/ }).click();
  await page.getByRole("region", { name: "Result Window" }).getByText('"ada@example.org"').waitFor();
  return page;
}
