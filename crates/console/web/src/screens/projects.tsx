// The projects of the tenant: searched while typing, and made here.

import {
  Anchor,
  Badge,
  Button,
  Group,
  Modal,
  Paper,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconFolderPlus, IconFolders, IconSearch } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useList } from "~/api/use-list";
import { useMay } from "~/app/session-store";
import { Empty } from "~/parts/empty";
import { Form, LongField, TextField } from "~/parts/form";
import { ListView } from "~/parts/list-view";
import { Page } from "~/parts/page";
import { RunBadge } from "~/parts/run-parts";
import { Time } from "~/parts/time";
import { t } from "~/text";

const ProjectList = graphql(`
  query ProjectList($query: String, $after: String) {
    projects(first: 30, after: $after, query: $query) {
      nodes {
        id
        name
        slug
        description
        stack
        updatedAt
        latestSync {
          id
          status
          finishedAt
        }
        sources {
          id
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const CreateProject = graphql(`
  mutation CreateProject($input: CreateProjectInput!) {
    createProject(input: $input) {
      project {
        id
        slug
        name
      }
    }
  }
`);

export function Projects() {
  const may = useMay();
  const [words, setWords] = useState("");
  const [query] = useDebouncedValue(words.trim(), 200);
  const [opened, { open, close }] = useDisclosure(false);
  const list = useList(ProjectList, { query: query || null }, (data) => data.projects);
  const create = may.write && (
    <Button leftSection={<IconFolderPlus size={18} />} onClick={open}>
      {t.projects.create}
    </Button>
  );
  return (
    <Page title={t.projects.title} lead={t.projects.lead} actions={create}>
      <TextInput
        type="search"
        leftSection={<IconSearch size={18} aria-hidden />}
        placeholder={t.projects.search}
        aria-label={t.projects.search}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        maw={420}
      />
      <ListView
        list={list}
        rowHeight={110}
        empty={
          query ? (
            <Text c="dimmed">{t.projects.nothing(query)}</Text>
          ) : (
            <Empty
              icon={IconFolders}
              title={t.projects.emptyTitle}
              text={may.write ? t.projects.emptyText : t.projects.emptyViewer}
            >
              {create}
            </Empty>
          )
        }
      >
        {(projects) => (
          <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
            {projects.map((project) => (
              <Paper key={project.id} withBorder p="md" component="article" pos="relative">
                <Stack gap={6} h="100%">
                  <Group justify="space-between" wrap="nowrap">
                    <Anchor
                      component={Link}
                      to={`/projects/${project.slug}`}
                      fw={600}
                      c="inherit"
                      lineClamp={2}
                      className="anywhere stretched"
                      dir="auto"
                    >
                      {project.name}
                    </Anchor>
                    {project.latestSync && project.latestSync.status !== "SUCCEEDED" && (
                      <RunBadge status={project.latestSync.status} />
                    )}
                  </Group>
                  <Text size="sm" c="dimmed" lineClamp={2} mih={20} className="anywhere">
                    {project.description ?? ""}
                  </Text>
                  <Group gap={4} mih={22}>
                    {project.stack.slice(0, 4).map((name) => (
                      <Badge key={name} color="gray">
                        {name}
                      </Badge>
                    ))}
                  </Group>
                  <Text size="xs" c="dimmed" mt="auto">
                    {t.sources.count(project.sources.length)} ·{" "}
                    {project.latestSync?.finishedAt ? (
                      <>
                        {t.projects.synced} <Time at={project.latestSync.finishedAt} />
                      </>
                    ) : (
                      t.sources.statuses.NEVER_SYNCED
                    )}
                  </Text>
                </Stack>
              </Paper>
            ))}
          </SimpleGrid>
        )}
      </ListView>
      <Modal opened={opened} onClose={close} title={t.projects.create}>
        <CreateForm />
      </Modal>
    </Page>
  );
}

function CreateForm() {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const create = useChange(CreateProject, { inline: true });
  const submit = async () => {
    const made = await create.run({ input: { name, description: description || null } });
    const project = made?.createProject.project;
    if (project) void navigate({ to: "/projects/$slug/sources", params: { slug: project.slug } });
  };
  return (
    <Form change={create} onSubmit={submit} label={t.projects.create}>
      <TextField label={t.common.name} required maxLength={200} value={name} onValue={setName} data-autofocus />
      <LongField
        label={t.common.description}
        minRows={2}
        maxRows={6}
        value={description}
        onValue={setDescription}
      />
    </Form>
  );
}
