// The frame of the pages before the screens: one narrow card in the middle.

import { Box, Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTitle } from "./page";

export function Frame(props: { title: string; lead?: ReactNode; children: ReactNode }) {
  useTitle(props.title);
  return (
    // From the top, and not in the middle: the card grows downwards, and nothing that is read moves.
    <Box component="main" mih="100vh" p="md" pt="max(1rem, 16vh)">
      <Stack w="100%" maw={420} mx="auto" gap="lg">
        <Group gap="xs" justify="center">
          <img src="/icon.svg" alt="" width={32} height={32} />
          <Text fw={650} size="lg">
            nyxcore
          </Text>
        </Group>
        <Paper withBorder p={{ base: "md", xs: "xl" }} radius="md">
          <Stack gap="md">
            <div>
              <Title order={1} size="h3">
                {props.title}
              </Title>
              {props.lead && (
                <Text c="dimmed" size="sm" mt={4} component="div">
                  {props.lead}
                </Text>
              )}
            </div>
            {props.children}
          </Stack>
        </Paper>
      </Stack>
    </Box>
  );
}
