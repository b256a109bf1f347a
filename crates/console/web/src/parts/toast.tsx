// Short messages in a corner, which a screen reader reads too.

import { Anchor, Code, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import type { Failure } from "~/api/errors";
import { t } from "~/text";

export function toastSuccess(message: string): void {
  notifications.show({ message, color: "teal", icon: <IconCheck size={18} />, autoClose: 4000 });
}

export function toastFailure(failure: Failure): void {
  notifications.show({
    id: `${failure.code}:${failure.message}`,
    title: t.errors.title,
    message: (
      <Text size="sm" className="anywhere">
        {failure.message} <Code>{failure.code}</Code>
      </Text>
    ),
    color: "red",
    icon: <IconAlertTriangle size={18} />,
    autoClose: 10_000,
  });
}

/** A message with one thing to do about it. */
export function toastAction(options: {
  id: string;
  message: string;
  color: string;
  label: string;
  onClick: () => void;
}) {
  const { id, message, color, label, onClick } = options;
  notifications.show({
    id,
    message: (
      <Text size="sm" className="anywhere">
        {message}{" "}
        <Anchor
          component="button"
          type="button"
          size="sm"
          underline="always"
          onClick={() => {
            notifications.hide(id);
            onClick();
          }}
        >
          {label}
        </Anchor>
      </Text>
    ),
    color,
    autoClose: 8000,
  });
}
