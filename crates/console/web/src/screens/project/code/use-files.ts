// Every file of a source by its path. The list is read page by page and shown as it grows; it is kept for the commit.

import { useEffect, useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "~/api/errors";
import { graphql } from "~/api/graphql";
import type { FileEntry } from "./tree";

const SourceFiles = graphql(`
  query SourceFiles($id: ID!, $after: String) {
    node(id: $id) {
      __typename
      id
      ... on Source {
        files(first: 200, after: $after) {
          nodes {
            id
            path
            size
            language
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  }
`);

export interface Files {
  files: readonly FileEntry[];
  /** More are coming. */
  loading: boolean;
  failure: Failure | undefined;
  reload: () => void;
}

/** The last list, so that a return to the screen reads nothing anew. */
let kept: { key: string; files: readonly FileEntry[] } | undefined;
/** Pages between two drawings: a large list is not drawn fifty times. */
const PAGES_PER_DRAW = 5;

export function useFiles(source: { id: string; headCommit: string | null; scanPath: string } | undefined): Files {
  const client = useClient();
  const key = source ? `${source.id}@${source.headCommit}:${source.scanPath}` : "";
  const [state, setState] = useState<Omit<Files, "reload">>({ files: [], loading: true, failure: undefined });
  const [turn, setTurn] = useState(0);
  const id = source?.id;
  useEffect(() => {
    if (!id) return;
    if (kept?.key === key) {
      setState({ files: kept.files, loading: false, failure: undefined });
      return;
    }
    let left = false;
    const read = async () => {
      let files: FileEntry[] = [];
      let after: string | null = null;
      for (let page = 0; !left; page += 1) {
        const result = await client.query(SourceFiles, { id, after }, { requestPolicy: "network-only" }).toPromise();
        if (left) return;
        const found: SourcePage | undefined =
          result.data?.node?.__typename === "Source" ? result.data.node.files : undefined;
        if (result.error || !found) {
          const failure = result.error ? failureOf(result.error) : undefined;
          setState({ files, loading: false, failure });
          return;
        }
        files = files.concat(found.nodes);
        after = found.pageInfo.endCursor;
        const more: boolean = found.pageInfo.hasNextPage;
        if (!more) kept = { key, files };
        if (!more || page % PAGES_PER_DRAW === 0) setState({ files, loading: more, failure: undefined });
        if (!more) return;
      }
    };
    setState({ files: [], loading: true, failure: undefined });
    void read();
    return () => {
      left = true;
    };
  }, [client, id, key, turn]);
  return { ...state, reload: () => setTurn((count) => count + 1) };
}

interface SourcePage {
  nodes: readonly FileEntry[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}
