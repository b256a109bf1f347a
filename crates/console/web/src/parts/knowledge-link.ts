// Where a piece of knowledge is shown.

interface HitLike {
  node?: { __typename: string; id?: string; project?: { slug: string } } | null;
}

export function hitAddress(hit: HitLike): string | undefined {
  const { node } = hit;
  if (node?.__typename === "Note" && node.project) return `/projects/${node.project.slug}/notes/${node.id}`;
  return undefined;
}
