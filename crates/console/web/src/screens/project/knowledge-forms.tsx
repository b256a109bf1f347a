// The forms that write down a memory entry and an insight.

import { Button, Group, Select, Stack, TagsInput, TextInput, Textarea } from "@mantine/core";
import { useState } from "react";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { FailureBox } from "~/parts/failure";
import { t } from "~/text";

const CreateMemory = graphql(`
  mutation CreateMemoryEntry($input: CreateMemoryEntryInput!) {
    createMemoryEntry(input: $input) {
      memoryEntry {
        id
        title
      }
    }
  }
`);

const CreateInsight = graphql(`
  mutation CreateInsight($input: CreateInsightInput!) {
    createInsight(input: $input) {
      insight {
        id
        title
      }
    }
  }
`);

export function MemoryForm(props: { projectId: string; onDone: () => void }) {
  const [title, setTitle] = useState("");
  const [content, setContent] = useState("");
  const [tags, setTags] = useState<string[]>([]);
  const create = useChange(CreateMemory, { inline: true, done: t.common.saved });
  return (
    <form
      onSubmit={async (event) => {
        event.preventDefault();
        if (await create.run({ input: { projectId: props.projectId, title, content, tags } })) props.onDone();
      }}
    >
      <Stack>
        <TextInput
          label={t.notes.noteTitle}
          required
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
          data-autofocus
        />
        <Textarea
          label={t.knowledge.content}
          required
          autosize
          minRows={4}
          maxRows={14}
          value={content}
          onChange={(event) => setContent(event.currentTarget.value)}
        />
        <TagsInput label={t.knowledge.tags} description={t.knowledge.tagsText} value={tags} onChange={setTags} />
        <FailureBox failure={create.failure} />
        <Button type="submit" loading={create.busy}>
          {t.common.save}
        </Button>
      </Stack>
    </form>
  );
}

export function InsightForm(props: { projectId: string; onDone: () => void }) {
  const [title, setTitle] = useState("");
  const [detail, setDetail] = useState("");
  const [type, setType] = useState("decision");
  const [severity, setSeverity] = useState<string | null>(null);
  const [suggestion, setSuggestion] = useState("");
  const create = useChange(CreateInsight, { inline: true, done: t.common.saved });
  const options = (names: Record<string, string>) => Object.entries(names).map(([value, label]) => ({ value, label }));
  return (
    <form
      onSubmit={async (event) => {
        event.preventDefault();
        const input = { projectId: props.projectId, title, detail, type, severity, suggestion: suggestion || null };
        if (await create.run({ input })) props.onDone();
      }}
    >
      <Stack>
        <TextInput
          label={t.notes.noteTitle}
          required
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
          data-autofocus
        />
        <Group grow>
          <Select
            label={t.knowledge.type}
            data={options(t.knowledge.types)}
            value={type}
            onChange={(value) => value && setType(value)}
            allowDeselect={false}
          />
          <Select
            label={t.knowledge.severity}
            data={options(t.knowledge.severities)}
            value={severity}
            onChange={setSeverity}
            clearable
          />
        </Group>
        <Textarea
          label={t.knowledge.detail}
          required
          autosize
          minRows={4}
          maxRows={14}
          value={detail}
          onChange={(event) => setDetail(event.currentTarget.value)}
        />
        <Textarea
          label={t.knowledge.suggestion}
          autosize
          minRows={1}
          maxRows={6}
          value={suggestion}
          onChange={(event) => setSuggestion(event.currentTarget.value)}
        />
        <FailureBox failure={create.failure} />
        <Button type="submit" loading={create.busy}>
          {t.common.save}
        </Button>
      </Stack>
    </form>
  );
}
