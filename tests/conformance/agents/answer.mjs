// What an answer of nyxcore's MCP tools says, and whether the repository has it: quotations, citations, the budget.
import { execFileSync } from "node:child_process";

/** Bytes of a token, as in the answers' budget. */
export const TOKEN_BYTES = 4;

export function tokensOf(text) {
  return Math.ceil(Buffer.byteLength(text) / TOKEN_BYTES);
}

/** The files of a repository at one commit. */
export class Tree {
  #repository;
  #commit;
  #files = new Map();

  constructor(repository, commit) {
    this.#repository = repository;
    this.#commit = commit;
  }

  /** The lines of a file; `null` where the commit has no such file. */
  lines(path) {
    if (!this.#files.has(path)) this.#files.set(path, this.#read(path));
    return this.#files.get(path);
  }

  #read(path) {
    const args = ["-C", this.#repository, "cat-file", "blob", `${this.#commit}:${path}`];
    try {
      const stdio = ["ignore", "pipe", "ignore"];
      const text = execFileSync("git", args, { encoding: "utf8", maxBuffer: 1 << 28, stdio });
      const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
      if (lines.at(-1) === "") lines.pop();
      return lines;
    } catch {
      return null;
    }
  }
}

/** The quotations of an answer: their attributes and their text. */
export function quotations(answer) {
  const marker = /^Text between <(data-[0-9a-f]+)> marks/m.exec(answer)?.[1];
  if (!marker) return [];
  const quotation = new RegExp(`^<${marker}([^>]*)>\n([\\s\\S]*?)\n?</${marker}>$`, "gm");
  return [...answer.matchAll(quotation)].map(([, head, text]) => {
    const pairs = [...head.matchAll(/ (\w+)="([^"]*)"/g)].map(([, name, value]) => [name, unescaped(value)]);
    return { attributes: Object.fromEntries(pairs), text };
  });
}

function unescaped(text) {
  const marks = { "&quot;": '"', "&lt;": "<", "&gt;": ">", "&amp;": "&" };
  return text.replace(/&(?:quot|lt|gt|amp);/g, (mark) => marks[mark]);
}

/** The places of files that an answer cites, and what it quotes from each where it quotes. */
export function citations(answer) {
  return quotations(answer).flatMap(({ attributes, text }) => {
    if (attributes.file) return [{ path: attributes.file, numbered: text }];
    if (["CODE", "DOCUMENT"].includes(attributes.kind)) return [{ ...place(attributes.cite), quoted: text }];
    if (attributes.usages) return usagePlaces(text);
    if (attributes.patterns) return patternPlaces(text);
    if (attributes.history) {
      return [...text.matchAll(/^- (.+) changed with it in /gm)].map(([, path]) => ({ path }));
    }
    return [];
  });
}

function place(cited) {
  const [, path, start, end] = /^(.*?)(?::(\d+)(?:-(\d+))?)?$/.exec(cited);
  return { path, start: start && Number(start), end: end && Number(end) };
}

/** `path:line  what stands there` of each line. */
function usagePlaces(text) {
  return text.split("\n").map((line) => {
    const [, path, start, used] = /^(.+?):(\d+) {2}(.*)$/.exec(line) ?? [];
    return { path: path ?? line, start: Number(start), used };
  });
}

/** `; see a:1, b:2; not so at c:3 (pattern_…)` of each line. */
function patternPlaces(text) {
  return text.split("\n").flatMap((line) => {
    const evidence = /(?:; see (.*?))?(?:; not so at (.*?))? \(pattern_\w+\)$/.exec(line);
    const lists = evidence ? [evidence[1], evidence[2]] : [];
    return lists.filter(Boolean).flatMap((list) => list.split(", ").map(place));
  });
}

/** What is wrong with the citations of an answer, as sentences. */
export function citationFaults(answer, tree) {
  return citations(answer).flatMap((cited) => {
    const lines = tree.lines(cited.path);
    if (!lines) return [`${cited.path} does not exist`];
    const at = `${cited.path}:${cited.start ?? 1}-${cited.end ?? cited.start ?? lines.length}`;
    const last = cited.end ?? cited.start ?? 0;
    if (cited.start < 1 || last < (cited.start ?? 0) || last > lines.length) {
      return [`${at} is not in the file, which has ${lines.length} lines`];
    }
    if (cited.used !== undefined && !isSame(cited.used, lines[cited.start - 1].trim())) {
      return [`${at} has another line than: ${cited.used}`];
    }
    if (cited.numbered) return numberedFaults(cited.numbered, cited.path, lines);
    return cited.quoted ? quotedFaults(cited, at, lines) : [];
  });
}

/** Lines with their numbers, as `read_code` gives them. */
function numberedFaults(text, path, lines) {
  return text.split("\n").flatMap((line) => {
    const [, number, said] = /^ *(\d+) {2}(.*)$/.exec(line) ?? [];
    return isSame(said, lines[number - 1]) ? [] : [`${path} has another line than: ${line}`];
  });
}

/** An excerpt begins at its first line, and is whole lines up to where it is cut. */
function quotedFaults({ quoted, start }, at, lines) {
  const said = quoted.split("\n");
  const differs = said.findIndex((line, n) => !isSame(line, lines[(start ?? 1) - 1 + n]));
  return differs < 0 ? [] : [`${at} has another line than: ${said[differs]}`];
}

function isSame(said, line) {
  if (said === undefined || line === undefined) return false;
  const [a, b] = [said, line].map((text) => text.replace(/[\p{Cc}]/gu, "").trimEnd());
  return a === b || (a.endsWith("…") && b.startsWith(a.slice(0, -1)));
}
