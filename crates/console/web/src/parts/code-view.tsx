// Code with line numbers: an excerpt beside what cites it, and the whole file in a dialog with the lines marked.

import { Anchor, Box, Code, Modal, Skeleton, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { graphql } from "~/api/graphql";
import { t } from "~/text";
import { FailureBox } from "./failure";
import { bytes } from "./numbers";
import "./code-view.css";

const FileByPath = graphql(`
  query FileByPath($id: ID!, $path: String!) {
    node(id: $id) {
      __typename
      id
      ... on Source {
        url
        files(first: 1, path: $path) { nodes { id path size content language } }
      }
    }
  }
`);

export interface Place {
  path: string;
  startLine: number;
  endLine: number;
  sourceId: string | null | undefined;
}

export function placeText(place: { path: string; startLine: number; endLine: number }): string {
  const lines = place.startLine === place.endLine ? place.startLine : `${place.startLine}–${place.endLine}`;
  return `${place.path}:${lines}`;
}

export function Lines(props: { text: string; first?: number; marked?: { from: number; to: number }; label: string }) {
  const { text, first = 1, marked } = props;
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const line = box.current?.querySelector<HTMLElement>("[data-marked]");
    // Only the box scrolls, and not the page.
    if (line && box.current) box.current.scrollTop = line.offsetTop - box.current.clientHeight / 3;
  }, []);
  return (
    // A box that scrolls takes the keyboard's arrows.
    <pre ref={box} className="code-view" tabIndex={0} role="group" aria-label={props.label}>
      {text.replace(/\n$/, "").split("\n").map((line, index) => {
        const number = first + index;
        const on = marked && number >= marked.from && number <= marked.to;
        return (
          <div key={number} className="code-line" data-marked={on || undefined}>
            <span className="code-number" aria-hidden>
              {number}
            </span>
            <span className="code-text">{line || " "}</span>
          </div>
        );
      })}
    </pre>
  );
}

/** A place in the code as a link: it opens the file with its lines marked. */
export function PlaceLink(props: { place: Place }) {
  const { place } = props;
  const [opened, { open, close }] = useDisclosure(false);
  if (!place.sourceId) return <Code className="anywhere">{placeText(place)}</Code>;
  return (
    <>
      <Anchor component="button" type="button" className="code anywhere" ta="start" onClick={open} underline="always">
        {placeText(place)}
      </Anchor>
      <Modal opened={opened} onClose={close} title={<Text className="code anywhere">{placeText(place)}</Text>} size="80rem">
        <FileView place={place} />
      </Modal>
    </>
  );
}

function FileView(props: { place: Place }) {
  const { place } = props;
  const [{ data, error }] = useQuery({ query: FileByPath, variables: { id: place.sourceId ?? "", path: place.path } });
  if (error && !data?.node) return <FailureBox failure={failureOf(error)} />;
  if (!data) return <Skeleton height="60vh" />;
  const file = data.node?.__typename === "Source" ? data.node.files.nodes.find((one) => one.path === place.path) : undefined;
  if (!file) return <Text c="dimmed">{t.code.gone}</Text>;
  if (file.content === null) return <Text c="dimmed">{t.code.noText(bytes(file.size))}</Text>;
  return (
    <Box className="code-file">
      <Lines text={file.content} marked={{ from: place.startLine, to: place.endLine }} label={place.path} />
    </Box>
  );
}

/** An excerpt under a link to where it stands. */
export function Excerpt(props: { place: Place; text: string | null }) {
  return (
    <Stack gap={4}>
      <PlaceLink place={props.place} />
      {props.text !== null && <Lines text={props.text} first={props.place.startLine} label={placeText(props.place)} />}
    </Stack>
  );
}
