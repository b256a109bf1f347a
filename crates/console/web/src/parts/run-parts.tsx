// How a run is drawn: its status, its progress, its phases.

import { Badge, Box, Group, Loader, Progress, Stack, Text } from "@mantine/core";
import { IconArrowRight, IconCheck, IconX } from "@tabler/icons-react";
import type { Phase, RunState } from "~/api/run-state";
import { t } from "~/text";
import { bytes, count } from "./numbers";
import { between, useNow } from "./time";

export type RunStatus = keyof typeof t.runs.statuses;

const COLOURS: Record<RunStatus, string> = {
  QUEUED: "gray",
  RUNNING: "blue",
  SUCCEEDED: "teal",
  FAILED: "red",
  CANCELLED: "gray",
};

export function RunBadge(props: { status: RunStatus }) {
  return (
    <Badge color={COLOURS[props.status]} miw="max-content">
      {t.runs.statuses[props.status]}
    </Badge>
  );
}

interface ProgressLike {
  phase: string;
  done: number;
  total: number | null;
  unit: string | null;
  bytesDone: number | null;
  bytesTotal: number | null;
}

/** From 0 to 1; null where nobody knows how much there is to do. */
export function progressShare(progress: Omit<ProgressLike, "phase"> | null | undefined): number | null {
  if (progress?.total) return Math.min(1, progress.done / progress.total);
  return null;
}

export function phaseName(name: string): string {
  const known: Record<string, string | undefined> = t.runs.phases;
  return known[name] ?? name.replaceAll("_", " ");
}

export function progressText(progress: ProgressLike): string {
  return [phaseName(progress.phase), amount(progress)].filter(Boolean).join(" · ");
}

function amount(progress: Omit<ProgressLike, "phase">): string {
  const parts: string[] = [];
  const units: Record<string, string | undefined> = t.runs.units;
  const unit = progress.unit ? ` ${units[progress.unit] ?? progress.unit}` : "";
  if (progress.total) parts.push(`${count(progress.done)} / ${count(progress.total)}${unit}`);
  else if (progress.done) parts.push(`${count(progress.done)}${unit}`);
  if (progress.bytesDone) parts.push(bytes(progress.bytesDone));
  return parts.join(" · ");
}

/** The phases of a run as they happen. */
export function Phases(props: { run: RunState; failed?: boolean }) {
  const { run, failed } = props;
  const now = useNow(run.ended ? 60_000 : 1000);
  const last = run.phases.at(-1);
  return (
    <Stack gap="xs" component="ol" m={0} p={0} style={{ listStyle: "none" }}>
      {run.phases.map((phase) => (
        <li key={phase.name}>
          <PhaseRow phase={phase} now={now} failed={failed === true && phase === last} />
        </li>
      ))}
    </Stack>
  );
}

function PhaseRow(props: { phase: Phase; now: number; failed: boolean }) {
  const { phase, now, failed } = props;
  const share = progressShare(phase);
  const active = phase.state === "active";
  return (
    <Group gap="sm" wrap="nowrap" align="flex-start">
      <Box w={20} pt={2} aria-hidden>
        {active ? (
          <Loader size={16} />
        ) : failed ? (
          <IconX size={18} color="var(--mantine-color-error)" />
        ) : phase.state === "skipped" ? (
          <IconArrowRight size={18} opacity={0.6} />
        ) : (
          <IconCheck size={18} color="var(--mantine-color-teal-7)" />
        )}
      </Box>
      <Box flex={1} miw={0}>
        <Group justify="space-between" gap="xs">
          <Text size="sm" fw={active ? 600 : 400}>
            {phaseName(phase.name)}
          </Text>
          <Text size="xs" c="dimmed">
            {phase.state === "skipped"
              ? t.runs.skipped
              : between(
                  phase.startedAt,
                  phase.endedAt ?? new Date(Math.max(now, Date.parse(phase.startedAt))).toISOString(),
                )}
          </Text>
        </Group>
        {active && (
          <Progress
            mt={4}
            size="sm"
            value={share === null ? 100 : share * 100}
            animated={share === null}
            aria-label={phaseName(phase.name)}
          />
        )}
        <Text size="xs" c="dimmed" className="anywhere">
          {phase.reason ?? amount(phase)}
        </Text>
      </Box>
    </Group>
  );
}
