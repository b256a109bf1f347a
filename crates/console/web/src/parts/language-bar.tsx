// Languages by lines: one bar, and a legend that says what the colours say.

import { Box, Group, Text } from "@mantine/core";
import { t } from "~/text";
import { compact, percent } from "./numbers";

const COLOURS = ["#4263eb", "#0ca678", "#f08c00", "#ae3ec9", "#1098ad", "#e03131", "#74b816", "#868e96"];

export function LanguageBar(props: { languages: { language: string; linesOfCode: number; files: number }[] }) {
  const all = [...props.languages].sort((a, b) => b.linesOfCode - a.linesOfCode);
  const total = all.reduce((sum, one) => sum + one.linesOfCode, 0);
  if (total === 0)
    return (
      <Text size="sm" c="dimmed">
        {t.overview.noLanguages}
      </Text>
    );
  const shown = all.slice(0, COLOURS.length);
  return (
    <>
      <Box style={{ display: "flex", height: 14, borderRadius: 7, overflow: "hidden", gap: 1 }} aria-hidden>
        {shown.map((one, index) => (
          <Box
            key={one.language}
            style={{ flexGrow: one.linesOfCode, flexBasis: 0, minWidth: 2, background: COLOURS[index] }}
          />
        ))}
      </Box>
      <Group gap="md" mt="sm" component="ul" m={0} p={0} style={{ listStyle: "none" }}>
        {shown.map((one, index) => (
          <Group key={one.language} gap={6} component="li">
            <Box w={10} h={10} style={{ borderRadius: 5, background: COLOURS[index] }} aria-hidden />
            <Text size="sm">{one.language}</Text>
            <Text size="sm" c="dimmed">
              {percent(one.linesOfCode / total)} · {t.overview.linesOf(compact(one.linesOfCode))}
            </Text>
          </Group>
        ))}
      </Group>
    </>
  );
}
