// The files of a source as a tree that takes the keyboard: arrows move, Right and Left open and close, Enter shows a
// file.

import { Box, Group, Text } from "@mantine/core";
import { IconChevronDown, IconChevronRight, IconFile, IconFlame, IconFolder } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useVirtual } from "~/parts/use-virtual";
import { t } from "~/text";
import type { Row } from "./tree";

/** Of one row, in pixels: as in the style sheet. */
const ROW = 28;

export function FileTree(props: {
  rows: readonly Row[];
  chosen: string | undefined;
  /** Files that are complex and change often. */
  hot: ReadonlySet<string>;
  onFolder: (path: string, open: boolean) => void;
  onFile: (path: string) => void;
}) {
  const { rows, chosen, hot, onFolder, onFile } = props;
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const [at, setAt] = useState(0);
  const { first, end, reveal } = useVirtual(box, rows.length, ROW);
  const current = Math.min(at, rows.length - 1);
  const chosenRow = rows.findIndex((row) => row.kind === "file" && row.path === chosen);
  useEffect(() => {
    if (chosenRow < 0) return;
    setAt(chosenRow);
    reveal(chosenRow);
  }, [chosenRow, reveal]);
  const go = (row: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, row));
    setAt(next);
    reveal(next);
  };
  const act = (row: Row) => (row.kind === "folder" ? onFolder(row.path, !row.open) : onFile(row.path));
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[current];
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.floor((box.current?.clientHeight ?? 0) / ROW) - 1;
    const moves: Record<string, () => void> = {
      ArrowDown: () => go(current + 1),
      ArrowUp: () => go(current - 1),
      PageDown: () => go(current + page),
      PageUp: () => go(current - page),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => (row.kind === "folder" && !row.open ? onFolder(row.path, true) : go(current + 1)),
      ArrowLeft: () => (row.open ? onFolder(row.path, false) : go(parentOf(rows, current))),
      Enter: () => act(row),
      " ": () => act(row),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };
  return (
    <Box
      ref={box}
      className="file-tree"
      role="tree"
      tabIndex={0}
      aria-label={t.code.files}
      aria-activedescendant={rows.length ? `${id}-${current}` : undefined}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" style={{ position: "relative", height: rows.length * ROW }}>
        {rows.slice(first, end).map((row, offset) => {
          const index = first + offset;
          return (
            <Group
              key={`${row.kind}${row.path}`}
              id={`${id}-${index}`}
              role="treeitem"
              aria-level={row.level}
              aria-posinset={row.place}
              aria-setsize={row.among}
              aria-expanded={row.kind === "folder" ? row.open : undefined}
              aria-selected={row.kind === "file" && row.path === chosen}
              className="file-row"
              data-at={index === current || undefined}
              wrap="nowrap"
              gap={6}
              title={row.path}
              style={{ top: index * ROW, paddingInlineStart: 8 + (row.level - 1) * 14 }}
              onClick={() => {
                setAt(index);
                act(row);
              }}
            >
              <RowIcon row={row} />
              <Text size="sm" truncate component="span" flex={1}>
                {row.name}
              </Text>
              {row.kind === "file" && hot.has(row.path) && (
                <IconFlame size={14} className="file-hot" role="img" aria-label={t.code.hot} />
              )}
            </Group>
          );
        })}
      </div>
    </Box>
  );
}

function RowIcon(props: { row: Row }) {
  const { row } = props;
  if (row.kind === "file") return <IconFile size={16} stroke={1.6} aria-hidden className="file-icon" />;
  const Chevron = row.open ? IconChevronDown : IconChevronRight;
  return (
    <>
      <Chevron size={14} aria-hidden className="file-icon" />
      <IconFolder size={16} stroke={1.6} aria-hidden className="file-icon" />
    </>
  );
}

function parentOf(rows: readonly Row[], index: number): number {
  const level = rows[index]?.level ?? 1;
  for (let row = index - 1; row >= 0; row -= 1) if ((rows[row]?.level ?? 1) < level) return row;
  return index;
}
