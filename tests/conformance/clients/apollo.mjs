// Apollo Client: a query, a mutation and a subscription, and what its cache makes of them.

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { EVENTS_QUERY, NOTE_MUTATION, NOTES_QUERY, streamJudge } from "./operations.mjs";

/** Each kind of operation once. */
export async function apolloJudge({ server, verdict, world }) {
  const authorization = `Bearer ${server.token}`;
  const http = new HttpLink({ uri: `${server.api}/graphql`, headers: { authorization } });
  const socket = createClient({
    url: `${server.api.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
  });
  const streams = ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION;
  const link = ApolloLink.split(streams, new GraphQLWsLink(socket), http);
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const notes = () => client.query({ query: gql(NOTES_QUERY), variables: { id: world.project } });

  const before = (await notes()).data.project;
  verdict("Apollo Client query", before.id === world.project, `${before.notes.totalCount} notes`);
  const input = { projectId: world.project, title: "By Apollo", body: "A note." };
  const made = (await client.mutate({ mutation: gql(NOTE_MUTATION), variables: { input } })).data.createNote.note;
  const cached = client.cache.extract()[`Note:${made.id}`];
  verdict("Apollo Client mutation", cached?.title === "By Apollo", `${made.id} is in the cache by its id`);
  const variables = { runId: world.endedRun, after: 0 };
  const events = client.subscribe({ query: gql(EVENTS_QUERY), variables });
  await streamJudge(verdict, "Apollo Client subscription", events, world);
  client.stop();
  await socket.dispose();
}
