// urql: a query, a mutation and a subscription.

import { Client, fetchExchange, cacheExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { EVENTS_QUERY, NOTE_MUTATION, NOTES_QUERY, streamJudge } from "./operations.mjs";

/** Each kind of operation once. */
export async function urqlJudge({ server, verdict, world }) {
  const authorization = `Bearer ${server.token}`;
  const socket = createClient({
    url: `${server.api.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
  });
  const forwardSubscription = ({ query, variables }) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
  });
  const client = new Client({
    url: `${server.api}/graphql`,
    preferGetMethod: false,
    fetchOptions: { headers: { authorization } },
    exchanges: [cacheExchange, fetchExchange, subscriptionExchange({ forwardSubscription })],
  });
  const read = async (requestPolicy) => {
    const { data, error } = await client.query(NOTES_QUERY, { id: world.project }, { requestPolicy });
    if (error) throw error;
    return data.project.notes.totalCount;
  };

  const before = await read("cache-first");
  verdict("urql query", Number.isInteger(before), `${before} notes`);
  const input = { projectId: world.project, title: "By urql", body: "A note." };
  const { data, error } = await client.mutation(NOTE_MUTATION, { input });
  const after = await read("network-only");
  const what = error?.message ?? `${data.createNote.note.id}, ${after} notes`;
  verdict("urql mutation", !error && after === before + 1, what);
  // urql's sources are observables by `subscribe(next)`; this one says its end by `hasNext`.
  const variables = { runId: world.endedRun, after: 0 };
  const events = {
    subscribe: ({ next, error: failed, complete }) =>
      client.subscription(EVENTS_QUERY, variables).subscribe((result) => {
        if (result.error) return failed(result.error);
        // At the end urql gives the last result once more.
        if (result.hasNext) next(result);
        else complete();
      }),
  };
  await streamJudge(verdict, "urql subscription", events, world);
  await socket.dispose();
}
