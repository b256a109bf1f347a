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

/** Runs it as each role. */
export async function schemathesisJudge({ server, verdict, options }) {
  for (const role of ROLES) {
    const { code, output } = await run(server, server.tokenMake(role), options);
    const cases = Number(output.match(/(\d+) generated/)?.[1] ?? 0);
    const fields = output.match(/Tested: (\d+)/)?.[1] ?? "0";
    const what = `${cases} operations on ${fields} root fields in ${options.minutes} minutes`;
    verdict(`Schemathesis as ${role}`, code === 0 && cases > 0, what);
    if (code !== 0) console.log(output.replace(/^/gm, "        "));
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
