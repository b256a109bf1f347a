// Clients and suites that others wrote, against the built program on SQLite: a verdict a line, and exit code 1 where
// one does not hold.
//
//   node run.mjs --binary target/debug/nyxcore [--python VENV/bin/python] [--minutes 5] [WORD…]
//
// Words choose judges: http, resume, apollo, urql, relay, schemathesis. `--minutes` is what Schemathesis takes as each
// role; without `--python` it is left out.

import { parseArgs } from "node:util";
import { graphql, mutate, projectMake } from "../../crates/console/web/e2e/api.mjs";
import { serverStart } from "../../crates/console/web/e2e/server.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    binary: { type: "string", default: "nyxcore" },
    python: { type: "string" },
    minutes: { type: "string", default: "5" },
  },
});

// Each is loaded when it is run: the audits need no other packages.
const judges = {
  http: async () => (await import("./http/audits.mjs")).httpAudits,
  resume: async () => (await import("./clients/resume.mjs")).resumeJudge,
  apollo: async () => (await import("./clients/apollo.mjs")).apolloJudge,
  urql: async () => (await import("./clients/urql.mjs")).urqlJudge,
  relay: async () => (await import("./clients/relay.mjs")).relayJudge,
  // Last: it changes whatever its role may change.
  ...(values.python ? { schemathesis: async () => (await import("./schemathesis/judge.mjs")).schemathesisJudge } : {}),
};

let failed = 0;
function verdict(name, holds, what) {
  failed += holds ? 0 : 1;
  console.log(`${holds ? "passed" : "FAILED"}  ${name.padEnd(44)} ${what}`);
}

const server = await serverStart(values);
try {
  const world = await worldMake(server);
  for (const [name, load] of Object.entries(judges)) {
    if (positionals.length && !positionals.includes(name)) continue;
    try {
      const judge = await load();
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
  const made = await projectMake(server, { name: "Atlas", slug: "atlas", url: server.repository });
  for (const title of ["One", "Two", "Three"]) {
    await mutate(server, "createNote", { projectId: made.id, title, body: "A note." });
  }
  const query = "query($id: ID!) { project(id: $id) { latestSync { id } } }";
  const { project } = await graphql(server, query, { id: made.id });
  return {
    project: made.id,
    endedRun: project.latestSync.id,
    /** Starts a sync of the project's source. */
    syncStart: async () => (await mutate(server, "startSync", { sourceId: made.sourceId }, "sync { id }")).sync.id,
    /** How many events a run has that has ended. */
    eventCount: async (run) => {
      const events = "query($id: ID!) { node(id: $id) { ... on Run { events(first: 200) { seq } } } }";
      return (await graphql(server, events, { id: run })).node.events.length;
    },
  };
}
