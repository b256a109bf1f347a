// Personas: the voices in which models write. What they are for is read out of their description while it is typed.

import {
  Badge,
  Button,
  Group,
  Modal,
  Paper,
  SimpleGrid,
  Stack,
  TagsInput,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconMasksTheater, IconPlus, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useQuery } from "urql";
import { type ResultOf, graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useList } from "~/api/use-list";
import { useMay } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { Empty } from "~/parts/empty";
import { Form, LongField, TextField } from "~/parts/form";
import { ListView } from "~/parts/list-view";
import { type PickedModel, ProviderModelPicker } from "~/parts/model-picker/picker";
import { percent } from "~/parts/numbers";
import { Page } from "~/parts/page";
import { t } from "~/text";

const PersonaFields = graphql(`
  fragment PersonaFields on Persona {
    id
    name
    category
    description
    systemPrompt
    traits
    specializations
    autoSpecialized
    level
    xp
    usageCount
    successRate
    defaultModel {
      provider
      model
      calledModel
      warning
    }
  }
`);
const PersonaList = graphql(
  `
    query PersonaList($query: String, $after: String) {
      personas(first: 30, after: $after, query: $query) {
        nodes {
          ...PersonaFields
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [PersonaFields],
);
const Specializations = graphql(`
  query Specializations($text: String!) {
    specializations(text: $text) {
      domain
      label
      score
      count
      keywords
    }
  }
`);
const CreatePersona = graphql(
  `
    mutation CreatePersona($input: CreatePersonaInput!) {
      createPersona(input: $input) {
        persona {
          ...PersonaFields
        }
      }
    }
  `,
  [PersonaFields],
);
const UpdatePersona = graphql(
  `
    mutation UpdatePersona($input: UpdatePersonaInput!) {
      updatePersona(input: $input) {
        persona {
          ...PersonaFields
        }
      }
    }
  `,
  [PersonaFields],
);
const DeletePersona = graphql(`
  mutation DeletePersona($input: DeletePersonaInput!) {
    deletePersona(input: $input) {
      deletedId
    }
  }
`);
const InstallStarters = graphql(`
  mutation InstallStarterPersonas {
    installStarterPersonas {
      installed {
        id
      }
      skipped
    }
  }
`);

type Persona = ResultOf<typeof PersonaFields>;

export function Personas() {
  const may = useMay();
  const [words, setWords] = useState("");
  const [query] = useDebouncedValue(words.trim(), 200);
  const [editing, setEditing] = useState<{ persona: Persona | null } | null>(null);
  const list = useList(PersonaList, { query: query || null }, (data) => data.personas);
  const install = useChange(InstallStarters, {
    done: (made) => t.personas.installed(made.installStarterPersonas.installed.length),
  });
  const remove = useChange(DeletePersona, { done: t.personas.deleted });
  const actions = may.write && (
    <>
      <Button leftSection={<IconPlus size={18} />} onClick={() => setEditing({ persona: null })}>
        {t.personas.create}
      </Button>
      <Button variant="default" loading={install.busy} onClick={() => void install.run({})}>
        {t.personas.install}
      </Button>
    </>
  );
  const ask = async (persona: Persona) => {
    const sure = await confirm({
      title: t.personas.delete,
      text: t.personas.deleteText(persona.name),
      label: t.personas.delete,
    });
    if (sure) await remove.run({ input: { personaId: persona.id } });
  };
  return (
    <Page
      title={t.personas.title}
      lead={t.personas.lead}
      actions={actions}
      actionsHidden={!list.loading && list.items.length === 0 && !query}
    >
      <TextInput
        type="search"
        aria-label={t.personas.search}
        placeholder={t.personas.search}
        leftSection={<IconSearch size={18} aria-hidden />}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        maw={420}
      />
      <ListView
        list={list}
        rowHeight={150}
        empty={
          query ? (
            <Text c="dimmed">{t.personas.nothing}</Text>
          ) : (
            <Empty
              icon={IconMasksTheater}
              title={t.personas.emptyTitle}
              text={may.write ? t.personas.emptyText : t.personas.emptyViewer}
            >
              <Group justify="center">{actions}</Group>
            </Empty>
          )
        }
      >
        {(personas) => (
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            {personas.map((persona) => (
              <Paper key={persona.id} withBorder p="md" component="article">
                <Stack gap={6}>
                  <Group justify="space-between" wrap="nowrap" align="flex-start">
                    <Title order={2} size="h5" className="anywhere" dir="auto">
                      {persona.name}
                    </Title>
                    <Badge color="gray" style={{ flexShrink: 0 }}>
                      {t.personas.level(persona.level)}
                    </Badge>
                  </Group>
                  {persona.category && (
                    <Text size="xs" c="dimmed">
                      {persona.category}
                    </Text>
                  )}
                  <Text size="sm" lineClamp={3} className="anywhere" dir="auto">
                    {persona.description}
                  </Text>
                  <Group gap={4}>
                    {persona.specializations.map((name) => (
                      <Badge key={name}>{name}</Badge>
                    ))}
                    {persona.traits.map((name) => (
                      <Badge key={name} color="gray">
                        {name}
                      </Badge>
                    ))}
                  </Group>
                  <Text size="xs" c="dimmed">
                    {t.personas.used(persona.usageCount)}
                    {persona.successRate !== null ? ` · ${t.personas.success(percent(persona.successRate))}` : ""}
                    {persona.defaultModel ? ` · ${persona.defaultModel.model}` : ""}
                  </Text>
                  {persona.defaultModel?.warning && (
                    <Text size="xs" c="var(--mantine-color-error)">
                      {persona.defaultModel.warning}
                    </Text>
                  )}
                  {may.write && (
                    <Group gap="xs">
                      <Button size="compact-sm" variant="default" onClick={() => setEditing({ persona })}>
                        {t.common.edit}
                      </Button>
                      <Button size="compact-sm" variant="subtle" color="red" onClick={() => void ask(persona)}>
                        {t.common.delete}
                      </Button>
                    </Group>
                  )}
                </Stack>
              </Paper>
            ))}
          </SimpleGrid>
        )}
      </ListView>
      <Modal
        opened={editing !== null}
        onClose={() => setEditing(null)}
        title={editing?.persona ? t.personas.edit : t.personas.create}
        size="xl"
        closeOnClickOutside={false}
      >
        {editing && <PersonaForm persona={editing.persona} onDone={() => setEditing(null)} />}
      </Modal>
    </Page>
  );
}

function PersonaForm(props: { persona: Persona | null; onDone: () => void }) {
  const { persona, onDone } = props;
  const [name, setName] = useState(persona?.name ?? "");
  const [category, setCategory] = useState(persona?.category ?? "");
  const [description, setDescription] = useState(persona?.description ?? "");
  const [systemPrompt, setSystemPrompt] = useState(persona?.systemPrompt ?? "");
  const [traits, setTraits] = useState(persona?.traits ?? []);
  // Null: those that are read out of the text.
  const [own, setOwn] = useState<string[] | null>(persona && !persona.autoSpecialized ? persona.specializations : null);
  const [model, setModel] = useState<PickedModel | null>(
    persona?.defaultModel ? { provider: persona.defaultModel.provider, model: persona.defaultModel.model } : null,
  );
  const [text] = useDebouncedValue(`${description}\n${systemPrompt}`.trim().slice(0, 20_000), 250);
  const [{ data }] = useQuery({ query: Specializations, variables: { text }, pause: text === "" });
  const found = text === "" ? [] : (data?.specializations ?? []);
  const create = useChange(CreatePersona, { inline: true, done: t.common.saved });
  const update = useChange(UpdatePersona, { inline: true, done: t.common.saved });
  const submit = async () => {
    const input = {
      name,
      category: category || null,
      description,
      systemPrompt,
      traits,
      specializations: own ?? [],
      defaultModel: model,
    };
    const made = persona
      ? await update.run({ input: { personaId: persona.id, ...input } })
      : await create.run({ input: { ...input, systemPrompt: systemPrompt || null } });
    if (made) onDone();
  };
  return (
    <Form
      change={{ busy: create.busy || update.busy, failure: create.failure ?? update.failure }}
      onSubmit={submit}
      onCancel={onDone}
    >
      <Group grow align="flex-start">
        <TextField
          label={t.common.name}
          required
          maxLength={200}
          value={name}
          onValue={setName}
          data-autofocus
        />
        <TextField label={t.personas.category} maxLength={200} value={category} onValue={setCategory} />
      </Group>
      <LongField
        label={t.common.description}
        description={t.personas.descriptionText}
        required
        minRows={3}
        maxRows={10}
        value={description}
        onValue={setDescription}
      />
      <Stack gap={4}>
        <TagsInput
          label={t.personas.specializations}
          description={own === null ? t.personas.automatic : t.personas.byHand}
          value={own ?? found.map((one) => one.label)}
          onChange={setOwn}
        />
        {own === null ? (
          <Group gap={6} role="status" mih={22}>
            {found.map((one) => (
              <Text key={one.domain} size="xs" c="dimmed" title={one.keywords.join(", ")}>
                {one.label}: {one.keywords.slice(0, 4).join(", ")}
              </Text>
            ))}
          </Group>
        ) : (
          <Group>
            <Button size="compact-xs" variant="subtle" onClick={() => setOwn(null)}>
              {t.personas.useAutomatic}
            </Button>
          </Group>
        )}
      </Stack>
      <LongField
        label={t.personas.prompt}
        description={t.personas.promptText}
        minRows={3}
        maxRows={12}
        value={systemPrompt}
        onValue={setSystemPrompt}
      />
      <TagsInput
        label={t.personas.traits}
        description={t.knowledge.tagsText}
        value={traits}
        onChange={setTraits}
        maxTags={50}
      />
      <ProviderModelPicker
        label={t.personas.model}
        value={model}
        onChange={setModel}
        capability="chat"
        none={{ label: t.personas.tenantModel, text: t.personas.tenantModelText }}
      />
    </Form>
  );
}
