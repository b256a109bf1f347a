// One file: what is known about it, its definitions, a search in it, and its lines.

import {
  ActionIcon,
  Anchor,
  Badge,
  CopyButton,
  Group,
  Select,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
  Tooltip,
} from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconCheck, IconCopy, IconFlame, IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { graphql } from "~/api/graphql";
import { PlaceLink, linesOf, linesText } from "~/parts/code-view";
import { FailureBox } from "~/parts/failure";
import { bytes, count, percent } from "~/parts/numbers";
import { t } from "~/text";
import { useProject } from "../use-project";
import { type CodeFacts, type FileFacts, factsOf } from "./facts";
import { FileLines, linesWith } from "./file-lines";

const CodeFile = graphql(`
  query CodeFile($id: ID!, $path: String!) {
    project(id: $id) {
      id
      sources {
        id
        files(first: 1, path: $path) {
          nodes {
            id
            path
            size
            language
            content
          }
        }
      }
    }
  }
`);

interface Address {
  source?: string | undefined;
  path?: string | undefined;
  lines?: string | undefined;
}

export function FileView(props: { address: Address & { path: string }; facts: CodeFacts | undefined }) {
  const { address, facts } = props;
  const project = useProject();
  const [{ data, error }, reload] = useQuery({ query: CodeFile, variables: { id: project.id, path: address.path } });
  if (error && !data) {
    return <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />;
  }
  if (!data) return <Skeleton height="60vh" aria-label={t.common.loading} />;
  // The folder of the same name gives its first file: only the file itself counts.
  const found = (data.project?.sources ?? []).flatMap((source) =>
    source.files.nodes.filter((file) => file.path === address.path).map((file) => ({ source: source.id, file })),
  );
  const one = found.find(({ source }) => source === address.source) ?? found[0];
  if (!one) return <Text c="dimmed">{t.code.gone}</Text>;
  return <OpenFile key={one.file.id} {...one} address={address} facts={factsOf(facts, one.source, address.path)} />;
}

interface File {
  path: string;
  size: number;
  language: string | null;
  content: string | null;
}

function OpenFile(props: { source: string; file: File; address: Address; facts: FileFacts }) {
  const { source, file, address, facts } = props;
  const project = useProject();
  const navigate = useNavigate();
  const [words, setWords] = useState("");
  const [turn, setTurn] = useState(0);
  const { content } = file;
  const hits = useMemo(() => linesWith(content ?? "", words), [content, words]);
  const marked = linesOf(address.lines);
  const hit = hits.length ? hits[((turn % hits.length) + hits.length) % hits.length] : undefined;
  const mark = (lines: string) =>
    void navigate({
      to: "/projects/$slug/code",
      params: { slug: project.slug },
      search: { source, path: file.path, lines },
      replace: true,
      resetScroll: false,
    });
  const onLine = (line: number, extend: boolean) =>
    mark(
      extend && marked
        ? linesText({ startLine: Math.min(line, marked.startLine), endLine: Math.max(line, marked.endLine) })
        : `${line}`,
    );
  return (
    <Stack gap="sm" component="article" aria-label={file.path} miw={0}>
      <Head file={file} facts={facts} />
      {content !== null && (
        <Group gap="sm" align="flex-end">
          <Definitions facts={facts} onPick={mark} />
          <TextInput
            type="search"
            size="xs"
            flex="1 1 10rem"
            label={t.code.findInFile}
            leftSection={<IconSearch size={16} aria-hidden />}
            value={words}
            onChange={(event) => {
              setWords(event.currentTarget.value);
              setTurn(0);
            }}
            onKeyDown={(event) => event.key === "Enter" && setTurn(turn + (event.shiftKey ? -1 : 1))}
          />
          <Group gap={4} wrap="nowrap" mih={30}>
            <Text size="xs" c="dimmed" role="status" miw={70}>
              {words ? t.code.hits(hits.length ? hits.indexOf(hit ?? 0) + 1 : 0, hits.length) : ""}
            </Text>
            {[
              { label: t.code.previousHit, step: -1, Image: IconArrowUp },
              { label: t.code.nextHit, step: 1, Image: IconArrowDown },
            ].map(({ label, step, Image }) => (
              <ActionIcon
                key={label}
                variant="default"
                aria-label={label}
                disabled={hits.length < 2}
                onClick={() => setTurn(turn + step)}
              >
                <Image size={16} />
              </ActionIcon>
            ))}
          </Group>
        </Group>
      )}
      <Findings facts={facts} source={source} path={file.path} />
      {content === null ? (
        <Text c="dimmed">{t.code.noText(bytes(file.size))}</Text>
      ) : (
        <FileLines
          text={content}
          label={file.path}
          marked={marked}
          findings={facts.marks}
          words={words}
          hit={hit}
          onLine={onLine}
        />
      )}
    </Stack>
  );
}

function Head(props: { file: File; facts: FileFacts }) {
  const { file, facts } = props;
  const { hotspot, owner } = facts;
  return (
    <Stack gap={6}>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Title order={3} size="h5" className="anywhere">
          {file.path}
        </Title>
        <CopyButton value={file.path}>
          {({ copied, copy }) => (
            <Tooltip label={copied ? t.common.copied : t.code.copyPath}>
              <ActionIcon variant="subtle" color="gray" onClick={copy} aria-label={t.code.copyPath}>
                {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
              </ActionIcon>
            </Tooltip>
          )}
        </CopyButton>
      </Group>
      <Group gap="xs">
        {file.language && <Badge color="gray">{file.language}</Badge>}
        <Badge color="gray">{bytes(file.size)}</Badge>
        {hotspot && (
          <Badge color="red" leftSection={<IconFlame size={12} aria-hidden />}>
            {t.code.hotspot(hotspot.commits, count(hotspot.complexity))}
          </Badge>
        )}
        {owner && (
          <Text size="xs" c="dimmed">
            {t.code.owner(owner.folder || "/", owner.mainAuthor, percent(owner.mainShare))}
          </Text>
        )}
      </Group>
    </Stack>
  );
}

function Definitions(props: { facts: FileFacts; onPick: (lines: string) => void }) {
  const { definitions } = props.facts;
  if (definitions.length === 0) return null;
  return (
    <Select
      size="xs"
      flex="1 1 12rem"
      label={t.code.definitions(definitions.length)}
      placeholder={t.code.goTo}
      searchable
      value={null}
      data={definitions
        .map((one) => ({
          value: linesText(one),
          label: t.code.definition(one.kind, one.name, one.usedIn),
        }))
        .filter((one, index, all) => all.findIndex((other) => other.value === one.value) === index)}
      onChange={(value) => value && props.onPick(value)}
    />
  );
}

/** The lines that a finding is about, and what it says. */
function Findings(props: { facts: FileFacts; source: string; path: string }) {
  const { marks, together } = props.facts;
  const [all, setAll] = useState(false);
  const FEW = 3;
  if (marks.length === 0 && together.length === 0) return null;
  return (
    <Stack gap={4} component="ul" m={0} p={0} style={{ listStyle: "none" }} aria-label={t.code.findings}>
      {marks.slice(0, all ? marks.length : FEW).map((mark) => (
        <Group component="li" gap={6} key={`${mark.kind}${mark.startLine}-${mark.endLine}${mark.text}`}>
          <PlaceLink
            place={{ path: props.path, startLine: mark.startLine, endLine: mark.endLine, sourceId: props.source }}
          />
          <Text size="xs">{mark.text}</Text>
          {mark.others.slice(0, 3).map((place) => (
            <PlaceLink
              key={`${place.path}:${place.startLine}`}
              place={{
                path: place.path,
                startLine: place.startLine,
                endLine: place.endLine,
                sourceId: place.source?.id,
              }}
            />
          ))}
        </Group>
      ))}
      {marks.length > FEW && (
        <li>
          <Anchor component="button" type="button" size="xs" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? t.common.hide : t.code.moreFindings(marks.length - FEW)}
          </Anchor>
        </li>
      )}
      {together.length > 0 && (
        <Group component="li" gap={6}>
          <Text size="xs" c="dimmed">
            {t.code.together}
          </Text>
          {together.map((other) => (
            <Text key={other.path} size="xs" className="code anywhere">
              {other.path} ({other.commits})
            </Text>
          ))}
        </Group>
      )}
    </Stack>
  );
}
