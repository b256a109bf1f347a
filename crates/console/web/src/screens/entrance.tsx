// The ways in: signing in, the first tenant of a new server, a one-time link, and signing in again in the middle of
// work.

import { Anchor, Button, Code, Divider, Loader, Modal, Stack, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { type Methods, type SignedIn, auth } from "~/api/auth";
import { sessionBegin, sessionLeave } from "~/app/session-store";
import { FailureBox } from "~/parts/failure";
import { Form, PasswordField, TextField } from "~/parts/form";
import { Frame } from "~/parts/frame";
import { useStep } from "~/parts/use-step";
import { t } from "~/text";

export function Entrance() {
  const [methods, setMethods] = useState<Methods>();
  const [creating, setCreating] = useState(false);
  const load = useStep(async () => setMethods(await auth.methods()));
  useEffect(() => void load.run(), []);
  if (!methods) {
    return (
      <Frame title={t.signIn.title}>
        {load.failure ? (
          <FailureBox failure={load.failure} retry={() => void load.run()} />
        ) : (
          <Loader aria-label={t.common.loading} />
        )}
      </Frame>
    );
  }
  if (methods.setUp) return <FirstRun />;
  return (
    <Frame title={creating ? t.signIn.create : t.signIn.title} lead={creating ? undefined : t.signIn.lead}>
      {methods.oidc.map((provider) => (
        <Button
          key={provider.id}
          component="a"
          variant="default"
          href={`/auth/oidc/${encodeURIComponent(provider.id)}?return_to=${encodeURIComponent(location.pathname)}`}
        >
          {t.signIn.with(provider.name)}
        </Button>
      ))}
      {methods.oidc.length > 0 && <Divider label={t.signIn.or} />}
      {creating ? <SignUpForm /> : <PasswordForm onSignedIn={sessionBegin} />}
      {methods.signUp === "open" && (
        <Anchor component="button" type="button" size="sm" onClick={() => setCreating(!creating)}>
          {creating ? t.signIn.have : t.signIn.create}
        </Anchor>
      )}
    </Frame>
  );
}

function PasswordForm(props: { onSignedIn: (who: SignedIn) => void; email?: string }) {
  const [email, setEmail] = useState(props.email ?? "");
  const [password, setPassword] = useState("");
  const step = useStep(async () => props.onSignedIn(await auth.signIn(email, password)));
  return (
    <Form change={step} onSubmit={step.run} label={t.signIn.submit}>
      <TextField
        label={t.signIn.email}
        type="email"
        autoComplete="username"
        required
        withAsterisk={false}
        value={email}
        onValue={setEmail}
        data-autofocus={props.email ? undefined : true}
      />
      <PasswordField
        label={t.signIn.password}
        autoComplete="current-password"
        required
        withAsterisk={false}
        value={password}
        onValue={setPassword}
        data-autofocus={props.email ? true : undefined}
      />
    </Form>
  );
}

function SignUpForm() {
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const step = useStep(async () => sessionBegin(await auth.signUp(email, password, name)));
  return (
    <Form change={step} onSubmit={step.run} label={t.signIn.create}>
      <TextField label={t.signIn.name} autoComplete="name" value={name} onValue={setName} />
      <TextField
        label={t.signIn.email}
        type="email"
        autoComplete="username"
        required
        value={email}
        onValue={setEmail}
      />
      <PasswordField
        label={t.signIn.password}
        description={t.signIn.passwordRule}
        autoComplete="new-password"
        required
        value={password}
        onValue={setPassword}
      />
    </Form>
  );
}

/** There is no tenant yet. The link that the server printed makes the first one; without it the page says how. */
function FirstRun() {
  const [secret] = useState(() => (location.pathname === "/set-up" ? location.hash.slice(1) : ""));
  useEffect(() => history.replaceState(null, "", "/"), []);
  const [name, setName] = useState("");
  const [slug, setSlug] = useState<string>();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const shortName = slug ?? slugOf(name);
  const step = useStep(async () => sessionBegin(await auth.setUp({ secret, slug: shortName, name, email, password })));
  if (!secret) {
    return (
      <Frame title={t.firstRun.title} lead={t.firstRun.elsewhere}>
        <Code block>nyxcore tenant create acme --name Acme --owner ada@example.org</Code>
        <Code block>nyxcore user set-password ada@example.org</Code>
        <Button variant="default" onClick={() => location.reload()}>
          {t.common.reload}
        </Button>
      </Frame>
    );
  }
  return (
    <Frame title={t.firstRun.title} lead={t.firstRun.lead}>
      <Form change={step} onSubmit={step.run} label={t.firstRun.submit}>
        <TextField label={t.firstRun.tenant} placeholder="Acme" required value={name} onValue={setName} />
        <TextField
          label={t.firstRun.slug}
          description={t.firstRun.slugText}
          required
          value={shortName}
          onValue={setSlug}
        />
        <TextField
          label={t.firstRun.email}
          type="email"
          autoComplete="username"
          required
          value={email}
          onValue={setEmail}
        />
        <PasswordField
          label={t.signIn.password}
          description={t.signIn.passwordRule}
          autoComplete="new-password"
          required
          value={password}
          onValue={setPassword}
        />
      </Form>
    </Frame>
  );
}

/** A short name out of a name: lower case letters, digits and dashes. */
function slugOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
}

/** Follows a one-time link of `nyxcore quickstart`. The secret stands behind the `#` and leaves the address at once. */
export function OpenLink() {
  const secret = useRef(location.hash.slice(1));
  const started = useRef(false);
  const step = useStep(async () => {
    await auth.link(secret.current);
    location.replace(destination());
  });
  useEffect(() => {
    if (started.current) return;
    started.current = true;
    history.replaceState(null, "", location.pathname + location.search);
    void step.run();
  });
  return (
    <Frame title={t.link.title}>
      {step.failure ? (
        <>
          <FailureBox failure={step.failure} />
          <Text size="sm">{t.link.used}</Text>
          <Button component="a" href="/" variant="default">
            {t.signIn.title}
          </Button>
        </>
      ) : (
        <Loader aria-label={t.common.loading} />
      )}
    </Frame>
  );
}

/** Only a path of this server: never another site, whatever the address says. */
function destination(): string {
  const to = new URL(new URLSearchParams(location.search).get("to") ?? "/", location.origin);
  return to.origin === location.origin ? to.pathname : "/";
}

/** Over the screen, which stays as it is: nothing that was typed is lost. */
export function SessionEnded(props: { opened: boolean; email: string }) {
  return (
    <Modal
      opened={props.opened}
      onClose={() => {}}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={t.signIn.again}
      centered
    >
      <Stack>
        <Text size="sm">{t.signIn.againText}</Text>
        <PasswordForm onSignedIn={sessionBegin} email={props.email} />
        <Text size="xs" c="dimmed">
          {t.signIn.againOther}
        </Text>
      </Stack>
    </Modal>
  );
}

/** An account that belongs to no tenant: only an invitation helps. */
export function WithoutTenant(props: { who: SignedIn }) {
  return (
    <Frame title={t.withoutTenant.title} lead={t.withoutTenant.text(props.who.user.email)}>
      <Button variant="default" onClick={() => void sessionLeave()}>
        {t.shell.signOut}
      </Button>
    </Frame>
  );
}
