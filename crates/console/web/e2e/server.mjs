// A real server for the browser tests: the program itself, on SQLite in a folder of its own, with people and tenants.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const PASSWORD = "correct-horse-battery";

/** Starts a server. `preview` puts the bundle of `dist` in front of a program that has none. */
export async function serverStart({ binary, preview }) {
  const folder = mkdtempSync(join(tmpdir(), "nyxcore-console-"));
  const data = ["--data-dir", join(folder, "data")];
  const run = (args, input = "") => execFileSync(binary, [...data, ...args], { input, cwd: folder, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
  for (const [slug, owner] of [
    ["acme", "ada@example.org"],
    ["globex", "grace@example.org"],
  ]) {
    run(["tenant", "create", slug, "--name", slug[0].toUpperCase() + slug.slice(1), "--owner", owner]);
    run(["user", "set-password", owner], `${PASSWORD}\n`);
  }
  const token = run(["token", "create", "--tenant", "acme", "--user", "ada@example.org", "--name", "tests"]).match(/nyx_\w+/)?.[0];
  const child = spawn(binary, [...data, "--log", "info", "serve", "--listen", "127.0.0.1:0", "--allow-sources", "local,private"], { cwd: folder });
  let log = "";
  const address = await new Promise((found, failed) => {
    const timer = setTimeout(() => failed(new Error(`the server does not start:\n${log}`)), 60_000);
    const hear = (bytes) => {
      log += bytes;
      const seen = log.match(/listens at (http:\/\/[\d.:]+)/);
      if (seen) {
        clearTimeout(timer);
        found(seen[1]);
      }
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => failed(new Error(`the server ended with ${code}:\n${log}`)));
  });
  const front = preview ? await previewStart(address) : { url: address, stop: async () => {} };
  return {
    url: front.url,
    api: address,
    token,
    repository: repositoryMake(folder),
    log: () => log,
    stop: async () => {
      await front.stop();
      child.removeAllListeners("exit");
      const ended = new Promise((done) => child.on("exit", done));
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function previewStart(server) {
  process.env.NYXCORE_SERVER = server;
  const { preview } = await import("vite");
  const started = await preview({ root: join(import.meta.dirname, ".."), preview: { port: 0, host: "127.0.0.1" }, logLevel: "error" });
  const { port } = started.httpServer.address();
  return { url: `http://127.0.0.1:${port}`, stop: () => started.close() };
}

/** A repository with enough code for patterns, and two commits. */
function repositoryMake(folder) {
  const path = join(folder, "atlas");
  mkdirSync(join(path, "src"), { recursive: true });
  const git = (...args) =>
    execFileSync("git", ["-C", path, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args], { stdio: "pipe" });
  const functions = Array.from(
    { length: 30 },
    (_, n) => `/// Reads the part number ${n}.\npub fn part_read_${n}(text: &str) -> Result<usize, Error> {\n    if text.is_empty() {\n        return Err(Error::Empty);\n    }\n    let part = text.parse()?;\n    Ok(part)\n}\n`,
  ).join("\n");
  writeFileSync(join(path, "Cargo.toml"), '[package]\nname = "atlas"\nversion = "0.1.0"\nedition = "2024"\n');
  writeFileSync(join(path, "src", "lib.rs"), `//! Parts of an atlas.\n\nmod error;\npub use error::Error;\n\n${functions}`);
  writeFileSync(join(path, "src", "error.rs"), "/// What goes wrong.\n#[derive(Debug)]\npub enum Error {\n    /// Nothing was given.\n    Empty,\n}\n");
  writeFileSync(join(path, "README.md"), "# Atlas\n");
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-qm", "Begin");
  writeFileSync(join(path, "README.md"), "# Atlas\n\nMaps.\n");
  git("commit", "-qam", "Say what it is");
  return path;
}

/** Asks the API as the owner of acme. */
export async function graphql(server, query, variables = {}) {
  const answer = await fetch(`${server.api}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.token}`, "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}
