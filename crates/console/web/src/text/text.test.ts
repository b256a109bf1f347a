import { expect, test } from "vitest";
import { de } from "./de/index.ts";
import { en } from "./en/index.ts";

/** The keys of a catalogue, with the kind of their values. */
function shape(value: unknown, path = ""): string[] {
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) => shape(inner, `${path}.${key}`));
  }
  return [`${path}: ${typeof value}`];
}

test("every language has the same words", () => {
  expect(shape(de)).toEqual(shape(en));
});

test("no text is empty", () => {
  const texts = (value: unknown): string[] =>
    typeof value === "string" ? [value] : typeof value === "object" && value ? Object.values(value).flatMap(texts) : [];
  for (const catalogue of [en, de]) expect(texts(catalogue).filter((text) => text.trim() === "")).toEqual([]);
});
