// Clients and suites that others wrote, against the built program on SQLite: a verdict a line, and exit code 1 where
// one does not hold.
//
//   node run.mjs --binary target/debug/nyxcore [--python VENV/bin/python] [--minutes 5] [WORD…]
//
// Words choose judges: http, resume, apollo, urql, relay, schemathesis. `--minutes` is what Schemathesis takes as each
// role; without `--python` it is left out.

import { parseArgs } from "node:util";
import { graphql, projectMake, serverStart } from "../../crates/console/web/e2e/server.mjs";
import { apolloJudge } from "./clients/apollo.mjs";
import { relayJudge } from "./clients/relay.mjs";
import { resumeJudge } from "./clients/resume.mjs";
import { urqlJudge } from "./clients/urql.mjs";
import { httpAudits } from "./http/audits.mjs";
import { schemathesisJudge } from "./schemathesis/judge.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    binary: { type: "string", default: "nyxcore" },
    python: { type: "string" },
    minutes: { type: "string", default: "5" },
  },
});

const judges = {
  http: httpAudits,
  resume: resumeJudge,
  apollo: apolloJudge,
  urql: urqlJudge,
  relay: relayJudge,
  // Last: it changes whatever its role may change.
  ...(values.python ? { schemathesis: schemathesisJudge } : {}),
};

let failed = 0;
function verdict(name, holds, what) {
  failed += holds ? 0 : 1;
  console.log(`${holds ? "passed" : "FAILED"}  ${name.padEnd(44)} ${what}`);
}

const server = await serverStart(values);
try {
  const world = await worldMake(server);
  for (const [name, judge] of Object.entries(judges)) {
    if (positionals.length && !positionals.includes(name)) continue;
    try {
      await judge({ server, verdict, world, options: values });
    } catch (error) {
      verdict(name, false, String(error?.stack ?? error));
    }
  }
} finally {
  await server.stop();
}
process.exit(failed ? 1 : 0);

/** A synced and analysed project with notes. */
async function worldMake(server) {
  const project = await projectMake(server, { name: "Atlas", slug: "atlas", url: server.repository });
  const write = "mutation($input: CreateNoteInput!) { createNote(input: $input) { note { id } } }";
  for (const title of ["One", "Two", "Three"]) {
    await graphql(server, write, { input: { projectId: project, title, body: "A note." } });
  }
  const query = "query($id: ID!) { project(id: $id) { sources { id } latestSync { id } } }";
  const { project: made } = await graphql(server, query, { id: project });
  return {
    project,
    endedRun: made.latestSync.id,
    /** Starts a sync of the project's source. */
    syncStart: async () => {
      const start = "mutation($id: ID!) { startSync(input: { sourceId: $id }) { sync { id } } }";
      return (await graphql(server, start, { id: made.sources[0].id })).startSync.sync.id;
    },
    /** How many events a run has that has ended. */
    eventCount: async (run) => {
      const events = "query($id: ID!) { node(id: $id) { ... on Run { events(first: 200) { seq } } } }";
      return (await graphql(server, events, { id: run })).node.events.length;
    },
  };
}
