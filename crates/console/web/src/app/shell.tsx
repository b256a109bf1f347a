// The frame around every screen: navigation, the tenant, who is signed in, and what is going on.

import {
  ActionIcon,
  AppShell,
  Avatar,
  Box,
  Burger,
  Group,
  Kbd,
  Menu,
  NavLink,
  ScrollArea,
  Text,
  Tooltip,
  UnstyledButton,
  VisuallyHidden,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconBrain,
  IconBuildingCommunity,
  IconChartBar,
  IconChevronDown,
  IconCloudOff,
  IconFolders,
  IconHome,
  IconKey,
  IconListCheck,
  IconLogout,
  IconMasksTheater,
  IconMoon,
  IconPlayerPlay,
  IconSearch,
  IconSettings,
  IconSun,
  IconUser,
  IconUsers,
} from "@tabler/icons-react";
import { Link, useRouterState } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import { auth } from "~/api/auth";
import { useConnection } from "~/api/provider";
import { t } from "~/text";
import { Activity } from "./activity";
import { Palette, paletteOpen } from "./palette";
import { sessionBegin, sessionLeave, useMay, useWho } from "./session-store";

export function Shell(props: { children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const main = useRef<HTMLElement>(null);
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    close();
    // A reader by keyboard or screen reader begins at the new screen.
    main.current?.focus({ preventScroll: true });
  }, [path, close]);
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 232, breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding={{ base: "md", md: "lg" }}
    >
      <a className="skip-link" href="#main">
        {t.shell.skip}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t.shell.menu} />
            <Link to="/" aria-label={`nyxcore: ${t.shell.home}`} style={{ textDecoration: "none", color: "inherit" }}>
              <Group gap={8} wrap="nowrap">
                <img src="/icon.svg" alt="" width={26} height={26} />
                <Text fw={650} visibleFrom="xs">
                  nyxcore
                </Text>
              </Group>
            </Link>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Lost />
            <SearchButton />
            <Activity />
            <Scheme />
            <Person />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={t.shell.navigation}>
        <AppShell.Section grow component={ScrollArea}>
          <Navigation path={path} />
        </AppShell.Section>
        <AppShell.Section>
          <TenantMenu />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} ref={main} style={{ outline: "none" }}>
        <Box maw={1280} mx="auto">
          {props.children}
        </Box>
      </AppShell.Main>
      <Palette />
    </AppShell>
  );
}

function Navigation(props: { path: string }) {
  const may = useMay();
  const entries = [
    { to: "/", label: t.shell.home, icon: IconHome },
    { to: "/projects", label: t.projects.title, icon: IconFolders },
    { to: "/runs", label: t.runs.title, icon: IconPlayerPlay },
    { to: "/personas", label: t.personas.title, icon: IconMasksTheater },
    { to: "/models", label: t.models.title, icon: IconBrain },
    { to: "/usage", label: t.usage.title, icon: IconChartBar },
    { to: "/people", label: t.people.title, icon: IconUsers },
    { to: "/tokens", label: t.tokens.title, icon: IconKey },
    ...(may.manage ? [{ to: "/audit", label: t.audit.title, icon: IconListCheck }] : []),
    { to: "/settings", label: t.settings.title, icon: IconSettings },
  ] as const;
  return (
    <>
      {entries.map(({ to, label, icon: Image }) => {
        const active = to === "/" ? props.path === "/" : props.path.startsWith(to);
        return (
          <NavLink
            key={to}
            component={Link}
            to={to}
            label={label}
            leftSection={<Image size={18} stroke={1.6} aria-hidden />}
            active={active}
            aria-current={active ? "page" : undefined}
            style={{ borderRadius: "var(--mantine-radius-md)" }}
          />
        );
      })}
    </>
  );
}

function SearchButton() {
  return (
    <UnstyledButton onClick={paletteOpen} aria-keyshortcuts="Control+K" p={4}>
      <Group gap={6} wrap="nowrap">
        <IconSearch size={18} aria-hidden />
        <VisuallyHidden>{t.palette.open}</VisuallyHidden>
        <Text size="sm" c="dimmed" visibleFrom="md" aria-hidden>
          {t.palette.open}
        </Text>
        <Box visibleFrom="md" aria-hidden>
          <Kbd size="xs">Ctrl K</Kbd>
        </Box>
      </Group>
    </UnstyledButton>
  );
}

function Lost() {
  const connection = useConnection();
  return (
    <div role="status">
      {connection === "lost" && (
        <Tooltip label={t.shell.lostText}>
          <Group gap={6} wrap="nowrap" c="var(--mantine-color-error)">
            <IconCloudOff size={18} aria-hidden />
            <Text size="sm" visibleFrom="sm">
              {t.shell.lost}
            </Text>
            <VisuallyHidden>{t.shell.lostText}</VisuallyHidden>
          </Group>
        </Tooltip>
      )}
    </div>
  );
}

function Scheme() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const next = scheme === "dark" ? "light" : "dark";
  const label = next === "dark" ? t.shell.dark : t.shell.light;
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} onClick={() => setColorScheme(next)}>
        {next === "dark" ? <IconMoon size={18} /> : <IconSun size={18} />}
      </ActionIcon>
    </Tooltip>
  );
}

function Person() {
  const { user } = useWho();
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <UnstyledButton aria-label={t.shell.account(user.name || user.email)}>
          <Avatar size={32} color="indigo">
            <IconUser size={18} aria-hidden />
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" truncate>
            {user.name}
          </Text>
          <Text size="xs" truncate>
            {user.email}
          </Text>
        </Menu.Label>
        <Menu.Item component={Link} to="/settings" leftSection={<IconSettings size={16} />}>
          {t.settings.title}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void sessionLeave()}>
          {t.shell.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function TenantMenu() {
  const who = useWho();
  const tenant = who.tenants.find((one) => one.slug === who.tenant);
  if (!tenant) return null;
  const label = (
    <Group gap="xs" wrap="nowrap" p="xs">
      <IconBuildingCommunity size={18} aria-hidden />
      <Box flex={1} miw={0}>
        <Text size="sm" fw={500} truncate>
          {tenant.name}
        </Text>
        <Text size="xs" c="dimmed">
          {t.roles[tenant.role]}
        </Text>
      </Box>
      {who.tenants.length > 1 && <IconChevronDown size={16} aria-hidden />}
    </Group>
  );
  if (who.tenants.length === 1) return label;
  return (
    <Menu position="top-start" width={216}>
      <Menu.Target>
        <UnstyledButton w="100%" aria-label={t.shell.tenant(tenant.name)}>
          {label}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {who.tenants.map((one) => (
          <Menu.Item
            key={one.slug}
            disabled={one.slug === who.tenant}
            onClick={async () => sessionBegin(await auth.tenant(one.slug))}
          >
            {one.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
