// npm `graphql-ws` and `graphql-sse`: the events of a run over a connection that is cut again and again. Each time the
// client connects by itself and goes on after the last number that it received; no event is missing, and none comes
// twice.

import { createClient as sseClient } from "graphql-sse";
import { createClient as wsClient } from "graphql-ws";
import WebSocket from "ws";
import { proxyStart } from "../proxy.mjs";

const EVENTS = `subscription Events($runId: ID!, $after: Int!) {
  runEvents(runId: $runId, after: $after) { seq __typename }
}`;
/** After so many events the connection is cut. */
const CUT_EVERY = 4;

/** Both clients on a run that has ended, and on one that goes on meanwhile. */
export async function resumeJudge({ server, verdict, world }) {
  const expected = await world.eventCount(world.endedRun);
  for (const [name, follow] of [
    ["graphql-ws", overWebSocket],
    ["graphql-sse", overEvents],
  ]) {
    const ended = await follow(server, world.endedRun);
    judge(verdict, `${name} resumes a run that has ended`, ended, expected);
    const runId = await world.syncStart();
    const live = await follow(server, runId);
    judge(verdict, `${name} resumes a run under way`, live, await world.eventCount(runId));
  }
}

function judge(verdict, name, { seqs, connections }, expected) {
  const whole = seqs.length === expected && seqs.every((seq, at) => seq === at + 1);
  const cut = expected <= CUT_EVERY || connections > 1;
  const what = `${seqs.length} of ${expected} events over ${connections} connections`;
  verdict(name, whole && cut, whole ? what : `${what}: ${seqs}`);
}

/** Follows a run to its end by a client that `subscribe` makes for the relay, which is cut after some events. */
async function follow(server, runId, subscribe) {
  const proxy = await proxyStart(server.api);
  const seqs = [];
  // Both clients send this object again when they connect again.
  const payload = { query: EVENTS, variables: { runId, after: 0 } };
  const sink = (done, failed) => ({
    next: ({ data, errors }) => {
      if (errors) return failed(new Error(JSON.stringify(errors)));
      seqs.push(data.runEvents.seq);
      payload.variables.after = data.runEvents.seq;
      if (seqs.length % CUT_EVERY === 0) proxy.cut();
    },
    error: failed,
    complete: done,
  });
  try {
    await new Promise((done, failed) => subscribe(proxy.host, payload, sink(done, failed)));
  } finally {
    proxy.stop();
  }
  return { seqs, connections: proxy.connections() };
}

const retries = { retryAttempts: 50, retryWait: () => new Promise((done) => setTimeout(done, 20)) };

function overWebSocket(server, runId) {
  return follow(server, runId, (host, payload, sink) => {
    const client = wsClient({
      url: `ws://${host}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${server.token}` },
      shouldRetry: () => true,
      ...retries,
    });
    client.subscribe(payload, sink);
  });
}

function overEvents(server, runId) {
  return follow(server, runId, (host, payload, sink) => {
    const client = sseClient({
      url: `http://${host}/graphql`,
      headers: { authorization: `Bearer ${server.token}` },
      ...retries,
    });
    client.subscribe(payload, sink);
  });
}
