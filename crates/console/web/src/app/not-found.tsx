// An address without a screen, and a screen that failed.

import { Button, Code, Group, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTitle } from "~/parts/page";
import { t } from "~/text";

export function NotFound() {
  useTitle(t.notFound.title);
  return (
    <Stack align="flex-start" py="xl">
      <Title order={1} size="h2">
        {t.notFound.title}
      </Title>
      <Text c="dimmed">{t.notFound.text}</Text>
      <Button component={Link} to="/">
        {t.notFound.home}
      </Button>
    </Stack>
  );
}

/** A fault of the console, or a part of it that a newer server no longer has: loading the page again mends that. */
export function ScreenFailure(props: { error: unknown }) {
  useTitle(t.errors.title);
  return (
    <Stack align="flex-start" p="xl" role="alert">
      <Title order={1} size="h2">
        {t.errors.screen}
      </Title>
      <Text c="dimmed">{t.errors.screenText}</Text>
      <Code className="anywhere">{props.error instanceof Error ? props.error.message : String(props.error)}</Code>
      <Group>
        <Button onClick={() => location.reload()}>{t.common.reload}</Button>
      </Group>
    </Stack>
  );
}
