// Two texts beside what differs: removed lines, added lines, and a few lines around them.

import { Text } from "@mantine/core";
import { useMemo } from "react";
import { t } from "~/text";
import { diffLines, folded } from "./diff";
import "./code-view.css";

const SIGNS = { same: " ", added: "+", removed: "−" } as const;

export function DiffView(props: { from: string; to: string; label: string }) {
  const { from, to, label } = props;
  const shown = useMemo(() => folded(diffLines(from, to)), [from, to]);
  if (from === to) return <Text size="sm" c="dimmed">{t.diff.none}</Text>;
  return (
    <div className="code-view diff" tabIndex={0} role="group" aria-label={label}>
      {shown.map((line, index) =>
        line.kind === "gap" ? (
          <div key={index} className="diff-gap">{t.diff.same(line.lines)}</div>
        ) : (
          <div key={index} className="diff-line" data-kind={line.kind}>
            <span className="code-number" aria-hidden>{line.before ?? ""}</span>
            <span className="code-number" aria-hidden>{line.after ?? ""}</span>
            <span aria-hidden className="diff-sign">{SIGNS[line.kind]}</span>
            {line.kind === "same" ? (
              <span dir="auto" className="diff-text">{line.text || " "}</span>
            ) : line.kind === "added" ? (
              <ins dir="auto" className="diff-text">{line.text || " "}</ins>
            ) : (
              <del dir="auto" className="diff-text">{line.text || " "}</del>
            )}
          </div>
        ),
      )}
    </div>
  );
}
