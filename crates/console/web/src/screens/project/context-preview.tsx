// What an enrichment would give to a model, before anything is called: the sections of the context and the exact texts.

import { Alert, Code, Group, Modal, SegmentedControl, Skeleton, Stack, Table, Text } from "@mantine/core";
import { useState } from "react";
import { useQuery } from "urql";
import { failureOf } from "~/api/errors";
import { type ResultOf, type VariablesOf, graphql } from "~/api/graphql";
import { Lines } from "~/parts/code-view";
import { FailureBox } from "~/parts/failure";
import { count } from "~/parts/numbers";
import { WithCode } from "~/parts/pattern-parts";
import { t } from "~/text";

const Preview = graphql(`
  query EnrichmentPreview($noteId: ID!, $mode: EnrichmentMode, $provider: String, $model: String, $personaId: ID) {
    enrichmentPreview(noteId: $noteId, mode: $mode, provider: $provider, model: $model, personaId: $personaId) {
      mode
      provider
      model
      tokens
      budgetTokens
      inputLeftOut
      templates
      system
      user
      outputSchema
      sections {
        section
        kind
        isEmpty
        omitted
        tokens
        items {
          number
          title
          place
          tokens
        }
      }
    }
  }
`);

type Preview = ResultOf<typeof Preview>["enrichmentPreview"];
export type PreviewVariables = VariablesOf<typeof Preview>;

export function ContextPreview(props: { variables: PreviewVariables; onClose: () => void }) {
  const [{ data, error, fetching }, reload] = useQuery({
    query: Preview,
    variables: props.variables,
    // The knowledge may have changed since the last look.
    requestPolicy: "network-only",
  });
  return (
    <Modal opened onClose={props.onClose} title={t.preview.title} size="64rem">
      {error && <FailureBox failure={failureOf(error)} retry={() => reload({ requestPolicy: "network-only" })} />}
      {!error && (!data || fetching) && <Skeleton height={320} aria-label={t.common.loading} />}
      {!error && data && !fetching && <PreviewView preview={data.enrichmentPreview} />}
    </Modal>
  );
}

function PreviewView(props: { preview: Preview }) {
  const { preview } = props;
  const texts = {
    context: t.preview.context,
    ...(preview.system === null ? {} : { system: t.preview.system }),
    ...(preview.user === null ? {} : { user: t.preview.user }),
    ...(preview.outputSchema === null ? {} : { outputSchema: t.preview.schema }),
  };
  const [shown, setShown] = useState<string>("context");
  return (
    <Stack gap="sm">
      <Text size="sm">
        {preview.model
          ? t.preview.withModel(
              preview.provider ? `${preview.provider} · ${preview.model}` : preview.model,
              count(preview.tokens),
            )
          : t.preview.withoutModel(count(preview.tokens))}
      </Text>
      {preview.inputLeftOut > 0 && <Alert color="yellow">{t.preview.leftOut(count(preview.inputLeftOut))}</Alert>}
      {Object.keys(texts).length > 1 && (
        <SegmentedControl
          size="xs"
          aria-label={t.preview.part}
          value={shown}
          onChange={setShown}
          data={Object.entries(texts).map(([value, label]) => ({ value, label }))}
        />
      )}
      {shown === "context" && <Sections preview={preview} />}
      {shown === "system" && <Lines text={preview.system ?? ""} label={t.preview.system} />}
      {shown === "user" && <Lines text={preview.user ?? ""} label={t.preview.user} />}
      {shown === "outputSchema" && <Lines text={indented(preview.outputSchema ?? "")} label={t.preview.schema} />}
      {preview.templates.length > 0 && (
        <Group gap={6}>
          <Text size="xs" c="dimmed">
            {t.preview.templates}:
          </Text>
          {preview.templates.map((template) => (
            <Code key={template}>{template}</Code>
          ))}
        </Group>
      )}
    </Stack>
  );
}

function Sections(props: { preview: Preview }) {
  const filled = props.preview.sections.filter((section) => !section.isEmpty);
  const empty = props.preview.sections.filter((section) => section.isEmpty);
  return (
    <Stack gap="sm">
      {filled.length === 0 && (
        <Text size="sm" c="dimmed">
          {t.preview.nothing}
        </Text>
      )}
      {filled.map((section) => (
        <Table.ScrollContainer key={section.section} minWidth={420}>
          <Table verticalSpacing={4} layout="fixed" captionSide="top">
            <Table.Caption ta="start" mt={0}>
              {t.preview.section(
                t.knowledge.kinds[section.kind],
                section.items.length,
                count(section.tokens),
                section.omitted,
              )}
            </Table.Caption>
            <Table.Thead>
              <Table.Tr>
                <Table.Th w={48}>{t.preview.number}</Table.Th>
                <Table.Th>{t.preview.item}</Table.Th>
                <Table.Th>{t.preview.place}</Table.Th>
                <Table.Th w={90} ta="right">
                  {t.preview.tokens}
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {section.items.map((item) => (
                <Table.Tr key={item.number}>
                  <Table.Td>{item.number}</Table.Td>
                  <Table.Td className="anywhere" dir="auto">
                    <WithCode text={item.title} />
                  </Table.Td>
                  <Table.Td className="code anywhere">{item.place ?? "–"}</Table.Td>
                  <Table.Td ta="right">{count(item.tokens)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ))}
      {empty.length > 0 && (
        <Text size="xs" c="dimmed">
          {t.preview.empty([...new Set(empty.map((section) => t.knowledge.kinds[section.kind]))].join(", "))}
        </Text>
      )}
    </Stack>
  );
}

/** JSON as a reader likes it; any other text as it is. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
