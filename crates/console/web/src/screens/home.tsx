// What a person finds first: what is going on, what was written, what changed, and what it costs.

import { Anchor, Button, Group, Paper, Progress, SimpleGrid, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconFolders } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { graphql } from "~/api/graphql";
import { useMay, useWho } from "~/app/session-store";
import { budgetName } from "~/parts/budget-name";
import { Empty } from "~/parts/empty";
import { FailureBox } from "~/parts/failure";
import { usd } from "~/parts/numbers";
import { Page } from "~/parts/page";
import { RunBadge } from "~/parts/run-parts";
import { Time } from "~/parts/time";
import { ChangeBadge, WithCode } from "~/parts/pattern-parts";
import { t } from "~/text";

const HomeScreen = graphql(`
  query HomeScreen {
    runs(first: 6) {
      nodes {
        id
        kind
        status
        createdAt
        finishedAt
        project {
          id
          name
          slug
        }
      }
    }
    projects(first: 6) {
      nodes {
        id
        name
        slug
        notes(first: 3) {
          nodes {
            id
            title
            updatedAt
          }
        }
        blogPosts(first: 2) {
          nodes {
            id
            title
            status
            updatedAt
          }
        }
        latestAnalysis {
          id
          finishedAt
          patternsCompared
          patternChanges(first: 4) {
            change
            title
            kind
          }
        }
      }
    }
    budgets {
      id
      scope
      period
      limitUsd
      spentUsd
      exceeded
      purpose
      project {
        id
        name
      }
      member {
        id
        name
      }
    }
  }
`);

export function Home() {
  const who = useWho();
  const may = useMay();
  const [{ data, error, fetching }, reload] = useQuery({ query: HomeScreen });
  const projects = data?.projects.nodes ?? [];
  const name = who.tenants.find((tenant) => tenant.slug === who.tenant)?.name ?? "";
  if (error && !data) {
    return (
      <Page title={name}>
        <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />
      </Page>
    );
  }
  if (data && projects.length === 0) {
    return (
      <Page title={t.home.welcome(name)}>
        <Empty icon={IconFolders} title={t.home.emptyTitle} text={may.write ? t.home.emptyText : t.home.emptyViewer}>
          {may.write && (
            <Button component={Link} to="/projects">
              {t.projects.create}
            </Button>
          )}
        </Empty>
      </Page>
    );
  }
  const written = projects
    .flatMap((project) => [
      ...project.notes.nodes.map((note) => ({
        ...note,
        to: `/projects/${project.slug}/notes/${note.id}`,
        what: t.notes.one,
        project: project.name,
      })),
      ...project.blogPosts.nodes.map((post) => ({
        ...post,
        to: `/projects/${project.slug}/posts/${post.id}`,
        what: t.posts.one,
        project: project.name,
      })),
    ])
    .sort((a, b) => b.updatedAt.localeCompare(a.updatedAt))
    .slice(0, 6);
  const changes = projects
    .flatMap((project) =>
      project.latestAnalysis?.patternsCompared
        ? project.latestAnalysis.patternChanges.map((change) => ({ ...change, project }))
        : [],
    )
    .slice(0, 6);
  return (
    <Page title={name}>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Card
          title={t.home.runs}
          more={
            <Anchor component={Link} to="/runs" size="sm">
              {t.common.showAll}
            </Anchor>
          }
          loading={fetching && !data}
        >
          {data?.runs.nodes.map((run) => (
            <Group key={run.id} justify="space-between" wrap="nowrap" gap="xs">
              <Anchor component={Link} to={`/runs/${run.id}`} size="sm" truncate>
                {t.runs.kinds[run.kind]} · {run.project?.name}
              </Anchor>
              <Group gap="xs" wrap="nowrap">
                <Time at={run.finishedAt ?? run.createdAt} size="xs" c="dimmed" style={{ whiteSpace: "nowrap" }} />
                <RunBadge status={run.status} />
              </Group>
            </Group>
          ))}
          {data?.runs.nodes.length === 0 && <None text={t.home.noRuns} />}
        </Card>
        <Card title={t.home.written} loading={fetching && !data}>
          {written.map((item) => (
            <Group key={item.id} justify="space-between" wrap="nowrap" gap="xs">
              <Anchor component={Link} to={item.to} size="sm" truncate>
                {item.title}
              </Anchor>
              <Text size="xs" c="dimmed" style={{ whiteSpace: "nowrap" }}>
                {item.what} · <Time at={item.updatedAt} />
              </Text>
            </Group>
          ))}
          {written.length === 0 && <None text={t.home.noNotes} />}
        </Card>
        <Card title={t.home.changes} loading={fetching && !data}>
          {changes.map((change, index) => (
            // The same pattern may have changed in two projects.
            <Group key={index} gap="xs" wrap="nowrap">
              <ChangeBadge change={change.change} />
              <Anchor component={Link} to={`/projects/${change.project.slug}/patterns`} size="sm" truncate>
                <WithCode text={change.title} />
              </Anchor>
            </Group>
          ))}
          {changes.length === 0 && <None text={t.home.noChanges} />}
        </Card>
        <Card
          title={t.home.spend}
          low
          more={
            <Anchor component={Link} to="/usage" size="sm">
              {t.usage.title}
            </Anchor>
          }
          loading={fetching && !data}
        >
          {data?.budgets.map((budget) => (
            <Stack key={budget.id} gap={2}>
              <Group justify="space-between">
                <Text size="sm">{budgetName(budget)}</Text>
                <Text size="sm">{t.usage.spentOf(usd(budget.spentUsd), usd(budget.limitUsd))}</Text>
              </Group>
              <Progress
                value={Math.min(100, (100 * budget.spentUsd) / Math.max(budget.limitUsd, 1e-9))}
                color={budget.exceeded ? "red" : "indigo"}
                size="sm"
                aria-label={t.usage.scopes[budget.scope]}
              />
            </Stack>
          ))}
          {data?.budgets.length === 0 && <None text={t.home.noBudgets} />}
        </Card>
      </SimpleGrid>
    </Page>
  );
}

function None(props: { text: string }) {
  return (
    <Text size="sm" c="dimmed">
      {props.text}
    </Text>
  );
}

function Card(props: {
  title: string;
  more?: ReactNode;
  loading: boolean;
  /** On a narrow page it is the last one, and may grow. */
  low?: boolean;
  children: ReactNode;
}) {
  return (
    // As high as its rows will be: nothing below moves when they arrive.
    <Paper
      withBorder
      p="md"
      mih={props.low ? { base: 112, md: 256 } : 256}
      component="section"
      aria-label={props.title}
    >
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h5">
          {props.title}
        </Title>
        {props.more}
      </Group>
      <Stack gap="xs">
        {props.loading ? [0, 1, 2, 3, 4, 5].map((row) => <Skeleton key={row} height={22} />) : props.children}
      </Stack>
    </Paper>
  );
}
