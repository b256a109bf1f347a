// A window on a long list: only the rows that are seen are drawn. All rows have one height.

import { type RefObject, useCallback, useLayoutEffect, useState } from "react";

/** Rows above and below what is seen, so that a quick scroll shows no gap. */
const SPARE = 12;

interface Window {
  /** The first row that is drawn. */
  first: number;
  /** The row behind the last one that is drawn. */
  end: number;
  /** Scrolls as little as brings the row into view; `centre` puts it a third below the top. */
  reveal: (row: number, centre?: boolean) => void;
}

export function windowOf(
  scrollTop: number,
  height: number,
  rowHeight: number,
  count: number,
): { first: number; end: number } {
  const first = Math.max(0, Math.min(count, Math.floor(scrollTop / rowHeight)) - SPARE);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + SPARE);
  return { first, end };
}

export function useVirtual(box: RefObject<HTMLElement | null>, count: number, rowHeight: number): Window {
  const [seen, setSeen] = useState({ first: 0, end: Math.min(count, 80) });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      const next = windowOf(element.scrollTop, element.clientHeight, rowHeight, count);
      setSeen((before) => (before.first === next.first && before.end === next.end ? before : next));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, [box, count, rowHeight]);
  const reveal = useCallback(
    (row: number, centre = false) => {
      const element = box.current;
      if (!element) return;
      const top = row * rowHeight;
      if (centre) element.scrollTop = top - element.clientHeight / 3;
      else if (top < element.scrollTop) element.scrollTop = top;
      else if (top + rowHeight > element.scrollTop + element.clientHeight)
        element.scrollTop = top + rowHeight - element.clientHeight;
    },
    [box, rowHeight],
  );
  return { ...seen, reveal };
}
