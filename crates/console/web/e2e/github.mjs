// A server like GitHub on loopback: who the token belongs to, what it sees, and the repositories themselves over HTTP.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { gunzipSync } from "node:zlib";

export const GITHUB_TOKEN = "github_pat_11BROWSERTESTS_0123456789";

/** Serves the bare repositories `acme/<name>.git` below a folder. */
export async function githubStart({ root, names }) {
  let url = "";
  let held;
  const repository = (name, index) => ({
    id: 1000 + index,
    node_id: `R_${index}`,
    name,
    full_name: `acme/${name}`,
    private: index % 2 === 0,
    owner: { login: "acme", id: 1, type: "Organization" },
    html_url: `${url}/acme/${name}`,
    description: `The repository of ${name}`,
    fork: false,
    archived: false,
    clone_url: `${url}/acme/${name}.git`,
    ssh_url: `git@github.example:acme/${name}.git`,
    size: 12,
    language: "Rust",
    default_branch: "main",
    pushed_at: "2026-01-02T03:04:05Z",
    visibility: "private",
  });
  const answers = (path, query) => {
    const all = names.map(repository);
    if (path === "/user") return { login: "octocat", id: 1, type: "User" };
    if (path === "/user/repos") return query.get("page") > 1 ? [] : all;
    if (path === "/search/repositories") return { total_count: all.length, incomplete_results: false, items: all };
    const [, name, rest] = /^\/repos\/acme\/([^/]+)(\/branches)?$/.exec(path) ?? [];
    if (rest) return [{ name: "main", commit: { sha: "a".repeat(40), url: "" }, protected: false }];
    return all.find((one) => one.name === name);
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams, search } = new URL(request.url, url);
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
      if (pathname.includes(".git/")) await held;
      if (pathname.includes(".git/"))
        return backend(root, request, pathname, search.slice(1), Buffer.concat(chunks), response);
      const known = request.headers.authorization === `Bearer ${GITHUB_TOKEN}`;
      const data = known ? answers(pathname.replace("/api/v3", ""), searchParams) : undefined;
      response.writeHead(known ? (data ? 200 : 404) : 401, { "content-type": "application/json; charset=utf-8" });
      response.end(JSON.stringify(data ?? { message: known ? "Not Found" : "Bad credentials" }));
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    /** Git waits for its answers until the returned function is called. */
    hold: () => {
      let release = () => {};
      held = new Promise((done) => (release = done));
      return release;
    },
    stop: () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      }),
  };
}

/** One request of Git's smart protocol, by `git http-backend` as a CGI program. */
function backend(root, request, path, query, body, response) {
  const zipped = request.headers["content-encoding"] === "gzip";
  const child = spawn("git", ["-c", "safe.directory=*", "-c", "uploadpack.allowFilter=true", "http-backend"], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method,
      PATH_INFO: path,
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      GIT_PROTOCOL: request.headers["git-protocol"] ?? "",
      REMOTE_ADDR: "127.0.0.1",
    },
  });
  const out = [];
  child.stdout.on("data", (chunk) => out.push(chunk));
  child.on("close", () => {
    const all = Buffer.concat(out);
    const split = all.indexOf("\r\n\r\n");
    const headers = {};
    let status = 200;
    for (const line of all.subarray(0, split).toString().split("\r\n")) {
      const [name, value] = line.split(": ");
      if (name === "Status") status = Number.parseInt(value, 10);
      else headers[name] = value;
    }
    response.writeHead(status, headers);
    response.end(all.subarray(split + 4));
  });
  child.stdin.on("error", () => {});
  child.stdin.end(zipped ? gunzipSync(body) : body);
}
