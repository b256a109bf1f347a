// A real server for the browser tests: the program itself, on SQLite in a folder of its own or in a fresh database of
// PostgreSQL, with people and tenants.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const PASSWORD = "correct-horse-battery";

/**
 * Starts a server. `preview` puts the bundle of `dist` in front of a program that has none. `databaseUrl` is the
 * address of a superuser of PostgreSQL: the server gets a database and roles of its own there.
 */
export async function serverStart({ binary, preview, databaseUrl }) {
  const folder = mkdtempSync(join(tmpdir(), "nyxcore-console-"));
  const data = ["--data-dir", join(folder, "data")];
  // An analysis follows a sync at once: a test waits for it.
  const settings = { NYXCORE_ANALYSIS_QUIET_PERIOD: "1" };
  const env = { ...process.env, ...settings, ...(databaseUrl ? databaseMake(binary, folder, databaseUrl) : {}) };
  const options = { cwd: folder, encoding: "utf8", env, stdio: ["pipe", "pipe", "pipe"] };
  const run = (args, input = "") => execFileSync(binary, [...data, ...args], { ...options, input });
  for (const [slug, owner] of [
    ["acme", "ada@example.org"],
    ["globex", "grace@example.org"],
    ["umbra", "ida@example.org"],
  ]) {
    run(["tenant", "create", slug, "--name", slug[0].toUpperCase() + slug.slice(1), "--owner", owner]);
    run(["user", "set-password", owner], `${PASSWORD}\n`);
  }
  const tokenMake = (...more) => {
    const made = run(["token", "create", "--tenant", "acme", "--user", "ada@example.org", "--name", "tests", ...more]);
    return made.match(/nyx_\w+/)?.[0];
  };
  const token = tokenMake();
  const args = ["--log", "info", "serve", "--listen", "127.0.0.1:0", "--allow-sources", "local,private"];
  const program = await programStart(binary, [...data, ...args], { cwd: folder, env }, /listens at (http:\/\/[\d.:]+)/);
  const [, address] = program.seen;
  const front = preview ? await previewStart(address) : { url: address, stop: async () => {} };
  return {
    url: front.url,
    api: address,
    token,
    /** Makes a token of that role: "VIEWER". */
    tokenMake: (role) => tokenMake("--role", role),
    /** What a test puts there goes with the server. */
    folder,
    repository: repositoryMake(folder),
    /** A folder of bare repositories, `acme/<name>.git`, for a server to hand out. */
    remotes: remotesMake(folder),
    binary,
    preview,
    stop: async () => {
      await front.stop();
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts the program, and waits until it says what is sought. */
async function programStart(binary, args, options, sought) {
  const child = spawn(binary, args, options);
  let log = "";
  const seen = await new Promise((found, failed) => {
    const timer = setTimeout(() => failed(new Error(`the server does not start:\n${log}`)), 120_000);
    const hear = (bytes) => {
      log += bytes;
      const match = log.match(sought);
      if (!match) return;
      clearTimeout(timer);
      found(match);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => failed(new Error(`the server ended with ${code}:\n${log}`)));
  });
  const stop = async () => {
    child.removeAllListeners("exit");
    const ended = new Promise((done) => child.on("exit", done));
    child.kill("SIGTERM");
    await ended;
  };
  return { seen, stop };
}

/** Runs `nyxcore quickstart` on the repository of the tests, and gives the link that it prints. */
export async function quickstart({ binary, preview, folder, repository }) {
  const args = ["--data-dir", join(folder, "quickstart"), "quickstart", repository, "--listen", "127.0.0.1:0"];
  const options = { cwd: folder, env: { ...process.env } };
  const program = await programStart(binary, args, options, /Console +(http:\/\/[\d.:]+)(\/open\S+)/);
  const [, address, path] = program.seen;
  const front = preview ? await previewStart(address) : { url: address, stop: async () => {} };
  return {
    url: front.url,
    link: `${front.url}${path}`,
    stop: async () => {
      await front.stop();
      await program.stop();
    },
  };
}

/** Makes a database with its two roles, and gives the variables of the role that serves. */
function databaseMake(binary, folder, superuser) {
  const name = `nyxcore_console_${process.pid}`;
  const output = join(folder, "postgres");
  const env = { ...process.env, NYXCORE_ADMIN_URL: superuser };
  execFileSync(binary, ["setup", "postgres", "--database", name, "--output", output], {
    cwd: folder,
    env,
    stdio: "pipe",
  });
  const lines = readFileSync(join(output, "app.env"), "utf8").split("\n");
  const pairs = lines.map((line) => /^(\w+)=['"]?(.*?)['"]?$/.exec(line)).filter(Boolean);
  return Object.fromEntries(pairs.map(([, key, value]) => [key, value]));
}

/** Serves a bundle in front of a program that has none. */
export async function previewStart(server, outDir = "dist") {
  process.env.NYXCORE_SERVER = server;
  const { preview } = await import("vite");
  const root = join(import.meta.dirname, "..");
  const build = { outDir };
  const started = await preview({ root, build, preview: { port: 0, host: "127.0.0.1" }, logLevel: "silent" });
  const { port } = started.httpServer.address();
  return { url: `http://127.0.0.1:${port}`, stop: () => started.close() };
}

/** A repository with enough code for patterns, and two commits. */
function repositoryMake(folder) {
  const path = join(folder, "atlas");
  mkdirSync(join(path, "src"), { recursive: true });
  const git = gitIn(path);
  const functions = Array.from({ length: 30 }, (_, n) => functionText(n)).join("\n");
  writeFileSync(join(path, "Cargo.toml"), '[package]\nname = "atlas"\nversion = "0.1.0"\nedition = "2024"\n');
  writeFileSync(
    join(path, "src", "lib.rs"),
    `//! Parts of an atlas.\n\nmod error;\npub use error::Error;\n\n${functions}`,
  );
  writeFileSync(join(path, "src", "error.rs"), ERROR_TEXT);
  writeFileSync(join(path, "README.md"), "# Atlas\n");
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-qm", "Begin");
  writeFileSync(join(path, "README.md"), "# Atlas\n\nMaps.\n");
  git("commit", "-qam", "Say what it is");
  return path;
}

const gitIn =
  (path) =>
  (...args) =>
    execFileSync("git", ["-C", path, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args], {
      stdio: "pipe",
    });

const functionText = (n) => `/// Reads the part number ${n}.
pub fn part_read_${n}(text: &str) -> Result<usize, Error> {
    if text.is_empty() {
        return Err(Error::Empty);
    }
    let part = text.parse()?;
    Ok(part)
}
`;

const ERROR_TEXT = `/// What goes wrong.
#[derive(Debug)]
pub enum Error {
    /// Nothing was given.
    Empty,
}
`;

function remotesMake(folder) {
  const root = join(folder, "remotes");
  for (const name of ["maps", "charts", "globe"]) {
    const path = join(folder, "work", name);
    mkdirSync(path, { recursive: true });
    const git = gitIn(path);
    writeFileSync(join(path, "README.md"), `# ${name}\n`);
    git("init", "-q", "-b", "main");
    git("add", ".");
    git("commit", "-qm", "Begin");
    execFileSync("git", ["clone", "-q", "--bare", path, join(root, "acme", `${name}.git`)], { stdio: "pipe" });
  }
  return root;
}
