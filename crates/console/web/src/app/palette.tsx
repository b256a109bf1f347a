// The command palette (Ctrl-K): screens, projects, and what the search over everything finds.

import { Spotlight, type SpotlightActionData, spotlight } from "@mantine/spotlight";
import { useDebouncedValue } from "@mantine/hooks";
import { IconArrowRight, IconFolders, IconSearch } from "@tabler/icons-react";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useQuery } from "urql";
import { graphql } from "~/api/graphql";
import { hitAddress } from "~/parts/knowledge-link";
import { t } from "~/text";
import { useMay } from "./session-store";

const Find = graphql(`
  query Palette($query: String!, $search: Boolean!, $projectId: ID) {
    projects(first: 8, query: $query) {
      nodes {
        id
        name
        slug
        description
      }
    }
    search(first: 6, query: $query, projectId: $projectId) @include(if: $search) {
      kind
      title
      excerpt
      path
      startLine
      endLine
      node {
        __typename
        id
        ... on Note {
          project {
            id
            slug
          }
        }
      }
    }
  }
`);

const OpenProject = graphql(`
  query PaletteProject($slug: String!) {
    project(slug: $slug) {
      id
      slug
    }
  }
`);

export const paletteOpen = () => spotlight.open();

export function Palette() {
  const [words, setWords] = useState("");
  const [query] = useDebouncedValue(words.trim(), 150);
  const navigate = useNavigate();
  const may = useMay();
  // Within a project its knowledge and code are searched, and elsewhere those of all.
  const { slug } = useParams({ strict: false });
  const [{ data: open }] = useQuery({
    query: OpenProject,
    variables: { slug: slug ?? "" },
    pause: !slug || query === "",
    requestPolicy: "cache-first",
  });
  const projectId = slug && open?.project?.slug === slug ? open.project.id : null;
  const [{ data }] = useQuery({
    query: Find,
    variables: { query, search: query.length > 1, projectId },
    pause: query === "",
  });
  const matching = (label: string) => label.toLocaleLowerCase().includes(words.trim().toLocaleLowerCase());
  const screens: { label: string; to: string }[] = [
    { label: t.shell.home, to: "/" },
    { label: t.projects.title, to: "/projects" },
    { label: t.runs.title, to: "/runs" },
    { label: t.personas.title, to: "/personas" },
    { label: t.models.title, to: "/models" },
    { label: t.usage.title, to: "/usage" },
    { label: t.people.title, to: "/people" },
    { label: t.tokens.title, to: "/tokens" },
    ...(may.manage ? [{ label: t.audit.title, to: "/audit" }] : []),
    { label: t.settings.title, to: "/settings" },
  ];
  const found = query === "" ? undefined : data;
  const groups: { group: string; actions: SpotlightActionData[] }[] = [
    {
      group: t.palette.screens,
      actions: screens
        .filter(({ label }) => matching(label))
        .map(({ label, to }) => ({
          id: to,
          label,
          leftSection: <IconArrowRight size={18} />,
          onClick: () => void navigate({ to }),
        })),
    },
    {
      group: t.projects.title,
      actions: (found?.projects.nodes ?? []).map((project) => ({
        id: project.id,
        label: project.name,
        description: project.description ?? undefined,
        leftSection: <IconFolders size={18} />,
        onClick: () => void navigate({ to: "/projects/$slug", params: { slug: project.slug } }),
      })),
    },
    {
      group: t.palette.knowledge,
      actions: (found?.search ?? []).flatMap((hit, index) => {
        const href = hitAddress(hit, projectId ? slug : undefined);
        if (!href) return [];
        return {
          id: `${hit.node?.id ?? index}:${hit.path ?? ""}:${hit.startLine ?? ""}`,
          label: hit.title,
          description: hit.path ? `${hit.path}:${hit.startLine}` : hit.excerpt.slice(0, 120),
          leftSection: <IconSearch size={18} />,
          onClick: () => void navigate({ href }),
        };
      }),
    },
  ].filter((group) => group.actions.length > 0);
  return (
    <Spotlight
      actions={groups as never}
      filter={(_query, actions) => actions}
      query={words}
      onQueryChange={setWords}
      shortcut={["mod + K"]}
      nothingFound={t.palette.nothing}
      searchProps={{
        leftSection: <IconSearch size={20} aria-hidden />,
        placeholder: t.palette.placeholder,
        "aria-label": t.palette.placeholder,
      }}
      scrollable
      maxHeight={420}
    />
  );
}
