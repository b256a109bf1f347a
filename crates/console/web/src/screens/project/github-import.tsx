// Import from GitHub: choose a connection, search what its token sees, pick several, and say which folder of each.

import {
  Alert,
  Anchor,
  Badge,
  Button,
  Checkbox,
  Code,
  Group,
  Paper,
  ScrollArea,
  Select,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconLock, IconSearch } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useClient, useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { type ResultOf, graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useList } from "~/api/use-list";
import { useMay } from "~/app/session-store";
import { FailureBox } from "~/parts/failure";
import { ListView } from "~/parts/list-view";
import { Time } from "~/parts/time";
import { t } from "~/text";
import { ScanPathInput } from "./sources";
import { ConnectForm } from "./github-connect";

const Connections = graphql(`
  query GitConnections {
    gitConnections(first: 50) {
      nodes {
        id
        name
        baseUrl
      }
    }
  }
`);

const Repositories = graphql(`
  query Repositories($id: ID!, $query: String, $after: String) {
    node(id: $id) {
      __typename
      id
      ... on GitConnection {
        repositories(first: 30, after: $after, query: $query) {
          nodes {
            fullName
            description
            defaultBranch
            private
            archived
            fork
            language
            pushedAt
            importedAs {
              id
              project {
                id
              }
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

const Branches = graphql(`
  query Branches($id: ID!, $repository: String!) {
    node(id: $id) {
      __typename
      id
      ... on GitConnection {
        branches(repository: $repository)
      }
    }
  }
`);

const Import = graphql(`
  mutation ImportRepositories($input: ImportRepositoriesInput!) {
    importRepositories(input: $input) {
      results {
        fullName
        outcome
        message
        source {
          id
        }
        sync {
          id
          status
        }
      }
    }
  }
`);

type Result = ResultOf<typeof Import>["importRepositories"]["results"][number];

interface Choice {
  branch: string | null;
  scanPath: string;
}

/** As many as one import takes. */
const MOST = 50;

export function GitHubImport(props: { projectId: string; onClose: () => void }) {
  const may = useMay();
  const [{ data, error, fetching }, reload] = useQuery({ query: Connections });
  const [chosen, setChosen] = useState<string>();
  const [adding, setAdding] = useState(false);
  const connections = data?.gitConnections.nodes ?? [];
  const connection = connections.find((one) => one.id === chosen) ?? connections[0];
  if (error && !data)
    return <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />;
  if (!data && fetching) return <Text c="dimmed">{t.common.loading}</Text>;
  if (!connection || adding) {
    if (!may.manage) return <Alert color="blue">{t.github.askAdmin}</Alert>;
    return (
      <ConnectForm
        onDone={(id) => {
          setChosen(id);
          setAdding(false);
        }}
      />
    );
  }
  return (
    <Stack>
      <Group align="flex-end">
        <Select
          label={t.github.connection}
          data={connections.map((one) => ({ value: one.id, label: `${one.name} (${new URL(one.baseUrl).host})` }))}
          value={connection.id}
          onChange={(id) => setChosen(id ?? undefined)}
          allowDeselect={false}
          flex={1}
        />
        {may.manage && (
          <Button variant="default" onClick={() => setAdding(true)}>
            {t.github.another}
          </Button>
        )}
      </Group>
      <Picker key={connection.id} connectionId={connection.id} {...props} />
    </Stack>
  );
}

function Picker(props: { connectionId: string; projectId: string; onClose: () => void }) {
  const [words, setWords] = useState("");
  const [query] = useDebouncedValue(words.trim(), 250);
  const [choices, setChoices] = useState<Map<string, Choice>>(new Map());
  const [results, setResults] = useState<Result[]>();
  const list = useList(Repositories, { id: props.connectionId, query: query || null }, (data) =>
    data.node?.__typename === "GitConnection" ? data.node.repositories : undefined,
  );
  const start = useChange(Import, { inline: true });
  const change = (name: string, choice: Choice | undefined) => {
    const next = new Map(choices);
    if (choice) next.set(name, choice);
    else next.delete(name);
    setChoices(next);
  };
  const submit = async () => {
    const repositories = [...choices].map(([fullName, choice]) => ({ fullName, ...choice }));
    const made = await start.run({
      input: { connectionId: props.connectionId, projectId: props.projectId, repositories },
    });
    if (made) setResults(made.importRepositories.results);
  };
  if (results) return <Results results={results} onClose={props.onClose} />;
  return (
    <Stack>
      <TextInput
        type="search"
        label={t.github.search}
        leftSection={<IconSearch size={18} aria-hidden />}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      <ScrollArea.Autosize
        mah="45vh"
        viewportProps={{ tabIndex: 0, "aria-label": t.github.repositories, role: "group" }}
      >
        <ListView list={list} empty={<Text c="dimmed">{t.github.nothing}</Text>}>
          {(repositories) => (
            <Stack gap="xs">
              {repositories.map((repository) => {
                const choice = choices.get(repository.fullName);
                const here = repository.importedAs.some((source) => source.project.id === props.projectId);
                return (
                  <Paper key={repository.fullName} withBorder p="xs">
                    <Group wrap="nowrap" align="flex-start">
                      <Checkbox
                        mt={2}
                        checked={choice !== undefined}
                        disabled={!choice && choices.size >= MOST}
                        onChange={(event) =>
                          change(
                            repository.fullName,
                            event.currentTarget.checked ? { branch: null, scanPath: "/" } : undefined,
                          )
                        }
                        aria-label={repository.fullName}
                      />
                      <Stack gap={2} flex={1} miw={0}>
                        <Group gap={6}>
                          <Text fw={600} size="sm" className="anywhere">
                            {repository.fullName}
                          </Text>
                          {repository.private && <IconLock size={14} aria-label={t.github.private} role="img" />}
                          {repository.archived && <Badge color="gray">{t.github.archived}</Badge>}
                          {repository.fork && <Badge color="gray">{t.github.fork}</Badge>}
                          {here && <Badge color="teal">{t.github.imported}</Badge>}
                        </Group>
                        {repository.description && (
                          <Text size="xs" c="dimmed" lineClamp={2}>
                            {repository.description}
                          </Text>
                        )}
                        <Text size="xs" c="dimmed">
                          {[repository.language, repository.defaultBranch].filter(Boolean).join(" · ")} ·{" "}
                          <Time at={repository.pushedAt} />
                        </Text>
                        {choice && (
                          <Group grow align="flex-start" mt={4}>
                            <BranchSelect
                              connectionId={props.connectionId}
                              repository={repository.fullName}
                              fallback={repository.defaultBranch}
                              value={choice.branch}
                              onChange={(branch) => change(repository.fullName, { ...choice, branch })}
                            />
                            <ScanPathInput
                              value={choice.scanPath}
                              onChange={(scanPath) => change(repository.fullName, { ...choice, scanPath })}
                            />
                          </Group>
                        )}
                      </Stack>
                    </Group>
                  </Paper>
                );
              })}
            </Stack>
          )}
        </ListView>
      </ScrollArea.Autosize>
      <FailureBox failure={start.failure} />
      <Group justify="space-between">
        <Text size="sm" c="dimmed" role="status">
          {t.github.chosen(choices.size)}
        </Text>
        <Button disabled={choices.size === 0} loading={start.busy} onClick={() => void submit()}>
          {t.github.import(choices.size)}
        </Button>
      </Group>
    </Stack>
  );
}

function BranchSelect(props: {
  connectionId: string;
  repository: string;
  fallback: string | null;
  value: string | null;
  onChange: (branch: string | null) => void;
}) {
  const client = useClient();
  const [branches, setBranches] = useState<string[]>([]);
  const { connectionId, repository } = props;
  useEffect(() => {
    let current = true;
    void client
      .query(Branches, { id: connectionId, repository })
      .toPromise()
      .then(({ data }) => {
        if (current && data?.node?.__typename === "GitConnection") setBranches(data.node.branches);
      });
    return () => {
      current = false;
    };
  }, [client, connectionId, repository]);
  return (
    <Select
      label={t.sources.branch}
      description={t.github.branchText}
      placeholder={props.fallback ?? t.sources.defaultBranch}
      data={branches}
      searchable
      clearable
      value={props.value}
      onChange={props.onChange}
    />
  );
}

function Results(props: { results: Result[]; onClose: () => void }) {
  const good = (result: Result) => result.outcome === "IMPORTED" || result.outcome === "ALREADY_IMPORTED";
  return (
    <Stack>
      <Stack gap="xs">
        {props.results.map((result) => (
          <Paper key={result.fullName} withBorder p="xs">
            <Group justify="space-between" wrap="nowrap">
              <Text size="sm" fw={600} className="anywhere">
                {result.fullName}
              </Text>
              <Badge color={good(result) ? "teal" : "red"} style={{ flexShrink: 0 }}>
                {t.github.outcomes[result.outcome]}
              </Badge>
            </Group>
            {result.message && (
              <Text size="sm" className="anywhere">
                {result.message} <Code>{result.outcome}</Code>
              </Text>
            )}
            {result.sync && (
              <Anchor component={Link} to={`/runs/${result.sync.id}`} size="sm">
                {t.runs.watch}
              </Anchor>
            )}
          </Paper>
        ))}
      </Stack>
      <Button onClick={props.onClose}>{t.common.done}</Button>
    </Stack>
  );
}
