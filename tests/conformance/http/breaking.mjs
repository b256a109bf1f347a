// Compares schema.graphql with that of the last release, by graphql-js: what a client of that release could no longer
// send or read is a breaking change.
//
//   node http/breaking.mjs [REVISION]
//
// Without a revision it is the newest tag of the history that begins with `v`; without such a tag there is nothing to
// compare. A change that was decided is a line of accepted-breaks.txt, as it is printed here. Exit code 1 where another
// one is found.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSchema, findBreakingChanges } from "graphql";

const root = join(import.meta.dirname, "..", "..", "..");
const git = (...args) => execFileSync("git", ["-C", root, ...args], { encoding: "utf8", stdio: "pipe" });

function lastRelease() {
  try {
    return git("describe", "--tags", "--abbrev=0", "--match", "v*").trim();
  } catch {
    return null;
  }
}

const base = process.argv[2] ?? lastRelease();
if (!base) {
  console.log("no release is tagged yet: schema.graphql is compared with the first one");
  process.exit(0);
}
const before = buildSchema(git("show", "--end-of-options", `${base}:schema.graphql`));
const now = buildSchema(readFileSync(join(root, "schema.graphql"), "utf8"));
const accepted = readFileSync(join(import.meta.dirname, "accepted-breaks.txt"), "utf8").split("\n");
const breaks = findBreakingChanges(before, now).map(({ type, description }) => `${type}: ${description}`);
const open = breaks.filter((one) => !accepted.includes(one));
for (const one of open) console.log(`BREAKS  ${one}`);
console.log(`${breaks.length} breaking changes since ${base}, ${breaks.length - open.length} of them accepted`);
process.exit(open.length ? 1 : 0);
