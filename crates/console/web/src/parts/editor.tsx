// A field for Markdown with its preview: beside it on a wide page, in its place on a narrow one.

import { Box, Group, Paper, SegmentedControl, SimpleGrid, Stack, Text, Textarea } from "@mantine/core";
import { useHotkeys, useMediaQuery } from "@mantine/hooks";
import { type ReactNode, useState } from "react";
import { t } from "~/text";
import { MarkdownView } from "./markdown";

export function Editor(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  onSave?: () => void;
  actions?: ReactNode;
}) {
  const { label, value, onChange, onSave, actions } = props;
  const [mode, setMode] = useState<string>("write");
  const wide = useMediaQuery("(min-width: 75em)", true, { getInitialValueInEffect: false });
  // Also while the field has the focus.
  useHotkeys(onSave ? [["mod+S", onSave]] : [], []);
  const field = (
    <Textarea
      aria-label={label}
      autosize
      minRows={14}
      maxRows={34}
      dir="auto"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: "0.875rem" } }}
    />
  );
  const preview = (
    <Paper withBorder p="md" mih={200} component="section" aria-label={t.markdown.preview}>
      {value.trim() ? <MarkdownView text={value} /> : <Text c="dimmed" size="sm">{t.markdown.nothing}</Text>}
    </Paper>
  );
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <SegmentedControl
          aria-label={t.markdown.mode}
          size="xs"
          value={mode}
          onChange={setMode}
          data={[
            { value: "write", label: wide ? t.markdown.both : t.markdown.write },
            { value: "preview", label: t.markdown.preview },
          ]}
        />
        <Group gap="xs">{actions}</Group>
      </Group>
      {mode === "preview" ? (
        preview
      ) : wide ? (
        <SimpleGrid cols={2} spacing="md">
          {field}
          {preview}
        </SimpleGrid>
      ) : (
        <Box>{field}</Box>
      )}
    </Stack>
  );
}
