// Cost by day, as bars. The same numbers stand in a table for those who do not see them.

import { Box, Group, Text, Tooltip } from "@mantine/core";
import { t } from "~/text";
import { count, usd } from "./numbers";
import { day as dayText } from "./time";

export function DayBars(props: { from: string; to: string; rows: { day: string; usd: number; calls: number }[] }) {
  const byDay = new Map(props.rows.map((row) => [row.day, row]));
  const days: { day: string; usd: number; calls: number }[] = [];
  for (let at = Date.parse(`${props.from}T12:00:00Z`); at <= Date.parse(`${props.to}T12:00:00Z`); at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10);
    days.push(byDay.get(day) ?? { day, usd: 0, calls: 0 });
  }
  const most = Math.max(1e-9, ...days.map((one) => one.usd));
  if (props.rows.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t.usage.nothing}
      </Text>
    );
  return (
    <>
      <Box style={{ display: "flex", alignItems: "flex-end", gap: 2, height: 140 }} aria-hidden>
        {days.map((one) => (
          <Tooltip
            key={one.day}
            label={`${dayText(`${one.day}T12:00:00Z`)}: ${usd(one.usd)} · ${count(one.calls)} ${t.usage.calls}`}
          >
            <Box style={{ flex: 1, height: "100%", display: "flex", alignItems: "flex-end" }}>
              <Box
                style={{
                  width: "100%",
                  height: `${Math.max(one.calls ? 2 : 0.5, (100 * one.usd) / most)}%`,
                  borderRadius: "3px 3px 0 0",
                  background: one.calls ? "var(--mantine-color-indigo-5)" : "var(--mantine-color-default-border)",
                }}
              />
            </Box>
          </Tooltip>
        ))}
      </Box>
      <Group justify="space-between" mt={4} aria-hidden>
        <Text size="xs" c="dimmed">
          {dayText(`${props.from}T12:00:00Z`)}
        </Text>
        <Text size="xs" c="dimmed">
          {dayText(`${props.to}T12:00:00Z`)}
        </Text>
      </Group>
      <table className="visually-hidden">
        <caption>{t.usage.byDay}</caption>
        <tbody>
          {props.rows.map((row) => (
            <tr key={row.day}>
              <th scope="row">{dayText(`${row.day}T12:00:00Z`)}</th>
              <td>{usd(row.usd)}</td>
              <td>
                {count(row.calls)} {t.usage.calls}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
