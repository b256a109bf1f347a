// What the models cost: by day, model, project, member and purpose; and the budgets that bound it.

import {
  Badge, Button, Group, Modal, NumberInput, Paper, Progress, SegmentedControl, Select, SimpleGrid, Skeleton, Stack, Table, Text, Title,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { type ResultOf, graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useMay } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { FailureBox } from "~/parts/failure";
import { compact, count, usd } from "~/parts/numbers";
import { Page } from "~/parts/page";
import { t } from "~/text";
import { DayBars } from "~/parts/day-bars";

const UsageQuery = graphql(`
  query Usage($from: DateTime, $to: DateTime) {
    viewer {
      tenant {
        id
        usage(from: $from, to: $to) {
          from
          to
          total { calls failedCalls inputTokens outputTokens cachedTokens reasoningTokens usd }
          byDay { day usage { calls usd } }
          byModel { model provider usage { calls inputTokens outputTokens usd } }
          byProject { project { id name } usage { calls inputTokens outputTokens usd } }
          byMember { member { id name } usage { calls inputTokens outputTokens usd } }
          byPurpose { purpose usage { calls inputTokens outputTokens usd } }
        }
      }
    }
  }
`);

const BudgetFields = graphql(`
  fragment BudgetFields on Budget {
    id scope period enforcement limitUsd spentUsd reservedUsd exceeded purpose project { id name } member { id name }
  }
`);
const Budgets = graphql(`query Budgets { budgets { ...BudgetFields } }`, [BudgetFields]);
const Targets = graphql(`
  query BudgetTargets {
    projects(first: 200) { nodes { id name } }
    viewer { tenant { id members(first: 200) { nodes { user { id name email } } } } }
  }
`);
const CreateBudget = graphql(
  `mutation CreateBudget($input: CreateBudgetInput!) { createBudget(input: $input) { budget { ...BudgetFields } } }`,
  [BudgetFields],
);
const UpdateBudget = graphql(
  `mutation UpdateBudget($input: UpdateBudgetInput!) { updateBudget(input: $input) { budget { ...BudgetFields } } }`,
  [BudgetFields],
);
const DeleteBudget = graphql(`mutation DeleteBudget($input: DeleteBudgetInput!) { deleteBudget(input: $input) { deletedBudgetId } }`);

type Budget = ResultOf<typeof BudgetFields>;

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
      {error && !report && <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />}
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
            <Title order={2} size="h5" mb="sm">{t.usage.byDay}</Title>
            <DayBars from={report.from} to={report.to} rows={report.byDay.map((row) => ({ day: row.day ?? "", usd: row.usage.usd, calls: row.usage.calls }))} />
          </Paper>
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
            <Rows title={t.usage.byModel} rows={report.byModel.map((row) => ({ name: row.model ?? t.usage.refused, usage: row.usage }))} />
            <Rows title={t.usage.byProject} rows={report.byProject.map((row) => ({ name: row.project?.name ?? t.usage.noProject, usage: row.usage }))} />
            <Rows title={t.usage.byMember} rows={report.byMember.map((row) => ({ name: row.member?.name ?? t.usage.noMember, usage: row.usage }))} />
            <Rows title={t.usage.byPurpose} rows={report.byPurpose.map((row) => ({ name: row.purpose ?? "–", usage: row.usage }))} />
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
      <Text size="xs" c="dimmed">{props.label}</Text>
      <Text fz={24} fw={600} lh={1.2}>{props.value}</Text>
    </Paper>
  );
}

function Rows(props: { title: string; rows: { name: string; usage: { calls: number; inputTokens: number; outputTokens: number; usd: number } }[] }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={props.title}>
      <Title order={2} size="h5" mb="sm">{props.title}</Title>
      {props.rows.length === 0 ? (
        <Text size="sm" c="dimmed">{t.usage.nothing}</Text>
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

function BudgetSection() {
  const may = useMay();
  const [{ data }] = useQuery({ query: Budgets });
  const [editing, setEditing] = useState<Budget | null>(null);
  const [creating, create] = useDisclosure(false);
  const remove = useChange(DeleteBudget, { done: t.usage.budgetDeleted });
  const budgets = data?.budgets ?? [];
  const ask = async (budget: Budget) => {
    const sure = await confirm({ title: t.usage.deleteBudget, text: t.usage.deleteBudgetText, label: t.usage.deleteBudget });
    if (sure) await remove.run({ input: { budgetId: budget.id } });
  };
  return (
    <Stack component="section" aria-label={t.usage.budgets}>
      <Group justify="space-between">
        <Title order={2} size="h4">{t.usage.budgets}</Title>
        {may.manage && <Button leftSection={<IconPlus size={18} />} onClick={create.open}>{t.usage.createBudget}</Button>}
      </Group>
      {data && budgets.length === 0 && <Text size="sm" c="dimmed">{may.manage ? t.usage.noBudgets : t.usage.noBudgetsViewer}</Text>}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {budgets.map((budget) => (
          <Paper key={budget.id} withBorder p="md" component="article">
            <Stack gap={6}>
              <Group justify="space-between">
                <Text fw={600} size="sm" className="anywhere">
                  {t.usage.scopes[budget.scope]}
                  {budget.project ? ` · ${budget.project.name}` : budget.member ? ` · ${budget.member.name}` : budget.purpose ? ` · ${budget.purpose}` : ""}
                </Text>
                <Badge color={budget.exceeded ? "red" : "gray"}>{budget.exceeded ? t.usage.exceeded : t.usage.enforcements[budget.enforcement]}</Badge>
              </Group>
              <Progress value={Math.min(100, (100 * budget.spentUsd) / Math.max(budget.limitUsd, 1e-9))} color={budget.exceeded ? "red" : "indigo"} aria-label={t.usage.spent} />
              <Text size="sm">
                {t.usage.spentOf(usd(budget.spentUsd), usd(budget.limitUsd))} · {t.usage.periods[budget.period]}
              </Text>
              <Text size="xs" c="dimmed">{t.usage.reserved(usd(budget.reservedUsd))}</Text>
              {may.manage && (
                <Group gap="xs">
                  <Button size="compact-sm" variant="default" onClick={() => setEditing(budget)}>{t.common.edit}</Button>
                  <Button size="compact-sm" variant="subtle" color="red" onClick={() => void ask(budget)}>{t.common.delete}</Button>
                </Group>
              )}
            </Stack>
          </Paper>
        ))}
      </SimpleGrid>
      <Modal opened={creating} onClose={create.close} title={t.usage.createBudget}>
        <CreateForm onDone={create.close} />
      </Modal>
      <Modal opened={editing !== null} onClose={() => setEditing(null)} title={t.usage.editBudget}>
        {editing && <EditForm budget={editing} onDone={() => setEditing(null)} />}
      </Modal>
    </Stack>
  );
}

type Scope = keyof typeof t.usage.scopes;
type Period = keyof typeof t.usage.periods;
type Enforcement = keyof typeof t.usage.enforcements;

const options = (names: Record<string, string>) => Object.entries(names).map(([value, label]) => ({ value, label }));

function CreateForm(props: { onDone: () => void }) {
  const [{ data }] = useQuery({ query: Targets });
  const [scope, setScope] = useState<Scope>("TENANT");
  const [period, setPeriod] = useState<Period>("MONTH");
  const [enforcement, setEnforcement] = useState<Enforcement>("HARD");
  const [limit, setLimit] = useState<number | string>(50);
  const [target, setTarget] = useState<string | null>(null);
  const save = useChange(CreateBudget, { inline: true, done: t.common.saved });
  const targets: Record<Scope, { value: string; label: string }[]> = {
    TENANT: [],
    PROJECT: (data?.projects.nodes ?? []).map((one) => ({ value: one.id, label: one.name })),
    MEMBER: (data?.viewer.tenant.members.nodes ?? []).map((one) => ({ value: one.user.id, label: one.user.name || one.user.email })),
    PURPOSE: options(t.usage.purposes),
  };
  return (
    <form
      onSubmit={async (event) => {
        event.preventDefault();
        const made = await save.run({
          input: {
            scope,
            period,
            enforcement,
            limitUsd: Number(limit),
            projectId: scope === "PROJECT" ? target : null,
            userId: scope === "MEMBER" ? target : null,
            purpose: scope === "PURPOSE" ? target : null,
          },
        });
        if (made) props.onDone();
      }}
    >
      <Stack>
        <Select label={t.usage.scope} data={options(t.usage.scopes)} value={scope} allowDeselect={false} onChange={(value) => { setScope(value as Scope); setTarget(null); }} />
        {scope !== "TENANT" && <Select label={t.usage.scopes[scope]} required searchable data={targets[scope]} value={target} onChange={setTarget} />}
        <NumberInput label={t.usage.limit} required min={0} decimalScale={2} prefix="$" value={limit} onChange={setLimit} />
        <Select label={t.usage.period} data={options(t.usage.periods)} value={period} allowDeselect={false} onChange={(value) => setPeriod(value as Period)} />
        <Select label={t.usage.enforcement} description={t.usage.enforcementText} data={options(t.usage.enforcements)} value={enforcement} allowDeselect={false} onChange={(value) => setEnforcement(value as Enforcement)} />
        <FailureBox failure={save.failure} />
        <Button type="submit" loading={save.busy}>{t.common.save}</Button>
      </Stack>
    </form>
  );
}

function EditForm(props: { budget: Budget; onDone: () => void }) {
  const { budget, onDone } = props;
  const [limit, setLimit] = useState<number | string>(budget.limitUsd);
  const [enforcement, setEnforcement] = useState<Enforcement>(budget.enforcement);
  const save = useChange(UpdateBudget, { inline: true, done: t.common.saved });
  return (
    <form
      onSubmit={async (event) => {
        event.preventDefault();
        if (await save.run({ input: { budgetId: budget.id, limitUsd: Number(limit), enforcement } })) onDone();
      }}
    >
      <Stack>
        <NumberInput label={t.usage.limit} required min={0} decimalScale={2} prefix="$" value={limit} onChange={setLimit} data-autofocus />
        <Select label={t.usage.enforcement} description={t.usage.enforcementText} data={options(t.usage.enforcements)} value={enforcement} allowDeselect={false} onChange={(value) => setEnforcement(value as Enforcement)} />
        <FailureBox failure={save.failure} />
        <Button type="submit" loading={save.busy}>{t.common.save}</Button>
      </Stack>
    </form>
  );
}
