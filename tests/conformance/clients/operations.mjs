// What the clients send: the same operations for each.

export const NOTES_QUERY = `query Notes($id: ID!) {
  project(id: $id) { id name notes(first: 5) { totalCount nodes { id title } } }
}`;

export const NOTE_MUTATION = `mutation Write($input: CreateNoteInput!) {
  createNote(input: $input) { note { id title } }
}`;

export const EVENTS_QUERY = `subscription Events($runId: ID!, $after: Int!) {
  runEvents(runId: $runId, after: $after) { seq ... on RunFinished { run { id status } } }
}`;

/** Reads an observable of a run's events to its end: the run's events, the last of which says that it succeeded. */
export async function streamJudge(verdict, name, observable, world) {
  const events = [];
  await new Promise((done, failed) => {
    const next = ({ data, error, errors }) => {
      if (error ?? errors?.length) failed(error ?? new Error(JSON.stringify(errors)));
      else events.push(data.runEvents);
    };
    observable.subscribe({ next, error: failed, complete: done });
  });
  const whole = events.length === (await world.eventCount(world.endedRun));
  const last = events.at(-1)?.run?.status;
  verdict(name, whole && last === "SUCCEEDED", `${events.length} events, then ${last}`);
}
