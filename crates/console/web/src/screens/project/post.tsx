// One post: written with a preview, published and taken back.

import { Anchor, Badge, Button, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
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
import { t } from "~/text";
import { useProject } from "./use-project";

const PostFields = graphql(`
  fragment PostFields on BlogPost {
    id
    title
    body
    status
    publishedAt
    updatedAt
    sourceRef
    createdBy {
      id
      name
    }
  }
`);
const PostQuery = graphql(
  `
    query PostScreen($id: ID!) {
      node(id: $id) {
        __typename
        id
        ... on BlogPost {
          ...PostFields
        }
      }
    }
  `,
  [PostFields],
);
const UpdatePost = graphql(
  `
    mutation UpdateBlogPost($input: UpdateBlogPostInput!) {
      updateBlogPost(input: $input) {
        blogPost {
          ...PostFields
        }
      }
    }
  `,
  [PostFields],
);
const PublishPost = graphql(
  `
    mutation PublishBlogPost($input: PublishBlogPostInput!) {
      publishBlogPost(input: $input) {
        blogPost {
          ...PostFields
        }
      }
    }
  `,
  [PostFields],
);
const UnpublishPost = graphql(
  `
    mutation UnpublishBlogPost($input: UnpublishBlogPostInput!) {
      unpublishBlogPost(input: $input) {
        blogPost {
          ...PostFields
        }
      }
    }
  `,
  [PostFields],
);
const DeletePost = graphql(`
  mutation DeleteBlogPost($input: DeleteBlogPostInput!) {
    deleteBlogPost(input: $input) {
      deletedId
    }
  }
`);

type Post = ResultOf<typeof PostFields>;

export function PostScreen() {
  const { postId } = useParams({ from: "/projects/$slug/posts/$postId" });
  const [{ data, error }, reload] = useQuery({ query: PostQuery, variables: { id: postId } });
  const post = data?.node?.__typename === "BlogPost" ? data.node : undefined;
  if (error && !post)
    return <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />;
  if (data && !post) return <NotFound />;
  if (!post) return <Skeleton height={400} />;
  return <PostView key={post.id} post={post} />;
}

function PostView(props: { post: Post }) {
  const { post } = props;
  const project = useProject();
  const may = useMay();
  const navigate = useNavigate();
  const [editing, setEditing] = useState(post.body === "");
  const publish = useChange(PublishPost, { done: t.posts.published });
  const unpublish = useChange(UnpublishPost, { done: t.posts.unpublished });
  const remove = useChange(DeletePost, { done: t.posts.deleted });
  useTitle(post.title);
  const ask = async () => {
    if (!(await confirm({ title: t.posts.delete, text: t.posts.deleteText(post.title), label: t.posts.delete })))
      return;
    if (await remove.run({ input: { blogPostId: post.id } }))
      void navigate({ to: "/projects/$slug/posts", params: { slug: project.slug } });
  };
  return (
    <Stack gap="md">
      <Anchor component={Link} to={`/projects/${project.slug}/posts`} size="sm">
        ← {t.posts.title}
      </Anchor>
      <Group justify="space-between">
        <Group gap="xs">
          <Badge color={post.status === "PUBLISHED" ? "teal" : "gray"}>{t.posts.statuses[post.status]}</Badge>
          <Text size="sm" c="dimmed">
            {post.createdBy?.name ?? t.common.former} · <Time at={post.publishedAt ?? post.updatedAt} />
            {post.sourceRef ? ` · ${post.sourceRef.split(":").slice(1).join(":")}` : ""}
          </Text>
        </Group>
        {may.write && (
          <Group gap="xs">
            {!editing && (
              <Button size="xs" variant="default" onClick={() => setEditing(true)}>
                {t.common.edit}
              </Button>
            )}
            {post.status === "DRAFT" ? (
              <Button
                size="xs"
                loading={publish.busy}
                onClick={() => void publish.run({ input: { blogPostId: post.id } })}
              >
                {t.posts.publish}
              </Button>
            ) : (
              <Button
                size="xs"
                variant="default"
                loading={unpublish.busy}
                onClick={() => void unpublish.run({ input: { blogPostId: post.id } })}
              >
                {t.posts.unpublish}
              </Button>
            )}
            <Button size="xs" variant="light" color="red" loading={remove.busy} onClick={() => void ask()}>
              {t.posts.delete}
            </Button>
          </Group>
        )}
      </Group>
      {editing && may.write ? (
        <EditForm post={post} onClose={() => setEditing(false)} />
      ) : (
        <Paper withBorder p={{ base: "md", sm: "xl" }} component="article">
          <Title order={2} mb="md" className="anywhere" dir="auto">
            {post.title}
          </Title>
          {post.body.trim() ? <MarkdownView text={post.body} /> : <Text c="dimmed">{t.posts.noBody}</Text>}
        </Paper>
      )}
    </Stack>
  );
}

function EditForm(props: { post: Post; onClose: () => void }) {
  const { post, onClose } = props;
  const save = useChange(UpdatePost, { inline: true, done: t.common.saved });
  return (
    <DraftForm
      name={`post.${post.id}`}
      saved={post}
      label={t.posts.body}
      change={save}
      onSave={(text) => save.run({ input: { blogPostId: post.id, ...text } })}
      onClose={onClose}
    />
  );
}
