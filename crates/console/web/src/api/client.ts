// The one client of the GraphQL API: queries and mutations over HTTP through a normalised cache, subscriptions over one
// WebSocket. The tenant of the page goes with every request, so that a page never works in another one than it shows.

import { cacheExchange } from "@urql/exchange-graphcache";
import { createClient as createSocket, type Client as Socket } from "graphql-ws";
import { Client, fetchExchange, mapExchange, subscriptionExchange } from "urql";
import { cacheOptions } from "./cache.ts";

export type ConnectionState = "connected" | "connecting" | "lost";

export interface Api {
  client: Client;
  socket: Socket;
  /** Whether live updates arrive. */
  connection: { current: () => ConnectionState; subscribe: (listener: () => void) => () => void };
  close: () => void;
}

/** Codes after which the session is asked for again: it may have ended, or the person's role is another one. */
const DOUBT = new Set(["UNAUTHENTICATED", "TENANT_MISMATCH", "FORBIDDEN"]);

/** `onDoubt` is called where the session may no longer be what the page takes it for. */
export function apiOpen(tenant: string, onDoubt: () => void): Api {
  let state: ConnectionState = "connecting";
  const listeners = new Set<() => void>();
  const become = (next: ConnectionState) => {
    if (next === state) return;
    // The server ends the streams of a person whose role changes.
    if (state === "lost" && next === "connected") onDoubt();
    state = next;
    for (const listener of listeners) listener();
  };
  const address = new URL("/graphql", location.href);
  const socketAddress = new URL(address);
  socketAddress.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = createSocket({
    url: socketAddress.href,
    connectionParams: { "Nyxcore-Tenant": tenant },
    lazy: true,
    keepAlive: 20_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (attempt) => new Promise((done) => setTimeout(done, Math.min(10_000, 500 * 2 ** attempt))),
    on: {
      connected: () => become("connected"),
      closed: (event) => {
        become("lost");
        const code = (event as CloseEvent).code;
        if (code === 4401 || code === 4403) onDoubt();
      },
    },
  });
  const client = new Client({
    url: address.href,
    preferGetMethod: false,
    requestPolicy: "cache-and-network",
    fetchOptions: { credentials: "same-origin", headers: { "Nyxcore-Tenant": tenant } },
    exchanges: [
      mapExchange({
        onError(error) {
          if (error.graphQLErrors.some((one) => DOUBT.has(String(one.extensions?.code)))) onDoubt();
        },
      }),
      cacheExchange(cacheOptions),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ ...request, query: request.query ?? "" }, sink),
          }),
        }),
      }),
    ],
  });
  return {
    client,
    socket,
    connection: {
      current: () => state,
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    close: () => void socket.dispose(),
  };
}
