// Code with line numbers beside what cites it, and links to where it stands.

import { Anchor, Code, Stack } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import "./code-view.css";

export interface Place {
  path: string;
  startLine: number;
  endLine: number;
  /** The source that has the file; without one, any source of the project that has it. */
  sourceId?: string | null | undefined;
}

type Span = { startLine: number; endLine: number };

function placeText(place: { path: string } & Span): string {
  const lines = place.startLine === place.endLine ? place.startLine : `${place.startLine}–${place.endLine}`;
  return `${place.path}:${lines}`;
}

/** "12" or "12-20", as the address of the code names lines. */
export function linesText(span: Span): string {
  return span.startLine === span.endLine ? `${span.startLine}` : `${span.startLine}-${span.endLine}`;
}

/** The span that the text names, if it names one. */
export function linesOf(text: string | undefined): Span | undefined {
  const [, start, end] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(text ?? "") ?? [];
  if (!start) return undefined;
  const [one, other] = [Number(start), Number(end ?? start)];
  return one < 1 || other < 1 ? undefined : { startLine: Math.min(one, other), endLine: Math.max(one, other) };
}

export function linesOfText(text: string): string[] {
  return text.replace(/\r?\n$/, "").split(/\r?\n/);
}

export function Lines(props: { text: string; first?: number; label: string }) {
  const { text, first = 1 } = props;
  return (
    // A box that scrolls takes the keyboard's arrows.
    <pre className="code-view" tabIndex={0} role="group" aria-label={props.label}>
      {linesOfText(text).map((line, index) => {
        const number = first + index;
        return (
          <div key={number} className="code-line">
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
  const { slug } = useParams({ strict: false });
  if (!slug) return <Code className="anywhere">{placeText(place)}</Code>;
  const search = { path: place.path, lines: linesText(place), ...(place.sourceId ? { source: place.sourceId } : {}) };
  return (
    <Anchor
      component={Link}
      to={`/projects/${slug}/code`}
      search={search as never}
      className="code anywhere"
      fz="0.8125rem"
      underline="always"
    >
      {placeText(place)}
    </Anchor>
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
