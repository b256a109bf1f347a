// The code of a project: its files as a tree, one of them in full, and a search by name and in the contents.

import { Anchor, Box, Group, SegmentedControl, Select, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconBrandGithub, IconCode, IconSearch } from "@tabler/icons-react";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { graphql } from "~/api/graphql";
import { Empty } from "~/parts/empty";
import { FailureBox } from "~/parts/failure";
import { count } from "~/parts/numbers";
import { Page } from "~/parts/page";
import { t } from "~/text";
import { useProject } from "../use-project";
import { ContentSearch } from "./content-search";
import { type CodeFacts, useCodeFacts } from "./facts";
import { FileTree } from "./file-tree";
import { FileView } from "./file-view";
import { above, matching, rowsOf, treeOf } from "./tree";
import { type Files, useFiles } from "./use-files";
import "~/parts/code-view.css";
import "./code.css";

const CodeSources = graphql(`
  query CodeSources($id: ID!) {
    project(id: $id) {
      id
      sources {
        id
        url
        displayPath
        scanPath
        headCommit
      }
    }
  }
`);

export function Code() {
  const project = useProject();
  const address = useSearch({ from: "/projects/$slug/code" });
  const navigate = useNavigate();
  const [{ data, error }, reload] = useQuery({ query: CodeSources, variables: { id: project.id } });
  const sources = data?.project?.sources ?? [];
  const source = sources.find((one) => one.id === address.source) ?? sources[0];
  const files = useFiles(source);
  const facts = useCodeFacts(project.id);
  const open = (next: typeof address) =>
    void navigate({ to: "/projects/$slug/code", params: { slug: project.slug }, search: next, resetScroll: false });
  if (error && !data) {
    return <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />;
  }
  if (!data)
    return (
      <Page order={2} title={t.code.title} lead={t.code.lead}>
        <Waiting />
      </Page>
    );
  if (!source) return <Empty icon={IconBrandGithub} title={t.code.emptyTitle} text={t.code.emptyText} />;
  return (
    <Page order={2} title={t.code.title} lead={t.code.lead}>
      <Box className="code-panes" data-file={address.path ? true : undefined}>
        <Stack gap="sm" className="code-side" component="section" aria-label={t.code.files}>
          {sources.length > 1 && (
            <Select
              label={t.sources.one}
              allowDeselect={false}
              value={source.id}
              data={sources.map((one) => ({ value: one.id, label: shortUrl(one.url) }))}
              onChange={(value) => value && open({ source: value })}
            />
          )}
          <Finder
            files={files}
            facts={facts}
            sourceId={source.id}
            path={address.path}
            onFile={(path) => open({ source: source.id, path })}
          />
        </Stack>
        <Box miw={0} className="code-main">
          {address.path ? (
            <>
              <Anchor
                component={Link}
                to={`/projects/${project.slug}/code`}
                search={{ source: source.id } as never}
                size="sm"
                className="code-back"
              >
                ← {t.code.files}
              </Anchor>
              <FileView address={{ ...address, path: address.path }} facts={facts} />
            </>
          ) : (
            <Empty icon={IconCode} title={t.code.chooseTitle} text={t.code.chooseText} />
          )}
        </Box>
      </Box>
    </Page>
  );
}

/** The tree, the files that match a name, or what the contents say. */
function Finder(props: {
  files: Files;
  facts: CodeFacts | undefined;
  sourceId: string;
  path: string | undefined;
  onFile: (path: string) => void;
}) {
  const { files, facts, sourceId, path, onFile } = props;
  const [where, setWhere] = useState<"names" | "contents">("names");
  const [words, setWords] = useState("");
  const wanted = useDeferredValue(words.trim());
  const [query] = useDebouncedValue(words.trim(), 250);
  const [opened, setOpened] = useState<ReadonlySet<string>>(() => new Set());
  // The folders above the file that is shown are open.
  useEffect(() => {
    if (path) setOpened((before) => new Set([...before, ...above(path)]));
  }, [path]);
  const tree = useMemo(() => treeOf(files.files), [files.files]);
  const rows = useMemo(
    () => (where === "names" && wanted ? matching(files.files, wanted) : rowsOf(tree, opened)),
    [where, wanted, files.files, tree, opened],
  );
  const hot = useMemo(
    () =>
      new Set(
        (facts?.hotspots ?? []).filter((one) => !one.source || one.source.id === sourceId).map((one) => one.path),
      ),
    [facts, sourceId],
  );
  const toggle = (folder: string, open: boolean) =>
    setOpened((before) => {
      const next = new Set(before);
      if (open) next.add(folder);
      else next.delete(folder);
      return next;
    });
  return (
    <>
      <TextInput
        type="search"
        label={t.code.search}
        leftSection={<IconSearch size={18} aria-hidden />}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      <SegmentedControl
        size="xs"
        fullWidth
        aria-label={t.code.searchIn}
        value={where}
        onChange={(value) => setWhere(value as typeof where)}
        data={[
          { value: "names", label: t.code.inNames },
          { value: "contents", label: t.code.inContents },
        ]}
      />
      {where === "contents" && query ? (
        <ContentSearch words={query} />
      ) : (
        <>
          <FileTree rows={rows} chosen={path} hot={hot} onFolder={toggle} onFile={onFile} />
          <Group justify="space-between" mih={20}>
            <Text size="xs" c="dimmed" role="status">
              {files.loading
                ? t.code.reading(count(files.files.length))
                : t.code.count(count(rows.length), count(files.files.length), wanted !== "")}
            </Text>
          </Group>
          <FailureBox failure={files.failure} retry={files.reload} />
        </>
      )}
    </>
  );
}

/** The two panes, before anything has arrived. */
function Waiting() {
  return (
    <Box className="code-panes" aria-busy aria-label={t.common.loading} role="status">
      <Skeleton height="60vh" />
      <Skeleton height="60vh" className="code-main" />
    </Box>
  );
}

/** "acme/atlas" of an address. */
function shortUrl(url: string): string {
  return url
    .replace(/\.git$/, "")
    .split(/[/:]/)
    .filter(Boolean)
    .slice(-2)
    .join("/");
}
