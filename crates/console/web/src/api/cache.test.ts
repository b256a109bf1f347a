import { cacheExchange } from "@urql/exchange-graphcache";
import { Client, type Exchange, type Operation, type OperationResult, gql } from "urql";
import { expect, test, vi } from "vitest";
import { filter, makeSubject, map, merge, pipe, tap } from "wonka";
import { cacheOptions } from "./cache.ts";

/** A client whose operations are answered by hand. */
function clientByHand() {
  const asked: Operation[] = [];
  const { source, next } = makeSubject<OperationResult>();
  const byHand: Exchange = () => (operations) =>
    merge([
      source,
      pipe(
        operations,
        tap((operation) => asked.push(operation)),
        filter(() => false),
        map((operation) => ({ operation }) as OperationResult),
      ),
    ]);
  const client = new Client({
    url: "http://localhost/graphql",
    preferGetMethod: false,
    requestPolicy: "cache-and-network",
    exchanges: [cacheExchange(cacheOptions), byHand],
  });
  const answer = (operation: Operation, data: unknown) =>
    next({ operation, data, stale: false, hasNext: operation.kind === "subscription" });
  const open = (kind: Operation["kind"]) => asked.filter((one) => one.kind === kind).at(-1) as Operation;
  return { client, asked, answer, open };
}

const List = gql`
  query List {
    node(id: "note_1") {
      __typename
      id
      ... on Note {
        enrichments {
          nodes {
            __typename
            id
            status
            markdown
          }
        }
      }
    }
  }
`;
const TenantActivity = gql`
  subscription {
    tenantActivity {
      __typename
      seq
      ... on RunFinished {
        run {
          __typename
          id
          kind
          status
        }
      }
    }
  }
`;

const enrichment = (status: string, markdown: string | null) => ({
  node: {
    __typename: "Note",
    id: "note_1",
    enrichments: {
      __typename: "EnrichmentConnection",
      nodes: [{ __typename: "NoteEnrichment", id: "run_1", status, markdown }],
    },
  },
});
const FINISHED = {
  tenantActivity: {
    __typename: "RunFinished",
    seq: 3,
    run: { __typename: "NoteEnrichment", id: "run_1", kind: "NOTE_ENRICHMENT", status: "SUCCEEDED" },
  },
};

test("what a run made is read once its end is told", async () => {
  const { client, answer, asked, open } = clientByHand();
  const seen: unknown[] = [];
  const events: unknown[] = [];
  client.subscription(TenantActivity, {}).subscribe(({ data }) => events.push(data));
  client.query(List, {}).subscribe(({ data, stale }) => {
    if (!stale) seen.push(data?.node.enrichments.nodes[0]);
  });
  answer(open("query"), enrichment("RUNNING", null));
  answer(open("subscription"), FINISHED);
  await vi.waitFor(() => expect(asked.filter((one) => one.kind === "query").length).toBe(2));
  expect(events).toEqual([FINISHED]);
  answer(open("query"), enrichment("SUCCEEDED", "Text"));
  expect(seen).toMatchObject([
    { status: "RUNNING", markdown: null },
    { status: "SUCCEEDED", markdown: "Text" },
  ]);
});

test("an answer that is older than the end of a run is one state", async () => {
  const { client, answer, open } = clientByHand();
  const seen: unknown[] = [];
  client.subscription(TenantActivity, {}).subscribe(() => {});
  client.query(List, {}).subscribe(({ data, stale }) => {
    if (!stale) seen.push(data?.node.enrichments.nodes[0]);
  });
  answer(open("subscription"), FINISHED);
  answer(open("query"), enrichment("RUNNING", null));
  await vi.waitFor(() => expect(seen).toMatchObject([{ status: "RUNNING", markdown: null }]));
});
