// The posts of a project: written here, or imported from a file of a source.

import { Anchor, Badge, Button, Group, Modal, Paper, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconArticle, IconFileImport, IconPlus } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useList } from "~/api/use-list";
import { useMay } from "~/app/session-store";
import { Empty } from "~/parts/empty";
import { Form, TextField, TitleField } from "~/parts/form";
import { ListView } from "~/parts/list-view";
import { Page } from "~/parts/page";
import { Time } from "~/parts/time";
import { t } from "~/text";
import { useProject } from "./use-project";

const PostList = graphql(`
  query PostList($id: ID!, $after: String) {
    project(id: $id) {
      id
      blogPosts(first: 30, after: $after) {
        nodes {
          id
          title
          status
          publishedAt
          updatedAt
          sourceRef
          createdBy {
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
const CreatePost = graphql(`
  mutation CreateBlogPost($input: CreateBlogPostInput!) {
    createBlogPost(input: $input) {
      blogPost {
        id
      }
    }
  }
`);
const ImportPost = graphql(`
  mutation ImportBlogPost($input: ImportBlogPostInput!) {
    importBlogPost(input: $input) {
      blogPost {
        id
      }
    }
  }
`);

export function Posts() {
  const project = useProject();
  const may = useMay();
  const navigate = useNavigate();
  const [creating, create] = useDisclosure(false);
  const [importing, importer] = useDisclosure(false);
  const list = useList(PostList, { id: project.id }, (data) => data.project?.blogPosts);
  const open = (postId: string) =>
    void navigate({ to: "/projects/$slug/posts/$postId", params: { slug: project.slug, postId } });
  const actions = may.write && (
    <>
      <Button leftSection={<IconPlus size={18} />} onClick={create.open}>
        {t.posts.create}
      </Button>
      <Button variant="default" leftSection={<IconFileImport size={18} />} onClick={importer.open}>
        {t.posts.import}
      </Button>
    </>
  );
  return (
    <Page
      order={2}
      title={t.posts.title}
      lead={t.posts.lead}
      actions={actions}
      actionsHidden={!list.loading && list.items.length === 0}
    >
      <ListView
        list={list}
        rowHeight={64}
        empty={
          <Empty
            icon={IconArticle}
            title={t.posts.emptyTitle}
            text={may.write ? t.posts.emptyText : t.posts.emptyViewer}
          >
            <Group justify="center">{actions}</Group>
          </Empty>
        }
      >
        {(posts) => (
          <Stack gap="xs">
            {posts.map((post) => (
              <Paper key={post.id} withBorder p="sm" pos="relative" component="article">
                <Group justify="space-between" wrap="nowrap">
                  <Stack gap={2} miw={0}>
                    <Anchor
                      component={Link}
                      to={`/projects/${project.slug}/posts/${post.id}`}
                      fw={600}
                      c="inherit"
                      className="anywhere stretched"
                      dir="auto"
                    >
                      {post.title}
                    </Anchor>
                    <Text size="xs" c="dimmed">
                      {post.createdBy?.name ?? t.common.former} · <Time at={post.publishedAt ?? post.updatedAt} />
                    </Text>
                  </Stack>
                  <Badge color={post.status === "PUBLISHED" ? "teal" : "gray"} style={{ flexShrink: 0 }}>
                    {t.posts.statuses[post.status]}
                  </Badge>
                </Group>
              </Paper>
            ))}
          </Stack>
        )}
      </ListView>
      <Modal opened={creating} onClose={create.close} title={t.posts.create}>
        <CreateForm projectId={project.id} onDone={open} />
      </Modal>
      <Modal opened={importing} onClose={importer.close} title={t.posts.import}>
        <ImportForm projectId={project.id} onDone={open} />
      </Modal>
    </Page>
  );
}

function CreateForm(props: { projectId: string; onDone: (id: string) => void }) {
  const [title, setTitle] = useState("");
  const create = useChange(CreatePost, { inline: true });
  return (
    <Form
      change={create}
      onSubmit={async () => {
        const made = await create.run({ input: { projectId: props.projectId, title, body: "" } });
        if (made) props.onDone(made.createBlogPost.blogPost.id);
      }}
      label={t.posts.create}
    >
      <TitleField value={title} onValue={setTitle} data-autofocus />
    </Form>
  );
}

function ImportForm(props: { projectId: string; onDone: (id: string) => void }) {
  const [path, setPath] = useState("");
  const create = useChange(ImportPost, { inline: true });
  return (
    <Form
      change={create}
      onSubmit={async () => {
        const made = await create.run({ input: { projectId: props.projectId, path } });
        if (made) props.onDone(made.importBlogPost.blogPost.id);
      }}
      label={t.posts.import}
    >
      <TextField
        label={t.posts.path}
        description={t.posts.pathText}
        placeholder="docs/posts/hello.md"
        required
        value={path}
        onValue={setPath}
        data-autofocus
      />
    </Form>
  );
}
