// The syncs of a source, newest first, with how long each took.

import { Anchor, Group, Table, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { graphql } from "~/api/graphql";
import { useList } from "~/api/use-list";
import { ListView } from "~/parts/list-view";
import { bytes, count } from "~/parts/numbers";
import { RunBadge } from "~/parts/run-parts";
import { duration, Time } from "~/parts/time";
import { t } from "~/text";
import { Panel } from "./source";

const SyncHistory = graphql(`
  query SyncHistory($id: ID!, $after: String) {
    node(id: $id) {
      __typename
      id
      ... on Source {
        syncs(first: 20, after: $after) {
          nodes {
            id
            status
            createdAt
            startedAt
            finishedAt
            filesAdded
            filesUpdated
            filesDeleted
            filesRenamed
            bytesFetched
            toCommit
            error {
              code
              message
            }
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

export function History(props: { sourceId: string }) {
  const list = useList(SyncHistory, { id: props.sourceId }, (data) =>
    data.node?.__typename === "Source" ? data.node.syncs : undefined,
  );
  const time = (sync: { startedAt: string | null; finishedAt: string | null }) =>
    sync.startedAt && sync.finishedAt ? Date.parse(sync.finishedAt) - Date.parse(sync.startedAt) : 0;
  const longest = Math.max(1, ...list.items.map(time));
  return (
    <Panel title={t.sources.history}>
      <ListView
        list={list}
        rowHeight={36}
        empty={
          <Text size="sm" c="dimmed">
            {t.sources.noSyncs}
          </Text>
        }
      >
        {(syncs) => (
          <Table.ScrollContainer minWidth={640} className="narrowing">
            <Table verticalSpacing={6} aria-label={t.sources.history}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t.runs.started}</Table.Th>
                  <Table.Th>{t.runs.status}</Table.Th>
                  <Table.Th>{t.sources.files}</Table.Th>
                  <Table.Th className="secondary">{t.sources.fetched}</Table.Th>
                  <Table.Th className="secondary">{t.sources.commit}</Table.Th>
                  <Table.Th w="25%">{t.runs.duration}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {syncs.map((sync) => (
                  <Table.Tr key={sync.id}>
                    <Table.Td>
                      <Anchor component={Link} to={`/runs/${sync.id}`} size="sm">
                        <Time at={sync.startedAt ?? sync.createdAt} />
                      </Anchor>
                    </Table.Td>
                    <Table.Td>
                      <RunBadge status={sync.status} />
                    </Table.Td>
                    <Table.Td title={t.sources.filesTitle}>
                      +{count(sync.filesAdded)} ~{count(sync.filesUpdated + sync.filesRenamed)} −
                      {count(sync.filesDeleted)}
                    </Table.Td>
                    <Table.Td className="secondary">{bytes(sync.bytesFetched)}</Table.Td>
                    <Table.Td className="code secondary">{sync.toCommit?.slice(0, 8) ?? "–"}</Table.Td>
                    <Table.Td>
                      <Group gap="xs" wrap="nowrap">
                        <div
                          aria-hidden
                          style={{
                            width: `${(60 * time(sync)) / longest}%`,
                            minWidth: 2,
                            height: 8,
                            borderRadius: 4,
                            background:
                              sync.status === "FAILED" ? "var(--mantine-color-red-6)" : "var(--mantine-color-indigo-5)",
                          }}
                        />
                        <Text size="xs">{sync.finishedAt ? duration(time(sync)) : "…"}</Text>
                      </Group>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </ListView>
    </Panel>
  );
}
