// A treemap: the area of a tile by one number, its colour by another. Rows are laid out so that tiles are near to
// squares (Bruls, Huizing, van Wijk: Squarified treemaps).

import { Box, Text, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";

interface Tile {
  key: string;
  name: string;
  title: string;
  area: number;
  heat: number;
}

interface Placed extends Tile {
  x: number;
  y: number;
  width: number;
  height: number;
}

const RATIO = 0.42;

export function Treemap(props: {
  items: Tile[];
  label: string;
  /** What a tile leads to. */
  link: (tile: Tile, children: ReactNode) => ReactNode;
}) {
  const hottest = Math.max(...props.items.map((item) => item.heat), 1e-9);
  const tiles = squarify(props.items, 100, 100 * RATIO);
  return (
    <Box
      component="ul"
      aria-label={props.label}
      className="treemap"
      style={{ aspectRatio: `${1 / RATIO}` }}
      mih={180}
      mah={340}
      w="100%"
    >
      {tiles.map((tile) => (
        <Tooltip key={tile.key} label={tile.title} multiline maw={420}>
          <Box
            component="li"
            style={{
              left: `${tile.x}%`,
              top: `${tile.y / RATIO}%`,
              width: `calc(${tile.width}% - 2px)`,
              height: `calc(${tile.height / RATIO}% - 2px)`,
              background: heatColour(tile.heat / hottest),
            }}
          >
            {props.link(
              tile,
              <>
                <span className="visually-hidden">{tile.title}</span>
                {tile.width > 8 && tile.height > 4 && (
                  <Text size="xs" truncate aria-hidden>
                    {tile.name}
                  </Text>
                )}
              </>,
            )}
          </Box>
        </Tooltip>
      ))}
    </Box>
  );
}

/** From pale to red, for 0 to 1. */
function heatColour(share: number): string {
  const [cold, hot] = ["light-dark(#fff0f0, #33262a)", "light-dark(#ff8787, #962d2d)"];
  return `color-mix(in oklab, ${cold}, ${hot} ${Math.round(100 * share)}%)`;
}

/** Places tiles in a rectangle, largest first. */
export function squarify(items: Tile[], width: number, height: number): Placed[] {
  const sorted = items.filter((item) => item.area > 0).sort((a, b) => b.area - a.area);
  const sum = sorted.reduce((all, item) => all + item.area, 0);
  const scale = (width * height) / (sum || 1);
  const placed: Placed[] = [];
  let free = { x: 0, y: 0, width, height };
  let row: Tile[] = [];
  const flush = () => {
    const area = row.reduce((all, item) => all + item.area, 0) * scale;
    const along = Math.min(free.width, free.height);
    const thickness = area / along;
    let at = 0;
    for (const item of row) {
      const length = (item.area * scale) / thickness;
      placed.push(
        free.width >= free.height
          ? { ...item, x: free.x, y: free.y + at, width: thickness, height: length }
          : { ...item, x: free.x + at, y: free.y, width: length, height: thickness },
      );
      at += length;
    }
    free =
      free.width >= free.height
        ? { ...free, x: free.x + thickness, width: free.width - thickness }
        : { ...free, y: free.y + thickness, height: free.height - thickness };
    row = [];
  };
  for (const item of sorted) {
    const along = Math.min(free.width, free.height);
    if (row.length > 0 && worst([...row, item], along, scale) > worst(row, along, scale)) flush();
    row.push(item);
  }
  if (row.length > 0) flush();
  return placed;
}

/** The worst ratio of sides in a row of tiles along a side. */
function worst(row: Tile[], along: number, scale: number): number {
  const areas = row.map((item) => item.area * scale);
  const sum = areas.reduce((all, area) => all + area, 0);
  const [largest, smallest] = [Math.max(...areas), Math.min(...areas)];
  return Math.max((along * along * largest) / (sum * sum), (sum * sum) / (along * along * smallest));
}
