import { expect, test } from "vitest";
import { foundIn, linesWith } from "./file-lines.tsx";

test("every hit in a line is found, in either case", () => {
  expect(foundIn("Part of part", "part")).toEqual(["", "Part", " of ", "part", ""]);
  expect(foundIn("aaa", "aa")).toEqual(["", "aa", "a"]);
  expect(foundIn("none", "x")).toEqual(["none"]);
  expect(foundIn("a.b", ".")).toEqual(["a", ".", "b"]);
});

test("a letter that is longer in lower case shifts nothing", () => {
  expect(foundIn("İstanbul part", "part")).toEqual(["İstanbul part"]);
});

test("the lines of the hits are counted from one", () => {
  expect(linesWith("a\nb\r\nAb\n", "b")).toEqual([2, 3]);
  expect(linesWith("a", "")).toEqual([]);
});
