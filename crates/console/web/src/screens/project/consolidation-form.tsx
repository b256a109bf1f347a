// Starts a consolidation of this project with others, and opens its run.

import { MultiSelect } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useQuery } from "urql";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { Form } from "~/parts/form";
import { type PickedModel, ProviderModelPicker, WITHOUT_MODEL } from "~/parts/model-picker/picker";
import { PersonaSelect } from "~/parts/persona-select";
import { t } from "~/text";

const ProjectChoices = graphql(`
  query ProjectChoices($query: String) {
    projects(first: 50, query: $query) {
      nodes {
        id
        name
      }
    }
  }
`);

const StartConsolidation = graphql(`
  mutation StartConsolidation($input: StartConsolidationInput!) {
    startConsolidation(input: $input) {
      outcome
      consolidation {
        id
        status
      }
    }
  }
`);

interface Choice {
  value: string;
  label: string;
}

export function ConsolidationForm(props: { project: { id: string; name: string } }) {
  const navigate = useNavigate();
  const [words, setWords] = useState("");
  const [query] = useDebouncedValue(words.trim(), 200);
  const [chosen, setChosen] = useState<Choice[]>([{ value: props.project.id, label: props.project.name }]);
  const [model, setModel] = useState<PickedModel | null>(WITHOUT_MODEL);
  const [persona, setPersona] = useState<string | null>(null);
  const [{ data }] = useQuery({ query: ProjectChoices, variables: { query: query || null } });
  const start = useChange(StartConsolidation, {
    inline: true,
    done: (made) => (made.startConsolidation.outcome === "STARTED" ? undefined : t.consolidate.already),
  });
  // The chosen projects stay in the list, also where the search does not match them.
  const found = (data?.projects.nodes ?? []).map((one) => ({ value: one.id, label: one.name }));
  const choices = [...chosen, ...found.filter((one) => !chosen.some((other) => other.value === one.value))];
  const withModel = model !== WITHOUT_MODEL;
  return (
    <Form
      change={start}
      label={t.consolidate.start}
      onSubmit={async () => {
        const made = await start.run({
          input: {
            projectIds: chosen.map((one) => one.value),
            withModel,
            provider: model?.provider || null,
            model: model?.model || null,
            personaId: withModel ? persona : null,
          },
        });
        if (made) void navigate({ to: `/runs/${made.startConsolidation.consolidation.id}` });
      }}
    >
      <MultiSelect
        label={t.consolidate.projects}
        description={t.consolidate.projectsText}
        data={choices}
        value={chosen.map((one) => one.value)}
        onChange={(ids) => setChosen(choices.filter((one) => ids.includes(one.value)))}
        searchable
        searchValue={words}
        onSearchChange={setWords}
        // The server searches, and its hits are all shown.
        filter={({ options }) => options}
        nothingFoundMessage={t.projects.nothing(words)}
        maxValues={50}
        hidePickedOptions
        data-autofocus
      />
      <ProviderModelPicker
        label={t.enrich.model}
        value={model}
        onChange={setModel}
        capability="chat"
        none={{ label: t.enrich.defaultModel(undefined), text: t.enrich.defaultModelText }}
        without={{ label: t.enrich.noModel, text: t.consolidate.noModelText }}
      />
      {withModel && (
        <PersonaSelect
          label={t.enrich.persona}
          value={persona}
          onChange={setPersona}
          text={chosen.map((one) => one.label).join(" ")}
        />
      )}
    </Form>
  );
}
