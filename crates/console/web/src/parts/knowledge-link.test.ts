import { expect, test } from "vitest";
import { linesOf } from "./code-view.tsx";
import { hitAddress } from "./knowledge-link.ts";

test("a hit in the code leads to its lines", () => {
  const hit = {
    kind: "CODE",
    path: "src/a b&c.rs",
    startLine: 3,
    endLine: 9,
    node: { __typename: "SourceFile", id: "f" },
  };
  expect(hitAddress(hit, "atlas")).toBe("/projects/atlas/code?path=src%2Fa%20b%26c.rs&lines=3-9");
  expect(hitAddress(hit, undefined)).toBeUndefined();
});

test("a note is found in its own project", () => {
  const node = { __typename: "Note", id: "note_1", project: { slug: "other" } };
  expect(hitAddress({ kind: "NOTE", node }, "atlas")).toBe("/projects/other/notes/note_1");
});

test("lines in an address are numbers in order, or none", () => {
  expect(linesOf("12")).toEqual({ startLine: 12, endLine: 12 });
  expect(linesOf("20-12")).toEqual({ startLine: 12, endLine: 20 });
  for (const text of [undefined, "", "0", "3-", "-3", "a", "1-2-3", "99999999"]) expect(linesOf(text)).toBeUndefined();
});
