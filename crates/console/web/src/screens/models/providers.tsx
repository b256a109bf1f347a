// The providers: their health, the tenant's keys, and endpoints of the tenant's own.

import { Badge, Button, Group, Modal, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { sentence } from "~/api/errors";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useMay } from "~/app/session-store";
import { ChoiceField } from "~/parts/choice-field";
import { confirm } from "~/parts/confirm";
import { Form, PasswordField, TextField } from "~/parts/form";
import { HealthBadge } from "~/parts/model-picker/badges";
import type { Catalog, CatalogProvider } from "~/parts/model-picker/catalog";
import { Time } from "~/parts/time";
import { t } from "~/text";

const ProviderState = graphql(`
  fragment ProviderState on Provider {
    id
    configured
    keySource
    health {
      state
      message
      checkedAt
    }
  }
`);
const SetKey = graphql(
  `
    mutation SetProviderKey($input: SetProviderKeyInput!) {
      setProviderKey(input: $input) {
        provider {
          ...ProviderState
        }
      }
    }
  `,
  [ProviderState],
);
const RemoveKey = graphql(
  `
    mutation RemoveProviderKey($input: RemoveProviderKeyInput!) {
      removeProviderKey(input: $input) {
        provider {
          ...ProviderState
        }
      }
    }
  `,
  [ProviderState],
);
const Verify = graphql(
  `
    mutation VerifyProvider($input: VerifyProviderInput!) {
      verifyProvider(input: $input) {
        provider {
          ...ProviderState
        }
      }
    }
  `,
  [ProviderState],
);
const SetEndpoint = graphql(
  `
    mutation SetModelEndpoint($input: SetModelEndpointInput!) {
      setModelEndpoint(input: $input) {
        provider {
          ...ProviderState
        }
      }
    }
  `,
  [ProviderState],
);
const RemoveEndpoint = graphql(`
  mutation RemoveModelEndpoint($input: RemoveModelEndpointInput!) {
    removeModelEndpoint(input: $input) {
      removedName
    }
  }
`);

export function Providers(props: { catalog: Catalog; wanted: string | undefined }) {
  const may = useMay();
  const [adding, endpoint] = useDisclosure(false);
  return (
    <Stack>
      {may.manage && (
        <Group justify="flex-end">
          <Button variant="default" leftSection={<IconPlus size={18} />} onClick={endpoint.open}>
            {t.models.addEndpoint}
          </Button>
        </Group>
      )}
      <SimpleGrid cols={{ base: 1, md: 2, lg: 3 }}>
        {props.catalog.providers.map((provider) => (
          <ProviderCard key={provider.id} provider={provider} openKey={props.wanted === provider.id} />
        ))}
      </SimpleGrid>
      <Modal opened={adding} onClose={endpoint.close} title={t.models.addEndpoint} size="lg">
        <EndpointForm onDone={endpoint.close} />
      </Modal>
    </Stack>
  );
}

function ProviderCard(props: { provider: CatalogProvider; openKey: boolean }) {
  const { provider } = props;
  const may = useMay();
  const [opened, key] = useDisclosure(props.openKey && may.manage);
  const verify = useChange(Verify);
  const removeKey = useChange(RemoveKey, { done: t.models.keyRemoved });
  const removeEndpoint = useChange(RemoveEndpoint, { done: t.models.endpointRemoved });
  const askKey = async () => {
    if (
      await confirm({
        title: t.models.removeKey,
        text: t.models.removeKeyText(provider.name),
        label: t.models.removeKey,
      })
    ) {
      await removeKey.run({ input: { provider: provider.id } });
    }
  };
  const askEndpoint = async () => {
    const sure = await confirm({
      title: t.models.removeEndpoint,
      text: t.models.removeEndpointText(provider.name),
      label: t.models.removeEndpoint,
    });
    if (sure) await removeEndpoint.run({ input: { name: provider.id } });
  };
  return (
    <Paper withBorder p="md" component="article">
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap">
          <Title order={2} size="h5" className="anywhere">
            {provider.name}
          </Title>
          <HealthBadge health={provider.health} />
        </Group>
        {provider.endpoint && (
          <Text size="xs" className="code anywhere">
            {provider.endpoint.baseUrl}
          </Text>
        )}
        <Text size="sm" c="dimmed" mih={40}>
          {provider.health.message ? sentence(provider.health.message) : t.models.keySources[provider.keySource]}
          {provider.health.checkedAt && (
            <>
              {" "}
              · <Time at={provider.health.checkedAt} />
            </>
          )}
        </Text>
        {provider.keySource !== "NONE" && (
          <Group gap={6}>
            <Badge color="gray">{t.models.keySources[provider.keySource]}</Badge>
          </Group>
        )}
        {may.manage && (
          <Group gap="xs">
            <Button size="xs" variant={provider.configured ? "default" : "filled"} onClick={key.open}>
              {provider.keySource === "TENANT" ? t.models.replaceKey : t.models.addKey}
            </Button>
            {(provider.configured || provider.endpoint) && (
              <Button
                size="xs"
                variant="default"
                loading={verify.busy}
                onClick={() => void verify.run({ input: { provider: provider.id } })}
              >
                {t.models.verify}
              </Button>
            )}
            {provider.keySource === "TENANT" && (
              <Button size="xs" variant="subtle" color="red" loading={removeKey.busy} onClick={() => void askKey()}>
                {t.models.removeKey}
              </Button>
            )}
            {provider.endpoint && (
              <Button
                size="xs"
                variant="subtle"
                color="red"
                loading={removeEndpoint.busy}
                aria-label={t.models.removeEndpoint}
                onClick={() => void askEndpoint()}
              >
                {t.common.remove}
              </Button>
            )}
          </Group>
        )}
      </Stack>
      <Modal opened={opened} onClose={key.close} title={t.models.keyOf(provider.name)}>
        <KeyForm provider={provider} onDone={key.close} />
      </Modal>
    </Paper>
  );
}

function KeyForm(props: { provider: CatalogProvider; onDone: () => void }) {
  const { provider, onDone } = props;
  const [apiKey, setApiKey] = useState("");
  const save = useChange(SetKey, { inline: true, done: t.models.keySaved });
  const verify = useChange(Verify);
  return (
    <Form
      change={save}
      onSubmit={async () => {
        if (!(await save.run({ input: { provider: provider.id, apiKey: apiKey.trim() } }))) return;
        onDone();
        await verify.run({ input: { provider: provider.id } });
      }}
      label={t.models.saveAndVerify}
    >
      <Text size="sm">{t.models.keyText}</Text>
      <PasswordField
        label={t.models.key}
        autoComplete="off"
        required
        value={apiKey}
        onValue={setApiKey}
        data-autofocus
      />
    </Form>
  );
}

function EndpointForm(props: { onDone: () => void }) {
  const [name, setName] = useState("");
  const [baseUrl, setBaseUrl] = useState("");
  const [protocol, setProtocol] = useState<keyof typeof t.models.protocols>("OPENAI_CHAT");
  const save = useChange(SetEndpoint, { inline: true, done: t.common.saved });
  return (
    <Form
      change={save}
      onSubmit={async () => {
        if (await save.run({ input: { name, baseUrl, protocol } })) props.onDone();
      }}
    >
      <Text size="sm">{t.models.endpointText}</Text>
      <TextField
        label={t.common.name}
        description={t.models.endpointName}
        required
        value={name}
        onValue={setName}
        data-autofocus
      />
      <TextField
        label={t.models.baseUrl}
        placeholder="https://llm.example.org/v1"
        required
        value={baseUrl}
        onValue={setBaseUrl}
      />
      <ChoiceField
        label={t.models.protocol}
        names={t.models.protocols}
        value={protocol}
        onValue={setProtocol}
      />
    </Form>
  );
}
