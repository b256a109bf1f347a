// The habits of the code, each with the places that follow it and those that do not.

import {
  Accordion,
  Badge,
  Group,
  Progress,
  Select,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { IconFingerprint, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { type ResultOf, graphql } from "~/api/graphql";
import { useList } from "~/api/use-list";
import { Excerpt } from "~/parts/code-view";
import { Empty } from "~/parts/empty";
import { FailureBox } from "~/parts/failure";
import { ListView } from "~/parts/list-view";
import { count, percent } from "~/parts/numbers";
import { Page } from "~/parts/page";
import { ChangeBadge, WithCode } from "~/parts/pattern-parts";
import { Time } from "~/parts/time";
import { t } from "~/text";
import { useProject } from "./use-project";

const PatternList = graphql(`
  query PatternList($id: ID!, $after: String, $kinds: [String!], $stack: String) {
    project(id: $id) {
      id
      codePatterns(first: 100, after: $after, kinds: $kinds, stack: $stack) {
        nodes {
          id
          kind
          title
          statement
          scope
          stack
          support
          cases
          confidence
          firstSeen
          lastChange {
            change
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

const Kinds = graphql(`
  query PatternKinds($id: ID!) {
    project(id: $id) {
      id
      codePatterns(first: 200) {
        nodes {
          id
          kind
          stack
        }
      }
    }
  }
`);

const Evidence = graphql(`
  query PatternEvidence($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on CodePattern {
        exemplars {
          path
          startLine
          endLine
          excerpt
          source {
            id
          }
        }
        counterExamples {
          path
          startLine
          endLine
          excerpt
          source {
            id
          }
        }
      }
    }
  }
`);

type Item = NonNullable<ResultOf<typeof PatternList>["project"]>["codePatterns"]["nodes"][number];

export function Patterns() {
  const project = useProject();
  const [kind, setKind] = useState<string | null>(null);
  const [stack, setStack] = useState<string | null>(null);
  const [words, setWords] = useState("");
  const [opened, setOpened] = useState<string | null>(null);
  const [{ data: known }] = useQuery({ query: Kinds, variables: { id: project.id } });
  const list = useList(
    PatternList,
    { id: project.id, kinds: kind ? [kind] : null, stack },
    (data) => data.project?.codePatterns,
  );
  const all = known?.project?.codePatterns.nodes ?? [];
  const kinds = [...new Set(all.map((one) => one.kind))].sort();
  const stacks = [...new Set(all.map((one) => one.stack).filter((one) => one !== null))].sort();
  const wanted = words.trim().toLocaleLowerCase();
  const matches = (item: Item) =>
    `${item.title} ${item.statement} ${item.scope ?? ""}`.toLocaleLowerCase().includes(wanted);
  return (
    <Page order={2} title={t.patterns.title} lead={t.patterns.lead}>
      <Group align="flex-end" className="filters">
        <TextInput
          type="search"
          label={t.patterns.search}
          leftSection={<IconSearch size={18} aria-hidden />}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <Select
          label={t.patterns.kind}
          placeholder={t.common.all}
          data={kinds.map((value) => ({ value, label: kindName(value) }))}
          value={kind}
          onChange={setKind}
          clearable
          searchable
        />
        {/* Always there: what comes later would move the list. */}
        <Select
          label={t.patterns.stack}
          placeholder={t.common.all}
          data={stacks}
          value={stack}
          onChange={setStack}
          disabled={stacks.length < 2}
          clearable
        />
      </Group>
      <ListView
        list={list}
        empty={
          <Empty
            icon={IconFingerprint}
            title={t.patterns.emptyTitle}
            text={kind || stack ? t.patterns.nothing : t.patterns.emptyText}
          />
        }
      >
        {(items) => {
          const shown = items.filter(matches);
          if (shown.length === 0) return <Text c="dimmed">{t.patterns.nothing}</Text>;
          return (
            <Accordion
              variant="separated"
              styles={{ chevron: { marginInlineStart: "0.75rem" } }}
              value={opened}
              onChange={setOpened}
              order={3}
            >
              {shown.map((item) => (
                <Accordion.Item key={item.id} value={item.id}>
                  <Accordion.Control>
                    <Group justify="space-between" wrap="nowrap" gap="md">
                      <Stack gap={2} miw={0}>
                        <Group gap={6}>
                          <Text fw={600} size="sm" className="anywhere">
                            <WithCode text={item.title} />
                          </Text>
                          <Badge color="gray">{kindName(item.kind)}</Badge>
                          {item.scope && (
                            <Badge color="gray" className="code">
                              {item.scope}
                            </Badge>
                          )}
                          {item.lastChange && <ChangeBadge change={item.lastChange.change} />}
                        </Group>
                        <Text size="sm" c="dimmed" lineClamp={2}>
                          <WithCode text={item.statement} />
                        </Text>
                      </Stack>
                      <Stack gap={2} w={110} visibleFrom="xs" style={{ flexShrink: 0 }}>
                        <Progress value={100 * item.confidence} size="sm" aria-label={t.patterns.confidence} />
                        <Text size="xs" c="dimmed" ta="right" title={t.patterns.confidenceText}>
                          {percent(item.confidence)}
                        </Text>
                      </Stack>
                    </Group>
                  </Accordion.Control>
                  <Accordion.Panel>{opened === item.id && <EvidenceView item={item} />}</Accordion.Panel>
                </Accordion.Item>
              ))}
            </Accordion>
          );
        }}
      </ListView>
    </Page>
  );
}

function kindName(kind: string): string {
  const known: Record<string, string | undefined> = t.patterns.kinds;
  return known[kind] ?? kind.replaceAll("_", " ");
}

function EvidenceView(props: { item: Item }) {
  const { item } = props;
  const [{ data, error }, reload] = useQuery({ query: Evidence, variables: { id: item.id } });
  if (error && !data?.node)
    return <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />;
  if (!data) return <Skeleton height={160} />;
  if (data.node?.__typename !== "CodePattern") return <Text c="dimmed">{t.code.gone}</Text>;
  const columns = [
    { title: t.patterns.follow, places: data.node.exemplars },
    { title: t.patterns.against, places: data.node.counterExamples },
  ];
  return (
    <Stack>
      <Text size="sm">
        {t.patterns.support(count(item.support), count(item.cases))} · {t.patterns.firstSeen}{" "}
        <Time at={item.firstSeen} />
      </Text>
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
        {columns.map((column) => (
          <Stack key={column.title} gap="sm" miw={0}>
            <Title order={4} size="h6">
              {column.title}
            </Title>
            {column.places.length === 0 && (
              <Text size="sm" c="dimmed">
                {t.patterns.noPlaces}
              </Text>
            )}
            {column.places.map((place) => (
              <Excerpt
                key={`${place.path}:${place.startLine}`}
                place={{
                  path: place.path,
                  startLine: place.startLine,
                  endLine: place.endLine,
                  sourceId: place.source?.id,
                }}
                text={place.excerpt}
              />
            ))}
          </Stack>
        ))}
      </SimpleGrid>
    </Stack>
  );
}
