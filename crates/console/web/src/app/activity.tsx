// What is going on in the tenant, on every page: the active runs, and a toast when one ends.

import { ActionIcon, Anchor, Indicator, Popover, Progress, Stack, Text, Tooltip } from "@mantine/core";
import { IconActivity } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useQuery, useSubscription } from "urql";
import { type ResultOf, graphql } from "~/api/graphql";
import { useConnection } from "~/api/provider";
import { progressShare, progressText } from "~/parts/run-parts";
import { toastAction } from "~/parts/toast";
import { t } from "~/text";

const ActiveRuns = graphql(`
  query ActiveRuns {
    runs(first: 20, statuses: [QUEUED, RUNNING]) {
      nodes {
        id
        kind
        status
        progress {
          phase
          done
          total
          unit
          bytesDone
          bytesTotal
        }
        project {
          id
          name
          slug
        }
      }
    }
  }
`);

const TenantActivity = graphql(`
  subscription TenantActivity {
    tenantActivity {
      __typename
      seq
      runId
      ... on RunPhaseStarted {
        phase
      }
      ... on RunProgressed {
        progress {
          phase
          done
          total
          unit
          bytesDone
          bytesTotal
        }
      }
      ... on RunFinished {
        run {
          __typename
          id
          kind
          status
          finishedAt
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
      }
    }
  }
`);

type Event = ResultOf<typeof TenantActivity>["tenantActivity"];
type Progress = Extract<Event, { __typename: "RunProgressed" }>["progress"];

export function Activity() {
  const [{ data }, reload] = useQuery({ query: ActiveRuns });
  const [progress, setProgress] = useState<Record<string, Progress>>({});
  const connection = useConnection();
  const navigate = useNavigate();
  // What was missed while the connection was lost.
  useEffect(() => {
    if (connection === "connected") reload({ requestPolicy: "network-only" });
  }, [connection, reload]);
  useSubscription({ query: TenantActivity }, (_, data) => {
    const event = data.tenantActivity;
    switch (event.__typename) {
      case "RunPhaseStarted":
        setProgress((all) => ({ ...all, [event.runId]: phaseOnly(event.phase) }));
        break;
      case "RunProgressed":
        setProgress((all) => ({ ...all, [event.runId]: event.progress }));
        break;
      case "RunFinished": {
        setProgress(({ [event.runId]: _gone, ...rest }) => rest);
        const { run } = event;
        toastAction({
          id: run.id,
          message: t.runs.ended(t.runs.kinds[run.kind], run.project?.name ?? "", t.runs.statuses[run.status]),
          color: run.status === "SUCCEEDED" ? "teal" : run.status === "FAILED" ? "red" : "gray",
          label: t.common.show,
          onClick: () => void navigate({ to: "/runs/$runId", params: { runId: run.id } }),
        });
        break;
      }
    }
    return data;
  });
  const active = (data?.runs.nodes ?? []).filter((run) => run.status === "QUEUED" || run.status === "RUNNING");
  const label = active.length ? t.activity.active(active.length) : t.activity.none;
  return (
    <Popover position="bottom-end" width={320} shadow="md" withArrow trapFocus returnFocus>
      <Popover.Target>
        <Tooltip label={label}>
          <Indicator
            disabled={active.length === 0}
            processing
            label={active.length}
            size={16}
            offset={5}
            color="teal.9"
          >
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label}>
              <IconActivity size={18} />
            </ActionIcon>
          </Indicator>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown aria-label={t.activity.title}>
        <Stack gap="sm">
          <Text fw={600} size="sm">
            {t.activity.title}
          </Text>
          {active.length === 0 && (
            <Text size="sm" c="dimmed">
              {t.activity.none}
            </Text>
          )}
          {active.map((run) => {
            const at = progress[run.id] ?? run.progress;
            const share = progressShare(at);
            return (
              <Stack gap={4} key={run.id}>
                <Anchor component={Link} to={`/runs/${run.id}`} size="sm">
                  {t.runs.kinds[run.kind]} · {run.project?.name}
                </Anchor>
                <Progress
                  value={share === null ? 100 : share * 100}
                  animated={share === null}
                  size="sm"
                  aria-label={t.runs.kinds[run.kind]}
                />
                <Text size="xs" c="dimmed">
                  {at ? progressText(at) : t.runs.statuses[run.status]}
                </Text>
              </Stack>
            );
          })}
          <Anchor component={Link} to="/runs" size="sm">
            {t.activity.all}
          </Anchor>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function phaseOnly(phase: string): Progress {
  return { phase, done: 0, total: null, unit: null, bytesDone: null, bytesTotal: null };
}
