// The former texts of a note: each compared with the present one, and restored.

import { Badge, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useState } from "react";
import { type ResultOf, graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useList } from "~/api/use-list";
import { useMay } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { DiffView } from "~/parts/diff-view";
import { FailureBox } from "~/parts/failure";
import { absolute, Time } from "~/parts/time";
import { t } from "~/text";
import type { Note } from "./note";

const NoteVersions = graphql(`
  query NoteVersions($id: ID!, $after: String) {
    node(id: $id) {
      __typename
      id
      ... on Note {
        versions(first: 20, after: $after) {
          nodes {
            id
            title
            body
            reason
            createdAt
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

const RestoreNoteVersion = graphql(`
  mutation RestoreNoteVersion($input: RestoreNoteVersionInput!) {
    restoreNoteVersion(input: $input) {
      note {
        id
        title
        body
        updatedAt
      }
    }
  }
`);

type Node = Extract<NonNullable<ResultOf<typeof NoteVersions>["node"]>, { __typename: "Note" }>;
type Version = Node["versions"]["nodes"][number];

/** Nothing is shown for a note that was never replaced. */
export function Versions(props: { note: Note; onRestored: () => void }) {
  const { note, onRestored } = props;
  const list = useList(NoteVersions, { id: note.id }, (data) =>
    data.node?.__typename === "Note" ? data.node.versions : undefined,
  );
  const [opened, setOpened] = useState<string>();
  if (list.items.length === 0) return <FailureBox failure={list.failure} retry={list.reload} />;
  return (
    <Paper withBorder p="md" component="section" aria-label={t.versions.title}>
      <Title order={3} size="h5" mb="sm">
        {t.versions.title}
      </Title>
      <Stack gap="xs" component="ul" m={0} p={0} style={{ listStyle: "none" }}>
        {list.items.map((version) => (
          <li key={version.id}>
            <VersionRow
              note={note}
              version={version}
              open={opened === version.id}
              onToggle={() => setOpened(opened === version.id ? undefined : version.id)}
              onRestored={() => {
                setOpened(undefined);
                list.reload();
                onRestored();
              }}
            />
          </li>
        ))}
      </Stack>
      {list.hasMore && (
        <Button mt="sm" size="xs" variant="default" loading={list.loadingMore} onClick={list.more}>
          {t.common.loadMore}
        </Button>
      )}
    </Paper>
  );
}

function VersionRow(props: {
  note: Note;
  version: Version;
  open: boolean;
  onToggle: () => void;
  onRestored: () => void;
}) {
  const { note, version, open, onToggle, onRestored } = props;
  const may = useMay();
  const restore = useChange(RestoreNoteVersion, { done: t.versions.restored });
  const ask = async () => {
    const question = {
      title: t.versions.restore,
      text: t.versions.restoreText(absolute(version.createdAt)),
      label: t.versions.restore,
    };
    if (!(await confirm(question))) return;
    if (await restore.run({ input: { noteVersionId: version.id } })) onRestored();
  };
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <Group gap="xs" miw={0}>
          <IconHistory size={16} aria-hidden />
          <Text size="sm">
            <Time at={version.createdAt} />
          </Text>
          <Badge color="gray">{t.versions.reasons[version.reason]}</Badge>
          {version.title !== note.title && (
            <Text size="sm" className="anywhere" dir="auto">
              {version.title}
            </Text>
          )}
        </Group>
        <Group gap="xs">
          <Button size="compact-xs" variant="subtle" aria-expanded={open} onClick={onToggle}>
            {open ? t.common.hide : t.versions.compare}
          </Button>
          {may.write && (
            <Button size="compact-xs" variant="default" loading={restore.busy} onClick={() => void ask()}>
              {t.versions.restore}
            </Button>
          )}
        </Group>
      </Group>
      {open && <DiffView from={version.body} to={note.body} label={t.versions.difference} />}
    </Stack>
  );
}
