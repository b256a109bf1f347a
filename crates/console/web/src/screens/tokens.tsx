// API tokens: for programs that act for a person.

import { Badge, Button, Modal, Select, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import type { Role } from "~/api/auth";
import { now } from "~/api/clock";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useList } from "~/api/use-list";
import { useMay, useWho } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { Empty } from "~/parts/empty";
import { Form, TextField } from "~/parts/form";
import { ListView } from "~/parts/list-view";
import { ShownOnce } from "~/parts/once";
import { Page } from "~/parts/page";
import { Time } from "~/parts/time";
import { t } from "~/text";

const TokenList = graphql(`
  query Tokens($after: String) {
    viewer {
      tenant {
        id
        apiTokens(first: 30, after: $after) {
          nodes {
            id
            name
            prefix
            role
            createdAt
            lastUsedAt
            expiresAt
            revokedAt
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
    }
  }
`);
const CreateToken = graphql(`
  mutation CreateApiToken($input: CreateApiTokenInput!) {
    createApiToken(input: $input) {
      secret
      apiToken {
        id
        name
      }
    }
  }
`);
const RevokeToken = graphql(`
  mutation RevokeApiToken($input: RevokeApiTokenInput!) {
    revokeApiToken(input: $input) {
      apiToken {
        id
        revokedAt
      }
    }
  }
`);

export function Tokens() {
  const may = useMay();
  const [creating, create] = useDisclosure(false);
  const list = useList(TokenList, {}, (data) => data.viewer.tenant.apiTokens);
  const revoke = useChange(RevokeToken, { done: t.tokens.revoked });
  const ask = async (id: string, name: string) => {
    if (await confirm({ title: t.tokens.revoke, text: t.tokens.revokeText(name), label: t.tokens.revoke })) {
      await revoke.run({ input: { apiTokenId: id } });
    }
  };
  const action = may.write && (
    <Button leftSection={<IconPlus size={18} />} onClick={create.open}>
      {t.tokens.create}
    </Button>
  );
  return (
    <Page
      title={t.tokens.title}
      lead={t.tokens.lead}
      actions={action}
      actionsHidden={!list.loading && list.items.length === 0}
    >
      <ListView
        list={list}
        rowHeight={44}
        empty={
          <Empty
            icon={IconKey}
            title={t.tokens.emptyTitle}
            text={may.write ? t.tokens.emptyText : t.tokens.emptyViewer}
          >
            {action}
          </Empty>
        }
      >
        {(tokens) => (
          <Table.ScrollContainer minWidth={680} className="narrowing">
            <Table verticalSpacing="xs" aria-label={t.tokens.title}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t.common.name}</Table.Th>
                  <Table.Th>{t.people.role}</Table.Th>
                  <Table.Th className="secondary">{t.tokens.owner}</Table.Th>
                  <Table.Th className="secondary">{t.tokens.used}</Table.Th>
                  <Table.Th>{t.tokens.expires}</Table.Th>
                  {may.write && (
                    <Table.Th>
                      <span className="visually-hidden">{t.common.actions}</span>
                    </Table.Th>
                  )}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {tokens.map((token) => (
                  <Table.Tr key={token.id}>
                    <Table.Td>
                      <Text size="sm" fw={500} className="anywhere" component="div">
                        {token.name} {token.revokedAt && <Badge color="gray">{t.tokens.ended}</Badge>}
                      </Text>
                      <Text className="code anywhere" c="dimmed">
                        {token.prefix}…
                      </Text>
                    </Table.Td>
                    <Table.Td>{t.roles[token.role]}</Table.Td>
                    <Table.Td className="secondary">{token.user?.name ?? t.common.former}</Table.Td>
                    <Table.Td className="secondary">
                      <Time at={token.lastUsedAt} never={t.tokens.never} size="sm" />
                    </Table.Td>
                    <Table.Td>
                      <Time at={token.expiresAt} never={t.tokens.never} size="sm" />
                    </Table.Td>
                    {may.write && (
                      <Table.Td ta="right">
                        {!token.revokedAt && (
                          <Button
                            size="compact-xs"
                            variant="subtle"
                            color="red"
                            aria-label={`${t.tokens.revoke}: ${token.name}`}
                            onClick={() => void ask(token.id, token.name)}
                          >
                            {t.tokens.revoke}
                          </Button>
                        )}
                      </Table.Td>
                    )}
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </ListView>
      <Modal opened={creating} onClose={create.close} title={t.tokens.create} size="lg">
        <CreateForm onDone={create.close} />
      </Modal>
    </Page>
  );
}

function CreateForm(props: { onDone: () => void }) {
  const who = useWho();
  const mine = who.tenants.find((tenant) => tenant.slug === who.tenant)?.role ?? "VIEWER";
  const order: Role[] = ["VIEWER", "MEMBER", "ADMIN", "OWNER"];
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("VIEWER");
  const [life, setLife] = useState("90");
  const [secret, setSecret] = useState<string>();
  const create = useChange(CreateToken, { inline: true });
  if (secret) {
    return (
      <Stack>
        <ShownOnce title={t.tokens.created} values={[{ label: name, value: secret }]} />
        <Button onClick={props.onDone}>{t.common.done}</Button>
      </Stack>
    );
  }
  return (
    <Form
      change={create}
      onSubmit={async () => {
        const expiresAt = life ? new Date(now() + Number(life) * 86_400_000).toISOString() : null;
        const made = await create.run({ input: { name, role, expiresAt } });
        if (made) setSecret(made.createApiToken.secret);
      }}
      label={t.tokens.create}
    >
      <TextField
        label={t.common.name}
        description={t.tokens.nameText}
        required
        maxLength={200}
        value={name}
        onValue={setName}
        data-autofocus
      />
      <Select
        label={t.people.role}
        description={t.tokens.roleText}
        data={order
          .slice(0, order.indexOf(mine) + 1)
          .map((value) => ({ value, label: `${t.roles[value]}: ${t.people.roleText[value]}` }))}
        value={role}
        allowDeselect={false}
        onChange={(value) => value && setRole(value as Role)}
      />
      <Select
        label={t.tokens.expires}
        data={[
          ...["7", "30", "90", "365"].map((value) => ({ value, label: t.tokens.inDays(Number(value)) })),
          { value: "", label: t.tokens.never },
        ]}
        value={life}
        allowDeselect={false}
        onChange={(value) => setLife(value ?? "")}
      />
    </Form>
  );
}
