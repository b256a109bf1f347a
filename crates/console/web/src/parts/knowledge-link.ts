// Where a piece of knowledge is shown.

import { linesText } from "./code-view";

interface HitLike {
  kind: string;
  path?: string | null;
  startLine?: number | null;
  endLine?: number | null;
  node?: { __typename: string; id?: string; project?: { slug: string } } | null;
}

/** The address of a hit. `slug` is the project that was searched: code and what was learned are shown there. */
export function hitAddress(hit: HitLike, slug: string | undefined): string | undefined {
  const { node, path, startLine, endLine } = hit;
  if (node?.__typename === "Note" && node.project) return `/projects/${node.project.slug}/notes/${node.id}`;
  if (!slug) return undefined;
  if (path) {
    const lines = startLine && endLine ? `&lines=${linesText({ startLine, endLine })}` : "";
    return `/projects/${slug}/code?path=${encodeURIComponent(path)}${lines}`;
  }
  if (hit.kind === "CODE_PATTERN") return `/projects/${slug}/patterns`;
  return hit.kind === "DOCUMENT" || hit.kind === "CODE" ? undefined : `/projects/${slug}/knowledge`;
}
