// How a habit of the code is drawn.

import { Badge } from "@mantine/core";
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
