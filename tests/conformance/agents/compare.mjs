// The questions of questions.json, put to nyxcore and to a peer over MCP: which facts each answer has, its tokens, its
// milliseconds. The calls are those that the server's own instructions name for such a question.
//
//   node compare.mjs --server nyxcore|repowise --command PROGRAM --folder CLONES [--data-dir FOLDERS] [--output FILE]
//
// CLONES has a clone of each repository at the commit of questions.json, indexed by that server beforehand; of nyxcore
// the data directories are `FOLDERS/<repository>`. A fact is in an answer where the answer names its file and has its
// text.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { tokensOf } from "./answer.mjs";

/** How often each call is made; the median counts. */
const REPEATS = 3;

const { values } = parseArgs({
  options: {
    server: { type: "string" },
    command: { type: "string" },
    folder: { type: "string" },
    "data-dir": { type: "string" },
    output: { type: "string" },
  },
});

const servers = {
  nyxcore: {
    args: (repository) => {
      const data = join(values["data-dir"], repository);
      return ["--data-dir", data, "mcp", "--read-only", "--folder", join(values.folder, repository)];
    },
    first: (question) => ["search", { query: question }],
  },
  repowise: {
    args: (repository) => ["mcp", join(values.folder, repository), "--no-workspace"],
    first: (question) => ["get_answer", { question }],
  },
};

const server = servers[values.server];
const { questions, repositories } = JSON.parse(readFileSync(new URL("questions.json", import.meta.url), "utf8"));
const results = [];
for (const repository of Object.keys(repositories)) {
  const client = await connected(repository);
  for (const question of questions.filter((one) => one.repository === repository)) {
    const calls = [server.first(question.question), ...(question.then?.[values.server] ?? [])];
    results.push(await answered(client, question, calls));
  }
  await client.close();
}
if (values.output) writeFileSync(values.output, `${JSON.stringify(results, null, 2)}\n`);

async function connected(repository) {
  const client = new Client({ name: "a comparison", version: "1" });
  const env = { ...process.env, DO_NOT_TRACK: "1" };
  const program = { command: values.command, args: server.args(repository), env, stderr: "ignore" };
  await client.connect(new StdioClientTransport(program), { timeout: 600_000 });
  return client;
}

/** Puts a question by one call after the other: what is known after each. */
async function answered(client, { id, facts }, calls) {
  const steps = [];
  let said = "";
  for (const [name, args] of calls) {
    const times = [];
    let text = "";
    for (let n = 0; n < REPEATS; n += 1) {
      const begun = performance.now();
      const answer = await client.callTool({ name, arguments: args }, undefined, { timeout: 600_000 });
      times.push(performance.now() - begun);
      if (n === 0) text = answer.content.map((part) => part.text ?? "").join("\n");
    }
    said += `\n${plain(text)}`;
    const has = facts.filter((fact) => said.includes(fact.path) && spaced(said).includes(spaced(fact.text)));
    const milliseconds = Math.round(times.sort((a, b) => a - b)[Math.floor(REPEATS / 2)]);
    const tokens = tokensOf(text);
    steps.push({ call: [name, args], tokens, milliseconds, facts: has.length, text });
    const shown = `${has.length} of ${facts.length} facts`;
    console.log(`${id.padEnd(16)} ${name.padEnd(16)} ${shown}  ${tokens} tokens  ${milliseconds} ms`);
  }
  return { id, steps };
}

/** The texts in an answer that is JSON, so that their quotation marks are as in the source. */
function plain(text) {
  try {
    const texts = [];
    JSON.parse(text, (_, value) => {
      if (typeof value === "string") texts.push(value);
      return value;
    });
    return texts.join("\n");
  } catch {
    return text;
  }
}

function spaced(text) {
  return text.replace(/\s+/g, " ");
}
