// What the models cost: by day, model, project, member and purpose; and the budgets that bound it.

import { Paper, SegmentedControl, SimpleGrid, Skeleton, Table, Text, Title } from "@mantine/core";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { graphql } from "~/api/graphql";
import { purposeName } from "~/parts/budget-name";
import { FailureBox } from "~/parts/failure";
import { compact, count, usd } from "~/parts/numbers";
import { Page } from "~/parts/page";
import { t } from "~/text";
import { DayBars } from "~/parts/day-bars";
import { BudgetSection } from "./budgets";

const UsageQuery = graphql(`
  query Usage($from: DateTime, $to: DateTime) {
    viewer {
      tenant {
        id
        usage(from: $from, to: $to) {
          from
          to
          total {
            calls
            failedCalls
            inputTokens
            outputTokens
            cachedTokens
            reasoningTokens
            usd
          }
          byDay {
            day
            usage {
              calls
              usd
            }
          }
          byModel {
            model
            provider
            usage {
              calls
              inputTokens
              outputTokens
              usd
            }
          }
          byProject {
            project {
              id
              name
            }
            usage {
              calls
              inputTokens
              outputTokens
              usd
            }
          }
          byMember {
            member {
              id
              name
            }
            usage {
              calls
              inputTokens
              outputTokens
              usd
            }
          }
          byPurpose {
            purpose
            usage {
              calls
              inputTokens
              outputTokens
              usd
            }
          }
        }
      }
    }
  }
`);

export function Usage() {
  const [days, setDays] = useState("30");
  // The variables stay the same while the page is open, or every drawing would ask again.
  const range = useMemo(() => {
    const to = new Date();
    return { from: new Date(to.getTime() - (Number(days) - 1) * 86_400_000).toISOString(), to: to.toISOString() };
  }, [days]);
  const [{ data, error }, reload] = useQuery({ query: UsageQuery, variables: range });
  const report = data?.viewer.tenant.usage;
  return (
    <Page
      title={t.usage.title}
      lead={t.usage.lead}
      actions={
        <SegmentedControl
          aria-label={t.usage.range}
          value={days}
          onChange={setDays}
          data={["7", "30", "90"].map((value) => ({ value, label: t.usage.days(Number(value)) }))}
        />
      }
    >
      {error && !report && (
        <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />
      )}
      {!report && !error && <Skeleton height={300} />}
      {report && (
        <>
          <SimpleGrid cols={{ base: 2, sm: 4 }}>
            <Figure label={t.usage.cost} value={usd(report.total.usd)} />
            <Figure label={t.usage.calls} value={count(report.total.calls)} />
            <Figure label={t.usage.inputTokens} value={compact(report.total.inputTokens)} />
            <Figure label={t.usage.outputTokens} value={compact(report.total.outputTokens)} />
          </SimpleGrid>
          <Paper withBorder p="md" component="section" aria-label={t.usage.byDay}>
            <Title order={2} size="h5" mb="sm">
              {t.usage.byDay}
            </Title>
            <DayBars
              from={report.from}
              to={report.to}
              rows={report.byDay.map((row) => ({ day: row.day ?? "", usd: row.usage.usd, calls: row.usage.calls }))}
            />
          </Paper>
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
            <Rows
              title={t.usage.byModel}
              rows={report.byModel.map((row) => ({ name: row.model ?? t.usage.refused, usage: row.usage }))}
            />
            <Rows
              title={t.usage.byProject}
              rows={report.byProject.map((row) => ({ name: row.project?.name ?? t.usage.noProject, usage: row.usage }))}
            />
            <Rows
              title={t.usage.byMember}
              rows={report.byMember.map((row) => ({ name: row.member?.name ?? t.usage.noMember, usage: row.usage }))}
            />
            <Rows
              title={t.usage.byPurpose}
              rows={report.byPurpose.map((row) => ({ name: purposeName(row.purpose), usage: row.usage }))}
            />
          </SimpleGrid>
        </>
      )}
      {(report || error) && <BudgetSection />}
    </Page>
  );
}

function Figure(props: { label: string; value: string }) {
  return (
    <Paper withBorder p="sm">
      <Text size="xs" c="dimmed">
        {props.label}
      </Text>
      <Text fz={24} fw={600} lh={1.2}>
        {props.value}
      </Text>
    </Paper>
  );
}

function Rows(props: {
  title: string;
  rows: { name: string; usage: { calls: number; inputTokens: number; outputTokens: number; usd: number } }[];
}) {
  return (
    <Paper withBorder p="md" component="section" aria-label={props.title}>
      <Title order={2} size="h5" mb="sm">
        {props.title}
      </Title>
      {props.rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t.usage.nothing}
        </Text>
      ) : (
        <Table verticalSpacing={4} aria-label={props.title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.common.name}</Table.Th>
              <Table.Th ta="right">{t.usage.calls}</Table.Th>
              <Table.Th ta="right">{t.usage.tokens}</Table.Th>
              <Table.Th ta="right">{t.usage.cost}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {props.rows.map((row) => (
              <Table.Tr key={row.name}>
                <Table.Td className="anywhere">{row.name}</Table.Td>
                <Table.Td ta="right">{count(row.usage.calls)}</Table.Td>
                <Table.Td ta="right">{compact(row.usage.inputTokens + row.usage.outputTokens)}</Table.Td>
                <Table.Td ta="right">{usd(row.usage.usd)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Paper>
  );
}
