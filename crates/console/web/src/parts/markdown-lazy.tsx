// The same, loaded where it is first needed.

import { Skeleton } from "@mantine/core";
import { Suspense, lazy } from "react";

const Markdown = lazy(() => import("./markdown"));

export function MarkdownView(props: { text: string }) {
  return (
    <Suspense fallback={<Skeleton height={120} />}>
      <Markdown text={props.text} />
    </Suspense>
  );
}
