// A secret that is shown this once, with a button that copies it.

import { ActionIcon, Alert, CopyButton, Group, Stack, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy, IconKey } from "@tabler/icons-react";
import { t } from "~/text";

function Copyable(props: { value: string; label: string }) {
  return (
    <Group wrap="nowrap" gap="xs" align="flex-start">
      <Text className="code anywhere" flex={1} aria-label={props.label}>
        {props.value}
      </Text>
      <CopyButton value={props.value}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? t.common.copied : t.common.copy}>
            <ActionIcon variant="default" onClick={copy} aria-label={`${t.common.copy}: ${props.label}`}>
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}

export function ShownOnce(props: { title: string; values: { label: string; value: string }[] }) {
  return (
    <Alert icon={<IconKey size={18} />} title={props.title} color="yellow">
      <Stack gap="sm">
        <Text size="sm">{t.common.shownOnce}</Text>
        {props.values.map(({ label, value }) => (
          <Stack key={label} gap={2}>
            <Text size="xs" fw={600}>
              {label}
            </Text>
            <Copyable value={value} label={label} />
          </Stack>
        ))}
      </Stack>
    </Alert>
  );
}
