// What an enrichment cites: each citation with its excerpt, and a link to what it is about.

import { Anchor, Badge, Button, Group, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Excerpt, type Place, PlaceLink } from "~/parts/code-view";
import { WithCode } from "~/parts/pattern-parts";
import { t } from "~/text";
import { useProject } from "./use-project";

export interface Citation {
  kind: keyof typeof t.knowledge.kinds;
  title: string;
  excerpt: string;
  path: string | null;
  startLine: number | null;
  endLine: number | null;
  subjectId: string | null;
  source: { id: string } | null;
}

export function Citations(props: { citations: readonly Citation[] }) {
  const project = useProject();
  const [open, setOpen] = useState<number>();
  if (props.citations.length === 0) return null;
  return (
    <Stack gap={6}>
      <Title order={4} size="h6">
        {t.enrich.citations}
      </Title>
      <Stack component="ol" gap={6} m={0} ps="lg">
        {props.citations.map((citation, index) => {
          const to = address(citation, project.slug);
          const place = placeOf(citation);
          return (
            // The number is what the text refers to.
            <li key={`${citation.subjectId}${citation.path}${citation.startLine}`} value={index + 1}>
              <Group gap={6}>
                <Badge color="gray">{t.knowledge.kinds[citation.kind]}</Badge>
                {to ? (
                  <Anchor component={Link} to={to} size="sm" underline="always">
                    <WithCode text={citation.title} />
                  </Anchor>
                ) : place ? (
                  <PlaceLink place={place} />
                ) : (
                  <Text size="sm" className="anywhere">
                    <WithCode text={citation.title} />
                  </Text>
                )}
                <Button
                  size="compact-xs"
                  variant="subtle"
                  aria-expanded={open === index}
                  aria-label={`${open === index ? t.common.hide : t.common.show}: ${citation.title}`}
                  onClick={() => setOpen(open === index ? undefined : index)}
                >
                  {open === index ? t.common.hide : t.common.show}
                </Button>
              </Group>
              {open === index &&
                (place ? (
                  <Excerpt place={place} text={citation.excerpt} />
                ) : (
                  <Text size="sm" c="dimmed" className="anywhere" dir="auto">
                    {citation.excerpt}
                  </Text>
                ))}
            </li>
          );
        })}
      </Stack>
    </Stack>
  );
}

/** Where it stands in the code, if it does. */
function placeOf(citation: Citation): Place | undefined {
  const { path, startLine, endLine, source } = citation;
  if (!path || startLine === null) return undefined;
  return { path, startLine, endLine: endLine ?? startLine, sourceId: source?.id };
}

function address(citation: Citation, slug: string): string | undefined {
  switch (citation.kind) {
    case "NOTE":
      return citation.subjectId ? `/projects/${slug}/notes/${citation.subjectId}` : undefined;
    case "CODE_PATTERN":
      return `/projects/${slug}/patterns`;
    case "MEMORY_ENTRY":
    case "INSIGHT":
    case "CONSOLIDATION":
      return `/projects/${slug}/knowledge`;
    default:
      return undefined;
  }
}
