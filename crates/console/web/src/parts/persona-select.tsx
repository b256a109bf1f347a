// Chooses a persona; those that fit the text come first, with the reason.

import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "urql";
import { graphql } from "~/api/graphql";
import { t } from "~/text";

const PersonaChoices = graphql(`
  query PersonaChoices($text: String!) {
    personas(first: 100) { nodes { id name } }
    personaMatches(first: 3, text: $text) { score persona { id name } }
  }
`);

export function PersonaSelect(props: {
  label: string;
  value: string | null;
  onChange: (id: string | null) => void;
  text: string;
}) {
  const [text] = useDebouncedValue(props.text.slice(0, 4000), 400);
  const [{ data }] = useQuery({ query: PersonaChoices, variables: { text } });
  const fitting = (data?.personaMatches ?? []).map((match) => match.persona);
  const others = (data?.personas.nodes ?? []).filter((one) => !fitting.some((fit) => fit.id === one.id));
  const items = (personas: readonly { id: string; name: string }[]) =>
    personas.map((one) => ({ value: one.id, label: one.name }));
  return (
    <Select
      label={props.label}
      placeholder={t.personas.none}
      data={[
        { group: t.personas.fitting, items: items(fitting) },
        { group: t.personas.others, items: items(others) },
      ].filter((group) => group.items.length > 0)}
      value={props.value}
      onChange={props.onChange}
      searchable
      clearable
      nothingFoundMessage={t.personas.nothing}
      miw={220}
    />
  );
}
