// A run as its events tell it. Events come in order, possibly again after a lost connection: each counts once, by its
// number.

import { type ResultOf, graphql } from "./graphql.ts";

export const RunEventFields = graphql(`
  fragment RunEventFields on RunEvent {
    __typename
    seq
    at
    runId
    ... on RunPhaseStarted {
      phase
    }
    ... on RunPhaseSkipped {
      phase
      reason
    }
    ... on RunProgressed {
      progress {
        phase
        done
        total
        unit
        bytesDone
        bytesTotal
      }
    }
    ... on RunMessage {
      level
      text
    }
    ... on RunText {
      text
    }
    ... on RunFinished {
      run {
        __typename
        id
        status
        finishedAt
        error {
          code
          message
        }
      }
    }
  }
`);

export type RunEvent = ResultOf<typeof RunEventFields>;

export interface Phase {
  name: string;
  state: "active" | "done" | "skipped";
  startedAt: string;
  endedAt?: string;
  done: number;
  total: number | null;
  unit: string | null;
  bytesDone: number | null;
  bytesTotal: number | null;
  reason?: string;
}

export interface RunState {
  /** The number of the last event: where to go on after a lost connection. */
  cursor: number;
  phases: Phase[];
  messages: { seq: number; at: string; level: string; text: string }[];
  /** Text that the run has written so far, as a model streams it. */
  text: string;
  ended: boolean;
}

export const NOTHING_YET: RunState = { cursor: 0, phases: [], messages: [], text: "", ended: false };

function phase(name: string, at: string): Phase {
  return { name, state: "active", startedAt: at, done: 0, total: null, unit: null, bytesDone: null, bytesTotal: null };
}

/** Ends the active phase. */
function settled(phases: Phase[], at: string): Phase[] {
  return phases.map((one) => (one.state === "active" ? { ...one, state: "done", endedAt: at } : one));
}

export function runReduce(state: RunState, event: RunEvent): RunState {
  if (event.seq <= state.cursor) return state;
  const next = { ...state, cursor: event.seq };
  switch (event.__typename) {
    case "RunPhaseStarted": {
      // A run that is tried again walks through its phases anew.
      const before = settled(state.phases, event.at).filter((one) => one.name !== event.phase);
      return { ...next, phases: [...before, phase(event.phase, event.at)] };
    }
    case "RunPhaseSkipped": {
      const before = settled(state.phases, event.at).filter((one) => one.name !== event.phase);
      const skipped: Phase = {
        ...phase(event.phase, event.at),
        state: "skipped",
        endedAt: event.at,
        reason: event.reason,
      };
      return { ...next, phases: [...before, skipped] };
    }
    case "RunProgressed": {
      const { phase: name, ...progress } = event.progress;
      return { ...next, phases: state.phases.map((one) => (one.name === name ? { ...one, ...progress } : one)) };
    }
    case "RunMessage":
      return {
        ...next,
        messages: [...state.messages, { seq: event.seq, at: event.at, level: event.level, text: event.text }].slice(
          -200,
        ),
      };
    case "RunText":
      return { ...next, text: state.text + event.text };
    case "RunFinished":
      return { ...next, phases: settled(state.phases, event.at), ended: true };
    default:
      return next;
  }
}

/** A phase as an attempt at the run has written it down. */
interface RecordedPhase {
  name: string;
  startedAt: string;
  endedAt: string | null;
  done: number;
  total: number | null;
  unit: string | null;
  skipped: string | null;
}

/** A run as its last attempt tells it: what is shown before the first event has arrived. */
export function runOfAttempt(phases: readonly RecordedPhase[] | undefined): RunState {
  if (!phases) return NOTHING_YET;
  return {
    ...NOTHING_YET,
    phases: phases.map((one) => ({
      ...phase(one.name, one.startedAt),
      state: one.skipped ? "skipped" : one.endedAt ? "done" : "active",
      ...(one.endedAt ? { endedAt: one.endedAt } : {}),
      ...(one.skipped ? { reason: one.skipped } : {}),
      done: one.done,
      total: one.total,
      unit: one.unit,
    })),
  };
}
