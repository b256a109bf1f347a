// The time as the server has it. A reader's clock may be wrong by hours: "in 3 hours" for what has just happened would
// be nonsense.

/** Below this the difference is that of the way, and of whole seconds. In milliseconds. */
const TOLERANCE_MS = 90_000;

let offset = 0;

/** Compares the clocks: `date` is the header of an answer that has just arrived. */
export function clockHear(date: string | null, here = Date.now()): void {
  const there = Date.parse(date ?? "");
  if (Number.isNaN(there)) return;
  offset = Math.abs(there - here) > TOLERANCE_MS ? there - here : 0;
}

/** Milliseconds since 1970, by the server's clock where the reader's is wrong. */
export function now(): number {
  return Date.now() + offset;
}
