// Relay: its compiler takes the schema and a connection with its own directives, and its runtime runs a query, pages
// on, runs a mutation and a subscription.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "graphql-ws";
import relay from "relay-runtime";
import WebSocket from "ws";
import { streamJudge } from "./operations.mjs";

const { Environment, Network, Observable, RecordSource, Store } = relay;
const FOLDER = join(import.meta.dirname, "..", "relay");

/** Each kind of operation once. */
export async function relayJudge({ server, verdict, world }) {
  const compiled = await compile();
  const artifacts = Object.keys(compiled).length;
  verdict("Relay compiler", artifacts >= 4, `${artifacts} artifacts of schema.graphql`);
  const authorization = `Bearer ${server.token}`;
  const ask = async ({ text }, variables) => {
    const headers = { authorization, "content-type": "application/json" };
    const body = JSON.stringify({ query: text, variables });
    return (await fetch(`${server.api}/graphql`, { method: "POST", headers, body })).json();
  };
  const socket = createClient({
    url: `${server.api.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
  });
  const follow = ({ text, name }, variables) =>
    Observable.create((sink) => socket.subscribe({ query: text, operationName: name, variables }, sink));
  const environment = new Environment({ network: Network.create(ask, follow), store: new Store(new RecordSource()) });

  const query = (name, variables) => relay.fetchQuery(environment, compiled[name], variables).toPromise();
  const data = await query("operationsNotesQuery", { id: world.project });
  verdict("Relay query", data?.node?.id === world.project, `${data?.node?.__typename} by node(id:)`);
  const first = connectionOf(environment, world.project);
  const cursor = first.pageInfo?.endCursor;
  await query("operationsNotesPageQuery", { id: world.project, count: 50, cursor });
  const all = connectionOf(environment, world.project);
  const grown = first.count === 2 && all.count > 2 && new Set(all.ids).size === all.count;
  verdict("Relay connection", grown, `a page of ${first.count}, then ${all.count} notes in one list`);

  const input = { projectId: world.project, title: "By Relay", body: "A note." };
  const made = await new Promise((onCompleted, onError) =>
    relay.commitMutation(environment, {
      mutation: compiled.operationsWriteMutation,
      variables: { input },
      onCompleted: (answer, errors) => (errors ? onError(new Error(JSON.stringify(errors))) : onCompleted(answer)),
      onError,
    }),
  );
  const stored = environment.getStore().getSource().get(made.createNote.note.id);
  verdict("Relay mutation", stored?.title === "By Relay", `${made.createNote.note.id} is in the store by its id`);
  const variables = { runId: world.endedRun, after: 0 };
  const subscribe = ({ next, error, complete }) =>
    relay.requestSubscription(environment, {
      subscription: compiled.operationsEventsSubscription,
      variables,
      onNext: (answer) => next({ data: answer }),
      onError: error,
      onCompleted: complete,
    });
  await streamJudge(verdict, "Relay subscription", { subscribe }, world);
  await socket.dispose();
}

/** Compiles the operations anew; the artifacts by their names. */
async function compile() {
  const bin = join(FOLDER, "..", "node_modules", "relay-compiler", "cli.js");
  execFileSync(process.execPath, [bin, "relay.config.json"], { cwd: FOLDER, stdio: "pipe" });
  const folder = join(FOLDER, "__generated__");
  const artifacts = {};
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".graphql.js"))) {
    // The compiler imports an artifact without its ending, as a bundler resolves it.
    const text = readFileSync(join(folder, file), "utf8").replace(/from '(\.\/[\w.]+?)(\.js)?';/g, "from '$1.js';");
    writeFileSync(join(folder, file), text);
    artifacts[file.replace(".graphql.js", "")] = null;
  }
  for (const name of Object.keys(artifacts)) {
    artifacts[name] = (await import(join(folder, `${name}.graphql.js`))).default;
  }
  return artifacts;
}

/** The notes of a project, as Relay keeps them in its store under the connection's key. */
function connectionOf(environment, project) {
  const source = environment.getStore().getSource();
  const owner = source.get(project);
  const key = owner && Object.keys(owner).find((name) => name.startsWith("__Project_notes_connection"));
  const connection = key && source.get(owner[key].__ref);
  const edges = connection?.edges?.__refs ?? [];
  const ids = edges.map((edge) => source.get(edge).node.__ref);
  const pageInfo = connection?.pageInfo && source.get(connection.pageInfo.__ref);
  return { count: ids.length, ids, pageInfo };
}
