// The notes of a project.

import { Anchor, Button, Group, Modal, Paper, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconNotes, IconPlus } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useList } from "~/api/use-list";
import { useMay } from "~/app/session-store";
import { Empty } from "~/parts/empty";
import { Form, LongField, TitleField } from "~/parts/form";
import { ListView } from "~/parts/list-view";
import { Page } from "~/parts/page";
import { Time } from "~/parts/time";
import { useDraft } from "~/parts/use-draft";
import { t } from "~/text";
import { useProject } from "./use-project";

const NoteList = graphql(`
  query NoteList($id: ID!, $after: String) {
    project(id: $id) {
      id
      notes(first: 30, after: $after) {
        nodes {
          id
          title
          body
          updatedAt
          createdBy {
            id
            name
          }
          actionPoints {
            id
            status
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

const CreateNote = graphql(`
  mutation CreateNote($input: CreateNoteInput!) {
    createNote(input: $input) {
      note {
        id
        title
      }
    }
  }
`);

export function Notes() {
  const project = useProject();
  const may = useMay();
  const [opened, { open, close }] = useDisclosure(false);
  const list = useList(NoteList, { id: project.id }, (data) => data.project?.notes);
  const create = may.write && (
    <Button leftSection={<IconPlus size={18} />} onClick={open}>
      {t.notes.create}
    </Button>
  );
  return (
    <Page
      order={2}
      title={t.notes.title}
      lead={t.notes.lead}
      actions={create}
      actionsHidden={!list.loading && list.items.length === 0}
    >
      <ListView
        list={list}
        rowHeight={72}
        empty={
          <Empty icon={IconNotes} title={t.notes.emptyTitle} text={may.write ? t.notes.emptyText : t.notes.emptyViewer}>
            {create}
          </Empty>
        }
      >
        {(notes) => (
          <Stack gap="xs">
            {notes.map((note) => {
              const open = note.actionPoints.filter((point) => point.status === "OPEN").length;
              return (
                <Paper key={note.id} withBorder p="sm" pos="relative" component="article">
                  <Group justify="space-between" wrap="nowrap" align="flex-start">
                    <Stack gap={2} miw={0}>
                      <Anchor
                        component={Link}
                        to={`/projects/${project.slug}/notes/${note.id}`}
                        fw={600}
                        c="inherit"
                        className="anywhere stretched"
                        lineClamp={3}
                        dir="auto"
                      >
                        {note.title}
                      </Anchor>
                      <Text size="sm" c="dimmed" lineClamp={1} dir="auto">
                        {note.body.slice(0, 240)}
                      </Text>
                    </Stack>
                    <Stack gap={2} align="flex-end" style={{ flexShrink: 0 }}>
                      <Time at={note.updatedAt} size="xs" c="dimmed" />
                      {open > 0 && <Text size="xs">{t.notes.openPoints(open)}</Text>}
                    </Stack>
                  </Group>
                </Paper>
              );
            })}
          </Stack>
        )}
      </ListView>
      <Modal opened={opened} onClose={close} title={t.notes.create} size="lg">
        <CreateForm />
      </Modal>
    </Page>
  );
}

function CreateForm() {
  const project = useProject();
  const navigate = useNavigate();
  const draft = useDraft(`note-new.${project.id}`, { title: "", body: "" });
  const create = useChange(CreateNote, { inline: true });
  const submit = async () => {
    const { title, body } = draft.value;
    const made = await create.run({ input: { projectId: project.id, title, body } });
    if (!made) return;
    draft.forget();
    void navigate({
      to: "/projects/$slug/notes/$noteId",
      params: { slug: project.slug, noteId: made.createNote.note.id },
    });
  };
  return (
    <Form change={create} onSubmit={submit} label={t.notes.create}>
      <TitleField value={draft.value.title} onValue={(title) => draft.set({ title })} data-autofocus />
      <LongField
        label={t.notes.body}
        description={t.notes.bodyText}
        minRows={5}
        maxRows={16}
        value={draft.value.body}
        onValue={(body) => draft.set({ body })}
      />
    </Form>
  );
}
