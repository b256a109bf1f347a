// The one way to follow a run: its events from the first on, then those that come. After a lost connection the stream
// goes on behind the last event that arrived.

import { stringifyDocument } from "urql";
import { useEffect, useState } from "react";
import { graphql } from "./graphql.ts";
import { NOTHING_YET, type RunEvent, RunEventFields, type RunState, runReduce } from "./run-state.ts";
import { useApi } from "./provider.tsx";

const Follow = graphql(
  `
    subscription FollowRun($runId: ID!, $after: Int!) {
      runEvents(runId: $runId, after: $after) { ...RunEventFields }
    }
  `,
  [RunEventFields],
);

/** Follows a run to its end; `onEnd` is called once when it ends while it is watched. */
export function useRun(runId: string | null | undefined, onEnd?: () => void): RunState {
  const { socket } = useApi();
  const [state, setState] = useState<{ runId: string; run: RunState }>();
  useEffect(() => {
    if (!runId) return;
    let run = NOTHING_YET;
    setState({ runId, run });
    let queued = false;
    // The client sends the payload again when it reconnects: with the cursor as it is then.
    const variables = { runId, after: 0 };
    const stop = socket.subscribe<{ runEvents: RunEvent }>(
      { query: stringifyDocument(Follow), variables },
      {
        next: ({ data }) => {
          if (!data) return;
          run = runReduce(run, data.runEvents);
          variables.after = run.cursor;
          // Many events arrive at once when a run is followed from its beginning: they are drawn together.
          if (queued) return;
          queued = true;
          requestAnimationFrame(() => {
            queued = false;
            setState({ runId, run });
            if (run.ended) onEnd?.();
          });
        },
        error: () => {},
        complete: () => {},
      },
    );
    return stop;
  }, [runId, socket, onEnd]);
  return state && state.runId === runId ? state.run : NOTHING_YET;
}
