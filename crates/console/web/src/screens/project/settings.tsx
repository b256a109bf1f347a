// A project's name, its short name, and its end.

import { Button, Paper, Skeleton, Text, Title } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useQuery } from "urql";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useMay } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { Form, LongField, TextField } from "~/parts/form";
import { Page } from "~/parts/page";
import { t } from "~/text";
import { useProject } from "./use-project";

const SettingsQuery = graphql(`
  query ProjectSettings($id: ID!) {
    project(id: $id) {
      id
      name
      slug
      description
    }
  }
`);
const UpdateProject = graphql(`
  mutation UpdateProject($input: UpdateProjectInput!) {
    updateProject(input: $input) {
      project {
        id
        name
        slug
        description
      }
    }
  }
`);
const DeleteProject = graphql(`
  mutation DeleteProject($input: DeleteProjectInput!) {
    deleteProject(input: $input) {
      deletedId
    }
  }
`);

interface Fields {
  name: string;
  slug: string;
  description: string | null;
}

export function ProjectSettings() {
  const project = useProject();
  const may = useMay();
  const [{ data }] = useQuery({ query: SettingsQuery, variables: { id: project.id } });
  return (
    <Page order={2} title={t.settings.title}>
      {data?.project ? (
        <EditForm key={project.id} id={project.id} saved={data.project} />
      ) : (
        <Skeleton height={372} maw={640} />
      )}
      {/* Not before what stands above has its height. */}
      {data?.project && may.manage && <Delete />}
    </Page>
  );
}

function EditForm(props: { id: string; saved: Fields }) {
  const { id, saved } = props;
  const navigate = useNavigate();
  const [name, setName] = useState(saved.name);
  const [slug, setSlug] = useState(saved.slug);
  const [description, setDescription] = useState(saved.description ?? "");
  const update = useChange(UpdateProject, { inline: true, done: t.common.saved });
  const submit = async () => {
    const made = await update.run({ input: { projectId: id, name, slug, description: description || null } });
    const next = made?.updateProject.project.slug;
    if (next && next !== saved.slug)
      void navigate({ to: "/projects/$slug/settings", params: { slug: next }, replace: true });
  };
  const same = name === saved.name && slug === saved.slug && description === (saved.description ?? "");
  return (
    <Paper withBorder p="md" maw={640}>
      <Form change={update} onSubmit={submit} unchanged={same}>
        <TextField label={t.common.name} required maxLength={200} value={name} onValue={setName} />
        <TextField
          label={t.projects.slug}
          description={t.projects.slugText}
          required
          value={slug}
          onValue={setSlug}
        />
        <LongField
          label={t.common.description}
          minRows={2}
          maxRows={8}
          value={description}
          onValue={setDescription}
        />
      </Form>
    </Paper>
  );
}

function Delete() {
  const project = useProject();
  const navigate = useNavigate();
  const remove = useChange(DeleteProject, { done: t.projects.deleted });
  const ask = async () => {
    const sure = await confirm({
      title: t.projects.delete,
      text: t.projects.deleteText(project.name),
      label: t.projects.delete,
      type: project.slug,
    });
    if (sure && (await remove.run({ input: { projectId: project.id } }))) void navigate({ to: "/projects" });
  };
  return (
    <Paper withBorder p="md" maw={640} component="section" aria-label={t.projects.delete}>
      <Title order={3} size="h5">
        {t.projects.delete}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t.projects.deleteLead}
      </Text>
      <Button color="red" variant="light" loading={remove.busy} onClick={() => void ask()}>
        {t.projects.delete}
      </Button>
    </Paper>
  );
}
