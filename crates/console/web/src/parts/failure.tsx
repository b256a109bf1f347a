// An error in the place of what could not be shown: in plain words, with its code and what can be done.

import { Alert, Button, Code, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useEffect } from "react";
import type { Failure } from "~/api/errors";
import { onSignedIn } from "~/app/session-store";
import { t } from "~/text";

export function FailureBox(props: { failure: Failure | undefined; retry?: () => void }) {
  const { failure, retry } = props;
  // Whoever signs in again finds the page as it was meant to be.
  useEffect(() => (retry && failure ? onSignedIn(retry) : undefined), [retry, failure]);
  if (!failure) return null;
  return (
    <Alert color="red" icon={<IconAlertTriangle size={18} />} role="alert" title={t.errors.title}>
      <Text size="sm" className="anywhere">
        {failure.message}
      </Text>
      <Group gap="sm" mt="xs">
        <Code>{failure.code}</Code>
        {retry && (
          <Button size="compact-sm" variant="default" onClick={retry}>
            {t.common.tryAgain}
          </Button>
        )}
      </Group>
    </Alert>
  );
}
