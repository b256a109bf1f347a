// Every model: its price, its context, how long it lives, and what the tenant adds or hides.

import {
  Badge,
  Button,
  Checkbox,
  Group,
  Modal,
  MultiSelect,
  NumberInput,
  Select,
  Stack,
  Table,
  Text,
  TextInput,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { confirm } from "~/parts/confirm";
import { Form, TextField } from "~/parts/form";
import { LifecycleBadge } from "~/parts/model-picker/badges";
import { type Catalog, type CatalogModel, modelMatches } from "~/parts/model-picker/catalog";
import { compact, usd } from "~/parts/numbers";
import { t } from "~/text";

const SetHidden = graphql(`
  mutation SetModelHidden($input: SetModelHiddenInput!) {
    setModelHidden(input: $input) {
      model {
        id
        hidden
      }
    }
  }
`);
const SetModel = graphql(`
  mutation SetModel($input: SetModelInput!) {
    setModel(input: $input) {
      model {
        id
        name
      }
    }
  }
`);
const RemoveModel = graphql(`
  mutation RemoveModel($input: RemoveModelInput!) {
    removeModel(input: $input) {
      removedModel
    }
  }
`);

export function ModelTable(props: { catalog: Catalog; mayManage: boolean }) {
  const { catalog, mayManage } = props;
  const [words, setWords] = useState("");
  const [provider, setProvider] = useState<string | null>(null);
  const [shutDown, setShutDown] = useState(false);
  const [adding, form] = useDisclosure(false);
  const hide = useChange(SetHidden);
  const remove = useChange(RemoveModel, { done: t.models.removed });
  const shown = catalog.models.filter(
    (model) =>
      modelMatches(model, words.trim()) &&
      (!provider || model.provider.id === provider) &&
      (shutDown || model.lifecycle !== "SHUT_DOWN"),
  );
  const ask = async (model: CatalogModel) => {
    if (await confirm({ title: t.models.remove, text: t.models.removeText(model.name), label: t.models.remove })) {
      await remove.run({ input: { model: model.id } });
    }
  };
  return (
    <Stack>
      <Group align="flex-end" justify="space-between">
        <Group align="flex-end">
          <TextInput
            type="search"
            label={t.picker.search}
            leftSection={<IconSearch size={18} aria-hidden />}
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
          />
          <Select
            label={t.models.provider}
            placeholder={t.common.all}
            clearable
            data={catalog.providers.map((one) => ({ value: one.id, label: one.name }))}
            value={provider}
            onChange={setProvider}
          />
          <Checkbox
            label={t.models.showShutDown}
            checked={shutDown}
            onChange={(event) => setShutDown(event.currentTarget.checked)}
            mb={8}
          />
        </Group>
        {mayManage && (
          <Button variant="default" leftSection={<IconPlus size={18} />} onClick={form.open}>
            {t.models.add}
          </Button>
        )}
      </Group>
      <Text size="sm" c="dimmed" role="status">
        {t.models.count(shown.length)}
      </Text>
      <Table.ScrollContainer minWidth={760}>
        <Table verticalSpacing="xs" highlightOnHover aria-label={t.models.catalog}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.models.model}</Table.Th>
              <Table.Th>{t.models.provider}</Table.Th>
              <Table.Th ta="right">{t.models.context}</Table.Th>
              <Table.Th ta="right">{t.models.input}</Table.Th>
              <Table.Th ta="right">{t.models.output}</Table.Th>
              <Table.Th>{t.models.can}</Table.Th>
              {mayManage && (
                <Table.Th>
                  <span className="visually-hidden">{t.common.actions}</span>
                </Table.Th>
              )}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((model) => (
              <Table.Tr key={model.id}>
                <Table.Td>
                  <Group gap={6}>
                    <Text size="sm" fw={500}>
                      {model.name}
                    </Text>
                    {model.own && <Badge color="blue">{t.models.own}</Badge>}
                    {model.hidden && <Badge color="gray">{t.models.hidden}</Badge>}
                    <LifecycleBadge model={model} />
                  </Group>
                  <Text className="code" c="dimmed">
                    {model.id}
                  </Text>
                </Table.Td>
                <Table.Td>{model.provider.name}</Table.Td>
                <Table.Td ta="right">{model.contextWindow ? compact(model.contextWindow) : "–"}</Table.Td>
                <Table.Td ta="right">{model.inputUsdPerMtok === null ? "–" : usd(model.inputUsdPerMtok)}</Table.Td>
                <Table.Td ta="right">{model.outputUsdPerMtok === null ? "–" : usd(model.outputUsdPerMtok)}</Table.Td>
                <Table.Td>
                  <Text size="xs" c="dimmed">
                    {model.capabilities.map(capabilityName).join(", ")}
                  </Text>
                </Table.Td>
                {mayManage && (
                  <Table.Td ta="right">
                    <Group gap={4} justify="flex-end" wrap="nowrap">
                      <Button
                        size="compact-xs"
                        variant="subtle"
                        aria-label={`${model.hidden ? t.models.unhide : t.models.hide}: ${model.name}`}
                        onClick={() => void hide.run({ input: { model: model.id, hidden: !model.hidden } })}
                      >
                        {model.hidden ? t.models.unhide : t.models.hide}
                      </Button>
                      {model.own && (
                        <Button
                          size="compact-xs"
                          variant="subtle"
                          color="red"
                          aria-label={`${t.models.remove}: ${model.name}`}
                          onClick={() => void ask(model)}
                        >
                          {t.models.remove}
                        </Button>
                      )}
                    </Group>
                  </Table.Td>
                )}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Modal opened={adding} onClose={form.close} title={t.models.add} size="lg">
        <ModelForm catalog={catalog} onDone={form.close} />
      </Modal>
    </Stack>
  );
}

function capabilityName(name: string): string {
  const known: Record<string, string | undefined> = t.models.capabilities;
  return known[name] ?? name.replaceAll("_", " ");
}

function ModelForm(props: { catalog: Catalog; onDone: () => void }) {
  const [id, setId] = useState("");
  const [provider, setProvider] = useState<string | null>(props.catalog.providers.at(-1)?.id ?? null);
  const [mode, setMode] = useState<"CHAT" | "EMBEDDING">("CHAT");
  const [context, setContext] = useState<number | string>("");
  const [input, setInput] = useState<number | string>("");
  const [output, setOutput] = useState<number | string>("");
  const [capabilities, setCapabilities] = useState<string[]>([]);
  const save = useChange(SetModel, { inline: true, done: t.common.saved });
  const number = (value: number | string) => (typeof value === "number" ? value : null);
  return (
    <Form
      change={save}
      onSubmit={async () => {
        if (!provider) return;
        const made = await save.run({
          input: {
            id,
            provider,
            mode,
            contextWindow: number(context),
            inputUsdPerMtok: number(input),
            outputUsdPerMtok: number(output),
            capabilities,
          },
        });
        if (made) props.onDone();
      }}
    >
      <Group grow align="flex-start">
        <TextField label={t.models.modelId} required value={id} onValue={setId} data-autofocus />
        <Select
          label={t.models.provider}
          required
          data={props.catalog.providers.map((one) => ({ value: one.id, label: one.name }))}
          value={provider}
          onChange={setProvider}
          allowDeselect={false}
        />
      </Group>
      <Group grow align="flex-start">
        <Select
          label={t.models.mode}
          data={[
            { value: "CHAT", label: t.models.capabilities.chat },
            { value: "EMBEDDING", label: t.models.capabilities.embedding },
          ]}
          value={mode}
          onChange={(value) => value && setMode(value as "CHAT" | "EMBEDDING")}
          allowDeselect={false}
        />
        <NumberInput label={t.models.context} min={1} value={context} onChange={setContext} thousandSeparator=" " />
      </Group>
      <Group grow align="flex-start">
        <NumberInput label={t.models.inputLong} min={0} value={input} onChange={setInput} prefix="$" />
        <NumberInput label={t.models.outputLong} min={0} value={output} onChange={setOutput} prefix="$" />
      </Group>
      <MultiSelect
        label={t.models.can}
        data={["tools", "vision", "json_schema", "pdf", "prompt_caching", "reasoning"].map((value) => ({
          value,
          label: capabilityName(value),
        }))}
        value={capabilities}
        onChange={setCapabilities}
      />
    </Form>
  );
}
