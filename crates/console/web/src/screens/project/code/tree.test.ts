import { expect, test } from "vitest";
import { windowOf } from "~/parts/use-virtual";
import { above, matching, rowsOf, treeOf } from "./tree.ts";

const files = (...paths: string[]) => paths.map((path) => ({ path, size: 1, language: null }));
const names = (rows: { name: string; level: number }[]) => rows.map((row) => `${row.level} ${row.name}`);

test("folders come first, and numbers in names count", () => {
  const root = treeOf(files("b.rs", "part10.rs", "part9.rs", "src/lib.rs"));
  expect(names(rowsOf(root, new Set()))).toEqual(["1 src", "1 b.rs", "1 part9.rs", "1 part10.rs"]);
});

test("a chain of folders is one row", () => {
  const root = treeOf(files("src/main/java/A.java", "src/main/java/B.java", "README.md"));
  expect(names(rowsOf(root, new Set(["src/main/java"])))).toEqual([
    "1 src/main/java", "2 A.java", "2 B.java", "1 README.md",
  ]);
});

test("a file is found by words of its path, its own name first", () => {
  const found = matching(files("store/a.rs", "a/store.rs", "b.rs"), "STORE  a");
  expect(found.map((row) => row.path)).toEqual(["store/a.rs", "a/store.rs"]);
  expect(matching(files("store/a.rs", "a/store.rs"), "store")[0]?.path).toBe("a/store.rs");
});

test("a file's folders are those above it", () => {
  expect(above("a/b/c.rs")).toEqual(["a", "a/b"]);
  expect(above("c.rs")).toEqual([]);
});

test("ten thousand files are rows within a frame or two", () => {
  const many = files(...Array.from({ length: 10_000 }, (_, n) => `crates/c${n % 100}/src/file_${n}.rs`));
  const root = treeOf(many);
  const open = new Set(Array.from({ length: 100 }, (_, n) => `crates/c${n}/src`).concat("crates"));
  expect(rowsOf(root, open).length).toBe(10_101);
});

test("only the rows in sight are drawn", () => {
  const { first, end } = windowOf(50_000, 600, 28, 10_000);
  expect(first).toBeGreaterThan(1700);
  expect(end - first).toBeLessThan(60);
  expect(windowOf(1e9, 600, 28, 3)).toEqual({ first: 0, end: 3 });
});
