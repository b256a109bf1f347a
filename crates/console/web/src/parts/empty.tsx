// What a list without items says: what would be here, and what to do next.

import { Paper, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import type { Icon } from "@tabler/icons-react";
import { type ReactNode, use } from "react";
import { TitleOrder } from "./page";

export function Empty(props: { icon: Icon; title: string; text: string; children?: ReactNode }) {
  const Image = props.icon;
  return (
    <Paper withBorder p="xl" radius="md">
      <Stack align="center" gap="sm" maw={520} mx="auto" py="md">
        <ThemeIcon variant="light" size={48} radius="xl" aria-hidden>
          <Image size={26} />
        </ThemeIcon>
        <Title order={use(TitleOrder) === 1 ? 2 : 3} size="h4" ta="center">
          {props.title}
        </Title>
        <Text c="dimmed" ta="center" size="sm">
          {props.text}
        </Text>
        {props.children}
      </Stack>
    </Paper>
  );
}
