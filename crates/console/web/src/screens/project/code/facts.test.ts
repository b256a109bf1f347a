import { expect, test } from "vitest";
import { type CodeFacts, factsOf } from "./facts.ts";

const source = { id: "source_1" };
const place = (path: string, startLine: number, of: { id: string } | null = source) => ({
  path,
  startLine,
  endLine: startLine + 3,
  source: of,
});
const owner = (folder: string, mainAuthor: string) => ({
  folder, mainAuthor, mainShare: 1, authors: 1, commits: 3, source: null,
});
const facts = {
  id: "project_1",
  hotspots: [{ path: "src/a.rs", commits: 3, complexity: 9, score: 1, source }],
  findings: {
    definitions: [
      { name: "late", kind: "function", usedIn: 2, ...place("src/a.rs", 40) },
      { name: "early", kind: "function", usedIn: 1, ...place("src/a.rs", 4) },
      { name: "elsewhere", kind: "function", usedIn: 1, ...place("src/a.rs", 4, { id: "source_2" }) },
    ],
    duplicates: [{ count: 2, lines: 4, places: [place("src/a.rs", 50), place("src/b.rs", 7)] }],
    deadCode: [{ name: "unused", kind: "function", testsOnly: false, location: place("src/a.rs", 20, null) }],
    ownership: [owner("", "Ada"), owner("src", "Grace"), owner("src/deep", "Mary")],
    coChanges: [{ paths: ["src/a.rs", "src/b.rs"], together: 5, degree: 0.5 }],
  },
} satisfies CodeFacts;

test("a file's definitions are its own, from top to bottom", () => {
  expect(factsOf(facts, "source_1", "src/a.rs").definitions.map((one) => one.name)).toEqual(["early", "late"]);
});

test("copies lead to the other places, and findings are in order", () => {
  const { marks } = factsOf(facts, "source_1", "src/a.rs");
  expect(marks.map((mark) => [mark.kind, mark.startLine])).toEqual([["unused", 20], ["duplicate", 50]]);
  expect(marks[1]?.others.map((other) => other.path)).toEqual(["src/b.rs"]);
});

test("the owner is that of the nearest folder", () => {
  expect(factsOf(facts, "source_1", "src/a.rs").owner?.mainAuthor).toBe("Grace");
  expect(factsOf(facts, "source_1", "README.md").owner?.mainAuthor).toBe("Ada");
  expect(factsOf(facts, "source_1", "srcs/a.rs").owner?.mainAuthor).toBe("Ada");
});

test("a file without an analysis has no facts", () => {
  const none = factsOf(undefined, "source_1", "src/a.rs");
  expect(none).toEqual({ definitions: [], marks: [], together: [], hotspot: undefined, owner: undefined });
});
