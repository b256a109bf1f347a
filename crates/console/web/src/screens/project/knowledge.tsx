// What the team has learned: searched with scores, and listed by kind.

import { Badge, Button, Group, Modal, Paper, Select, Stack, Tabs, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconBulb, IconNotebook, IconPlus, IconSearch, IconStack2 } from "@tabler/icons-react";
import { useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { graphql } from "~/api/graphql";
import { useList } from "~/api/use-list";
import { useMay } from "~/app/session-store";
import { PlaceLink } from "~/parts/code-view";
import { Empty } from "~/parts/empty";
import { FailureBox } from "~/parts/failure";
import { ListView } from "~/parts/list-view";
import { MarkdownView } from "~/parts/markdown";
import { Page } from "~/parts/page";
import { Time } from "~/parts/time";
import { t } from "~/text";
import { useProject } from "./use-project";
import { ConsolidationForm } from "./consolidation-form";
import { InsightForm, MemoryForm } from "./knowledge-forms";

const Memory = graphql(`
  query MemoryEntries($id: ID!, $after: String) {
    project(id: $id) {
      id
      memoryEntries(first: 20, after: $after) {
        nodes {
          id
          title
          content
          tags
          source
          sourceRef
          createdAt
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

const Insights = graphql(`
  query Insights($id: ID!, $after: String) {
    project(id: $id) {
      id
      insights(first: 20, after: $after) {
        nodes {
          id
          title
          detail
          type
          category
          severity
          suggestion
          pairedWith {
            id
            title
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

const Consolidations = graphql(`
  query Consolidations($id: ID!, $after: String) {
    project(id: $id) {
      id
      consolidationPatterns(first: 20, after: $after) {
        nodes {
          id
          title
          description
          type
          frequency
          severity
          tags
          evidence
          projects {
            id
            name
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

const Search = graphql(`
  query SearchProject($id: ID!, $query: String!, $kinds: [KnowledgeKind!]) {
    search(first: 20, projectId: $id, query: $query, kinds: $kinds) {
      kind
      title
      excerpt
      path
      startLine
      endLine
      score
      node {
        __typename
        id
      }
    }
  }
`);

export function Knowledge() {
  const project = useProject();
  const may = useMay();
  const [words, setWords] = useState("");
  const [query] = useDebouncedValue(words.trim(), 200);
  const [tab, setTab] = useState<string | null>("memory");
  const [memory, memoryForm] = useDisclosure(false);
  const [insight, insightForm] = useDisclosure(false);
  const [consolidation, consolidationForm] = useDisclosure(false);
  return (
    <Page
      order={2}
      title={t.knowledge.title}
      lead={t.knowledge.lead}
      actions={
        may.write && (
          <>
            <Button leftSection={<IconPlus size={18} />} onClick={memoryForm.open}>
              {t.knowledge.addMemory}
            </Button>
            <Button variant="default" leftSection={<IconPlus size={18} />} onClick={insightForm.open}>
              {t.knowledge.addInsight}
            </Button>
            <Button variant="default" leftSection={<IconStack2 size={18} />} onClick={consolidationForm.open}>
              {t.consolidate.open}
            </Button>
          </>
        )
      }
    >
      <TextInput
        type="search"
        label={t.knowledge.search}
        leftSection={<IconSearch size={18} aria-hidden />}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      {query ? (
        <Hits query={query} />
      ) : (
        <Tabs value={tab} onChange={setTab} keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="memory">{t.knowledge.memory}</Tabs.Tab>
            <Tabs.Tab value="insights">{t.knowledge.insights}</Tabs.Tab>
            <Tabs.Tab value="consolidations">{t.knowledge.consolidations}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="memory" pt="md">
            <MemoryList id={project.id} />
          </Tabs.Panel>
          <Tabs.Panel value="insights" pt="md">
            <InsightList id={project.id} />
          </Tabs.Panel>
          <Tabs.Panel value="consolidations" pt="md">
            <ConsolidationList id={project.id} />
          </Tabs.Panel>
        </Tabs>
      )}
      <Modal opened={memory} onClose={memoryForm.close} title={t.knowledge.addMemory} size="lg">
        <MemoryForm projectId={project.id} onDone={memoryForm.close} />
      </Modal>
      <Modal opened={insight} onClose={insightForm.close} title={t.knowledge.addInsight} size="lg">
        <InsightForm projectId={project.id} onDone={insightForm.close} />
      </Modal>
      <Modal opened={consolidation} onClose={consolidationForm.close} title={t.consolidate.title} size="lg">
        <ConsolidationForm project={project} />
      </Modal>
    </Page>
  );
}

function Hits(props: { query: string }) {
  const project = useProject();
  const [kind, setKind] = useState<keyof typeof t.knowledge.kinds | null>(null);
  const [{ data, error, fetching }, reload] = useQuery({
    query: Search,
    variables: { id: project.id, query: props.query, kinds: kind ? [kind] : null },
  });
  const best = Math.max(1e-9, ...(data?.search.map((hit) => hit.score) ?? []));
  return (
    <Stack>
      <Select
        label={t.knowledge.kind}
        placeholder={t.common.all}
        clearable
        maw={260}
        data={Object.entries(t.knowledge.kinds).map(([value, label]) => ({ value, label }))}
        value={kind}
        onChange={(value) => setKind(value as keyof typeof t.knowledge.kinds | null)}
      />
      {error && <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />}
      <Stack gap="xs" aria-busy={fetching} role="status">
        {data?.search.length === 0 && <Text c="dimmed">{t.knowledge.nothing}</Text>}
        {data?.search.map((hit) => (
          <Paper key={`${hit.node?.id}${hit.path}${hit.startLine}${hit.title}`} withBorder p="sm" component="article">
            <Group justify="space-between" wrap="nowrap" align="flex-start">
              <Group gap={6} miw={0}>
                <Badge color="gray">{t.knowledge.kinds[hit.kind]}</Badge>
                <Text size="sm" fw={600} className="anywhere" dir="auto">
                  {hit.title}
                </Text>
              </Group>
              <Text size="xs" c="dimmed" title={t.knowledge.scoreText} style={{ whiteSpace: "nowrap" }}>
                {t.knowledge.score(Math.round((100 * hit.score) / best))}
              </Text>
            </Group>
            {hit.path && hit.startLine && hit.endLine ? (
              <PlaceLink place={{ path: hit.path, startLine: hit.startLine, endLine: hit.endLine }} />
            ) : (
              hit.path && <Text className="code anywhere">{hit.path}</Text>
            )}
            <Text size="sm" lineClamp={4} className="anywhere" dir="auto" style={{ whiteSpace: "pre-wrap" }}>
              {hit.excerpt}
            </Text>
          </Paper>
        ))}
      </Stack>
    </Stack>
  );
}

function MemoryList(props: { id: string }) {
  const list = useList(Memory, props, (data) => data.project?.memoryEntries);
  return (
    <ListView
      list={list}
      rowHeight={90}
      empty={<Empty icon={IconNotebook} title={t.knowledge.memoryEmpty} text={t.knowledge.memoryEmptyText} />}
    >
      {(entries) => (
        <Stack gap="sm">
          {entries.map((entry) => (
            <Paper key={entry.id} withBorder p="md" component="article">
              <Group justify="space-between" mb={4}>
                <Title order={3} size="h6" className="anywhere" dir="auto">
                  {entry.title}
                </Title>
                <Text size="xs" c="dimmed">
                  <Time at={entry.createdAt} /> · {t.knowledge.sources[entry.source]}
                </Text>
              </Group>
              <MarkdownView text={entry.content} />
              <Group gap={4} mt={4}>
                {entry.tags.map((tag) => (
                  <Badge key={tag} color="gray">
                    {tag}
                  </Badge>
                ))}
              </Group>
            </Paper>
          ))}
        </Stack>
      )}
    </ListView>
  );
}

function InsightList(props: { id: string }) {
  const list = useList(Insights, props, (data) => data.project?.insights);
  return (
    <ListView
      list={list}
      rowHeight={90}
      empty={<Empty icon={IconBulb} title={t.knowledge.insightsEmpty} text={t.knowledge.insightsEmptyText} />}
    >
      {(insights) => (
        <Stack gap="sm">
          {insights.map((insight) => (
            <Paper key={insight.id} withBorder p="md" component="article">
              <Group gap={6} mb={4}>
                <Title order={3} size="h6" className="anywhere" dir="auto">
                  {insight.title}
                </Title>
                <Badge color="gray">{typeName(insight.type)}</Badge>
                {insight.severity && (
                  <Badge color={insight.severity === "blocker" ? "red" : "yellow"}>
                    {severityName(insight.severity)}
                  </Badge>
                )}
              </Group>
              <Text size="sm" className="anywhere" dir="auto">
                {insight.detail}
              </Text>
              {insight.suggestion && (
                <Text size="sm" mt={4} dir="auto">
                  → {insight.suggestion}
                </Text>
              )}
              {insight.pairedWith && (
                <Text size="xs" c="dimmed" mt={4}>
                  {t.knowledge.paired}: {insight.pairedWith.title}
                </Text>
              )}
            </Paper>
          ))}
        </Stack>
      )}
    </ListView>
  );
}

function ConsolidationList(props: { id: string }) {
  const list = useList(Consolidations, props, (data) => data.project?.consolidationPatterns);
  return (
    <ListView
      list={list}
      rowHeight={90}
      empty={
        <Empty icon={IconStack2} title={t.knowledge.consolidationsEmpty} text={t.knowledge.consolidationsEmptyText} />
      }
    >
      {(patterns) => (
        <Stack gap="sm">
          {patterns.map((pattern) => (
            <Paper key={pattern.id} withBorder p="md" component="article">
              <Group gap={6} mb={4}>
                <Title order={3} size="h6" className="anywhere">
                  {pattern.title}
                </Title>
                <Badge color="gray">{typeName(pattern.type)}</Badge>
                <Text size="xs" c="dimmed">
                  {t.knowledge.times(pattern.frequency)}
                </Text>
              </Group>
              <Text size="sm" className="anywhere">
                {pattern.description}
              </Text>
              <Text size="xs" c="dimmed" mt={4}>
                {pattern.projects.map((one) => one.name).join(", ")}
              </Text>
            </Paper>
          ))}
        </Stack>
      )}
    </ListView>
  );
}

function typeName(type: string): string {
  const known: Record<string, string | undefined> = t.knowledge.types;
  return known[type] ?? type.replaceAll("_", " ");
}

function severityName(severity: string): string {
  const known: Record<string, string | undefined> = t.knowledge.severities;
  return known[severity] ?? severity;
}
