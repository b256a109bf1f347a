// One run: what it does now, what it said, and each attempt at it.

import { Alert, Anchor, Badge, Button, Code, Group, Paper, Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useCallback } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { type ResultOf, graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { runOfAttempt } from "~/api/run-state";
import { useRun } from "~/api/use-run";
import { NotFound } from "~/app/not-found";
import { useMay } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { FailureBox } from "~/parts/failure";
import { count } from "~/parts/numbers";
import { Page } from "~/parts/page";
import { Phases, RunBadge, phaseName } from "~/parts/run-parts";
import { absolute, between, duration, Time } from "~/parts/time";
import { t } from "~/text";

const RunQuery = graphql(`
  query RunScreen($id: ID!) {
    run(id: $id) {
      __typename
      id
      kind
      status
      createdAt
      startedAt
      finishedAt
      attempt
      startedBy {
        id
        name
      }
      project {
        id
        name
        slug
      }
      error {
        code
        message
      }
      attempts {
        number
        worker
        outcome
        startedAt
        endedAt
        error {
          code
          message
        }
        phases {
          name
          startedAt
          endedAt
          durationMs
          done
          total
          unit
          skipped
        }
      }
      ... on Sync {
        source {
          id
          url
        }
        filesAdded
        filesUpdated
        filesDeleted
        filesRenamed
        filesSkipped
      }
      ... on CodeAnalysis {
        filesAnalyzed
        filesReused
        filesSkipped
        patternsFound
        skipped {
          files
          reason
          rule
        }
      }
      ... on NoteEnrichment {
        note {
          id
          title
        }
      }
    }
  }
`);

const CancelRun = graphql(`
  mutation CancelRun($input: CancelRunInput!) {
    cancelRun(input: $input) {
      run {
        __typename
        id
        status
        finishedAt
      }
    }
  }
`);

type Run = NonNullable<ResultOf<typeof RunQuery>["run"]>;

export function RunScreen() {
  const { runId } = useParams({ from: "/runs/$runId" });
  const may = useMay();
  const [{ data, error }, reload] = useQuery({ query: RunQuery, variables: { id: runId } });
  const refresh = useCallback(() => reload({ requestPolicy: "network-only" }), [reload]);
  const run = data?.run;
  const active = run?.status === "QUEUED" || run?.status === "RUNNING";
  const live = useRun(runId, active ? refresh : undefined);
  // A run that has ended is told by its record: nothing moves while its events arrive.
  const followed =
    active && live.phases.length ? live : { ...runOfAttempt(run?.attempts.at(-1)?.phases), messages: live.messages };
  const cancel = useChange(CancelRun, { done: t.runs.cancelled });
  if (error && !run) return <FailureBox failure={failureOf(error)} retry={refresh} />;
  if (data && !run) return <NotFound />;
  if (!run) return <Skeleton height={400} />;
  return (
    <Page
      title={t.runs.kinds[run.kind]}
      lead={
        <Group gap="xs">
          <RunBadge status={run.status} />
          <span>
            <Time at={run.startedAt ?? run.createdAt} />
            {run.finishedAt ? ` · ${between(run.startedAt, run.finishedAt)}` : ""} ·{" "}
            {run.startedBy?.name ?? t.runs.automatic}
          </span>
        </Group>
      }
      actions={
        active &&
        may.write && (
          <Button
            color="red"
            variant="light"
            loading={cancel.busy}
            onClick={async () => {
              if (await confirm({ title: t.runs.cancel, text: t.runs.cancelText, label: t.runs.cancel })) {
                await cancel.run({ input: { runId } });
                refresh();
              }
            }}
          >
            {t.runs.cancel}
          </Button>
        )
      }
    >
      <About run={run} />
      {run.error && (
        <Alert color="red" title={t.runs.failed}>
          <Text size="sm" className="anywhere">
            {run.error.message}
          </Text>
          <Code>{run.error.code}</Code>
        </Alert>
      )}
      <Panel title={t.runs.phasesTitle}>
        <div aria-live="polite">
          {followed.phases.length === 0 && (
            <Text size="sm" c="dimmed">
              {active ? t.runs.waiting : t.runs.noEvents}
            </Text>
          )}
          <Phases run={followed} failed={run.status === "FAILED"} />
        </div>
      </Panel>
      <Attempts run={run} />
      {followed.messages.length > 0 && (
        <Panel title={t.runs.messages}>
          <Stack gap={4} component="ul" m={0} p={0} style={{ listStyle: "none" }}>
            {followed.messages.map((message) => (
              <Group key={message.seq} component="li" gap="xs" wrap="nowrap" align="flex-start">
                <Text size="xs" c="dimmed" style={{ whiteSpace: "nowrap" }} title={absolute(message.at)}>
                  {new Date(message.at).toLocaleTimeString()}
                </Text>
                <Text size="sm" className="anywhere">
                  {message.text}
                </Text>
              </Group>
            ))}
          </Stack>
        </Panel>
      )}
    </Page>
  );
}

function Panel(props: { title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={props.title}>
      <Title order={2} size="h5" mb="sm">
        {props.title}
      </Title>
      {props.children}
    </Paper>
  );
}

function About(props: { run: Run }) {
  const { run } = props;
  const slug = run.project?.slug;
  return (
    <Stack gap={4}>
      {run.project && (
        <Text size="sm">
          {t.projects.one}:{" "}
          <Anchor component={Link} to={`/projects/${slug}`} size="sm" underline="always">
            {run.project.name}
          </Anchor>
        </Text>
      )}
      {run.__typename === "Sync" && (
        <>
          <Text size="sm" className="anywhere">
            {t.sources.one}:{" "}
            <Anchor component={Link} to={`/projects/${slug}/sources/${run.source.id}`} size="sm" underline="always">
              {run.source.url}
            </Anchor>
          </Text>
          <Text size="sm" c="dimmed">
            {t.runs.syncFiles(
              count(run.filesAdded),
              count(run.filesUpdated),
              count(run.filesDeleted),
              count(run.filesRenamed),
            )}
          </Text>
        </>
      )}
      {run.__typename === "CodeAnalysis" && (
        <Text size="sm" c="dimmed">
          {t.runs.analysisFiles(
            count(run.filesAnalyzed),
            count(run.filesReused),
            count(run.filesSkipped),
            count(run.patternsFound),
          )}
        </Text>
      )}
      {run.__typename === "NoteEnrichment" && (
        <Text size="sm">
          {t.notes.one}:{" "}
          <Anchor component={Link} to={`/projects/${slug}/notes/${run.note.id}`} size="sm" underline="always">
            {run.note.title}
          </Anchor>
        </Text>
      )}
    </Stack>
  );
}

function Attempts(props: { run: Run }) {
  return (
    <Panel title={t.runs.attempts}>
      <Stack>
        {props.run.attempts.map((attempt) => {
          const begin = Date.parse(attempt.startedAt);
          const end = Math.max(
            begin + 1,
            ...attempt.phases.map((phase) => (phase.endedAt ? Date.parse(phase.endedAt) : begin)),
          );
          return (
            <Stack key={attempt.number} gap="xs">
              <Group gap="xs">
                <Text size="sm" fw={600}>
                  {t.runs.attempt(attempt.number)}
                </Text>
                {attempt.outcome && <Badge color="gray">{t.runs.outcomes[attempt.outcome]}</Badge>}
                <Text size="xs" c="dimmed" className="anywhere">
                  {absolute(attempt.startedAt)} · {between(attempt.startedAt, attempt.endedAt)} · {attempt.worker}
                </Text>
              </Group>
              {attempt.error && props.run.attempts.length > 1 && (
                <Text size="sm" className="anywhere">
                  {attempt.error.message} <Code>{attempt.error.code}</Code>
                </Text>
              )}
              <Table.ScrollContainer minWidth={480}>
                <Table verticalSpacing={4} aria-label={t.runs.attempt(attempt.number)}>
                  <Table.Tbody>
                    {attempt.phases.map((phase) => {
                      const from = (Date.parse(phase.startedAt) - begin) / (end - begin);
                      const length = (phase.durationMs ?? 0) / (end - begin);
                      return (
                        <Table.Tr key={phase.name + phase.startedAt}>
                          <Table.Td w={220}>{phaseName(phase.name)}</Table.Td>
                          <Table.Td>
                            <div
                              aria-hidden
                              style={{
                                marginInlineStart: `${100 * Math.min(0.99, from)}%`,
                                width: `${Math.max(0.5, 100 * Math.min(length, 1 - from))}%`,
                                height: 10,
                                borderRadius: 4,
                                background: phase.skipped
                                  ? "var(--mantine-color-gray-5)"
                                  : "var(--mantine-color-indigo-5)",
                              }}
                            />
                          </Table.Td>
                          <Table.Td w={200} ta="right">
                            <Text size="xs" c="dimmed">
                              {phase.skipped ?? (phase.durationMs === null ? "…" : duration(phase.durationMs))}
                            </Text>
                          </Table.Td>
                        </Table.Tr>
                      );
                    })}
                  </Table.Tbody>
                </Table>
              </Table.ScrollContainer>
            </Stack>
          );
        })}
        {props.run.attempts.length === 0 && (
          <Text size="sm" c="dimmed">
            {t.runs.noAttempts}
          </Text>
        )}
      </Stack>
    </Panel>
  );
}
