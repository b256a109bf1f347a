import { expect, test } from "vitest";
import { squarify } from "./treemap.tsx";

const tile = (key: string, area: number) => ({ key, name: key, title: key, area, heat: 0 });

test("the tiles fill the rectangle and stay in it", () => {
  const tiles = squarify(
    [6, 6, 4, 3, 2, 2, 1].map((area, index) => tile(String(index), area)),
    600,
    400,
  );
  expect(tiles.reduce((sum, one) => sum + one.width * one.height, 0)).toBeCloseTo(240_000);
  for (const one of tiles) {
    expect(one.x + one.width).toBeLessThanOrEqual(600.001);
    expect(one.y + one.height).toBeLessThanOrEqual(400.001);
  }
});

test("what has no area has no tile", () => {
  expect(squarify([tile("a", 0)], 100, 100)).toEqual([]);
});
