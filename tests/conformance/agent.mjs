// A coding agent's session over MCP, scripted: what applies to a file, where something is, its lines, a memory of it,
// and the memory again. Prints a transcript. The exit code is 1 where an answer exceeds its budget, cites what the
// repository does not have at the served commit, or does not know the memory.
//
//   node agent.mjs --binary target/debug/nyxcore --repository PATH --file FILE --question TEXT [--data-dir FOLDER]
//
// The repository is synced and analysed first, unless the folder of `--data-dir` has it already.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { citationFaults, citations, quotations, Tree, tokensOf } from "./agents/answer.mjs";

/** Lines of an answer in the transcript, and characters of one. */
const SHOWN = { lines: 9, characters: 116 };

const { values } = parseArgs({
  options: {
    binary: { type: "string", default: "nyxcore" },
    repository: { type: "string", default: "." },
    file: { type: "string" },
    question: { type: "string" },
    "data-dir": { type: "string" },
  },
});
if (!values.file || !values.question) throw new Error("--file and --question are needed");

const work = mkdtempSync(join(tmpdir(), "agent-session-"));
const data = values["data-dir"] ?? join(work, "data");
let failed = 0;

try {
  if (!existsSync(data)) quickstart();
  const client = await connected();
  await session(client);
  await client.close();
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(failed ? `\n${failed} faults.` : "\nEvery answer is cited, and within its budget.");
process.exit(failed ? 1 : 0);

function quickstart() {
  const args = ["--data-dir", data, "quickstart", values.repository, "--exit"];
  execFileSync(values.binary, args, { stdio: ["ignore", "ignore", "inherit"] });
}

async function connected() {
  const args = ["--data-dir", data, "mcp", "--folder", values.repository];
  const client = new Client({ name: "a coding agent", version: "1" });
  await client.connect(new StdioClientTransport({ command: values.binary, args, stderr: "ignore" }));
  return client;
}

async function session(client) {
  const { file: path, question: query } = values;
  const tree = new Tree(values.repository, await servedCommit(client, path));
  const ask = (tool, args) => asked(client, tree, tool, args);

  const conventions = await ask("conventions_for", { path, max_tokens: 1_500 });
  held(citations(conventions).length > 0, "the conventions cite no place");

  const found = await ask("search", { query, kinds: ["CODE"], limit: 5, max_tokens: 1_500 });
  const first = citations(found).find((cited) => cited.used === undefined);
  held(first !== undefined, "the search cites no place");
  if (!first) return;

  const read = { path: first.path, start_line: first.start, end_line: first.end ?? first.start };
  const lines = await ask("read_code", { ...read, max_tokens: 1_500 });
  held(quotations(lines)[0]?.attributes.file === first.path, "read_code gives no lines of the file");

  const cited = `${first.path}:${first.start}${first.end ? `-${first.end}` : ""}`;
  const fact = { title: query, content: `Answered by ${cited}, which was read before this was written.` };
  const written = await ask("memory_add", fact);
  const id = /memory_\w+/.exec(written)?.[0];

  const again = await ask("search", { query, limit: 5, max_tokens: 1_500 });
  held(isQuoted(again, id), "the search does not find the memory");

  const related = await ask("conventions_for", { path: first.path, max_tokens: 1_500 });
  held(isQuoted(related, id), "the conventions of the file that the memory names do not have the memory");
}

function isQuoted(answer, id) {
  return quotations(answer).some(({ attributes }) => id && attributes.cite === id);
}

/** The commit whose files are served, in full. */
async function servedCommit(client, path) {
  const answer = await client.callTool({ name: "read_code", arguments: { path, end_line: 1 } });
  const short = /at commit ([0-9a-f]{12}) /.exec(answer.content[0].text)?.[1];
  if (!short) throw new Error(`no commit: ${answer.content[0].text}`);
  const args = ["-C", values.repository, "rev-parse", "--verify", "--end-of-options", `${short}^{commit}`];
  const commit = execFileSync("git", args, { encoding: "utf8" }).trim();
  console.log(`${values.repository.split("/").at(-1)} at ${commit}\n`);
  return commit;
}

/** Calls a tool, writes the call into the transcript, and holds the answer to its budget and its citations. */
async function asked(client, tree, name, args) {
  const begun = performance.now();
  const answer = await client.callTool({ name, arguments: args });
  const milliseconds = Math.round(performance.now() - begun);
  const text = answer.content[0].text;

  console.log(cut(`> ${name} ${JSON.stringify(args)}`));
  const lines = text.trimEnd().split("\n");
  for (const line of lines.slice(0, SHOWN.lines)) console.log(cut(`< ${line}`.trimEnd()));
  if (lines.length > SHOWN.lines) console.log(`< … ${lines.length - SHOWN.lines} lines more`);

  const tokens = tokensOf(text);
  const budget = args.max_tokens ? `${tokens} of ${args.max_tokens} tokens` : `${tokens} tokens`;
  const faults = citationFaults(text, tree);
  const count = citations(text).length;
  console.log(`= ${budget}, ${count} places cited, ${faults.length} of them wrong, ${milliseconds} ms`);
  held(!answer.isError, "the call failed");
  held(!args.max_tokens || tokens <= args.max_tokens, "the answer exceeds its budget");
  for (const fault of faults) held(false, fault);
  console.log();
  return text;
}

function cut(line) {
  const one = line.replaceAll("\t", "    ");
  return one.length > SHOWN.characters ? `${one.slice(0, SHOWN.characters - 1)}…` : one;
}

function held(holds, fault) {
  if (holds) return;
  failed += 1;
  console.log(`! ${fault}`);
}
