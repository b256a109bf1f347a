// Schemathesis: operations that it makes of the schema, sent as each role for some minutes. Nothing may answer with a
// status of 500 or more, as an internal error, or with data that is not as the schema says (`hooks.py`).

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROLES = ["VIEWER", "MEMBER", "ADMIN", "OWNER"];
/** Operations that Schemathesis makes of a field before the time is over: more than any run has time for. */
const EXAMPLES = 100_000;

/** Runs it as each role. */
export async function schemathesisJudge({ server, verdict, options }) {
  for (const role of ROLES) {
    const token = server.tokenMake(role);
    const { code, calls, output } = await run(server, token, options);
    verdict(`Schemathesis as ${role}`, code === 0 && calls > 0, `${calls} operations in ${options.minutes} minutes`);
    if (code !== 0) console.log(output.replace(/^/gm, "        "));
  }
}

async function run(server, token, { python, minutes }) {
  const schema = join(import.meta.dirname, "..", "..", "..", "schema.graphql");
  const folder = mkdtempSync(join(tmpdir(), "nyxcore-schemathesis-"));
  const report = join(folder, "calls.ndjson");
  const args = ["-m", "schemathesis.cli", "run", schema, "--url", `${server.api}/graphql`];
  args.push("--header", `Authorization: Bearer ${token}`, "--max-time", String(60 * minutes));
  args.push("--max-examples", String(EXAMPLES), "--checks", "not_a_server_error,answer_is_as_the_schema_says");
  args.push("--continue-on-failure", "--no-color", "--report", "ndjson", "--report-ndjson-path", report);
  const env = { ...process.env, NYXCORE_SCHEMA: schema, SCHEMATHESIS_HOOKS: "hooks", PYTHONPATH: import.meta.dirname };
  const child = spawn(python, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (bytes) => (output += bytes));
  child.stderr.on("data", (bytes) => (output += bytes));
  const code = await new Promise((done) => child.on("close", done));
  rmSync(folder, { recursive: true, force: true });
  return { code, output };
}
