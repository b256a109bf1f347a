// Budgets: what may be spent, by whom, and what happens at the limit.

import {
  Badge,
  Button,
  Group,
  Modal,
  NumberInput,
  Paper,
  Progress,
  Select,
  SimpleGrid,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useQuery } from "urql";
import { type ResultOf, graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useMay } from "~/app/session-store";
import { budgetName } from "~/parts/budget-name";
import { ChoiceField, optionsOf } from "~/parts/choice-field";
import { confirm } from "~/parts/confirm";
import { Form } from "~/parts/form";
import { usd } from "~/parts/numbers";
import { t } from "~/text";

const BudgetFields = graphql(`
  fragment BudgetFields on Budget {
    id
    scope
    period
    enforcement
    limitUsd
    spentUsd
    reservedUsd
    exceeded
    purpose
    project {
      id
      name
    }
    member {
      id
      name
    }
  }
`);

const Budgets = graphql(
  `
    query Budgets {
      budgets {
        ...BudgetFields
      }
    }
  `,
  [BudgetFields],
);

const Targets = graphql(`
  query BudgetTargets {
    projects(first: 200) {
      nodes {
        id
        name
      }
    }
    viewer {
      tenant {
        id
        members(first: 200) {
          nodes {
            user {
              id
              name
              email
            }
          }
        }
      }
    }
  }
`);

const CreateBudget = graphql(
  `
    mutation CreateBudget($input: CreateBudgetInput!) {
      createBudget(input: $input) {
        budget {
          ...BudgetFields
        }
      }
    }
  `,
  [BudgetFields],
);

const UpdateBudget = graphql(
  `
    mutation UpdateBudget($input: UpdateBudgetInput!) {
      updateBudget(input: $input) {
        budget {
          ...BudgetFields
        }
      }
    }
  `,
  [BudgetFields],
);

const DeleteBudget = graphql(`
  mutation DeleteBudget($input: DeleteBudgetInput!) {
    deleteBudget(input: $input) {
      deletedBudgetId
    }
  }
`);

type Budget = ResultOf<typeof BudgetFields>;

export function BudgetSection() {
  const may = useMay();
  const [{ data }] = useQuery({ query: Budgets });
  const [editing, setEditing] = useState<Budget | null>(null);
  const [creating, create] = useDisclosure(false);
  const remove = useChange(DeleteBudget, { done: t.usage.budgetDeleted });
  const budgets = data?.budgets ?? [];
  const ask = async (budget: Budget) => {
    const sure = await confirm({
      title: t.usage.deleteBudget,
      text: t.usage.deleteBudgetText,
      label: t.usage.deleteBudget,
    });
    if (sure) await remove.run({ input: { budgetId: budget.id } });
  };
  return (
    <Stack component="section" aria-label={t.usage.budgets}>
      <Group justify="space-between">
        <Title order={2} size="h4">
          {t.usage.budgets}
        </Title>
        {may.manage && (
          <Button leftSection={<IconPlus size={18} />} onClick={create.open}>
            {t.usage.createBudget}
          </Button>
        )}
      </Group>
      {data && budgets.length === 0 && (
        <Text size="sm" c="dimmed">
          {may.manage ? t.usage.noBudgets : t.usage.noBudgetsViewer}
        </Text>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {budgets.map((budget) => (
          <Paper key={budget.id} withBorder p="md" component="article">
            <Stack gap={6}>
              <Group justify="space-between">
                <Text fw={600} size="sm" className="anywhere">
                  {budgetName(budget)}
                </Text>
                <Badge color={budget.exceeded ? "red" : "gray"}>
                  {budget.exceeded ? t.usage.exceeded : t.usage.enforcements[budget.enforcement]}
                </Badge>
              </Group>
              <Progress
                value={Math.min(100, (100 * budget.spentUsd) / Math.max(budget.limitUsd, 1e-9))}
                color={budget.exceeded ? "red" : "indigo"}
                aria-label={t.usage.spent}
              />
              <Text size="sm">
                {t.usage.spentOf(usd(budget.spentUsd), usd(budget.limitUsd))} · {t.usage.periods[budget.period]}
              </Text>
              <Text size="xs" c="dimmed">
                {t.usage.reserved(usd(budget.reservedUsd))}
              </Text>
              {may.manage && (
                <Group gap="xs">
                  <Button size="compact-sm" variant="default" onClick={() => setEditing(budget)}>
                    {t.common.edit}
                  </Button>
                  <Button size="compact-sm" variant="subtle" color="red" onClick={() => void ask(budget)}>
                    {t.common.delete}
                  </Button>
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
    MEMBER: (data?.viewer.tenant.members.nodes ?? []).map((one) => ({
      value: one.user.id,
      label: one.user.name || one.user.email,
    })),
    PURPOSE: optionsOf(t.usage.purposes),
  };
  return (
    <Form
      change={save}
      onSubmit={async () => {
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
      <ChoiceField
        label={t.usage.scope}
        names={t.usage.scopes}
        value={scope}
        onValue={(value) => {
          setScope(value);
          setTarget(null);
        }}
      />
      {scope !== "TENANT" && (
        <Select
          label={t.usage.scopes[scope]}
          required
          searchable
          data={targets[scope]}
          value={target}
          onChange={setTarget}
        />
      )}
      <LimitField value={limit} onChange={setLimit} />
      <ChoiceField label={t.usage.period} names={t.usage.periods} value={period} onValue={setPeriod} />
      <EnforcementField value={enforcement} onValue={setEnforcement} />
    </Form>
  );
}

function EditForm(props: { budget: Budget; onDone: () => void }) {
  const { budget, onDone } = props;
  const [limit, setLimit] = useState<number | string>(budget.limitUsd);
  const [enforcement, setEnforcement] = useState<Enforcement>(budget.enforcement);
  const save = useChange(UpdateBudget, { inline: true, done: t.common.saved });
  return (
    <Form
      change={save}
      onSubmit={async () => {
        if (await save.run({ input: { budgetId: budget.id, limitUsd: Number(limit), enforcement } })) onDone();
      }}
    >
      <LimitField value={limit} onChange={setLimit} data-autofocus />
      <EnforcementField value={enforcement} onValue={setEnforcement} />
    </Form>
  );
}

function LimitField(props: {
  value: number | string;
  onChange: (value: number | string) => void;
  "data-autofocus"?: boolean;
}) {
  return <NumberInput label={t.usage.limit} required min={0} decimalScale={2} prefix="$" {...props} />;
}

function EnforcementField(props: { value: Enforcement; onValue: (value: Enforcement) => void }) {
  return (
    <ChoiceField
      label={t.usage.enforcement}
      description={t.usage.enforcementText}
      names={t.usage.enforcements}
      {...props}
    />
  );
}
