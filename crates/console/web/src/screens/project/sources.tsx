// The repositories of a project: imported from GitHub, or added by their address.

import { Anchor, Badge, Button, Code, Group, Modal, Paper, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBrandGithub, IconGitBranch, IconLink, IconRefresh } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useRun } from "~/api/use-run";
import { useMay } from "~/app/session-store";
import { Empty } from "~/parts/empty";
import { FailureBox } from "~/parts/failure";
import { Page } from "~/parts/page";
import { phaseName } from "~/parts/run-parts";
import { Time } from "~/parts/time";
import { Skeleton } from "@mantine/core";
import { Form, TextField } from "~/parts/form";
import { t } from "~/text";
import { GitHubImport } from "./github-import";
import { useProject } from "./use-project";

export const SourceFields = graphql(`
  fragment SourceFields on Source {
    id
    url
    branch
    scanPath
    displayPath
    status
    headCommit
    lastSyncedAt
    credential
    webhookEnabled
    schedule {
      everyMinutes
      nextSyncAt
    }
  }
`);

const SourceList = graphql(
  `
    query SourceList($id: ID!) {
      project(id: $id) {
        id
        sources {
          ...SourceFields
          syncs(first: 1) {
            nodes {
              id
              status
              error {
                code
                message
              }
            }
          }
        }
      }
    }
  `,
  [SourceFields],
);

export const StartSync = graphql(`
  mutation StartSync($input: StartSyncInput!) {
    startSync(input: $input) {
      outcome
      sync {
        id
        status
        source {
          id
          status
        }
      }
    }
  }
`);

const AddSource = graphql(
  `
    mutation AddSource($input: AddSourceInput!) {
      addSource(input: $input) {
        source {
          ...SourceFields
        }
      }
    }
  `,
  [SourceFields],
);

export function Sources() {
  const project = useProject();
  const may = useMay();
  const [importing, github] = useDisclosure(false);
  const [adding, url] = useDisclosure(false);
  const [{ data, error }, reload] = useQuery({ query: SourceList, variables: { id: project.id } });
  const sources = data?.project?.sources;
  const actions = may.write && (
    <>
      <Button leftSection={<IconBrandGithub size={18} />} onClick={github.open}>
        {t.sources.import}
      </Button>
      <Button variant="default" leftSection={<IconLink size={18} />} onClick={url.open}>
        {t.sources.addUrl}
      </Button>
    </>
  );
  return (
    <Page
      order={2}
      title={t.sources.title}
      lead={t.sources.lead}
      actions={actions}
      actionsHidden={sources?.length === 0}
    >
      {error && !sources && (
        <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />
      )}
      {!sources && !error && <Skeleton height={96} />}
      {sources?.length === 0 && (
        <Empty
          icon={IconBrandGithub}
          title={t.sources.emptyTitle}
          text={may.write ? t.sources.emptyText : t.sources.emptyViewer}
        >
          <Group justify="center">{actions}</Group>
        </Empty>
      )}
      <Stack>
        {sources?.map((source) => (
          <SourceCard key={source.id} source={source} slug={project.slug} mayWrite={may.write} />
        ))}
      </Stack>
      <Modal opened={importing} onClose={github.close} title={t.sources.import} size="xl">
        <GitHubImport projectId={project.id} onClose={github.close} />
      </Modal>
      <Modal opened={adding} onClose={url.close} title={t.sources.addUrl} size="lg">
        <AddUrl onClose={url.close} />
      </Modal>
    </Page>
  );
}

type SourceItem = {
  id: string;
  url: string;
  branch: string | null;
  displayPath: string;
  status: keyof typeof t.sources.statuses;
  headCommit: string | null;
  lastSyncedAt: string | null;
  syncs: { nodes: { id: string; status: string; error: { code: string; message: string } | null }[] };
};

function SourceCard(props: { source: SourceItem; slug: string; mayWrite: boolean }) {
  const { source, slug, mayWrite } = props;
  const last = source.syncs.nodes[0];
  const active = last?.status === "QUEUED" || last?.status === "RUNNING";
  const run = useRun(active ? last?.id : null);
  const sync = useChange(StartSync);
  const to = `/projects/${slug}/sources/${source.id}`;
  const phase = run.phases.at(-1);
  return (
    <Paper withBorder p="md" component="article">
      <Group justify="space-between" align="flex-start">
        <Stack gap={4} miw={0} flex={1}>
          <Anchor component={Link} to={to} fw={600} c="inherit" className="anywhere">
            {source.url}
          </Anchor>
          <Group gap="xs">
            <SourceBadge status={active ? "SYNCING" : source.status} />
            <Badge color="gray" leftSection={<IconGitBranch size={12} />}>
              {source.branch ?? t.sources.defaultBranch}
            </Badge>
            <Code>{source.displayPath}</Code>
            {source.headCommit && <Code title={source.headCommit}>{source.headCommit.slice(0, 8)}</Code>}
            <Text size="xs" c="dimmed" role="status">
              {active ? (
                <Anchor component={Link} to={to} size="xs">
                  {phase ? phaseName(phase.name) : t.runs.statuses.QUEUED} …
                </Anchor>
              ) : (
                <Time at={source.lastSyncedAt} never={t.sources.statuses.NEVER_SYNCED} />
              )}
            </Text>
          </Group>
          {last?.status === "FAILED" && last.error && (
            <Text size="sm" c="var(--mantine-color-error)" className="anywhere">
              {last.error.message} <Code>{last.error.code}</Code>
            </Text>
          )}
        </Stack>
        {mayWrite && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconRefresh size={16} />}
            loading={sync.busy}
            disabled={active}
            onClick={() => void sync.run({ input: { sourceId: source.id } })}
          >
            {t.sources.syncNow}
          </Button>
        )}
      </Group>
    </Paper>
  );
}

const COLOURS: Record<keyof typeof t.sources.statuses, string> = {
  READY: "teal",
  SYNCING: "blue",
  FAILED: "red",
  NEVER_SYNCED: "gray",
};

export function SourceBadge(props: { status: keyof typeof t.sources.statuses }) {
  return <Badge color={COLOURS[props.status]}>{t.sources.statuses[props.status]}</Badge>;
}

/** "" and "/" both mean the root of the repository; it is shown as "/". */
export function ScanPathInput(props: { value: string; onChange: (value: string) => void }) {
  return (
    <TextInput
      label={t.sources.scanPath}
      description={t.sources.scanPathText}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      onBlur={() => props.value.trim() === "" && props.onChange("/")}
    />
  );
}

function AddUrl(props: { onClose: () => void }) {
  const project = useProject();
  const navigate = useNavigate();
  const [address, setAddress] = useState("");
  const [branch, setBranch] = useState("");
  const [scanPath, setScanPath] = useState("/");
  const add = useChange(AddSource, { inline: true });
  const sync = useChange(StartSync);
  const submit = async () => {
    const made = await add.run({
      input: { projectId: project.id, url: address.trim(), branch: branch.trim() || null, scanPath },
    });
    const source = made?.addSource.source;
    if (!source) return;
    props.onClose();
    await sync.run({ input: { sourceId: source.id } });
    void navigate({ to: "/projects/$slug/sources/$sourceId", params: { slug: project.slug, sourceId: source.id } });
  };
  return (
    <Form
      change={{ busy: add.busy || sync.busy, failure: add.failure }}
      onSubmit={submit}
      label={t.sources.addAndSync}
    >
      <TextField
        label={t.sources.url}
        description={t.sources.urlText}
        placeholder="https://github.com/acme/atlas.git"
        required
        value={address}
        onValue={setAddress}
        data-autofocus
      />
      <TextField
        label={t.sources.branch}
        placeholder={t.sources.defaultBranch}
        value={branch}
        onValue={setBranch}
      />
      <ScanPathInput value={scanPath} onChange={setScanPath} />
    </Form>
  );
}
