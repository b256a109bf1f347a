// How a model and a provider stand.

import { Badge } from "@mantine/core";
import { t } from "~/text";
import { day } from "../time";

export function LifecycleBadge(props: {
  model: {
    lifecycle: keyof typeof t.models.lifecycles;
    shutdownDate: string | null;
    replacement: { name: string } | null;
  };
}) {
  const { lifecycle, shutdownDate, replacement } = props.model;
  if (lifecycle === "ACTIVE") return null;
  const date = shutdownDate ? day(shutdownDate) : "";
  return (
    <Badge
      color={lifecycle === "RETIRING" ? "yellow" : "red"}
      title={t.models.lifecycleText[lifecycle](date, replacement?.name ?? "")}
    >
      {t.models.lifecycles[lifecycle]}
      {replacement ? ` → ${replacement.name}` : ""}
    </Badge>
  );
}

const COLOURS: Record<keyof typeof t.models.states, string> = {
  OK: "teal",
  UNVERIFIED: "gray",
  UNCONFIGURED: "gray",
  RATE_LIMITED: "yellow",
  QUOTA_EXCEEDED: "yellow",
  INVALID_KEY: "red",
  UNREACHABLE: "red",
};

export function HealthBadge(props: { health: { state: keyof typeof t.models.states; message: string | null } }) {
  const { state, message } = props.health;
  return (
    <Badge color={COLOURS[state]} title={message ?? undefined}>
      {t.models.states[state]}
    </Badge>
  );
}
