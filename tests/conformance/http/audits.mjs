// The audits of npm `graphql-http`: what the GraphQL-over-HTTP specification asks of a server.
//
//   node http/audits.mjs --binary target/debug/nyxcore
//
// A line for each audit that does not pass, and one with their number. The exit code is 1 where one does not.

import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { serverAudits } from "graphql-http";
import { serverStart } from "../../../crates/console/web/e2e/server.mjs";

/** How many audits the pinned version has: one that has fewer would pass by leaving some out. */
const AUDITS = 61;

/** Runs every audit against a server; `verdict` hears of each that does not pass, and of the whole. */
export async function httpAudits({ server, verdict }) {
  const fetchFn = (url, options = {}) =>
    fetch(url, { ...options, headers: { ...options.headers, authorization: `Bearer ${server.token}` } });
  let passed = 0;
  for (const audit of serverAudits({ url: `${server.api}/graphql`, fetchFn })) {
    const result = await audit.fn();
    await result.response?.body?.cancel();
    if (result.status === "ok") passed += 1;
    else verdict(`graphql-http ${audit.id}`, false, `${audit.name}: ${result.status}: ${result.reason ?? ""}`);
  }
  verdict("graphql-http audits", passed === AUDITS, `${passed} of ${AUDITS}`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { binary: { type: "string", default: "nyxcore" } } });
  const server = await serverStart(values);
  let failed = false;
  const verdict = (name, holds, what) => {
    failed ||= !holds;
    console.log(`${holds ? "passed" : "FAILED"}  ${name.padEnd(44)} ${what}`);
  };
  try {
    await httpAudits({ server, verdict });
  } finally {
    await server.stop();
  }
  process.exitCode = failed ? 1 : 0;
}
