// A search in the contents of the project's code: what is found opens the file at its lines.

import { Anchor, Group, Loader, Stack, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { graphql } from "~/api/graphql";
import { Lines, linesText } from "~/parts/code-view";
import { FailureBox } from "~/parts/failure";
import { t } from "~/text";
import { useProject } from "../use-project";

const SearchCode = graphql(`
  query SearchCode($id: ID!, $query: String!) {
    search(first: 20, projectId: $id, query: $query, kinds: [CODE]) {
      title
      path
      startLine
      endLine
      excerpt
      morePlaces { name startLine endLine }
    }
  }
`);

/** Of an excerpt, in lines: as much as a reader takes in at a glance. */
const EXCERPT = 6;

export function ContentSearch(props: { words: string }) {
  const project = useProject();
  const [{ data, error, fetching }, reload] = useQuery({
    query: SearchCode,
    variables: { id: project.id, query: props.words },
  });
  const place = (path: string, startLine: number, endLine: number, label: string) => (
    <Anchor
      component={Link}
      to={`/projects/${project.slug}/code`}
      search={{ path, lines: linesText({ startLine, endLine }) } as never}
      className="code anywhere"
      fz="0.8125rem"
      underline="always"
    >
      {label}
    </Anchor>
  );
  if (error && !data) {
    return <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />;
  }
  if (!data) return <Loader size="sm" aria-label={t.common.loading} />;
  return (
    <Stack gap="md" className="file-hits" aria-busy={fetching} role="status">
      {data.search.length === 0 && <Text size="sm" c="dimmed">{t.code.nothingInContents}</Text>}
      {data.search.map((hit) => {
        const { path, startLine, endLine } = hit;
        if (!path || !startLine || !endLine) return null;
        return (
          <Stack key={`${path}:${startLine}`} gap={4}>
            {place(path, startLine, endLine, `${path}:${startLine}`)}
            <Lines text={hit.excerpt.split("\n").slice(0, EXCERPT).join("\n")} first={startLine} label={path} />
            {hit.morePlaces.length > 0 && (
              <Group gap="xs">
                {hit.morePlaces.slice(0, 5).map((more) => (
                  <span key={more.startLine}>{place(path, more.startLine, more.endLine, `:${more.startLine}`)}</span>
                ))}
              </Group>
            )}
          </Stack>
        );
      })}
    </Stack>
  );
}
