// What is called where nothing else was chosen: of the tenant, and of the person.

import { Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useMay } from "~/app/session-store";
import type { Catalog } from "~/parts/model-picker/catalog";
import { ProviderModelPicker } from "~/parts/model-picker/picker";
import { t } from "~/text";

const SetDefaults = graphql(`
  mutation SetModelDefaults($input: SetModelDefaultsInput!) {
    setModelDefaults(input: $input) {
      defaults {
        warnings
      }
    }
  }
`);

const SLOTS = ["default", "fast", "review", "embedding"] as const;

export function Defaults(props: { catalog: Catalog }) {
  const { models, defaults } = props.catalog;
  const may = useMay();
  const save = useChange(SetDefaults, { done: t.common.saved });
  const nameOf = (id: string | undefined) => models.find((model) => model.id === id)?.name ?? id;
  const scopes = [
    {
      scope: "OWN" as const,
      title: t.models.ownDefaults,
      text: t.models.ownDefaultsText,
      of: defaults.own,
      may: may.write,
    },
    {
      scope: "TENANT" as const,
      title: t.models.tenantDefaults,
      text: t.models.tenantDefaultsText,
      of: defaults,
      may: may.manage,
    },
  ];
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
      {scopes.map(({ scope, title, text, of, may: allowed }) => (
        <Paper key={scope} withBorder p="md" component="section" aria-label={title}>
          <Title order={2} size="h5">
            {title}
          </Title>
          <Text size="sm" c="dimmed" mb="sm">
            {text}
          </Text>
          <Stack>
            {SLOTS.map((slot) => {
              const id = of[slot]?.id;
              if (!allowed) {
                return (
                  <Text key={slot} size="sm">
                    {t.models.slots[slot]}: {nameOf(id) ?? t.common.none}
                  </Text>
                );
              }
              const provider = models.find((model) => model.id === id)?.provider.id;
              return (
                <ProviderModelPicker
                  key={slot}
                  label={t.models.slots[slot]}
                  capability={slot === "embedding" ? "embedding" : "chat"}
                  value={id ? { provider: provider ?? "", model: id } : null}
                  disabled={save.busy}
                  none={{
                    label: scope === "OWN" ? t.models.asTenant : t.models.asCatalog,
                    text: scope === "OWN" ? t.models.asTenantText : t.models.asCatalogText,
                  }}
                  onChange={(picked) => void save.run({ input: { scope, [slot]: picked?.model ?? null } })}
                />
              );
            })}
          </Stack>
        </Paper>
      ))}
    </SimpleGrid>
  );
}
