// Runs: all of the tenant, or those of one project.

import { Anchor, Group, MultiSelect, Table, Text } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { graphql } from "~/api/graphql";
import { useList } from "~/api/use-list";
import { Empty } from "~/parts/empty";
import { ListView } from "~/parts/list-view";
import { Page } from "~/parts/page";
import { RunBadge, progressText } from "~/parts/run-parts";
import { between, Time } from "~/parts/time";
import { t } from "~/text";
import { useProject } from "./project/use-project";

const RunList = graphql(`
  query RunList($projectId: ID, $kinds: [RunKind!], $statuses: [RunStatus!], $after: String) {
    runs(first: 30, after: $after, projectId: $projectId, kinds: $kinds, statuses: $statuses) {
      nodes {
        id
        kind
        status
        createdAt
        startedAt
        finishedAt
        startedBy {
          id
          name
        }
        progress {
          phase
          done
          total
          unit
          bytesDone
          bytesTotal
        }
        error {
          code
          message
        }
        project {
          id
          name
          slug
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

type Kind = keyof typeof t.runs.kinds;
type Status = keyof typeof t.runs.statuses;

export function Runs() {
  return <RunTable order={1} />;
}

export function ProjectRuns() {
  const project = useProject();
  return <RunTable order={2} projectId={project.id} />;
}

function RunTable(props: { order: 1 | 2; projectId?: string }) {
  const { order, projectId } = props;
  const [kinds, setKinds] = useState<Kind[]>([]);
  const [statuses, setStatuses] = useState<Status[]>([]);
  const list = useList(
    RunList,
    { projectId: projectId ?? null, kinds: kinds.length ? kinds : null, statuses: statuses.length ? statuses : null },
    (data) => data.runs,
  );
  const options = <Value extends string>(names: Record<Value, string>) =>
    Object.entries<string>(names).map(([value, label]) => ({ value: value as Value, label }));
  return (
    <Page order={order} title={t.runs.title} lead={t.runs.lead}>
      <Group align="flex-end" className="filters">
        <MultiSelect
          label={t.runs.kind}
          placeholder={kinds.length ? undefined : t.common.all}
          data={options(t.runs.kinds)}
          value={kinds}
          onChange={(values) => setKinds(values as Kind[])}
          clearable
          miw={220}
        />
        <MultiSelect
          label={t.runs.status}
          placeholder={statuses.length ? undefined : t.common.all}
          data={options(t.runs.statuses)}
          value={statuses}
          onChange={(values) => setStatuses(values as Status[])}
          clearable
          miw={220}
        />
      </Group>
      <ListView
        list={list}
        rowHeight={40}
        empty={
          <Empty
            icon={IconPlayerPlay}
            title={t.runs.emptyTitle}
            text={kinds.length || statuses.length ? t.runs.nothing : t.runs.emptyText}
          />
        }
      >
        {(runs) => (
          <Table.ScrollContainer minWidth={640} className="narrowing">
            <Table verticalSpacing="xs" highlightOnHover aria-label={t.runs.title}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t.runs.run}</Table.Th>
                  <Table.Th>{t.runs.status}</Table.Th>
                  <Table.Th>{t.runs.started}</Table.Th>
                  <Table.Th className="secondary">{t.runs.duration}</Table.Th>
                  <Table.Th className="secondary">{t.runs.by}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {runs.map((run) => (
                  <Table.Tr key={run.id}>
                    <Table.Td>
                      <Anchor component={Link} to={`/runs/${run.id}`} size="sm">
                        {t.runs.kinds[run.kind]}
                        {projectId || !run.project ? "" : ` · ${run.project.name}`}
                      </Anchor>
                      {run.error && (
                        <Text size="xs" c="dimmed" lineClamp={1}>
                          {run.error.message}
                        </Text>
                      )}
                      {run.status === "RUNNING" && run.progress && (
                        <Text size="xs" c="dimmed">
                          {progressText(run.progress)}
                        </Text>
                      )}
                    </Table.Td>
                    <Table.Td>
                      <RunBadge status={run.status} />
                    </Table.Td>
                    <Table.Td>
                      <Time at={run.startedAt ?? run.createdAt} size="sm" />
                    </Table.Td>
                    <Table.Td className="secondary">{between(run.startedAt, run.finishedAt)}</Table.Td>
                    <Table.Td className="secondary">{run.startedBy?.name ?? t.runs.automatic}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </ListView>
    </Page>
  );
}
