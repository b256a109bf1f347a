// What the latest analysis says of single files: definitions, copies, what may be unused, who writes it, how hot it is.

import { useQuery } from "urql";
import { type ResultOf, graphql } from "~/api/graphql";
import { t } from "~/text";

const CodeFacts = graphql(`
  query CodeFacts($id: ID!) {
    project(id: $id) {
      id
      hotspots(first: 200) {
        path
        commits
        complexity
        score
        source {
          id
        }
      }
      findings {
        definitions(first: 500) {
          name
          kind
          path
          startLine
          endLine
          usedIn
          source {
            id
          }
        }
        duplicates(first: 100) {
          count
          lines
          places {
            path
            startLine
            endLine
            source {
              id
            }
          }
        }
        deadCode(first: 100) {
          name
          kind
          testsOnly
          location {
            path
            startLine
            endLine
            source {
              id
            }
          }
        }
        ownership(first: 200) {
          folder
          mainAuthor
          mainShare
          authors
          commits
          source {
            id
          }
        }
        coChanges(first: 100) {
          paths
          together
          degree
        }
      }
    }
  }
`);

export type CodeFacts = NonNullable<ResultOf<typeof CodeFacts>["project"]>;
type Findings = NonNullable<CodeFacts["findings"]>;
type Place = Findings["duplicates"][number]["places"][number];

export function useCodeFacts(projectId: string): CodeFacts | undefined {
  const [{ data }] = useQuery({ query: CodeFacts, variables: { id: projectId } });
  return data?.project ?? undefined;
}

/** Lines that a finding is about. */
export interface Mark {
  kind: "definition" | "duplicate" | "unused";
  startLine: number;
  endLine: number;
  text: string;
  /** Where the same is, for a copy. */
  others: Place[];
}

export interface FileFacts {
  definitions: Findings["definitions"];
  marks: Mark[];
  hotspot: CodeFacts["hotspots"][number] | undefined;
  owner: Findings["ownership"][number] | undefined;
  /** Files that often change in the same commits, the closest first. */
  together: { path: string; commits: number }[];
}

export function factsOf(facts: CodeFacts | undefined, sourceId: string, path: string): FileFacts {
  const findings = facts?.findings;
  // What an analysis found before it knew the sources has none.
  const here = (place: { path: string; source: { id: string } | null }) =>
    place.path === path && (!place.source || place.source.id === sourceId);
  const definitions = (findings?.definitions ?? []).filter(here).sort((a, b) => a.startLine - b.startLine);
  const copies = (findings?.duplicates ?? []).flatMap((group): Mark[] =>
    group.places.filter(here).map((place) => ({
      kind: "duplicate",
      startLine: place.startLine,
      endLine: place.endLine,
      text: t.code.copies(group.count),
      others: group.places.filter((other) => other !== place),
    })),
  );
  const unused = (findings?.deadCode ?? [])
    .filter((one) => here(one.location))
    .map(
      (one): Mark => ({
        kind: "unused",
        startLine: one.location.startLine,
        endLine: one.location.endLine,
        text: one.testsOnly ? t.code.testsOnly(one.name) : t.code.unused(one.name),
        others: [],
      }),
    );
  return {
    definitions,
    marks: [...copies, ...unused].sort((a, b) => a.startLine - b.startLine),
    hotspot: facts?.hotspots.find(here),
    owner: ownerOf(findings?.ownership ?? [], sourceId, path),
    together: (findings?.coChanges ?? [])
      .filter((pair) => pair.paths.includes(path))
      .map((pair) => ({ path: pair.paths.find((other) => other !== path) ?? path, commits: pair.together }))
      .slice(0, 5),
  };
}

/** The owner of the nearest folder above the file. */
function ownerOf(
  all: Findings["ownership"],
  sourceId: string,
  path: string,
): Findings["ownership"][number] | undefined {
  const holding = all.filter(
    (row) => (!row.source || row.source.id === sourceId) && (row.folder === "" || path.startsWith(`${row.folder}/`)),
  );
  return holding.sort((a, b) => b.folder.length - a.folder.length)[0];
}
