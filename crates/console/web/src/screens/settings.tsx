// The person's own things — language, colours, password, sessions — then the tenant's: its name, its GitHub accounts.

import {
  Anchor,
  Badge,
  Button,
  Group,
  Paper,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Text,
  Title,
  useMantineColorScheme,
} from "@mantine/core";
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { useQuery } from "urql";
import { type BrowserSession, auth } from "~/api/auth";
import { type Failure, failureOf } from "~/api/errors";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { sessionLoad, useMay, useWho } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { FailureBox } from "~/parts/failure";
import { Form, PasswordField, TextField } from "~/parts/form";
import { Page } from "~/parts/page";
import { Time } from "~/parts/time";
import { toastFailure, toastSuccess } from "~/parts/toast";
import { useStep } from "~/parts/use-step";
import { LANGUAGES, type Language, language, languageChoose, t } from "~/text";

const ServerQuery = graphql(`
  query Server {
    server {
      version
      commit
      database
      capabilities
    }
  }
`);
const UpdateTenant = graphql(`
  mutation UpdateTenant($input: UpdateTenantInput!) {
    updateTenant(input: $input) {
      tenant {
        id
        name
      }
    }
  }
`);
const LeaveTenant = graphql(`
  mutation LeaveTenant {
    leaveTenant {
      leftTenantId
    }
  }
`);
const Connections = graphql(`
  query Connections {
    gitConnections(first: 50) {
      nodes {
        id
        name
        baseUrl
        createdAt
        createdBy {
          id
          name
        }
      }
    }
  }
`);
const RemoveConnection = graphql(`
  mutation RemoveGitConnection($input: RemoveGitConnectionInput!) {
    removeGitConnection(input: $input) {
      deletedId
    }
  }
`);

/** So many sessions are shown before the reader asks for all. */
const SESSIONS = 5;

export function Settings() {
  const may = useMay();
  return (
    <Page title={t.settings.title}>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Appearance />
        <Password />
        {may.manage && <Tenant />}
        <GitHub />
        <Leave />
        <About />
        <Sessions />
      </SimpleGrid>
    </Page>
  );
}

function Panel(props: { title: string; lead?: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={props.title}>
      <Title order={2} size="h5" mb={props.lead ? 2 : "sm"}>
        {props.title}
      </Title>
      {props.lead && (
        <Text size="sm" c="dimmed" mb="sm">
          {props.lead}
        </Text>
      )}
      {props.children}
    </Paper>
  );
}

function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Panel title={t.settings.appearance}>
      <Stack>
        <div>
          <Text size="sm" fw={500} mb={4}>
            {t.settings.scheme}
          </Text>
          <SegmentedControl
            aria-label={t.settings.scheme}
            value={colorScheme}
            onChange={(value) => setColorScheme(value as "auto" | "light" | "dark")}
            data={[
              { value: "auto", label: t.settings.auto },
              { value: "light", label: t.settings.light },
              { value: "dark", label: t.settings.dark },
            ]}
          />
        </div>
        <Select
          label={t.settings.language}
          data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          value={language}
          allowDeselect={false}
          onChange={(value) => value && languageChoose(value as Language)}
        />
      </Stack>
    </Panel>
  );
}

function Password() {
  const { user } = useWho();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const step = useStep(async () => {
    await auth.password(current, next);
    setCurrent("");
    setNext("");
    toastSuccess(t.settings.passwordChanged);
  });
  return (
    <Panel title={t.settings.password} lead={t.settings.passwordText}>
      <Form change={step} onSubmit={step.run} label={t.settings.changePassword} quiet>
        <input type="text" autoComplete="username" value={user.email} readOnly hidden />
        <PasswordField
          label={t.settings.currentPassword}
          autoComplete="current-password"
          required
          value={current}
          onValue={setCurrent}
        />
        <PasswordField
          label={t.settings.newPassword}
          description={t.signIn.passwordRule}
          autoComplete="new-password"
          required
          value={next}
          onValue={setNext}
        />
      </Form>
    </Panel>
  );
}

function Sessions() {
  const [sessions, setSessions] = useState<BrowserSession[]>();
  const [failure, setFailure] = useState<Failure>();
  const [all, setAll] = useState(false);
  const load = useCallback(() => {
    auth.sessions().then(
      (seen) => {
        setSessions(seen.sessions);
        setFailure(undefined);
      },
      (error: Error) => setFailure(failureOf(error)),
    );
  }, []);
  useEffect(load, [load]);
  const end = async (id: string) => {
    try {
      await auth.endSession(id);
      load();
    } catch (error) {
      toastFailure(failureOf(error as Error));
    }
  };
  const everywhere = async () => {
    if (
      !(await confirm({ title: t.settings.everywhere, text: t.settings.everywhereText, label: t.settings.everywhere }))
    )
      return;
    await auth.signOutEverywhere();
    location.assign("/");
  };
  return (
    <Panel title={t.settings.sessions} lead={t.settings.sessionsText}>
      <Stack gap="xs" mih={80}>
        <FailureBox failure={failure} retry={load} />
        {sessions?.slice(0, all ? undefined : SESSIONS).map((session) => (
          <Group key={session.id} justify="space-between" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" truncate component="div" title={session.userAgent ?? undefined}>
                {browserName(session.userAgent)} {session.current && <Badge>{t.settings.thisOne}</Badge>}
              </Text>
              <Text size="xs" c="dimmed">
                {session.address ?? "–"} · <Time at={session.lastSeenAt} />
              </Text>
            </div>
            {!session.current && (
              <Button size="compact-xs" variant="default" onClick={() => void end(session.id)}>
                {t.settings.end}
              </Button>
            )}
          </Group>
        ))}
        {!all && sessions && sessions.length > SESSIONS && (
          <Group>
            <Button size="compact-sm" variant="subtle" onClick={() => setAll(true)}>
              {t.common.showAll} ({sessions.length})
            </Button>
          </Group>
        )}
        <Group>
          <Button variant="default" size="xs" onClick={() => void everywhere()}>
            {t.settings.everywhere}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

/** "Firefox · Linux", as far as a browser says so. */
function browserName(agent: string | null): string {
  if (!agent) return t.settings.unknownBrowser;
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\/[\d.]+/.exec(agent)?.[1];
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(agent)?.[1];
  const names: Record<string, string> = { Edg: "Edge", OPR: "Opera", "Mac OS X": "macOS" };
  const known = [browser, system].filter((name) => name !== undefined).map((name) => names[name] ?? name);
  return known.length ? known.join(" · ") : agent.slice(0, 60);
}

function Tenant() {
  const who = useWho();
  const tenant = who.tenants.find((one) => one.slug === who.tenant);
  const [name, setName] = useState(tenant?.name ?? "");
  const update = useChange(UpdateTenant, { inline: true, done: t.common.saved });
  return (
    <Panel title={t.settings.tenant}>
      <Form
        change={update}
        onSubmit={async () => {
          if (await update.run({ input: { name } })) await sessionLoad();
        }}
        quiet
        unchanged={name === tenant?.name}
      >
        <TextField label={t.common.name} required maxLength={200} value={name} onValue={setName} />
        <Text size="xs" c="dimmed">
          {t.settings.slug(tenant?.slug ?? "")}
        </Text>
      </Form>
    </Panel>
  );
}

function GitHub() {
  const may = useMay();
  const [{ data }] = useQuery({ query: Connections });
  const remove = useChange(RemoveConnection, { done: t.settings.connectionRemoved });
  const connections = data?.gitConnections.nodes ?? [];
  const ask = async (id: string, name: string) => {
    if (
      await confirm({
        title: t.settings.removeConnection,
        text: t.settings.removeConnectionText(name),
        label: t.settings.removeConnection,
      })
    ) {
      await remove.run({ input: { connectionId: id } });
    }
  };
  return (
    <Panel title={t.settings.connections} lead={t.settings.connectionsText}>
      <Stack gap="xs" mih={40}>
        {data && connections.length === 0 && (
          <Text size="sm" c="dimmed">
            {t.settings.noConnections}
          </Text>
        )}
        {connections.map((one) => (
          <Group key={one.id} justify="space-between">
            <div>
              <Text size="sm">{one.name}</Text>
              <Text size="xs" c="dimmed">
                {new URL(one.baseUrl).host} · <Time at={one.createdAt} />
              </Text>
            </div>
            {may.manage && (
              <Button
                size="compact-xs"
                variant="subtle"
                color="red"
                aria-label={`${t.settings.removeConnection}: ${one.name}`}
                onClick={() => void ask(one.id, one.name)}
              >
                {t.settings.removeConnection}
              </Button>
            )}
          </Group>
        ))}
      </Stack>
    </Panel>
  );
}

function Leave() {
  const who = useWho();
  const name = who.tenants.find((one) => one.slug === who.tenant)?.name ?? "";
  const leave = useChange(LeaveTenant);
  return (
    <Panel title={t.settings.leave} lead={t.settings.leaveLead}>
      <Button
        color="red"
        variant="light"
        loading={leave.busy}
        onClick={async () => {
          if (!(await confirm({ title: t.settings.leave, text: t.settings.leaveText(name), label: t.settings.leave })))
            return;
          if (await leave.run({})) location.assign("/");
        }}
      >
        {t.settings.leave}
      </Button>
    </Panel>
  );
}

function About() {
  const [{ data }] = useQuery({ query: ServerQuery });
  const server = data?.server;
  return (
    <Panel title={t.settings.about}>
      <Stack gap={4} mih={70}>
        <Text size="sm">
          nyxcore {server?.version} {server?.commit && <span className="code">{server.commit.slice(0, 10)}</span>}
        </Text>
        <Text size="sm" c="dimmed">
          {server ? t.settings.database(server.database) : "\u00a0"}
        </Text>
        <Anchor href="/graphql" size="sm" underline="always">
          GraphiQL
        </Anchor>
      </Stack>
    </Panel>
  );
}
