// The lines of a file: only those in sight are drawn, however long it is. The address marks lines, findings have a bar.

import { Box } from "@mantine/core";
import { useEffect, useMemo, useRef } from "react";
import { linesOfText } from "~/parts/code-view";
import { useVirtual } from "~/parts/use-virtual";
import { t } from "~/text";
import type { Mark } from "./facts";

/** Of one line, in pixels: as in the style sheet. */
const LINE = 20;

type Span = { startLine: number; endLine: number };

export function FileLines(props: {
  text: string;
  label: string;
  marked: Span | undefined;
  findings: readonly Mark[];
  /** What is searched for, and the line of the present hit. */
  words: string;
  hit: number | undefined;
  onLine: (line: number, extend: boolean) => void;
}) {
  const { text, label, marked, findings, words, hit, onLine } = props;
  const box = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => linesOfText(text), [text]);
  const longest = useMemo(() => lines.reduce((most, line) => Math.max(most, widthOf(line)), 0), [lines]);
  const byLine = useMemo(() => findingsByLine(findings, lines.length), [findings, lines.length]);
  const { first, end, reveal } = useVirtual(box, lines.length, LINE);
  const target = hit ?? marked?.startLine;
  useEffect(() => {
    if (target) reveal(target - 1, true);
    else if (box.current) box.current.scrollTop = 0;
  }, [target, reveal, text]);
  return (
    <Box ref={box} className="code-view code-file" tabIndex={0} role="group" aria-label={label}>
      <div style={{ position: "relative", height: lines.length * LINE, minWidth: `calc(${longest}ch + 5rem)` }}>
        {lines.slice(first, end).map((line, offset) => {
          const number = first + offset + 1;
          const finding = byLine.get(number);
          return (
            <div
              key={number}
              className="code-line"
              style={{ top: (number - 1) * LINE }}
              data-marked={(marked && number >= marked.startLine && number <= marked.endLine) || undefined}
              data-found={number === hit || undefined}
              data-finding={finding ? true : undefined}
              title={finding}
            >
              <button
                type="button"
                className="code-number"
                tabIndex={-1}
                aria-label={t.code.markLine(number)}
                onClick={(event) => onLine(number, event.shiftKey)}
              >
                {number}
              </button>
              <span className="code-text">{words ? <LineMatches line={line} words={words} /> : line || " "}</span>
            </div>
          );
        })}
      </div>
    </Box>
  );
}

function LineMatches(props: { line: string; words: string }) {
  const pieces = foundIn(props.line, props.words);
  if (pieces.length === 1) return <>{props.line || " "}</>;
  return <>{pieces.map((piece, index) => (index % 2 ? <mark key={index}>{piece}</mark> : piece))}</>;
}

/** A line cut at what is found in it: every second piece is a find. Letters of either case are the same. */
export function foundIn(line: string, words: string): string[] {
  const pieces: string[] = [];
  const [low, wanted] = [line.toLowerCase(), words.toLowerCase()];
  let from = 0;
  // A letter whose other case is longer would shift what follows.
  const at = (start: number) => (wanted === "" || low.length !== line.length ? -1 : low.indexOf(wanted, start));
  for (let next = at(0); next >= 0; next = at(from)) {
    pieces.push(line.slice(from, next), line.slice(next, next + wanted.length));
    from = next + wanted.length;
  }
  return [...pieces, line.slice(from)];
}

/** The numbers of the lines that have the words. */
export function linesWith(text: string, words: string): number[] {
  if (!words) return [];
  const wanted = words.toLowerCase();
  return linesOfText(text).flatMap((line, index) => (line.toLowerCase().includes(wanted) ? [index + 1] : []));
}

/** Columns on the screen: a tab is four. */
function widthOf(line: string): number {
  let width = line.length;
  for (let at = line.indexOf("\t"); at >= 0; at = line.indexOf("\t", at + 1)) width += 3;
  return width;
}

function findingsByLine(findings: readonly Mark[], count: number): Map<number, string> {
  const lines = new Map<number, string>();
  for (const { startLine, endLine, text } of findings) {
    for (let line = startLine; line <= Math.min(endLine, count); line += 1) {
      const before = lines.get(line);
      lines.set(line, before ? `${before}\n${text}` : text);
    }
  }
  return lines;
}
