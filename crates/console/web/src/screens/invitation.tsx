// Following an invitation. Its secret stands behind the `#`, which a browser keeps to itself: it is sent in the body of
// a request, and leaves the address at once.

import { Loader, Text, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { type InvitationLook, auth } from "~/api/auth";
import { ApiError } from "~/api/errors";
import { useSession } from "~/app/session-store";
import { FailureBox } from "~/parts/failure";
import { Form, PasswordField, TextField } from "~/parts/form";
import { Frame } from "~/parts/frame";
import { day } from "~/parts/time";
import { useStep } from "~/parts/use-step";
import { t } from "~/text";

export function Invitation() {
  const secret = useRef(location.hash.slice(1));
  const [seen, setSeen] = useState<InvitationLook>();
  const look = useStep(async () => setSeen(await auth.invitation(secret.current)));
  const started = useRef(false);
  useEffect(() => {
    if (started.current) return;
    started.current = true;
    history.replaceState(null, "", location.pathname);
    void look.run();
  });
  if (!seen) {
    return (
      <Frame title={t.invitation.title}>
        {look.failure ? <FailureBox failure={look.failure} /> : <Loader aria-label={t.common.loading} />}
      </Frame>
    );
  }
  return (
    <Frame
      title={t.invitation.to(seen.tenantName)}
      lead={t.invitation.lead(seen.inviter, t.roles[seen.role], day(seen.expiresAt))}
    >
      <Accept seen={seen} secret={secret.current} />
    </Frame>
  );
}

function Accept(props: { seen: InvitationLook; secret: string }) {
  const { seen, secret } = props;
  const session = useSession();
  const me = session.at === "signed-in" ? session.who.user : undefined;
  const invited = me?.email.toLowerCase() === seen.email.toLowerCase();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const step = useStep(async () => {
    if (invited) {
      await auth.accept(secret);
    } else {
      try {
        await auth.acceptAsNew(secret, name, password);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "CONFLICT") throw error;
        // The address has an account: its password signs in, and then accepts.
        await auth.signIn(seen.email, password);
        await auth.accept(secret);
      }
    }
    location.replace("/");
  });
  return (
    <Form change={step} onSubmit={step.run} label={t.invitation.accept}>
      {me && !invited && <Text size="sm">{t.invitation.other(me.email)}</Text>}
      {!invited && (
        <>
          <TextInput label={t.signIn.email} value={seen.email} readOnly autoComplete="username" />
          <TextField label={t.signIn.name} autoComplete="name" value={name} onValue={setName} />
          <PasswordField
            label={t.signIn.password}
            description={t.invitation.password}
            autoComplete="new-password"
            required
            value={password}
            onValue={setPassword}
          />
        </>
      )}
    </Form>
  );
}
