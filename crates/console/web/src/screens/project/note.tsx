// One note: written with a preview, enriched with what is known, and the work that came out of it.

import {
  ActionIcon,
  Alert,
  Anchor,
  Badge,
  Button,
  Checkbox,
  Group,
  Menu,
  Paper,
  Skeleton,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { IconDots, IconTrash } from "@tabler/icons-react";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { type ResultOf, graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { NotFound } from "~/app/not-found";
import { useMay } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { DraftForm } from "~/parts/draft-form";
import { FailureBox } from "~/parts/failure";
import { MarkdownView } from "~/parts/markdown";
import { useTitle } from "~/parts/page";
import { Time } from "~/parts/time";
import { useDraft } from "~/parts/use-draft";
import { t } from "~/text";
import { Enrichments } from "./note-enrich";
import { Versions } from "./note-versions";
import { useProject } from "./use-project";

const NoteQuery = graphql(`
  query NoteScreen($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Note {
        title
        body
        createdAt
        updatedAt
        createdBy {
          id
          name
        }
        project {
          id
        }
        actionPoints {
          id
          text
          status
        }
      }
    }
  }
`);

const UpdateNote = graphql(`
  mutation UpdateNote($input: UpdateNoteInput!) {
    updateNote(input: $input) {
      note {
        id
        title
        body
        updatedAt
      }
    }
  }
`);
const DeleteNote = graphql(`
  mutation DeleteNote($input: DeleteNoteInput!) {
    deleteNote(input: $input) {
      deletedId
    }
  }
`);
const UpdatePoint = graphql(`
  mutation UpdateActionPoint($input: UpdateActionPointInput!) {
    updateActionPoint(input: $input) {
      actionPoint {
        id
        status
        text
      }
    }
  }
`);

export type Note = Extract<NonNullable<ResultOf<typeof NoteQuery>["node"]>, { __typename: "Note" }>;

export function NoteScreen() {
  const { noteId } = useParams({ from: "/projects/$slug/notes/$noteId" });
  const [{ data, error }, reload] = useQuery({ query: NoteQuery, variables: { id: noteId } });
  const refresh = useCallback(() => reload({ requestPolicy: "network-only" }), [reload]);
  const note = data?.node?.__typename === "Note" ? data.node : undefined;
  if (error && !note) return <FailureBox failure={failureOf(error)} retry={refresh} />;
  if (data && !note) return <NotFound />;
  if (!note) return <Skeleton height={400} />;
  return <NoteView key={note.id} note={note} refresh={refresh} />;
}

function NoteView(props: { note: Note; refresh: () => void }) {
  const { note, refresh } = props;
  const project = useProject();
  const may = useMay();
  const [editing, setEditing] = useState(false);
  useTitle(note.title);
  return (
    <Stack gap="lg">
      <Anchor component={Link} to={`/projects/${project.slug}/notes`} size="sm">
        ← {t.notes.title}
      </Anchor>
      {/* Whoever may no longer write keeps what they typed in sight. */}
      {editing ? (
        <EditForm note={note} onClose={() => setEditing(false)} />
      ) : (
        <Stack gap="sm" component="article">
          <Group justify="space-between" align="flex-start" wrap="nowrap">
            <div>
              <Title order={2} size="h3" className="anywhere" dir="auto">
                {note.title}
              </Title>
              <Text size="sm" c="dimmed">
                {note.createdBy?.name ?? t.common.former} · <Time at={note.updatedAt} />
              </Text>
            </div>
            {may.write && (
              <Group gap="xs" wrap="nowrap">
                <EditButton note={note} onClick={() => setEditing(true)} />
                <MoreMenu note={note} />
              </Group>
            )}
          </Group>
          <Paper withBorder p="md">
            {note.body.trim() ? (
              <MarkdownView text={note.body} />
            ) : (
              <Text c="dimmed" size="sm">
                {t.notes.noBody}
              </Text>
            )}
          </Paper>
        </Stack>
      )}
      <ActionPoints note={note} />
      <Enrichments note={note} onChanged={refresh} />
      <Versions note={note} onRestored={refresh} />
    </Stack>
  );
}

function EditButton(props: { note: Note; onClick: () => void }) {
  const draft = useDraft(`note.${props.note.id}`, { title: props.note.title, body: props.note.body });
  return (
    <Button variant="default" onClick={props.onClick}>
      {draft.restored ? t.notes.goOn : t.common.edit}
    </Button>
  );
}

function MoreMenu(props: { note: Note }) {
  const { note } = props;
  const project = useProject();
  const navigate = useNavigate();
  const remove = useChange(DeleteNote, { done: t.notes.deleted });
  const ask = async () => {
    if (!(await confirm({ title: t.notes.delete, text: t.notes.deleteText(note.title), label: t.notes.delete })))
      return;
    if (await remove.run({ input: { noteId: note.id } })) {
      void navigate({ to: "/projects/$slug/notes", params: { slug: project.slug } });
    }
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label={t.common.more}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={() => void ask()}>
          {t.notes.delete}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function EditForm(props: { note: Note; onClose: () => void }) {
  const { note, onClose } = props;
  // What was there when the writing began: somebody else may save meanwhile.
  const [base] = useState(note);
  const save = useChange(UpdateNote, { inline: true, done: t.common.saved });
  return (
    <DraftForm
      name={`note.${note.id}`}
      saved={note}
      label={t.notes.body}
      change={save}
      onSave={(text) => save.run({ input: { noteId: note.id, ...text } })}
      onClose={onClose}
    >
      {note.updatedAt !== base.updatedAt && <Alert color="yellow">{t.notes.changedElsewhere}</Alert>}
    </DraftForm>
  );
}

function ActionPoints(props: { note: Note }) {
  const may = useMay();
  const update = useChange(UpdatePoint);
  const points = props.note.actionPoints;
  if (points.length === 0) return null;
  const set = (id: string, status: "OPEN" | "DONE" | "DISMISSED") =>
    void update.run({ input: { actionPointId: id, status } });
  return (
    <Paper withBorder p="md" component="section" aria-label={t.notes.points}>
      <Title order={3} size="h5" mb="sm">
        {t.notes.points}
      </Title>
      <Stack gap="xs">
        {points.map((point) => (
          <Group key={point.id} wrap="nowrap" align="flex-start" justify="space-between">
            {may.write ? (
              <Checkbox
                checked={point.status === "DONE"}
                disabled={point.status === "DISMISSED"}
                label={<PointText text={point.text} status={point.status} />}
                onChange={(event) => set(point.id, event.currentTarget.checked ? "DONE" : "OPEN")}
              />
            ) : (
              <PointText text={point.text} status={point.status} />
            )}
            {may.write && (
              <Button
                size="compact-xs"
                variant="subtle"
                color="gray"
                style={{ flexShrink: 0 }}
                onClick={() => set(point.id, point.status === "DISMISSED" ? "OPEN" : "DISMISSED")}
              >
                {point.status === "DISMISSED" ? t.notes.reopen : t.notes.dismissPoint}
              </Button>
            )}
          </Group>
        ))}
      </Stack>
    </Paper>
  );
}

function PointText(props: { text: string; status: keyof typeof t.notes.pointStatuses }) {
  return (
    <Text
      size="sm"
      component="div"
      className="anywhere"
      td={props.status === "OPEN" ? undefined : "line-through"}
      dir="auto"
    >
      {props.text} {props.status !== "OPEN" && <Badge color="gray">{t.notes.pointStatuses[props.status]}</Badge>}
    </Text>
  );
}
