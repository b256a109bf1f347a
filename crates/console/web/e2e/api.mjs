// What the tests make by the API before they look at it in a browser: each makes what it uses.

import { modelStart } from "./model.mjs";

/** Asks the API as the owner of acme. */
export async function graphql(server, query, variables = {}) {
  const answer = await fetch(`${server.api}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.token}`, "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Runs one mutation of one input: `mutate(server, "createNote", input, "note { id }")` gives the payload. */
export async function mutate(server, name, input, fields = "__typename") {
  const type = `${name[0].toUpperCase()}${name.slice(1)}Input`;
  const data = await graphql(server, `mutation($input: ${type}!) { ${name}(input: $input) { ${fields} } }`, { input });
  return data[name];
}

const ENDED = ["SUCCEEDED", "FAILED", "CANCELLED"];

/** Asks again until an answer says that it is done. */
async function until(ask) {
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((done) => setTimeout(done, 250));
  }
}

/** Syncs a source, and waits for the sync and the analysis that follows it. */
export async function sourceSync(server, projectId, sourceId) {
  const { sync } = await mutate(server, "startSync", { sourceId }, "sync { id }");
  const query = `query($id: ID!, $run: ID!) {
    node(id: $run) { ... on Sync { status error { message } } }
    project(id: $id) { latestAnalysis { status } }
  }`;
  await until(async () => {
    const { node, project } = await graphql(server, query, { id: projectId, run: sync.id });
    if (node.status === "FAILED") throw new Error(`the sync failed: ${node.error.message}`);
    return node.status === "SUCCEEDED" && ENDED.includes(project.latestAnalysis?.status);
  });
}

/** Makes a project of the repository at `url`, and waits until it is synced and analysed. */
export async function projectMake(server, { url, ...input }) {
  const { project } = await mutate(server, "createProject", input, "project { id }");
  const { source } = await mutate(server, "addSource", { projectId: project.id, url }, "source { id }");
  await sourceSync(server, project.id, source.id);
  return { id: project.id, sourceId: source.id };
}

/** Makes a note of the project in which the tests write, and gives its address. */
export async function noteMake(server, title, body = "Names of functions, handling of errors, doc comments.") {
  const { note } = await mutate(server, "createNote", { projectId: server.atlas, title, body }, "note { id }");
  return { id: note.id, path: `/projects/atlas/notes/${note.id}` };
}

/** Enriches a note, and puts the text into it. */
export async function noteEnrich(server, input) {
  const { enrichment } = await mutate(server, "enrichNote", input, "enrichment { id }");
  const query = "query($id: ID!) { node(id: $id) { ... on NoteEnrichment { status error { message } } } }";
  const { node } = await until(async () => {
    const answer = await graphql(server, query, { id: enrichment.id });
    return ENDED.includes(answer.node.status) && answer;
  });
  if (node.status !== "SUCCEEDED") throw new Error(`the enrichment failed: ${node.error?.message}`);
  await mutate(server, "applyEnrichment", { enrichmentId: enrichment.id });
}

/** Registers a model at an endpoint of the tenant's own. */
export async function modelAdd(server, { provider, baseUrl, ...model }) {
  await mutate(server, "setModelEndpoint", { name: provider, baseUrl, protocol: "OPENAI_CHAT" });
  await mutate(server, "setModel", { provider, mode: "CHAT", contextWindow: 32_000, ...model });
}

/** A model server that answers by a script, registered with prices. */
export async function scriptedModel(server, options) {
  const model = await modelStart(options);
  await modelAdd(server, {
    provider: "scripted",
    baseUrl: model.url,
    id: "scripted-writer",
    name: "Scripted Writer",
    capabilities: ["json_schema"],
    maxOutputTokens: 4000,
    inputUsdPerMtok: 2,
    outputUsdPerMtok: 10,
  });
  return model;
}

/** The members of the tenant, by their email addresses. */
export async function members(server) {
  const query = "{ viewer { tenant { members(first: 50) { nodes { role user { id email } } } } } }";
  const { viewer } = await graphql(server, query);
  return Object.fromEntries(viewer.tenant.members.nodes.map(({ user, role }) => [user.email, { id: user.id, role }]));
}
