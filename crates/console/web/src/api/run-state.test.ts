import { expect, test } from "vitest";
import { NOTHING_YET, type RunEvent, runReduce } from "./run-state.ts";

const at = (second: number) => `2026-01-01T00:00:0${second}Z`;
const started = (seq: number, phase: string): RunEvent => ({
  __typename: "RunPhaseStarted",
  seq,
  at: at(seq),
  runId: "run_1",
  phase,
});

test("a phase ends when the next begins", () => {
  const run = [started(1, "prepare"), started(2, "scan")].reduce(runReduce, NOTHING_YET);
  expect(run.phases.map((phase) => [phase.name, phase.state])).toEqual([
    ["prepare", "done"],
    ["scan", "active"],
  ]);
  expect(run.cursor).toBe(2);
});

test("an event that arrives again changes nothing", () => {
  const text: RunEvent = { __typename: "RunText", seq: 3, at: at(3), runId: "run_1", text: "Hello" };
  const run = [text, text, started(2, "scan")].reduce(runReduce, NOTHING_YET);
  expect(run.text).toBe("Hello");
  expect(run.phases).toEqual([]);
});

test("a second attempt walks through its phases anew", () => {
  const run = [started(1, "prepare"), started(2, "scan"), started(3, "prepare")].reduce(runReduce, NOTHING_YET);
  expect(run.phases.map((phase) => phase.name)).toEqual(["scan", "prepare"]);
  expect(run.phases.at(-1)?.state).toBe("active");
});

test("the last event ends the last phase", () => {
  const finished: RunEvent = {
    __typename: "RunFinished",
    seq: 2,
    at: at(2),
    runId: "run_1",
    run: { __typename: "Sync", id: "run_1", status: "SUCCEEDED", finishedAt: at(2), error: null },
  };
  const run = [started(1, "prepare"), finished].reduce(runReduce, NOTHING_YET);
  expect(run.ended).toBe(true);
  expect(run.phases[0]).toMatchObject({ state: "done", endedAt: at(2) });
});
