// The whole page: the theme, and by the state of the session the sign-in, an invitation or the screens.

import { Center, Loader, MantineProvider, Stack } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { RouterProvider } from "@tanstack/react-router";
import { ApiProvider } from "~/api/provider";
import { ConfirmHost } from "~/parts/confirm";
import { FailureBox } from "~/parts/failure";
import { Entrance, OpenLink, SessionEnded, WithoutTenant } from "~/screens/entrance";
import { Invitation } from "~/screens/invitation";
import { t } from "~/text";
import { router } from "./router";
import { sessionCheck, sessionLoad, useSession } from "./session-store";
import { theme, variables } from "./theme";

export function App(props: { nonce: string }) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={() => props.nonce}
    >
      <Notifications position="bottom-right" aria-live="polite" />
      <ConfirmHost />
      <Door />
    </MantineProvider>
  );
}

/** Loads the parts of the screen that the address names. */
export function screenPreload(): void {
  router.preloadRoute({ to: location.pathname }).catch(() => {});
}

const check = () => void sessionCheck();

function Door() {
  const session = useSession();
  if (location.pathname === "/invite") return <Invitation />;
  if (location.pathname === "/open") return <OpenLink />;
  switch (session.at) {
    case "loading":
      return (
        <Center h="100vh">
          <Loader aria-label={t.common.loading} />
        </Center>
      );
    case "unreachable":
      return (
        <Center h="100vh" p="md">
          <Stack maw={480}>
            <FailureBox failure={session.failure} retry={() => void sessionLoad()} />
          </Stack>
        </Center>
      );
    case "signed-out":
      return <Entrance />;
    case "signed-in":
      if (!session.who.tenant) return <WithoutTenant who={session.who} />;
      return (
        <ApiProvider tenant={session.who.tenant} onDoubt={check}>
          <RouterProvider router={router} />
          <SessionEnded opened={session.ended} email={session.who.user.email} />
        </ApiProvider>
      );
  }
}
