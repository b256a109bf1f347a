import { afterEach, expect, test } from "vitest";
import { clockHear, now } from "~/api/clock";
import { duration, relative } from "./time.tsx";

afterEach(() => clockHear(new Date().toUTCString()));

test("a clock that is wrong by days follows the server's", () => {
  const there = Date.now() - 3 * 86_400_000;
  clockHear(new Date(there).toUTCString());
  expect(Math.abs(now() - there)).toBeLessThan(2000);
  expect(relative(new Date(there - 3_700_000).toISOString(), now())).toBe("1 hour ago");
});

test("clocks that differ by seconds are left alone", () => {
  clockHear(new Date(Date.now() + 20_000).toUTCString());
  expect(Math.abs(now() - Date.now())).toBeLessThan(5);
});

test("an answer without a date changes nothing", () => {
  clockHear(null);
  clockHear("yesterday");
  expect(Math.abs(now() - Date.now())).toBeLessThan(5);
});

test("what is a little in the future is just now", () => {
  expect(relative(new Date(Date.now() + 30_000).toISOString(), Date.now())).toBe("just now");
});

test("lengths of time read as people say them", () => {
  expect([-5, 12, 850, 12_000, 184_000, 7_260_000].map(duration)).toEqual([
    "0 ms",
    "12 ms",
    "0.9 s",
    "12 s",
    "3 min 4 s",
    "2 h 1 min",
  ]);
});
