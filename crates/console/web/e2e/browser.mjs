// The browser of the tests: Debian's Chromium, driven by playwright-core, with axe in each page that is judged.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { PASSWORD } from "./server.mjs";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export async function browserStart() {
  const known = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"];
  let executablePath = known.find((path) => path && existsSync(path));
  if (!executablePath) {
    // A fresh image has no lists of packages.
    execFileSync("apt-get", ["update", "--quiet"], { stdio: "inherit" });
    execFileSync("apt-get", ["install", "--yes", "--quiet", "chromium"], { stdio: "inherit" });
    executablePath = "/usr/bin/chromium";
  }
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** A page of a fresh browser profile. What the page complains of is kept: a test ends with none of it. */
export async function pageOpen(browser, server, options = {}) {
  const context = await browser.newContext({
    baseURL: server.url,
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
    locale: "en-US",
    ...options,
  });
  // Long enough for a machine that builds beside: only a failure waits so long.
  context.setDefaultTimeout(45_000);
  const page = await context.newPage();
  page.origin = new URL(server.url).origin;
  page.complaints = [];
  page.foreign = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => {
    const text = message.text();
    // A browser reports each refused request by itself; that they are refused is what some tests are about.
    const refused = text.startsWith("Failed to load resource") || /WebSocket/.test(text);
    if (message.type() === "error" && !refused) page.complaints.push(text);
  });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    const own = origin === new URL(server.url).origin || ["data:", "blob:", "ws:"].includes(protocol);
    if (!own) page.foreign.push(request.url());
  });
  return page;
}

export const heading = (page, name) => page.getByRole("heading", { name });

/** Signs in without the form, which one journey fills in. */
export async function signIn(page, email = "ada@example.org") {
  const data = { email, password: PASSWORD };
  const answer = await page.context().request.post("/auth/sign-in", { data, headers: { origin: page.origin } });
  if (!answer.ok()) throw new Error(`the sign-in of ${email}: ${answer.status()} ${await answer.text()}`);
}

export async function signInByForm(page, email = "ada@example.org") {
  await page.goto("/");
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel(/^Password/).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Main navigation" }).waitFor({ state: "attached" });
}

/** The WebSockets that the page opens from now on, the newest last: a test may close them. */
export async function socketsOf(page) {
  const sockets = [];
  await page.routeWebSocket(/\/graphql/, (socket) => {
    socket.connectToServer();
    sockets.push(socket);
  });
  return sockets;
}

/** What axe finds wrong with the page, by the rules of WCAG 2.2 A and AA. */
export async function violations(page) {
  // The policy of the page allows no inline script: axe comes in by the protocol of the developer tools.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const result = await globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    const place = (node) => `${node.target.join(" ")} ${node.html.slice(0, 140)}`;
    return result.violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map(place).join(" | ")}`);
  });
}

export async function settled(page) {
  await page.waitForLoadState("networkidle").catch(() => {});
  await page
    .locator('[aria-busy="true"], .mantine-Skeleton-root')
    .first()
    .waitFor({ state: "detached" })
    .catch(() => {});
}

export function shotPath(folder, name) {
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}.png`);
}
