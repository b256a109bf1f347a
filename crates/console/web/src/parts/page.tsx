// The frame of a screen: its title, what can be done on it, and its content.

import { Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, createContext, useEffect } from "react";

/** The order of the screen's title: what stands below it begins one deeper. */
export const TitleOrder = createContext<1 | 2>(1);

export function useTitle(title: string | undefined): void {
  useEffect(() => {
    document.title = title ? `${title} · nyxcore` : "nyxcore";
  }, [title]);
}

export function Page(props: {
  title: string;
  /** A link to the list that this is one of. */
  back?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  actionsHidden?: boolean;
  children: ReactNode;
  order?: 1 | 2;
}) {
  const { title, back, lead, actions, actionsHidden = false, children, order = 1 } = props;
  useTitle(title);
  return (
    <Stack gap="lg">
      {back}
      <Group justify="space-between" align="flex-start" gap="sm">
        <Stack gap={4} miw={0}>
          <Title order={order} size={order === 1 ? "h2" : "h3"} className="anywhere">
            {title}
          </Title>
          {lead && (
            <Text c="dimmed" size="sm" component="div" maw={720}>
              {lead}
            </Text>
          )}
        </Stack>
        {/* An empty list offers the same in its middle: here the place stays, so that nothing moves. */}
        {actions && (
          <Group gap="xs" style={actionsHidden ? { visibility: "hidden" } : undefined}>
            {actions}
          </Group>
        )}
      </Group>
      <TitleOrder value={order}>{children}</TitleOrder>
    </Stack>
  );
}
