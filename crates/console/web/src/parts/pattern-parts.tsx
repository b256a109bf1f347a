// How a habit of the code is drawn.

import { Badge, Code } from "@mantine/core";
import { t } from "~/text";

const COLOURS: Record<keyof typeof t.patterns.changes, string> = {
  APPEARED: "teal",
  STRENGTHENED: "blue",
  WEAKENED: "yellow",
  VANISHED: "gray",
};

export function ChangeBadge(props: { change: keyof typeof t.patterns.changes }) {
  return <Badge color={COLOURS[props.change]} style={{ flexShrink: 0 }}>{t.patterns.changes[props.change]}</Badge>;
}

/** A sentence with names of code between backticks. */
export function WithCode(props: { text: string }) {
  // Every second piece stood between two backticks.
  const pieces = props.text.split("`");
  if (pieces.length % 2 === 0) return <>{props.text}</>;
  return (
    <>
      {pieces.map((piece, index) =>
        // The pieces of one sentence never change their places.
        index % 2 ? <Code key={`${index}${piece}`}>{piece}</Code> : piece,
      )}
    </>
  );
}
