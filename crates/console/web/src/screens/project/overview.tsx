// A project at one glance: what it is written in, how large, where its risk is, how it is layered, and what changed.

import {
  Alert,
  Anchor,
  Badge,
  Button,
  Code,
  Group,
  Loader,
  Paper,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
} from "@mantine/core";
import { IconBrandGithub, IconChartTreemap, IconRefresh } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { type ResultOf, graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useMay } from "~/app/session-store";
import { Empty } from "~/parts/empty";
import { FailureBox } from "~/parts/failure";
import { LanguageBar } from "~/parts/language-bar";
import { compact, count, percent } from "~/parts/numbers";
import { useTitle } from "~/parts/page";
import { ChangeBadge, WithCode } from "~/parts/pattern-parts";
import { RunBadge } from "~/parts/run-parts";
import { between, Time } from "~/parts/time";
import { Treemap } from "~/parts/treemap";
import { t } from "~/text";
import { FindingSections, Section } from "./overview-findings";
import { useProject } from "./use-project";

const OverviewQuery = graphql(`
  query Overview($id: ID!) {
    project(id: $id) {
      id
      stack
      metrics {
        files
        functions
        linesOfCode
        duplicatedLines
        languages {
          language
          files
          linesOfCode
        }
      }
      hotspots(first: 24) {
        path
        commits
        complexity
        score
        source {
          id
        }
      }
      latestSync {
        id
        status
        finishedAt
      }
      latestAnalysis {
        id
        status
        startedAt
        finishedAt
        commit
        patternsFound
        patternsCompared
        patternChanges(first: 6) {
          change
          title
          kind
        }
        warnings {
          part
          path
          text
        }
      }
      findings {
        commands {
          command
          purpose
          path
          line
        }
        importGraph {
          files
          edges
          unresolved
          layers {
            level
            folders
          }
          cycles {
            size
            path {
              file
              line
              source {
                id
              }
            }
          }
        }
        technologies {
          name
          version
          kind
          language
          files
        }
        definitions(first: 8) {
          name
          kind
          path
          startLine
          endLine
          usedIn
          source {
            id
          }
        }
        duplicates(first: 5) {
          count
          lines
          tokens
          places {
            path
            startLine
            endLine
            source {
              id
            }
          }
        }
        deadCode(first: 8) {
          name
          kind
          testsOnly
          location {
            path
            startLine
            endLine
            source {
              id
            }
          }
        }
        coChanges(first: 6) {
          paths
          together
          degree
        }
        ownership(first: 8) {
          folder
          mainAuthor
          mainShare
          authors
          commits
        }
      }
    }
  }
`);

const Analyse = graphql(`
  mutation StartCodeAnalysis($input: StartCodeAnalysisInput!) {
    startCodeAnalysis(input: $input) {
      outcome
      codeAnalysis {
        id
        status
      }
    }
  }
`);

export function Overview() {
  const project = useProject();
  const may = useMay();
  useTitle(project.name);
  const [{ data, error }, reload] = useQuery({ query: OverviewQuery, variables: { id: project.id } });
  const analyse = useChange(Analyse, { done: (made) => t.overview.outcomes[made.startCodeAnalysis.outcome] });
  if (project.sources === 0) {
    return (
      <Empty
        icon={IconBrandGithub}
        title={t.overview.emptyTitle}
        text={may.write ? t.overview.emptyText : t.overview.emptyViewer}
      >
        {may.write && (
          <Button component={Link} to={`/projects/${project.slug}/sources`}>
            {t.sources.import}
          </Button>
        )}
      </Empty>
    );
  }
  if (error && !data?.project)
    return <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />;
  if (!data?.project) return <Skeleton height={400} aria-label={t.common.loading} />;
  const { metrics, stack, hotspots, findings, latestAnalysis: analysis } = data.project;
  const running = analysis?.status === "RUNNING" || analysis?.status === "QUEUED";
  if (!metrics) {
    return (
      <Empty
        icon={IconChartTreemap}
        title={t.overview.notYetTitle}
        text={running ? t.overview.runningText : t.overview.notYetText}
      >
        {running ? (
          <Group>
            <Loader size="sm" />
            <Anchor component={Link} to={`/runs/${analysis.id}`} size="sm">
              {t.runs.watch}
            </Anchor>
          </Group>
        ) : (
          may.write && (
            <Button component={Link} to={`/projects/${project.slug}/sources`} variant="default">
              {t.sources.title}
            </Button>
          )
        )}
      </Empty>
    );
  }
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Group gap={6}>
          {stack.map((name) => (
            <Badge key={name} size="lg">
              {name}
            </Badge>
          ))}
        </Group>
        <Group gap="xs">
          {analysis && (
            <Text size="sm" c="dimmed">
              <Anchor component={Link} to={`/runs/${analysis.id}`} size="sm" underline="always">
                {t.runs.kinds.CODE_ANALYSIS}
              </Anchor>{" "}
              · <Time at={analysis.finishedAt} />
            </Text>
          )}
          {analysis && analysis.status !== "SUCCEEDED" && <RunBadge status={analysis.status} />}
          {may.write && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconRefresh size={16} />}
              loading={analyse.busy}
              disabled={running}
              onClick={() => void analyse.run({ input: { projectId: project.id } })}
            >
              {t.overview.analyse}
            </Button>
          )}
        </Group>
      </Group>
      <SimpleGrid cols={{ base: 2, sm: 4 }}>
        <Figure label={t.overview.lines} value={compact(metrics.linesOfCode)} title={count(metrics.linesOfCode)} />
        <Figure label={t.overview.files} value={compact(metrics.files)} title={count(metrics.files)} />
        <Figure label={t.overview.functions} value={compact(metrics.functions)} title={count(metrics.functions)} />
        <Figure
          label={t.overview.duplicated}
          value={percent(metrics.linesOfCode ? metrics.duplicatedLines / metrics.linesOfCode : 0)}
          title={count(metrics.duplicatedLines)}
        />
      </SimpleGrid>
      <Section title={t.overview.languages}>
        <LanguageBar languages={metrics.languages} />
      </Section>
      <Section title={t.overview.hotspots} lead={t.overview.hotspotsLead}>
        {hotspots.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t.overview.noHotspots}
          </Text>
        ) : (
          <Treemap
            label={t.overview.hotspots}
            link={(tile, children) => (
              <Link to="/projects/$slug/code" params={{ slug: project.slug }} search={addressOf(tile.key)}>
                {children}
              </Link>
            )}
            items={hotspots.map((spot) => ({
              key: `${spot.source?.id ?? ""} ${spot.path}`,
              name: spot.path.split("/").at(-1) ?? spot.path,
              title: t.overview.hotspot(spot.path, spot.commits, spot.complexity),
              area: spot.complexity,
              heat: spot.score,
            }))}
          />
        )}
      </Section>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Changes analysis={analysis} />
        <Commands commands={findings?.commands ?? []} />
        {findings && <FindingSections findings={findings} />}
      </SimpleGrid>
      {analysis && analysis.warnings.length > 0 && (
        <Alert color="yellow" title={t.overview.warnings}>
          <Stack gap={4}>
            {analysis.warnings.slice(0, 10).map((warning) => (
              <Text size="sm" key={`${warning.part}${warning.path}${warning.text}`} className="anywhere">
                {warning.path ? <Code>{warning.path}</Code> : null} {warning.text}
              </Text>
            ))}
          </Stack>
        </Alert>
      )}
      <Text size="xs" c="dimmed">
        {analysis ? t.overview.took(between(analysis.startedAt, analysis.finishedAt)) : ""}
      </Text>
    </Stack>
  );
}

type OverviewProject = NonNullable<ResultOf<typeof OverviewQuery>["project"]>;
export type Findings = NonNullable<OverviewProject["findings"]>;

/** The address of a tile's file: the key has its source and its path. */
function addressOf(key: string): { path: string; source?: string } {
  const [source, ...path] = key.split(" ");
  return { path: path.join(" "), ...(source ? { source } : {}) };
}

function Changes(props: { analysis: OverviewProject["latestAnalysis"] }) {
  const { analysis } = props;
  const project = useProject();
  return (
    <Section title={t.overview.changes}>
      {!analysis?.patternsCompared || analysis.patternChanges.length === 0 ? (
        <Text size="sm" c="dimmed">
          {analysis?.patternsCompared ? t.overview.noChanges : t.overview.notCompared}
        </Text>
      ) : (
        <Stack gap={6}>
          {analysis.patternChanges.map((change) => (
            <Group key={change.title} gap="xs" wrap="nowrap">
              <ChangeBadge change={change.change} />
              <Text size="sm" truncate>
                <WithCode text={change.title} />
              </Text>
            </Group>
          ))}
        </Stack>
      )}
      <Anchor component={Link} to={`/projects/${project.slug}/patterns`} size="sm" mt="xs">
        {t.overview.allPatterns(analysis?.patternsFound ?? 0)}
      </Anchor>
    </Section>
  );
}

function Commands(props: { commands: Findings["commands"] }) {
  return (
    <Section title={t.overview.commands}>
      {props.commands.length ? (
        <Stack gap={6}>
          {props.commands.slice(0, 8).map((command) => (
            <Group key={command.purpose + command.command} gap="xs" wrap="nowrap">
              <Badge color="gray" style={{ flexShrink: 0 }}>
                {command.purpose}
              </Badge>
              <Code className="anywhere">{command.command}</Code>
            </Group>
          ))}
        </Stack>
      ) : (
        <Text size="sm" c="dimmed">
          {t.overview.noCommands}
        </Text>
      )}
    </Section>
  );
}

function Figure(props: { label: string; value: string; title: string }) {
  return (
    <Paper withBorder p="sm" title={props.title}>
      <Text size="xs" c="dimmed">
        {props.label}
      </Text>
      <Text fz={26} fw={600} lh={1.2}>
        {props.value}
      </Text>
    </Paper>
  );
}
