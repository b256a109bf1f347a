// How a source is reached and told: its webhook and its credential.

import { Badge, Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { confirm } from "~/parts/confirm";
import { Form, LongField, PasswordField, TextField } from "~/parts/form";
import { ShownOnce } from "~/parts/once";
import { t } from "~/text";
import { Panel, type Source } from "./source";
import { SourceFields } from "./sources";

const EnableWebhook = graphql(
  `
    mutation EnableSourceWebhook($input: EnableSourceWebhookInput!) {
      enableSourceWebhook(input: $input) {
        url
        secret
        source {
          ...SourceFields
        }
      }
    }
  `,
  [SourceFields],
);

const DisableWebhook = graphql(
  `
    mutation DisableSourceWebhook($input: DisableSourceWebhookInput!) {
      disableSourceWebhook(input: $input) {
        source {
          ...SourceFields
        }
      }
    }
  `,
  [SourceFields],
);

const SetCredential = graphql(
  `
    mutation SetSourceCredential($input: SetSourceCredentialInput!) {
      setSourceCredential(input: $input) {
        source {
          ...SourceFields
        }
      }
    }
  `,
  [SourceFields],
);

const RemoveCredential = graphql(
  `
    mutation RemoveSourceCredential($input: RemoveSourceCredentialInput!) {
      removeSourceCredential(input: $input) {
        source {
          ...SourceFields
        }
      }
    }
  `,
  [SourceFields],
);

export function Webhook(props: { source: Source }) {
  const { source } = props;
  const [shown, setShown] = useState<{ url: string; secret: string }>();
  const enable = useChange(EnableWebhook);
  const disable = useChange(DisableWebhook, { done: t.sources.webhookOff });
  const turnOn = async () => {
    const renewed = source.webhookEnabled;
    if (
      renewed &&
      !(await confirm({ title: t.sources.newSecret, text: t.sources.newSecretText, label: t.sources.newSecret }))
    )
      return;
    const made = await enable.run({ input: { sourceId: source.id } });
    if (made)
      setShown({
        url: new URL(made.enableSourceWebhook.url, location.href).href,
        secret: made.enableSourceWebhook.secret,
      });
  };
  const turnOff = async () => {
    if (
      !(await confirm({
        title: t.sources.webhookDisable,
        text: t.sources.webhookDisableText,
        label: t.sources.webhookDisable,
      }))
    )
      return;
    setShown(undefined);
    await disable.run({ input: { sourceId: source.id } });
  };
  return (
    <Panel title={t.sources.webhook}>
      <Stack>
        <Text size="sm" c="dimmed">
          {t.sources.webhookText}
        </Text>
        {shown && (
          <ShownOnce
            title={t.sources.webhookShown}
            values={[
              { label: t.sources.payloadUrl, value: shown.url },
              { label: t.sources.secret, value: shown.secret },
            ]}
          />
        )}
        <Group>
          {source.webhookEnabled && <Badge color="teal">{t.sources.webhookOn}</Badge>}
          <Button variant="default" size="xs" loading={enable.busy} onClick={() => void turnOn()}>
            {source.webhookEnabled ? t.sources.newSecret : t.sources.webhookEnable}
          </Button>
          {source.webhookEnabled && (
            <Button variant="default" size="xs" loading={disable.busy} onClick={() => void turnOff()}>
              {t.sources.webhookDisable}
            </Button>
          )}
        </Group>
      </Stack>
    </Panel>
  );
}

export function Credential(props: { source: Source }) {
  const { source } = props;
  const ssh = source.url.startsWith("ssh:");
  const [kind, setKind] = useState<string>(ssh ? "ssh" : "token");
  const [username, setUsername] = useState("");
  const [secret, setSecret] = useState("");
  const [knownHosts, setKnownHosts] = useState("");
  const save = useChange(SetCredential, { inline: true, done: t.common.saved });
  const remove = useChange(RemoveCredential, { done: t.sources.credentialRemoved });
  const submit = async () => {
    const made = await save.run({
      input:
        kind === "ssh"
          ? { sourceId: source.id, sshKey: { privateKey: secret, knownHosts: knownHosts || null } }
          : { sourceId: source.id, token: { token: secret, username: username || null } },
    });
    if (made) setSecret("");
  };
  return (
    <Panel title={t.sources.credential}>
      <Form change={save} onSubmit={submit} quiet>
        <Group gap="xs">
          <Badge color={source.credential === "NONE" ? "gray" : "teal"}>
            {t.sources.credentials[source.credential]}
          </Badge>
          {(source.credential === "TOKEN" || source.credential === "SSH_KEY") && (
            <Button
              size="xs"
              variant="default"
              loading={remove.busy}
              onClick={async () => {
                const sure = await confirm({
                  title: t.sources.credentialRemove,
                  text: t.sources.credentialRemoveText,
                  label: t.sources.credentialRemove,
                });
                if (sure) await remove.run({ input: { sourceId: source.id } });
              }}
            >
              {t.sources.credentialRemove}
            </Button>
          )}
        </Group>
        <SegmentedControl
          aria-label={t.sources.credential}
          value={kind}
          onChange={setKind}
          data={[
            { value: "token", label: t.sources.credentials.TOKEN },
            { value: "ssh", label: t.sources.credentials.SSH_KEY },
          ]}
        />
        {kind === "token" ? (
          <>
            <TextField label={t.sources.username} autoComplete="off" value={username} onValue={setUsername} />
            <PasswordField
              label={t.sources.token}
              autoComplete="off"
              required
              value={secret}
              onValue={setSecret}
            />
          </>
        ) : (
          <>
            <LongField
              label={t.sources.privateKey}
              required
              minRows={3}
              maxRows={8}
              value={secret}
              onValue={setSecret}
            />
            <LongField
              label={t.sources.knownHosts}
              minRows={1}
              maxRows={4}
              value={knownHosts}
              onValue={setKnownHosts}
            />
          </>
        )}
      </Form>
    </Panel>
  );
}
