// Schemathesis: operations that it makes of the schema, sent as each role for some minutes. Nothing may answer with a
// status of 500 or more, as an internal error, or with data that is not as the schema says: `hooks.py` judges that.
// Schemathesis' own check is left out: it takes every error of a GraphQL answer, such as INVALID_ID, for one of the
// server.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROLES = ["VIEWER", "MEMBER", "ADMIN", "OWNER"];
/** Operations of each field in one round; rounds follow each other until the time is over. */
const EXAMPLES = 5;
/** The share of the root fields that must have been asked. Two minutes of a loaded machine reach three quarters. */
const FIELDS_LEAST = 0.5;

/** Runs it as each role. */
export async function schemathesisJudge({ server, verdict, options }) {
  for (const role of ROLES) {
    const { code, output } = await run(server, server.tokenMake(role), options);
    const cases = Number(output.match(/(\d+) generated/)?.[1] ?? 0);
    const fields = Number(output.match(/Tested: (\d+)/)?.[1] ?? 0);
    const of = Number(output.match(/Selected: (\d+)/)?.[1] ?? 0);
    const what = `${cases} operations on ${fields} of ${of} root fields in ${options.minutes} minutes`;
    // One that hung, or found no time to ask anything, has proved nothing.
    const holds = code === 0 && of > 0 && fields >= of * FIELDS_LEAST;
    verdict(`Schemathesis as ${role}`, holds, what);
    if (!holds) console.log(output.replace(/^/gm, "        "));
  }
}

async function run(server, token, { python, minutes }) {
  const schema = join(import.meta.dirname, "..", "..", "..", "schema.graphql");
  const folder = mkdtempSync(join(tmpdir(), "nyxcore-schemathesis-"));
  const args = ["-m", "schemathesis.cli", "run", schema, "--url", `${server.api}/graphql`];
  args.push("--header", `Authorization: Bearer ${token}`, "--max-time", String(Math.round(60 * minutes)));
  args.push("--max-examples", String(EXAMPLES), "--checks", "answer_is_as_the_schema_says", "--phases", "fuzzing");
  args.push("--continue-on-failure", "--no-color", "--request-timeout", "60");
  const env = { ...process.env, NYXCORE_SCHEMA: schema, SCHEMATHESIS_HOOKS: "hooks", PYTHONPATH: import.meta.dirname };
  const child = spawn(python, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (bytes) => (output += bytes));
  child.stderr.on("data", (bytes) => (output += bytes));
  const code = await new Promise((done) => child.on("close", done));
  rmSync(folder, { recursive: true, force: true });
  return { code, output };
}
