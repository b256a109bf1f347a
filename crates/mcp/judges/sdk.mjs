// The official TypeScript SDK against both transports: every listed tool is called, every document read. Every line
// says what held; the exit code is 1 where one did not.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const {
  NYXCORE,
  NYXCORE_DATA,
  NYXCORE_FOLDER,
  NYXCORE_NPM,
  NYXCORE_TOKEN,
  NYXCORE_URL,
} = process.env;
const require = createRequire(`${NYXCORE_NPM}/`);
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");

const calls = JSON.parse(readFileSync(new URL("calls.json", import.meta.url), "utf8"));
const everything = Object.keys(calls).sort();
// The least that is listed where the folder is not there: `check` needs it.
const elsewhere = everything.filter((tool) => tool !== "check");
let failed = 0;

function told(name, holds, what) {
  if (!holds) failed += 1;
  console.log(`${holds ? "passed" : "FAILED"}  npm ${name.padEnd(43)} ${what}`);
}

async function judge(name, transport, expected) {
  const client = new Client({ name: "a judge", version: "1" });
  await client.connect(transport);
  told(`${name} initialize`, client.getInstructions().includes("conventions_for"), client.getServerVersion().version);
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name).sort();
  told(`${name} tools/list`, JSON.stringify(names) === JSON.stringify(expected), `${names.length} tools`);
  for (const tool of names) {
    const text = JSON.stringify(calls[tool]).replace("%unique%", `npm ${name}`);
    // The SDK holds structured answers against the tool's output schema.
    const result = await client.callTool({ name: tool, arguments: JSON.parse(text) });
    told(`${name} ${tool}`, !result.isError && result.content[0].text.length > 0, `${result.content[0].text.length} bytes`);
  }
  const { resources } = await client.listResources();
  const read = await client.readResource({ uri: resources[0].uri });
  told(`${name} resources/read`, read.contents[0].text.includes("Atlas"), resources[0].uri);
  const { prompts } = await client.listPrompts();
  told(`${name} prompts/list`, Array.isArray(prompts), `${prompts.length} prompts`);
  await client.close();
}

const streams = ["--data-dir", NYXCORE_DATA, "mcp", "--folder", NYXCORE_FOLDER];
await judge("stdio", new StdioClientTransport({ command: NYXCORE, args: streams }), everything);
const proxy = { command: NYXCORE, args: ["mcp", "--server", NYXCORE_URL], env: { NYXCORE_TOKEN } };
await judge("proxy", new StdioClientTransport(proxy), elsewhere);
const headers = { Authorization: `Bearer ${NYXCORE_TOKEN}` };
const address = new URL(`${NYXCORE_URL}/mcp`);
await judge("http", new StreamableHTTPClientTransport(address, { requestInit: { headers } }), elsewhere);
process.exit(failed ? 1 : 0);
