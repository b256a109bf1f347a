// One source: the sync that runs, phase by phase; what the syncs before brought; and how it is kept up to date.
// Longer than 450 lines: the panels of one screen, whose operations stand beside them.

import {
  Alert, Anchor, Badge, Button, Code, Group, Paper, PasswordInput, SegmentedControl, Select, SimpleGrid, Skeleton, Stack,
  Table, Text, TextInput, Textarea, Title,
} from "@mantine/core";
import { IconRefresh, IconTrash } from "@tabler/icons-react";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useCallback, useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { type ResultOf, graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useList } from "~/api/use-list";
import { runOfAttempt } from "~/api/run-state";
import { useRun } from "~/api/use-run";
import { NotFound } from "~/app/not-found";
import { useMay } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { FailureBox } from "~/parts/failure";
import { ListView } from "~/parts/list-view";
import { bytes, count } from "~/parts/numbers";
import { ShownOnce } from "~/parts/once";
import { Page } from "~/parts/page";
import { Phases, RunBadge } from "~/parts/run-parts";
import { duration, Time } from "~/parts/time";
import { t } from "~/text";
import { ScanPathInput, SourceBadge, SourceFields, StartSync } from "./sources";
import { useProject } from "./use-project";

const SourceQuery = graphql(
  `
    query SourceScreen($id: ID!) {
      node(id: $id) {
        __typename
        id
        ... on Source { ...SourceFields syncs(first: 1) {
            nodes {
              id
              status
              error { code message }
              attempts { number phases { name startedAt endedAt done total unit skipped } }
            }
          }
        }
      }
    }
  `,
  [SourceFields],
);

const SyncHistory = graphql(`
  query SyncHistory($id: ID!, $after: String) {
    node(id: $id) {
      __typename
      id
      ... on Source {
        syncs(first: 20, after: $after) {
          nodes {
            id
            status
            createdAt
            startedAt
            finishedAt
            filesAdded
            filesUpdated
            filesDeleted
            filesRenamed
            bytesFetched
            toCommit
            error { code message }
          }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  }
`);

const UpdateSource = graphql(
  `mutation UpdateSource($input: UpdateSourceInput!) { updateSource(input: $input) { source { ...SourceFields } } }`,
  [SourceFields],
);
const RemoveSource = graphql(`mutation RemoveSource($input: RemoveSourceInput!) { removeSource(input: $input) { deletedId } }`);
const SetSchedule = graphql(
  `mutation SetSourceSchedule($input: SetSourceScheduleInput!) { setSourceSchedule(input: $input) { source { ...SourceFields } } }`,
  [SourceFields],
);
const EnableWebhook = graphql(
  `mutation EnableSourceWebhook($input: EnableSourceWebhookInput!) { enableSourceWebhook(input: $input) { url secret source { ...SourceFields } } }`,
  [SourceFields],
);
const DisableWebhook = graphql(
  `mutation DisableSourceWebhook($input: DisableSourceWebhookInput!) { disableSourceWebhook(input: $input) { source { ...SourceFields } } }`,
  [SourceFields],
);
const SetCredential = graphql(
  `mutation SetSourceCredential($input: SetSourceCredentialInput!) { setSourceCredential(input: $input) { source { ...SourceFields } } }`,
  [SourceFields],
);
const RemoveCredential = graphql(
  `mutation RemoveSourceCredential($input: RemoveSourceCredentialInput!) { removeSourceCredential(input: $input) { source { ...SourceFields } } }`,
  [SourceFields],
);

type Source = ResultOf<typeof SourceFields>;

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
  const sync = useChange(StartSync, { done: (made) => (made.startSync.outcome === "ALREADY_ACTIVE" ? t.sources.alreadySyncing : undefined) });
  if (error && !source) return <FailureBox failure={failureOf(error)} retry={refresh} />;
  if (data && !source) return <NotFound />;
  if (!source) return <Skeleton height={300} />;
  return (
    <Page
      order={2}
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
      <Anchor component={Link} to={`/projects/${project.slug}/sources`} size="sm">
        ← {t.sources.title}
      </Anchor>
      {last && (
        <Panel title={active ? t.sources.syncing : t.sources.lastSync}>
          <div aria-live="polite">
            {run.phases.length === 0 && active && <Text size="sm" c="dimmed">{t.sources.waiting}</Text>}
            <Phases run={run} failed={last.status === "FAILED"} />
            {last.error && (
              <Alert color="red" mt="sm">
                <Text size="sm" className="anywhere">{last.error.message}</Text>
                <Code>{last.error.code}</Code>
              </Alert>
            )}
          </div>
          <Anchor component={Link} to={`/runs/${last.id}`} size="sm" mt="sm">
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

function Panel(props: { title: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={props.title}>
      <Title order={3} size="h5" mb="sm">{props.title}</Title>
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
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save.run({ input: { sourceId: source.id, branch: branch.trim() || null, scanPath } });
        }}
      >
        <Stack>
          <TextInput
            label={t.sources.branch}
            placeholder={t.sources.defaultBranch}
            value={branch}
            onChange={(event) => setBranch(event.currentTarget.value)}
          />
          <ScanPathInput value={scanPath} onChange={setScanPath} />
          <FailureBox failure={save.failure} />
          <Group>
            <Button
              type="submit"
              variant="default"
              loading={save.busy}
              disabled={branch.trim() === (source.branch ?? "") && scanPath === source.displayPath}
            >
              {t.common.save}
            </Button>
          </Group>
        </Stack>
      </form>
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
          data={[{ value: "", label: t.sources.never }, ...all.map((one) => ({ value: String(one), label: t.sources.interval(one) }))]}
          value={String(minutes ?? "")}
          allowDeselect={false}
          disabled={save.busy}
          onChange={(value) => void save.run({ input: { sourceId: source.id, everyMinutes: value ? Number(value) : null } })}
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

function Webhook(props: { source: Source }) {
  const { source } = props;
  const [shown, setShown] = useState<{ url: string; secret: string }>();
  const enable = useChange(EnableWebhook);
  const disable = useChange(DisableWebhook, { done: t.sources.webhookOff });
  const turnOn = async () => {
    const renewed = source.webhookEnabled;
    if (renewed && !(await confirm({ title: t.sources.newSecret, text: t.sources.newSecretText, label: t.sources.newSecret }))) return;
    const made = await enable.run({ input: { sourceId: source.id } });
    if (made) setShown({ url: new URL(made.enableSourceWebhook.url, location.href).href, secret: made.enableSourceWebhook.secret });
  };
  const turnOff = async () => {
    if (!(await confirm({ title: t.sources.webhookDisable, text: t.sources.webhookDisableText, label: t.sources.webhookDisable }))) return;
    setShown(undefined);
    await disable.run({ input: { sourceId: source.id } });
  };
  return (
    <Panel title={t.sources.webhook}>
      <Stack>
        <Text size="sm" c="dimmed">{t.sources.webhookText}</Text>
        {shown && (
          <ShownOnce
            title={t.sources.webhookShown}
            values={[
              { label: t.sources.payloadUrl, value: shown.url },
              { label: t.sources.secret, value: shown.secret },
            ]}
          />
        )}
        <Group>
          {source.webhookEnabled && <Badge color="teal">{t.sources.webhookOn}</Badge>}
          <Button variant="default" size="xs" loading={enable.busy} onClick={() => void turnOn()}>
            {source.webhookEnabled ? t.sources.newSecret : t.sources.webhookEnable}
          </Button>
          {source.webhookEnabled && (
            <Button variant="default" size="xs" loading={disable.busy} onClick={() => void turnOff()}>
              {t.sources.webhookDisable}
            </Button>
          )}
        </Group>
      </Stack>
    </Panel>
  );
}

function Credential(props: { source: Source }) {
  const { source } = props;
  const ssh = source.url.startsWith("ssh:");
  const [kind, setKind] = useState<string>(ssh ? "ssh" : "token");
  const [username, setUsername] = useState("");
  const [secret, setSecret] = useState("");
  const [knownHosts, setKnownHosts] = useState("");
  const save = useChange(SetCredential, { inline: true, done: t.common.saved });
  const remove = useChange(RemoveCredential, { done: t.sources.credentialRemoved });
  const submit = async () => {
    const made = await save.run({
      input:
        kind === "ssh"
          ? { sourceId: source.id, sshKey: { privateKey: secret, knownHosts: knownHosts || null } }
          : { sourceId: source.id, token: { token: secret, username: username || null } },
    });
    if (made) setSecret("");
  };
  return (
    <Panel title={t.sources.credential}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Stack>
          <Group gap="xs">
            <Badge color={source.credential === "NONE" ? "gray" : "teal"}>{t.sources.credentials[source.credential]}</Badge>
            {(source.credential === "TOKEN" || source.credential === "SSH_KEY") && (
              <Button
                size="xs"
                variant="default"
                loading={remove.busy}
                onClick={async () => {
                  const sure = await confirm({
                    title: t.sources.credentialRemove,
                    text: t.sources.credentialRemoveText,
                    label: t.sources.credentialRemove,
                  });
                  if (sure) await remove.run({ input: { sourceId: source.id } });
                }}
              >
                {t.sources.credentialRemove}
              </Button>
            )}
          </Group>
          <SegmentedControl
            aria-label={t.sources.credential}
            value={kind}
            onChange={setKind}
            data={[
              { value: "token", label: t.sources.credentials.TOKEN },
              { value: "ssh", label: t.sources.credentials.SSH_KEY },
            ]}
          />
          {kind === "token" ? (
            <>
              <TextInput label={t.sources.username} autoComplete="off" value={username} onChange={(event) => setUsername(event.currentTarget.value)} />
              <PasswordInput
                label={t.sources.token}
                autoComplete="off"
                required
                value={secret}
                onChange={(event) => setSecret(event.currentTarget.value)}
                visibilityToggleButtonProps={{ "aria-label": t.signIn.showPassword }}
              />
            </>
          ) : (
            <>
              <Textarea label={t.sources.privateKey} required autosize minRows={3} maxRows={8} value={secret} onChange={(event) => setSecret(event.currentTarget.value)} />
              <Textarea label={t.sources.knownHosts} autosize minRows={1} maxRows={4} value={knownHosts} onChange={(event) => setKnownHosts(event.currentTarget.value)} />
            </>
          )}
          <FailureBox failure={save.failure} />
          <Group>
            <Button type="submit" variant="default" loading={save.busy}>
              {t.common.save}
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}

function History(props: { sourceId: string }) {
  const list = useList(SyncHistory, { id: props.sourceId }, (data) =>
    data.node?.__typename === "Source" ? data.node.syncs : undefined,
  );
  const time = (sync: { startedAt: string | null; finishedAt: string | null }) =>
    sync.startedAt && sync.finishedAt ? Date.parse(sync.finishedAt) - Date.parse(sync.startedAt) : 0;
  const longest = Math.max(1, ...list.items.map(time));
  return (
    <Panel title={t.sources.history}>
      <ListView list={list} rowHeight={36} empty={<Text size="sm" c="dimmed">{t.sources.noSyncs}</Text>}>
        {(syncs) => (
          <Table.ScrollContainer minWidth={640}>
            <Table verticalSpacing={6} aria-label={t.sources.history}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t.runs.started}</Table.Th>
                  <Table.Th>{t.runs.status}</Table.Th>
                  <Table.Th>{t.sources.files}</Table.Th>
                  <Table.Th>{t.sources.fetched}</Table.Th>
                  <Table.Th>{t.sources.commit}</Table.Th>
                  <Table.Th w="25%">{t.runs.duration}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {syncs.map((sync) => (
                  <Table.Tr key={sync.id}>
                    <Table.Td>
                      <Anchor component={Link} to={`/runs/${sync.id}`} size="sm">
                        <Time at={sync.startedAt ?? sync.createdAt} />
                      </Anchor>
                    </Table.Td>
                    <Table.Td>
                      <RunBadge status={sync.status} />
                    </Table.Td>
                    <Table.Td title={t.sources.filesTitle}>
                      +{count(sync.filesAdded)} ~{count(sync.filesUpdated + sync.filesRenamed)} −{count(sync.filesDeleted)}
                    </Table.Td>
                    <Table.Td>{bytes(sync.bytesFetched)}</Table.Td>
                    <Table.Td className="code">{sync.toCommit?.slice(0, 8) ?? "–"}</Table.Td>
                    <Table.Td>
                      <Group gap="xs" wrap="nowrap">
                        <div
                          aria-hidden
                          style={{
                            width: `${(60 * time(sync)) / longest}%`,
                            minWidth: 2,
                            height: 8,
                            borderRadius: 4,
                            background: sync.status === "FAILED" ? "var(--mantine-color-red-6)" : "var(--mantine-color-indigo-5)",
                          }}
                        />
                        <Text size="xs">{sync.finishedAt ? duration(time(sync)) : "…"}</Text>
                      </Group>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </ListView>
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
          const sure = await confirm({ title: t.sources.remove, text: t.sources.removeText(props.source.url), label: t.sources.remove });
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
