// The enrichments of a note: started with a model and a persona or without, watched while they run, and then applied or
// dismissed.

import { Alert, Anchor, Badge, Button, Code, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconEye, IconSparkles } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useCallback, useRef, useState } from "react";
import { type ResultOf, graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useList } from "~/api/use-list";
import { useRun } from "~/api/use-run";
import { useMay } from "~/app/session-store";
import { confirm } from "~/parts/confirm";
import { ListView } from "~/parts/list-view";
import { MarkdownView } from "~/parts/markdown";
import { count, usd } from "~/parts/numbers";
import { PersonaSelect } from "~/parts/persona-select";
import { useCatalog } from "~/parts/model-picker/catalog";
import { type PickedModel, ProviderModelPicker, WITHOUT_MODEL } from "~/parts/model-picker/picker";
import { Phases, RunBadge } from "~/parts/run-parts";
import { Time } from "~/parts/time";
import { t } from "~/text";
import { Citations } from "./citations";
import { ContextPreview, type PreviewVariables } from "./context-preview";
import type { Note } from "./note";

const EnrichmentList = graphql(`
  query EnrichmentList($id: ID!, $after: String) {
    node(id: $id) {
      __typename
      id
      ... on Note {
        enrichments(first: 5, after: $after) {
          nodes {
            id
            status
            decision
            mode
            model
            createdAt
            finishedAt
            markdown
            error {
              code
              message
            }
            persona {
              id
              name
            }
            usage {
              inputTokens
              outputTokens
              cachedTokens
              usd
            }
            contextUsed {
              kind
              items
              omitted
              tokens
            }
            report {
              sentencesUncited
              citationsDropped
              filesUnknown
              inputLeftOut
            }
            citations {
              kind
              title
              excerpt
              path
              startLine
              endLine
              score
              subjectId
              source {
                id
              }
            }
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  }
`);

const EnrichNote = graphql(`
  mutation EnrichNote($input: EnrichNoteInput!) {
    enrichNote(input: $input) {
      outcome
      enrichment {
        id
        status
      }
    }
  }
`);
const ApplyEnrichment = graphql(`
  mutation ApplyEnrichment($input: ApplyEnrichmentInput!) {
    applyEnrichment(input: $input) {
      note {
        id
        title
        body
        updatedAt
        actionPoints {
          id
          text
          status
        }
      }
    }
  }
`);
const DismissEnrichment = graphql(`
  mutation DismissEnrichment($input: DismissEnrichmentInput!) {
    dismissEnrichment(input: $input) {
      enrichment {
        id
        decision
      }
    }
  }
`);
const CancelEnrichment = graphql(`
  mutation CancelEnrichment($input: CancelRunInput!) {
    cancelRun(input: $input) {
      run {
        __typename
        id
        status
      }
    }
  }
`);

type Node = Extract<NonNullable<ResultOf<typeof EnrichmentList>["node"]>, { __typename: "Note" }>;
type Enrichment = Node["enrichments"]["nodes"][number];

export function Enrichments(props: { note: Note; onChanged: () => void }) {
  const { note, onChanged } = props;
  const may = useMay();
  const list = useList(EnrichmentList, { id: note.id }, (data) =>
    data.node?.__typename === "Note" ? data.node.enrichments : undefined,
  );
  const reload = useRef(list.reload);
  reload.current = list.reload;
  const refresh = useCallback(() => {
    reload.current();
    onChanged();
  }, [onChanged]);
  const active = list.items.some((one) => one.status === "QUEUED" || one.status === "RUNNING");
  return (
    <Stack gap="md" component="section" aria-label={t.enrich.title}>
      <Title order={3} size="h4">
        {t.enrich.title}
      </Title>
      {may.write && <Start note={note} active={active} onStarted={list.reload} />}
      <ListView
        list={list}
        rowHeight={140}
        empty={
          <Text size="sm" c="dimmed">
            {t.enrich.none}
          </Text>
        }
      >
        {(enrichments) => (
          <Stack>
            {enrichments.map((enrichment, index) => (
              <EnrichmentCard key={enrichment.id} enrichment={enrichment} onChanged={refresh} open={index === 0} />
            ))}
          </Stack>
        )}
      </ListView>
    </Stack>
  );
}

function Start(props: { note: Note; active: boolean; onStarted: () => void }) {
  const { note, active, onStarted } = props;
  const [model, setModel] = useState<PickedModel | null>(null);
  const [persona, setPersona] = useState<string | null>(null);
  const [preview, setPreview] = useState<PreviewVariables>();
  const { catalog } = useCatalog();
  const standard = catalog?.defaults.own.default ?? catalog?.defaults.default;
  const standardName = catalog?.models.find((one) => one.id === standard?.id && one.provider.configured)?.name;
  const enrich = useChange(EnrichNote, {
    done: (made) => (made.enrichNote.outcome === "STARTED" ? undefined : t.enrich.already),
  });
  const input: PreviewVariables = {
    noteId: note.id,
    mode: model === WITHOUT_MODEL ? "EXTRACTIVE" : null,
    provider: model?.provider || null,
    model: model?.model || null,
    personaId: persona,
  };
  return (
    <Paper withBorder p="md">
      <Group align="flex-end" className="filters">
        <ProviderModelPicker
          label={t.enrich.model}
          value={model}
          onChange={setModel}
          capability="chat"
          none={{ label: t.enrich.defaultModel(standardName), text: t.enrich.defaultModelText }}
          without={{ label: t.enrich.noModel, text: t.enrich.noModelText }}
        />
        <PersonaSelect
          label={t.enrich.persona}
          value={persona}
          onChange={setPersona}
          text={`${note.title}\n${note.body}`}
        />
        <Group gap="xs">
          <Button
            leftSection={<IconSparkles size={18} />}
            loading={enrich.busy}
            disabled={active}
            onClick={async () => {
              if (await enrich.run({ input })) onStarted();
            }}
          >
            {t.enrich.start}
          </Button>
          <Button variant="default" leftSection={<IconEye size={18} />} onClick={() => setPreview(input)}>
            {t.preview.open}
          </Button>
        </Group>
      </Group>
      {preview && <ContextPreview variables={preview} onClose={() => setPreview(undefined)} />}
    </Paper>
  );
}

function EnrichmentCard(props: { enrichment: Enrichment; onChanged: () => void; open: boolean }) {
  const { enrichment, onChanged } = props;
  const may = useMay();
  const active = enrichment.status === "QUEUED" || enrichment.status === "RUNNING";
  // The newest is read at once; the others on demand.
  const [open, setOpen] = useState(props.open);
  const run = useRun(active ? enrichment.id : null, onChanged);
  const apply = useChange(ApplyEnrichment, { done: t.enrich.applied });
  const dismiss = useChange(DismissEnrichment);
  const cancel = useChange(CancelEnrichment);
  const pending = enrichment.status === "SUCCEEDED" && enrichment.decision === "PENDING";
  return (
    <Paper withBorder p="md" component="article">
      <Stack gap="sm">
        <Group justify="space-between">
          <Group gap="xs">
            {enrichment.status === "SUCCEEDED" ? (
              <Badge color={enrichment.decision === "APPLIED" ? "teal" : "gray"}>
                {t.enrich.decisions[enrichment.decision]}
              </Badge>
            ) : (
              <RunBadge status={enrichment.status} />
            )}
            <Text size="sm" c="dimmed">
              <Time at={enrichment.finishedAt ?? enrichment.createdAt} /> ·{" "}
              {enrichment.model ?? t.enrich.modes[enrichment.mode]}
              {enrichment.persona ? ` · ${enrichment.persona.name}` : ""}
              {enrichment.usage ? ` · ${usageText(enrichment.usage)}` : ""}
            </Text>
          </Group>
          <Group gap="xs">
            {may.write && active && (
              <Button
                size="xs"
                variant="default"
                loading={cancel.busy}
                onClick={async () => {
                  await cancel.run({ input: { runId: enrichment.id } });
                  onChanged();
                }}
              >
                {t.runs.cancel}
              </Button>
            )}
            {may.write && pending && (
              <>
                <Button
                  size="xs"
                  variant="default"
                  loading={dismiss.busy}
                  onClick={async () => {
                    if (
                      !(await confirm({ title: t.enrich.dismiss, text: t.enrich.dismissText, label: t.enrich.dismiss }))
                    )
                      return;
                    if (await dismiss.run({ input: { enrichmentId: enrichment.id } })) onChanged();
                  }}
                >
                  {t.enrich.dismiss}
                </Button>
                <Button
                  size="xs"
                  loading={apply.busy}
                  onClick={async () => {
                    if (!(await confirm({ title: t.enrich.apply, text: t.enrich.applyText, label: t.enrich.apply })))
                      return;
                    if (await apply.run({ input: { enrichmentId: enrichment.id } })) onChanged();
                  }}
                >
                  {t.enrich.apply}
                </Button>
              </>
            )}
            {!active && (
              <Button size="xs" variant="subtle" onClick={() => setOpen(!open)} aria-expanded={open}>
                {open ? t.common.hide : t.common.show}
              </Button>
            )}
          </Group>
        </Group>
        {active && (
          <div aria-live="polite">
            <Phases run={run} />
            {run.text && <MarkdownView text={run.text} />}
          </div>
        )}
        {enrichment.error && (
          <Alert color="red">
            <Text size="sm" className="anywhere">
              {enrichment.error.message}
            </Text>
            <Code>{enrichment.error.code}</Code>
          </Alert>
        )}
        {open && !active && (
          <>
            {enrichment.markdown && <MarkdownView text={enrichment.markdown} />}
            <Citations citations={enrichment.citations} />
            {enrichment.report && <Report report={enrichment.report} />}
            <ContextUsed sections={enrichment.contextUsed} />
            <Anchor component={Link} to={`/runs/${enrichment.id}`} size="sm">
              {t.runs.story}
            </Anchor>
          </>
        )}
      </Stack>
    </Paper>
  );
}

function ContextUsed(props: { sections: Enrichment["contextUsed"] }) {
  const used = props.sections.filter((section) => section.items > 0);
  if (used.length === 0) return null;
  const texts = used.map((one) =>
    t.enrich.section(t.knowledge.kinds[one.kind], one.items, count(one.tokens), one.omitted),
  );
  return (
    <Text size="xs" c="dimmed">
      {t.enrich.context}: {texts.join(" · ")}
    </Text>
  );
}

/** What the check of a model's text found, where it found something. */
function Report(props: { report: NonNullable<Enrichment["report"]> }) {
  const { report } = props;
  const lines = [
    ...(report.filesUnknown.length ? [t.enrich.filesUnknown(report.filesUnknown.join(", "))] : []),
    ...(report.citationsDropped ? [t.enrich.citationsDropped(report.citationsDropped)] : []),
    ...(report.sentencesUncited ? [t.enrich.sentencesUncited(report.sentencesUncited)] : []),
    ...(report.inputLeftOut ? [t.preview.leftOut(count(report.inputLeftOut))] : []),
  ];
  if (lines.length === 0) return null;
  return (
    <Stack gap={4}>
      {lines.map((line) => (
        <Text key={line} size="xs" c="dimmed" className="anywhere">
          {line}
        </Text>
      ))}
    </Stack>
  );
}

/** "$0.0012 · 1,234 tokens in, 56 out". */
function usageText(usage: NonNullable<Enrichment["usage"]>): string {
  return `${usd(usage.usd)} · ${t.enrich.tokens(count(usage.inputTokens), count(usage.outputTokens))}`;
}
