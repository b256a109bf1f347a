// Draws a list of `useList`: skeletons, the error, the empty state, the items, and "load more".

import { Button, Center, Skeleton, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { List } from "~/api/use-list";
import { t } from "~/text";
import { FailureBox } from "./failure";

export function ListView<Node>(props: {
  list: List<Node>;
  empty: ReactNode;
  /** Of one item, in pixels: so high is its skeleton. */
  rowHeight?: number;
  children: (items: Node[]) => ReactNode;
}) {
  const { list, empty, rowHeight = 56, children } = props;
  if (list.loading) {
    return (
      <Stack gap="xs" aria-busy aria-label={t.common.loading} role="status">
        {[0, 1, 2, 3].map((row) => (
          <Skeleton key={row} height={rowHeight} radius="md" />
        ))}
      </Stack>
    );
  }
  if (list.failure && list.items.length === 0) return <FailureBox failure={list.failure} retry={list.reload} />;
  if (list.items.length === 0) return <>{empty}</>;
  return (
    <Stack gap="md">
      {children(list.items)}
      <FailureBox failure={list.failure} retry={list.reload} />
      {list.hasMore ? (
        <Center>
          <Button variant="default" loading={list.loadingMore} onClick={list.more}>
            {t.common.loadMore}
          </Button>
        </Center>
      ) : (
        list.items.length > 20 && (
          <Text size="sm" c="dimmed" ta="center" mih={36}>
            {t.common.allShown(list.items.length)}
          </Text>
        )
      )}
    </Stack>
  );
}
