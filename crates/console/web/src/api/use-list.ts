// The one way to list: pages by keyset, each kept up to date by the cache. A page begins after the last item of the
// page before it, so that nothing is lost or repeated when items are added.

import { useCallback, useEffect, useRef, useState } from "react";
import { type AnyVariables, type DocumentInput, useClient } from "urql";
import { type Failure, failureOf } from "./errors.ts";

export interface Page<Node> {
  nodes: readonly Node[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

export interface List<Node> {
  items: Node[];
  /** Nothing has arrived yet. */
  loading: boolean;
  loadingMore: boolean;
  failure: Failure | undefined;
  hasMore: boolean;
  more: () => void;
  reload: () => void;
}

interface Slot<Node> {
  after: string | null;
  page: Page<Node> | undefined;
  stop: () => void;
}

export function useList<Data, Variables extends AnyVariables, Node>(
  document: DocumentInput<Data, Variables>,
  variables: Omit<Variables, "after">,
  pick: (data: Data) => Page<Node> | null | undefined,
): List<Node> {
  const client = useClient();
  const [, render] = useState(0);
  const slots = useRef<Slot<Node>[]>([]);
  const failure = useRef<Failure | undefined>(undefined);
  const picked = useRef(pick);
  picked.current = pick;
  const key = JSON.stringify(variables);
  const held = useRef<{ key: string; items: Node[] }>({ key, items: [] });

  const open = useCallback(
    (index: number, after: string | null, fresh = false) => {
      slots.current[index]?.stop();
      const slot: Slot<Node> = { after, page: slots.current[index]?.page, stop: () => {} };
      slots.current[index] = slot;
      const all = { ...JSON.parse(key), after } as Variables;
      const { unsubscribe } = client
        .query(document, all, fresh ? { requestPolicy: "network-only" } : {})
        .subscribe((result) => {
          failure.current = result.error ? failureOf(result.error) : undefined;
          const page = result.data ? picked.current(result.data) : undefined;
          if (page) {
            slot.page = page;
            const next = slots.current[index + 1];
            if (next && next.after !== page.pageInfo.endCursor && page.pageInfo.endCursor) {
              open(index + 1, page.pageInfo.endCursor);
            }
          }
          render((count) => count + 1);
        });
      slot.stop = unsubscribe;
    },
    [client, document, key],
  );

  useEffect(() => {
    open(0, null);
    return () => {
      for (const slot of slots.current) slot.stop();
      slots.current = [];
      failure.current = undefined;
    };
  }, [open]);

  const shown = slots.current.flatMap((slot) => slot.page?.nodes ?? []);
  const first = slots.current[0]?.page;
  const last = slots.current.at(-1);
  // While other words are searched for, the list before stays: nothing jumps.
  if (first) held.current = { key, items: shown };
  return {
    items: first ? shown : held.current.items,
    loading: !first && !failure.current,
    loadingMore: slots.current.length > 1 && !last?.page && !failure.current,
    failure: failure.current,
    hasMore: last?.page?.pageInfo.hasNextPage ?? false,
    more: () => {
      const end = last?.page?.pageInfo;
      if (end?.hasNextPage && end.endCursor) {
        open(slots.current.length, end.endCursor);
        render((count) => count + 1);
      }
    },
    reload: () => open(0, null, true),
  };
}
