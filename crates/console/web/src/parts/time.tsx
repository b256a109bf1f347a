// Times in the reader's zone and language.

import { Text, type TextProps } from "@mantine/core";
import { useEffect, useState } from "react";
import { now as serverNow } from "~/api/clock";
import { language, t } from "~/text";

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** "3 hours ago"; within a minute, or where clocks differ by a little, "just now". */
export function relative(at: string, now: number): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) {
      const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
      // What is to come is rounded: an invitation of seven days does not end "in 6 days".
      return format.format(seconds > 0 ? Math.round(seconds / length) : Math.trunc(seconds / length), unit);
    }
  }
  return t.common.justNow;
}

export function absolute(at: string): string {
  return new Date(at).toLocaleString(language, { dateStyle: "medium", timeStyle: "medium" });
}

export function day(at: string): string {
  return new Date(at).toLocaleDateString(language, { dateStyle: "medium" });
}

/** The time that ticks for everybody, once half a minute. */
export function useNow(everyMs = 30_000): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function Time(props: { at: string | null | undefined; never?: string } & TextProps) {
  const { at, never, ...rest } = props;
  const now = useNow();
  // Without a size of its own it has that of the text around it.
  const inherit = rest.size === undefined;
  if (!at) return <Text span inherit={inherit} {...rest}>{never ?? "–"}</Text>;
  return (
    <Text span inherit={inherit} {...rest} title={absolute(at)}>
      <time dateTime={at}>{relative(at, now)}</time>
    </Text>
  );
}

/** A length of time: "12 ms", "0.8 s", "12 s", "3 min 4 s". */
export function duration(ms: number): string {
  const number = (value: number, digits = 0) =>
    value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (ms < 100) return `${number(Math.max(0, ms))} ms`;
  if (ms < 10_000) return `${number(Math.max(0, ms) / 1000, 1)} s`;
  if (ms < 60_000) return `${number(Math.round(ms / 1000))} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function between(from: string | null | undefined, to: string | null | undefined): string {
  return from && to ? duration(new Date(to).getTime() - new Date(from).getTime()) : "–";
}
