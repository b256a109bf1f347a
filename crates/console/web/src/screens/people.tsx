// The members of the tenant, their roles, and open invitations.

import { Badge, Button, Group, Modal, Paper, Select, Stack, Table, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconUserPlus } from "@tabler/icons-react";
import { useState } from "react";
import type { Role } from "~/api/auth";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useList } from "~/api/use-list";
import { sessionLoad, useMay, useWho } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { Form, TextField } from "~/parts/form";
import { ListView } from "~/parts/list-view";
import { ShownOnce } from "~/parts/once";
import { Page } from "~/parts/page";
import { Time } from "~/parts/time";
import { t } from "~/text";

const Members = graphql(`
  query Members($after: String) {
    viewer {
      tenant {
        id
        members(first: 50, after: $after) {
          nodes {
            role
            createdAt
            user {
              id
              name
              email
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
const Invitations = graphql(`
  query Invitations($after: String) {
    viewer {
      tenant {
        id
        invitations(first: 20, after: $after) {
          nodes {
            id
            email
            role
            status
            createdAt
            expiresAt
            invitedBy {
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
const SetRole = graphql(`
  mutation SetMemberRole($input: SetMemberRoleInput!) {
    setMemberRole(input: $input) {
      membership {
        role
        user {
          id
        }
      }
    }
  }
`);
const RemoveMember = graphql(`
  mutation RemoveMember($input: RemoveMemberInput!) {
    removeMember(input: $input) {
      removedUserId
    }
  }
`);
const Transfer = graphql(`
  mutation TransferOwnership($input: TransferOwnershipInput!) {
    transferOwnership(input: $input) {
      membership {
        role
        user {
          id
        }
      }
    }
  }
`);
const Invite = graphql(`
  mutation InviteMember($input: InviteMemberInput!) {
    inviteMember(input: $input) {
      url
      invitation {
        id
        email
      }
    }
  }
`);
const Revoke = graphql(`
  mutation RevokeInvitation($input: RevokeInvitationInput!) {
    revokeInvitation(input: $input) {
      invitation {
        id
        status
        revokedAt
      }
    }
  }
`);

const RANK: Record<Role, number> = { VIEWER: 0, MEMBER: 1, ADMIN: 2, OWNER: 3 };

export function People() {
  const who = useWho();
  const may = useMay();
  const mine = who.tenants.find((tenant) => tenant.slug === who.tenant)?.role ?? "VIEWER";
  const [inviting, invite] = useDisclosure(false);
  const list = useList(Members, {}, (data) => data.viewer.tenant.members);
  const setRole = useChange(SetRole, { done: t.common.saved });
  const remove = useChange(RemoveMember, { done: t.people.removed });
  const transfer = useChange(Transfer, { done: t.people.transferred });
  const roles = (Object.keys(RANK) as Role[]).filter((role) => RANK[role] <= RANK[mine]);
  const askRemove = async (id: string, name: string) => {
    if (await confirm({ title: t.people.remove, text: t.people.removeText(name), label: t.people.remove })) {
      if (await remove.run({ input: { userId: id } })) list.reload();
    }
  };
  const askTransfer = async (id: string, name: string) => {
    if (await confirm({ title: t.people.transfer, text: t.people.transferText(name), label: t.people.transfer })) {
      if (await transfer.run({ input: { userId: id } })) {
        await sessionLoad();
        list.reload();
      }
    }
  };
  return (
    <Page
      title={t.people.title}
      lead={t.people.lead}
      actions={
        may.manage && (
          <Button leftSection={<IconUserPlus size={18} />} onClick={invite.open}>
            {t.people.invite}
          </Button>
        )
      }
    >
      <ListView list={list} rowHeight={44} empty={<Text>{t.people.nobody}</Text>}>
        {(members) => (
          <Table.ScrollContainer minWidth={560} className="narrowing">
            <Table verticalSpacing="xs" aria-label={t.people.title}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t.common.name}</Table.Th>
                  <Table.Th>{t.people.role}</Table.Th>
                  <Table.Th className="secondary">{t.people.since}</Table.Th>
                  {may.manage && (
                    <Table.Th>
                      <span className="visually-hidden">{t.common.actions}</span>
                    </Table.Th>
                  )}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {members.map(({ user, role, createdAt }) => {
                  const name = user.name || user.email;
                  const above = RANK[role] > RANK[mine];
                  return (
                    <Table.Tr key={user.id}>
                      <Table.Td>
                        <Text size="sm" fw={500} className="anywhere" component="div" dir="auto">
                          {name} {user.id === who.user.id && <Badge>{t.people.you}</Badge>}
                        </Text>
                        <Text size="xs" c="dimmed" className="anywhere">
                          {user.email}
                        </Text>
                      </Table.Td>
                      <Table.Td>
                        {may.manage && !above && user.id !== who.user.id ? (
                          <Select
                            aria-label={`${t.people.role}: ${name}`}
                            size="xs"
                            w={{ base: 104, sm: 140 }}
                            data={roles.map((value) => ({ value, label: t.roles[value] }))}
                            value={role}
                            allowDeselect={false}
                            disabled={setRole.busy}
                            onChange={async (value) => {
                              if (
                                value &&
                                value !== role &&
                                (await setRole.run({ input: { userId: user.id, role: value as Role } }))
                              )
                                list.reload();
                            }}
                          />
                        ) : (
                          <Text size="sm">{t.roles[role]}</Text>
                        )}
                      </Table.Td>
                      <Table.Td className="secondary">
                        <Time at={createdAt} size="sm" />
                      </Table.Td>
                      {may.manage && (
                        <Table.Td ta="right">
                          {!above && user.id !== who.user.id && (
                            <Group gap={4} justify="flex-end">
                              {may.own && role !== "OWNER" && (
                                <Button
                                  size="compact-xs"
                                  variant="subtle"
                                  aria-label={`${t.people.transfer}: ${name}`}
                                  onClick={() => void askTransfer(user.id, name)}
                                >
                                  {t.people.transfer}
                                </Button>
                              )}
                              <Button
                                size="compact-xs"
                                variant="subtle"
                                color="red"
                                aria-label={`${t.people.remove}: ${name}`}
                                onClick={() => void askRemove(user.id, name)}
                              >
                                {t.people.remove}
                              </Button>
                            </Group>
                          )}
                        </Table.Td>
                      )}
                    </Table.Tr>
                  );
                })}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </ListView>
      {may.manage && !list.loading && <InvitationList />}
      <Modal opened={inviting} onClose={invite.close} title={t.people.invite} size="lg">
        <InviteForm roles={roles.filter((role) => role !== "OWNER")} onDone={invite.close} />
      </Modal>
    </Page>
  );
}

function InviteForm(props: { roles: Role[]; onDone: () => void }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("MEMBER");
  const [url, setUrl] = useState<string>();
  const invite = useChange(Invite, { inline: true });
  if (url) {
    return (
      <Stack>
        <ShownOnce title={t.people.invited(email)} values={[{ label: t.people.link, value: url }]} />
        <Button onClick={props.onDone}>{t.common.done}</Button>
      </Stack>
    );
  }
  return (
    <Form
      change={invite}
      onSubmit={async () => {
        const made = await invite.run({ input: { email, role } });
        if (made) setUrl(new URL(made.inviteMember.url, location.href).href);
      }}
      label={t.people.makeLink}
    >
      <TextField label={t.signIn.email} type="email" required value={email} onValue={setEmail} data-autofocus />
      <Select
        label={t.people.role}
        data={props.roles.map((value) => ({ value, label: `${t.roles[value]}: ${t.people.roleText[value]}` }))}
        value={role}
        allowDeselect={false}
        onChange={(value) => value && setRole(value as Role)}
      />
    </Form>
  );
}

function InvitationList() {
  const list = useList(Invitations, {}, (data) => data.viewer.tenant.invitations);
  const revoke = useChange(Revoke, { done: t.people.revoked });
  const ask = async (id: string, email: string) => {
    if (await confirm({ title: t.people.revoke, text: t.people.revokeText(email), label: t.people.revoke })) {
      await revoke.run({ input: { invitationId: id } });
    }
  };
  if (!list.loading && list.items.length === 0) return null;
  return (
    <Paper withBorder p="md" component="section" aria-label={t.people.invitations}>
      <Title order={2} size="h5" mb="sm">
        {t.people.invitations}
      </Title>
      <ListView list={list} rowHeight={36} empty={null}>
        {(invitations) => (
          <Stack gap="xs">
            {invitations.map((one) => (
              <Group key={one.id} justify="space-between">
                <Group gap="xs">
                  <Text size="sm" className="anywhere">
                    {one.email}
                  </Text>
                  <Badge color="gray">{t.roles[one.role]}</Badge>
                  <Badge color={one.status === "OPEN" ? "blue" : one.status === "ACCEPTED" ? "teal" : "gray"}>
                    {t.people.statuses[one.status]}
                  </Badge>
                </Group>
                <Group gap="xs">
                  <Text size="xs" c="dimmed">
                    {one.status === "OPEN" ? (
                      <>
                        {t.people.expires} <Time at={one.expiresAt} />
                      </>
                    ) : (
                      <Time at={one.createdAt} />
                    )}
                  </Text>
                  {one.status === "OPEN" && (
                    <Button
                      size="compact-xs"
                      variant="subtle"
                      color="red"
                      aria-label={`${t.people.revoke}: ${one.email}`}
                      onClick={() => void ask(one.id, one.email)}
                    >
                      {t.people.revoke}
                    </Button>
                  )}
                </Group>
              </Group>
            ))}
          </Stack>
        )}
      </ListView>
    </Paper>
  );
}
