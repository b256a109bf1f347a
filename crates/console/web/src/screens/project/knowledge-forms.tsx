// The forms that write down a memory entry and an insight.

import { Group, Select, TagsInput } from "@mantine/core";
import { useState } from "react";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { optionsOf } from "~/parts/choice-field";
import { Form, LongField, TitleField } from "~/parts/form";
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
    <Form
      change={create}
      onSubmit={async () => {
        if (await create.run({ input: { projectId: props.projectId, title, content, tags } })) props.onDone();
      }}
    >
      <TitleField value={title} onValue={setTitle} data-autofocus />
      <LongField
        label={t.knowledge.content}
        required
        minRows={4}
        maxRows={14}
        value={content}
        onValue={setContent}
      />
      <TagsInput label={t.knowledge.tags} description={t.knowledge.tagsText} value={tags} onChange={setTags} />
    </Form>
  );
}

export function InsightForm(props: { projectId: string; onDone: () => void }) {
  const [title, setTitle] = useState("");
  const [detail, setDetail] = useState("");
  const [type, setType] = useState("decision");
  const [severity, setSeverity] = useState<string | null>(null);
  const [suggestion, setSuggestion] = useState("");
  const create = useChange(CreateInsight, { inline: true, done: t.common.saved });
  return (
    <Form
      change={create}
      onSubmit={async () => {
        const input = { projectId: props.projectId, title, detail, type, severity, suggestion: suggestion || null };
        if (await create.run({ input })) props.onDone();
      }}
    >
      <TitleField value={title} onValue={setTitle} data-autofocus />
      <Group grow>
        <Select
          label={t.knowledge.type}
          data={optionsOf(t.knowledge.types)}
          value={type}
          onChange={(value) => value && setType(value)}
          allowDeselect={false}
        />
        <Select
          label={t.knowledge.severity}
          data={optionsOf(t.knowledge.severities)}
          value={severity}
          onChange={setSeverity}
          clearable
        />
      </Group>
      <LongField
        label={t.knowledge.detail}
        required
        minRows={4}
        maxRows={14}
        value={detail}
        onValue={setDetail}
      />
      <LongField
        label={t.knowledge.suggestion}
        minRows={1}
        maxRows={6}
        value={suggestion}
        onValue={setSuggestion}
      />
    </Form>
  );
}
