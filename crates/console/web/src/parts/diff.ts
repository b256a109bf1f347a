// The lines in which two texts differ (Myers: An O(ND) difference algorithm), and those around them.

interface DiffLine {
  kind: "same" | "added" | "removed";
  text: string;
  /** The numbers of the line before and after, where it is there. */
  before?: number;
  after?: number;
}

/** Lines that are the same and left out. */
interface Gap {
  kind: "gap";
  lines: number;
}

/** Beyond so many different lines the middle is shown as replaced: finding the shortest way would take too long. */
const MOST_CHANGES = 1000;

export function diffLines(from: string, to: string): DiffLine[] {
  const [a, b] = [from.split("\n"), to.split("\n")];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let tail = 0;
  while (tail < a.length - start && tail < b.length - start && a[a.length - 1 - tail] === b[b.length - 1 - tail])
    tail += 1;
  const middle = shortest(a.slice(start, a.length - tail), b.slice(start, b.length - tail));
  const lines: DiffLine[] = [];
  let [before, after] = [0, 0];
  const push = (kind: DiffLine["kind"], text: string) => {
    if (kind === "added") lines.push({ kind, text, after: (after += 1) });
    else if (kind === "removed") lines.push({ kind, text, before: (before += 1) });
    else lines.push({ kind, text, before: (before += 1), after: (after += 1) });
  };
  for (const text of a.slice(0, start)) push("same", text);
  for (const [kind, text] of middle) push(kind, text);
  for (const text of a.slice(a.length - tail)) push("same", text);
  return lines;
}

type Step = [DiffLine["kind"], string];

function shortest(a: string[], b: string[]): Step[] {
  const most = Math.min(a.length + b.length, MOST_CHANGES);
  const zero = most + 1;
  // The furthest line of `a` that so many changes reach, by diagonal.
  const reach = new Int32Array(2 * most + 3).fill(-1);
  reach[zero + 1] = 0;
  // What was reached before each number of changes: the diagonals from `-changes - 1` to `changes + 1`.
  const trace: Int32Array[] = [];
  for (let changes = 0; changes <= most; changes += 1) {
    trace.push(reach.slice(zero - changes - 1, zero + changes + 2));
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      const [left, right] = [reach[zero + diagonal - 1] ?? -1, reach[zero + diagonal + 1] ?? -1];
      let x = isDown(diagonal, changes, left, right) ? right : left + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1;
      reach[zero + diagonal] = x;
      if (x >= a.length && x - diagonal >= b.length) return back(trace, a, b);
    }
  }
  return [...a.map((text): Step => ["removed", text]), ...b.map((text): Step => ["added", text])];
}

/** Whether the way to a diagonal comes from the one above it, by a line that is added. */
function isDown(diagonal: number, changes: number, left: number, right: number): boolean {
  return diagonal === -changes || (diagonal !== changes && left < right);
}

function back(trace: Int32Array[], a: string[], b: string[]): Step[] {
  const steps: Step[] = [];
  let [x, y] = [a.length, b.length];
  for (let changes = trace.length - 1; changes > 0; changes -= 1) {
    const reach = trace[changes] ?? new Int32Array();
    const diagonal = x - y;
    const at = (other: number) => reach[other + changes + 1] ?? -1;
    const down = isDown(diagonal, changes, at(diagonal - 1), at(diagonal + 1));
    const fromX = down ? at(diagonal + 1) : at(diagonal - 1);
    const fromY = fromX - (down ? diagonal + 1 : diagonal - 1);
    const startX = down ? fromX : fromX + 1;
    for (; x > startX; x -= 1, y -= 1) steps.push(["same", a[x - 1] ?? ""]);
    steps.push(down ? ["added", b[fromY] ?? ""] : ["removed", a[fromX] ?? ""]);
    [x, y] = [fromX, fromY];
  }
  for (; x > 0; x -= 1) steps.push(["same", a[x - 1] ?? ""]);
  return steps.reverse();
}

/** The lines with a few around each change; the rest as gaps. */
export function folded(lines: readonly DiffLine[], around = 3): (DiffLine | Gap)[] {
  const kept = lines.map(() => false);
  lines.forEach((line, index) => {
    if (line.kind === "same") return;
    for (let near = Math.max(0, index - around); near <= Math.min(lines.length - 1, index + around); near += 1)
      kept[near] = true;
  });
  const shown: (DiffLine | Gap)[] = [];
  lines.forEach((line, index) => {
    const last = shown.at(-1);
    if (kept[index]) shown.push(line);
    else if (last?.kind === "gap") last.lines += 1;
    else shown.push({ kind: "gap", lines: 1 });
  });
  return shown;
}
