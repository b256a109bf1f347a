// The frame of a project's screens: its name and its parts.

import { Box, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link, Outlet, useParams, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { graphql } from "~/api/graphql";
import { useMay } from "~/app/session-store";
import { NotFound } from "~/app/not-found";
import { FailureBox } from "~/parts/failure";
import { ProjectContext } from "./use-project";
import { t } from "~/text";

const ProjectBySlug = graphql(`
  query ProjectBySlug($slug: String!) {
    project(slug: $slug) {
      id
      name
      slug
      description
      sources {
        id
      }
    }
  }
`);

export function ProjectLayout() {
  const { slug } = useParams({ from: "/projects/$slug" });
  const may = useMay();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [{ data, error, fetching }, reload] = useQuery({ query: ProjectBySlug, variables: { slug } });
  const project = data?.project;
  const active = path.slice(`/projects/${slug}`.length + 1).split("/")[0] ?? "";
  const parts = useRef<HTMLElement>(null);
  // On a narrow page the parts scroll sideways: the chosen one is in sight, and the page itself stays where it is.
  useEffect(() => {
    const chosen = parts.current?.querySelector<HTMLElement>("[data-on]");
    if (chosen) chosen.parentElement?.scrollTo({ left: chosen.offsetLeft - chosen.offsetWidth });
  }, [active]);
  if (error && !project)
    return <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />;
  if (data && !project && !fetching) return <NotFound />;
  const tabs = [
    { value: "", label: t.overview.title },
    { value: "sources", label: t.sources.title },
    { value: "code", label: t.code.title },
    { value: "notes", label: t.notes.title },
    { value: "patterns", label: t.patterns.title },
    { value: "runs", label: t.runs.title },
    { value: "knowledge", label: t.knowledge.title },
    { value: "posts", label: t.posts.title },
    ...(may.write ? [{ value: "settings", label: t.settings.title }] : []),
  ];
  const base = `/projects/${slug}`;
  return (
    <Stack gap="md">
      <Box mih={36}>
        {project ? (
          <Title order={1} size="h2" className="anywhere" lineClamp={2} dir="auto">
            {project.name}
          </Title>
        ) : (
          <Skeleton height={32} width={240} />
        )}
      </Box>
      <nav className="parts" ref={parts} aria-label={t.projects.parts}>
        {tabs.map((tab) => (
          <Link
            key={tab.value}
            to={tab.value ? `${base}/${tab.value}` : base}
            className="part"
            activeOptions={{ exact: true }}
            data-on={active === tab.value || undefined}
          >
            {tab.label}
          </Link>
        ))}
      </nav>
      {project ? (
        <ProjectContext
          value={{ id: project.id, slug: project.slug, name: project.name, sources: project.sources.length }}
        >
          {/* Below the parts, which stay where they are when it arrives. */}
          {active === "" && project.description && (
            <Text c="dimmed" size="sm" lineClamp={3} maw={720} className="anywhere" dir="auto">
              {project.description}
            </Text>
          )}
          <Outlet />
        </ProjectContext>
      ) : (
        <Skeleton height={240} />
      )}
    </Stack>
  );
}
