// One source: the sync that runs, phase by phase; what the syncs before brought; and how it is kept up to date.
// Longer than 450 lines: the panels of one screen, whose operations stand beside them.

import {
  Alert,
  Anchor,
  Button,
  Code,
  Group,
  Paper,
  Select,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { IconRefresh, IconTrash } from "@tabler/icons-react";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useCallback, useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { type ResultOf, graphql } from "~/api/graphql";
import { runOfAttempt } from "~/api/run-state";
import { useChange } from "~/api/use-change";
import { useRun } from "~/api/use-run";
import { NotFound } from "~/app/not-found";
import { useMay } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { FailureBox } from "~/parts/failure";
import { Form, TextField } from "~/parts/form";
import { Page } from "~/parts/page";
import { Phases } from "~/parts/run-parts";
import { Time } from "~/parts/time";
import { t } from "~/text";
import { Credential, Webhook } from "./source-access";
import { History } from "./source-history";
import { ScanPathInput, SourceBadge, SourceFields, StartSync } from "./sources";
import { useProject } from "./use-project";

const SourceQuery = graphql(
  `
    query SourceScreen($id: ID!) {
      node(id: $id) {
        __typename
        id
        ... on Source {
          ...SourceFields
          syncs(first: 1) {
            nodes {
              id
              status
              error {
                code
                message
              }
              attempts {
                number
                phases {
                  name
                  startedAt
                  endedAt
                  done
                  total
                  unit
                  skipped
                }
              }
            }
          }
        }
      }
    }
  `,
  [SourceFields],
);

const UpdateSource = graphql(
  `
    mutation UpdateSource($input: UpdateSourceInput!) {
      updateSource(input: $input) {
        source {
          ...SourceFields
        }
      }
    }
  `,
  [SourceFields],
);

const RemoveSource = graphql(`
  mutation RemoveSource($input: RemoveSourceInput!) {
    removeSource(input: $input) {
      deletedId
    }
  }
`);

const SetSchedule = graphql(
  `
    mutation SetSourceSchedule($input: SetSourceScheduleInput!) {
      setSourceSchedule(input: $input) {
        source {
          ...SourceFields
        }
      }
    }
  `,
  [SourceFields],
);

export type Source = ResultOf<typeof SourceFields>;

export function SourceScreen() {
  const { sourceId } = useParams({ from: "/projects/$slug/sources/$sourceId" });
  const project = useProject();
  const may = useMay();
  const [{ data, error }, reload] = useQuery({ query: SourceQuery, variables: { id: sourceId } });
  const refresh = useCallback(() => reload({ requestPolicy: "network-only" }), [reload]);
  const source = data?.node?.__typename === "Source" ? data.node : undefined;
  const last = source?.syncs.nodes[0];
  const active = last?.status === "QUEUED" || last?.status === "RUNNING";
  const live = useRun(active ? last?.id : null, refresh);
  const run = active && live.phases.length ? live : runOfAttempt(last?.attempts.at(-1)?.phases);
  const sync = useChange(StartSync, {
    done: (made) => (made.startSync.outcome === "ALREADY_ACTIVE" ? t.sources.alreadySyncing : undefined),
  });
  if (error && !source) return <FailureBox failure={failureOf(error)} retry={refresh} />;
  if (data && !source) return <NotFound />;
  if (!source) return <Skeleton height={300} />;
  return (
    <Page
      order={2}
      back={
        <Anchor component={Link} to={`/projects/${project.slug}/sources`} size="sm">
          ← {t.sources.title}
        </Anchor>
      }
      title={source.url}
      lead={
        <Group gap="xs">
          <SourceBadge status={active ? "SYNCING" : source.status} />
          <span>
            {source.branch ?? t.sources.defaultBranch} · <Code>{source.displayPath}</Code>
          </span>
          {source.headCommit && <Code title={source.headCommit}>{source.headCommit.slice(0, 8)}</Code>}
        </Group>
      }
      actions={
        may.write && (
          <Button
            leftSection={<IconRefresh size={18} />}
            loading={sync.busy}
            disabled={active}
            onClick={async () => {
              if (await sync.run({ input: { sourceId } })) refresh();
            }}
          >
            {t.sources.syncNow}
          </Button>
        )
      }
    >
      {last && (
        <Panel title={active ? t.sources.syncing : t.sources.lastSync}>
          <div aria-live="polite">
            {run.phases.length === 0 && active && (
              <Text size="sm" c="dimmed">
                {t.sources.waiting}
              </Text>
            )}
            <Phases run={run} failed={last.status === "FAILED"} />
            {last.error && (
              <Alert color="red" mt="sm">
                <Text size="sm" className="anywhere">
                  {last.error.message}
                </Text>
                <Code>{last.error.code}</Code>
              </Alert>
            )}
          </div>
          <Anchor component={Link} to={`/runs/${last.id}`} size="sm" mt="sm" display="inline-block">
            {t.runs.story}
          </Anchor>
        </Panel>
      )}
      {may.write && (
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
          <Where source={source} />
          <Schedule source={source} />
          <Webhook source={source} />
          <Credential source={source} />
        </SimpleGrid>
      )}
      <History sourceId={sourceId} />
      {may.write && <Remove source={source} />}
    </Page>
  );
}

export function Panel(props: { title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={props.title}>
      <Title order={3} size="h5" mb="sm">
        {props.title}
      </Title>
      {props.children}
    </Paper>
  );
}

function Where(props: { source: Source }) {
  const { source } = props;
  const [branch, setBranch] = useState(source.branch ?? "");
  const [scanPath, setScanPath] = useState(source.displayPath);
  const save = useChange(UpdateSource, { inline: true, done: t.common.saved });
  return (
    <Panel title={t.sources.where}>
      <Form
        change={save}
        onSubmit={() => {
          void save.run({ input: { sourceId: source.id, branch: branch.trim() || null, scanPath } });
        }}
        quiet
        unchanged={branch.trim() === (source.branch ?? "") && scanPath === source.displayPath}
      >
        <TextField
          label={t.sources.branch}
          placeholder={t.sources.defaultBranch}
          value={branch}
          onValue={setBranch}
        />
        <ScanPathInput value={scanPath} onChange={setScanPath} />
      </Form>
    </Panel>
  );
}

function Schedule(props: { source: Source }) {
  const { source } = props;
  const save = useChange(SetSchedule, { done: t.common.saved });
  const minutes = source.schedule?.everyMinutes;
  const usual = [15, 60, 360, 1440, 10_080];
  const all = minutes && !usual.includes(minutes) ? [...usual, minutes].sort((a, b) => a - b) : usual;
  return (
    <Panel title={t.sources.schedule}>
      <Stack>
        <Select
          label={t.sources.every}
          data={[
            { value: "", label: t.sources.never },
            ...all.map((one) => ({ value: String(one), label: t.sources.interval(one) })),
          ]}
          value={String(minutes ?? "")}
          allowDeselect={false}
          disabled={save.busy}
          onChange={(value) =>
            void save.run({ input: { sourceId: source.id, everyMinutes: value ? Number(value) : null } })
          }
        />
        <Text size="sm" c="dimmed">
          {source.schedule?.nextSyncAt ? (
            <>
              {t.sources.next} <Time at={source.schedule.nextSyncAt} />
            </>
          ) : (
            t.sources.scheduleText
          )}
        </Text>
      </Stack>
    </Panel>
  );
}

function Remove(props: { source: Source }) {
  const project = useProject();
  const navigate = useNavigate();
  const remove = useChange(RemoveSource, { done: t.sources.removed });
  return (
    <Group>
      <Button
        color="red"
        variant="light"
        leftSection={<IconTrash size={16} />}
        loading={remove.busy}
        onClick={async () => {
          const sure = await confirm({
            title: t.sources.remove,
            text: t.sources.removeText(props.source.url),
            label: t.sources.remove,
          });
          if (!sure) return;
          if (await remove.run({ input: { sourceId: props.source.id } })) {
            void navigate({ to: "/projects/$slug/sources", params: { slug: project.slug } });
          }
        }}
      >
        {t.sources.remove}
      </Button>
    </Group>
  );
}
