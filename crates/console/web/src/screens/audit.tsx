// The audit log: every change and every refusal, newest first.

import { Badge, Button, Code, Group, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconDownload, IconListCheck } from "@tabler/icons-react";
import { useState } from "react";
import { graphql } from "~/api/graphql";
import { useList } from "~/api/use-list";
import { useMay } from "~/app/session-store";
import { Empty } from "~/parts/empty";
import { ListView } from "~/parts/list-view";
import { Page } from "~/parts/page";
import { absolute, Time } from "~/parts/time";
import { t } from "~/text";

const AuditLog = graphql(`
  query AuditLog($after: String, $action: String, $from: DateTime, $to: DateTime) {
    auditLog(first: 50, after: $after, action: $action, from: $from, to: $to) {
      nodes {
        id
        at
        actor
        action
        outcome
        subjectId
        address
        requestId
        detail
        userId
        user {
          id
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export function Audit() {
  const may = useMay();
  const [action, setAction] = useState("");
  const [wanted] = useDebouncedValue(action.trim(), 300);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [opened, setOpened] = useState<string>();
  // Days are the reader's: from the first minute of one to the last of the other.
  const list = useList(
    AuditLog,
    {
      action: wanted || null,
      from: from ? new Date(`${from}T00:00:00`).toISOString() : null,
      to: to ? new Date(`${to}T23:59:59.999`).toISOString() : null,
    },
    (data) => data.auditLog,
  );
  if (!may.manage)
    return (
      <Page title={t.audit.title}>
        <Text c="dimmed">{t.audit.forbidden}</Text>
      </Page>
    );
  return (
    <Page
      title={t.audit.title}
      lead={t.audit.lead}
      actions={
        <Button
          component="a"
          href="/api/v1/audit"
          download="audit.jsonl"
          variant="default"
          leftSection={<IconDownload size={18} />}
        >
          {t.audit.download}
        </Button>
      }
    >
      <Group align="flex-end" className="filters">
        <TextInput
          label={t.audit.action}
          placeholder="project.create"
          value={action}
          onChange={(event) => setAction(event.currentTarget.value)}
        />
        <TextInput
          type="date"
          label={t.audit.from}
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <TextInput type="date" label={t.audit.to} value={to} onChange={(event) => setTo(event.currentTarget.value)} />
      </Group>
      <ListView
        list={list}
        rowHeight={36}
        empty={<Empty icon={IconListCheck} title={t.audit.emptyTitle} text={t.audit.emptyText} />}
      >
        {(entries) => (
          <Table.ScrollContainer minWidth={720} className="narrowing">
            <Table verticalSpacing={6} aria-label={t.audit.title}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t.audit.at}</Table.Th>
                  <Table.Th className="secondary">{t.audit.who}</Table.Th>
                  <Table.Th>{t.audit.action}</Table.Th>
                  <Table.Th>{t.audit.outcome}</Table.Th>
                  <Table.Th className="secondary">{t.audit.subject}</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">{t.common.actions}</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {entries.map((entry) => (
                  <Table.Tr key={entry.id}>
                    <Table.Td style={{ whiteSpace: "nowrap", verticalAlign: "top" }}>
                      <Time at={entry.at} size="sm" />
                      <Text size="xs" c="dimmed" hiddenFrom="sm" className="anywhere" style={{ whiteSpace: "normal" }}>
                        {entry.user?.name ?? t.audit.actors[entry.actor]}
                      </Text>
                    </Table.Td>
                    <Table.Td style={{ verticalAlign: "top" }} className="secondary">
                      {entry.user?.name ?? t.audit.actors[entry.actor]}
                    </Table.Td>
                    <Table.Td style={{ verticalAlign: "top" }} className="code anywhere">
                      {entry.action}
                    </Table.Td>
                    <Table.Td style={{ verticalAlign: "top" }}>
                      <Badge color={entry.outcome === "OK" ? "teal" : "red"}>{entry.outcome}</Badge>
                    </Table.Td>
                    <Table.Td style={{ verticalAlign: "top" }} className="code anywhere secondary">
                      {entry.subjectId ?? "–"}
                    </Table.Td>
                    <Table.Td ta="right">
                      <Button
                        size="compact-xs"
                        variant="subtle"
                        aria-expanded={opened === entry.id}
                        aria-label={`${t.audit.details}: ${entry.action}`}
                        onClick={() => setOpened(opened === entry.id ? undefined : entry.id)}
                      >
                        {t.audit.details}
                      </Button>
                      {opened === entry.id && (
                        <Code block ta="start" maw={420}>
                          {JSON.stringify(
                            {
                              at: absolute(entry.at),
                              actor: entry.actor,
                              user: entry.userId,
                              object: entry.subjectId,
                              address: entry.address,
                              request: entry.requestId,
                              detail: entry.detail,
                            },
                            null,
                            2,
                          )}
                        </Code>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </ListView>
    </Page>
  );
}
