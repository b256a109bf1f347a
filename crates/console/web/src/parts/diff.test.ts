import { expect, test } from "vitest";
import { diffLines, folded } from "./diff.ts";

const short = (from: string, to: string) =>
  diffLines(from, to).map((line) => ({ same: " ", added: "+", removed: "-" })[line.kind] + line.text);
const lines = (...all: string[]) => all.join("\n");

test("equal texts have no change", () => {
  expect(short("a\nb", "a\nb")).toEqual([" a", " b"]);
});

test("a changed line is removed and added", () => {
  expect(short(lines("a", "b", "c"), lines("a", "x", "c"))).toEqual([" a", "-b", "+x", " c"]);
});

test("lines are added at the end and removed at the beginning", () => {
  expect(short(lines("a", "b"), lines("a", "b", "c", "d"))).toEqual([" a", " b", "+c", "+d"]);
  expect(short(lines("a", "b"), "b")).toEqual(["-a", " b"]);
});

test("the way is the shortest", () => {
  // The example of Myers' paper: five changes.
  const changes = short([..."ABCABBA"].join("\n"), [..."CBABAC"].join("\n")).filter((line) => !line.startsWith(" "));
  expect(changes.length).toBe(5);
});

test("a diff leads from the one text to the other", () => {
  let seed = 7;
  const next = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 200; round += 1) {
    const text = () => Array.from({ length: next(12) }, () => "abc"[next(3)]).join("\n");
    const [from, to] = [text(), text()];
    const all = diffLines(from, to);
    const of = (left: string) =>
      all
        .filter((line) => line.kind !== left)
        .map((line) => line.text)
        .join("\n");
    expect(of("added")).toBe(from);
    expect(of("removed")).toBe(to);
  }
});

test("two texts with nothing in common are told quickly", () => {
  const text = (word: string) => Array.from({ length: 20_000 }, (_, n) => `${word} ${n}`).join("\n");
  const all = diffLines(text("old"), text("new"));
  expect(all.length).toBe(40_000);
});

test("what is the same is folded away", () => {
  const from = Array.from({ length: 30 }, (_, n) => `${n}`);
  const to = from.with(15, "changed");
  const shown = folded(diffLines(from.join("\n"), to.join("\n")));
  expect(shown.filter((line) => line.kind === "gap")).toEqual([
    { kind: "gap", lines: 12 },
    { kind: "gap", lines: 11 },
  ]);
  expect(shown.length).toBe(10);
});
