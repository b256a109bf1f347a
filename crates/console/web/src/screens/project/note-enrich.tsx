// The enrichments of a note: started with a model and a persona or without, watched while they run, and then applied or
// dismissed.

import { Alert, Anchor, Badge, Button, Code, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconSparkles } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { type ResultOf, graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { useList } from "~/api/use-list";
import { useRun } from "~/api/use-run";
import { useMay } from "~/app/session-store";
import { Excerpt } from "~/parts/code-view";
import { confirm } from "~/parts/confirm";
import { ListView } from "~/parts/list-view";
import { MarkdownView } from "~/parts/markdown";
import { count, usd } from "~/parts/numbers";
import { WithCode } from "~/parts/pattern-parts";
import { PersonaSelect } from "~/parts/persona-select";
import { ProviderModelPicker, type PickedModel } from "~/parts/model-picker/picker";
import { Phases, RunBadge } from "~/parts/run-parts";
import { Time } from "~/parts/time";
import { t } from "~/text";
import type { Note } from "./note";
import { useProject } from "./use-project";

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
            error { code message }
            persona { id name }
            usage { inputTokens outputTokens cachedTokens usd }
            contextUsed { kind items omitted tokens }
            citations {
              kind
              title
              excerpt
              path
              startLine
              endLine
              score
              subjectId
              source { id }
            }
          }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  }
`);

const EnrichNote = graphql(`
  mutation EnrichNote($input: EnrichNoteInput!) { enrichNote(input: $input) { outcome enrichment { id status } } }
`);
const ApplyEnrichment = graphql(`
  mutation ApplyEnrichment($input: ApplyEnrichmentInput!) {
    applyEnrichment(input: $input) { note { id title body updatedAt actionPoints { id text status } } }
  }
`);
const DismissEnrichment = graphql(`
  mutation DismissEnrichment($input: DismissEnrichmentInput!) {
    dismissEnrichment(input: $input) { enrichment { id decision } }
  }
`);
const CancelEnrichment = graphql(`
  mutation CancelEnrichment($input: CancelRunInput!) { cancelRun(input: $input) { run { __typename id status } } }
`);

type Node = Extract<NonNullable<ResultOf<typeof EnrichmentList>["node"]>, { __typename: "Note" }>;
type Enrichment = Node["enrichments"]["nodes"][number];
type Citation = Enrichment["citations"][number];

export function Enrichments(props: { note: Note; onChanged: () => void }) {
  const { note, onChanged } = props;
  const may = useMay();
  const list = useList(EnrichmentList, { id: note.id }, (data) =>
    data.node?.__typename === "Note" ? data.node.enrichments : undefined,
  );
  const { reload } = list;
  const refresh = () => {
    reload();
    onChanged();
  };
  const active = list.items.some((one) => one.status === "QUEUED" || one.status === "RUNNING");
  return (
    <Stack gap="md" component="section" aria-label={t.enrich.title}>
      <Title order={3} size="h4">
        {t.enrich.title}
      </Title>
      {may.write && <Start note={note} active={active} onStarted={reload} />}
      <ListView list={list} rowHeight={140} empty={<Text size="sm" c="dimmed">{t.enrich.none}</Text>}>
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
  const enrich = useChange(EnrichNote, {
    done: (made) => (made.enrichNote.outcome === "STARTED" ? undefined : t.enrich.already),
  });
  const start = async () => {
    const made = await enrich.run({
      input: { noteId: note.id, provider: model?.provider ?? null, model: model?.model ?? null, personaId: persona },
    });
    if (made) onStarted();
  };
  return (
    <Paper withBorder p="md">
      <Group align="flex-end">
        <ProviderModelPicker
          label={t.enrich.model}
          value={model}
          onChange={setModel}
          capability="chat"
          none={{ label: t.enrich.noModel, text: t.enrich.noModelText }}
        />
        <PersonaSelect label={t.enrich.persona} value={persona} onChange={setPersona} text={`${note.title}\n${note.body}`} />
        {/* The preview of the context that a model would get comes here as soon as the API has it. */}
        <Button
          leftSection={<IconSparkles size={18} />}
          loading={enrich.busy}
          disabled={active}
          onClick={() => void start()}
        >
          {t.enrich.start}
        </Button>
      </Group>
    </Paper>
  );
}

function EnrichmentCard(props: { enrichment: Enrichment; onChanged: () => void; open: boolean }) {
  const { enrichment, onChanged } = props;
  const may = useMay();
  const active = enrichment.status === "QUEUED" || enrichment.status === "RUNNING";
  // The newest is read at once; the others on demand.
  const [open, setOpen] = useState(props.open);
  const ended = useCallback(() => onChanged(), [onChanged]);
  const run = useRun(active ? enrichment.id : null, ended);
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
              <Badge color={enrichment.decision === "APPLIED" ? "teal" : "gray"}>{t.enrich.decisions[enrichment.decision]}</Badge>
            ) : (
              <RunBadge status={enrichment.status} />
            )}
            <Text size="sm" c="dimmed">
              <Time at={enrichment.finishedAt ?? enrichment.createdAt} /> ·{" "}
              {enrichment.model ?? t.enrich.modes[enrichment.mode]}
              {enrichment.persona ? ` · ${enrichment.persona.name}` : ""}
              {enrichment.usage ? ` · ${usd(enrichment.usage.usd)}` : ""}
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
                    if (!(await confirm({ title: t.enrich.dismiss, text: t.enrich.dismissText, label: t.enrich.dismiss }))) return;
                    if (await dismiss.run({ input: { enrichmentId: enrichment.id } })) onChanged();
                  }}
                >
                  {t.enrich.dismiss}
                </Button>
                <Button
                  size="xs"
                  loading={apply.busy}
                  onClick={async () => {
                    if (!(await confirm({ title: t.enrich.apply, text: t.enrich.applyText, label: t.enrich.apply }))) return;
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
            <Text size="sm" className="anywhere">{enrichment.error.message}</Text>
            <Code>{enrichment.error.code}</Code>
          </Alert>
        )}
        {open && !active && (
          <>
            {enrichment.markdown && <MarkdownView text={enrichment.markdown} />}
            <Citations citations={enrichment.citations} />
            {enrichment.contextUsed.length > 0 && (
              <Text size="xs" c="dimmed">
                {t.enrich.context}:{" "}
                {enrichment.contextUsed
                  .filter((section) => section.items > 0)
                  .map((section) => t.enrich.section(t.knowledge.kinds[section.kind], section.items, count(section.tokens), section.omitted))
                  .join(" · ")}
              </Text>
            )}
            <Anchor component={Link} to={`/runs/${enrichment.id}`} size="sm">
              {t.runs.story}
            </Anchor>
          </>
        )}
      </Stack>
    </Paper>
  );
}

function Citations(props: { citations: readonly Citation[] }) {
  const project = useProject();
  const [open, setOpen] = useState<number>();
  if (props.citations.length === 0) return null;
  return (
    <Stack gap={6}>
      <Title order={4} size="h6">
        {t.enrich.citations}
      </Title>
      <Stack component="ol" gap={6} m={0} ps="lg">
        {props.citations.map((citation, index) => {
          const to = address(citation, project.slug);
          return (
            // The number is what the text refers to.
            <li key={`${citation.subjectId}${citation.path}${citation.startLine}`} value={index + 1}>
              <Group gap={6}>
                <Badge color="gray">{t.knowledge.kinds[citation.kind]}</Badge>
                {to ? (
                  <Anchor component={Link} to={to} size="sm" underline="always"><WithCode text={citation.title} /></Anchor>
                ) : (
                  <Text size="sm" className="anywhere"><WithCode text={citation.title} /></Text>
                )}
                <Button
                  size="compact-xs"
                  variant="subtle"
                  aria-expanded={open === index}
                  aria-label={`${open === index ? t.common.hide : t.common.show}: ${citation.title}`}
                  onClick={() => setOpen(open === index ? undefined : index)}
                >
                  {open === index ? t.common.hide : t.common.show}
                </Button>
              </Group>
              {open === index &&
                (citation.path && citation.startLine !== null ? (
                  <Excerpt
                    place={{
                      path: citation.path,
                      startLine: citation.startLine,
                      endLine: citation.endLine ?? citation.startLine,
                      sourceId: citation.source?.id,
                    }}
                    text={citation.excerpt}
                  />
                ) : (
                  <Text size="sm" c="dimmed" className="anywhere">{citation.excerpt}</Text>
                ))}
            </li>
          );
        })}
      </Stack>
    </Stack>
  );
}

function address(citation: Citation, slug: string): string | undefined {
  switch (citation.kind) {
    case "NOTE":
      return citation.subjectId ? `/projects/${slug}/notes/${citation.subjectId}` : undefined;
    case "CODE_PATTERN":
      return `/projects/${slug}/patterns`;
    case "MEMORY_ENTRY":
    case "INSIGHT":
    case "CONSOLIDATION":
      return `/projects/${slug}/knowledge`;
    default:
      return undefined;
  }
}
