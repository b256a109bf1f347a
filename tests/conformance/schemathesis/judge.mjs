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
  throw new Error("see the options of the installed version");
}
