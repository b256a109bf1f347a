// What the latest analysis found: layers, authors, definitions, copies, what changes together, what may be unused.

import { Badge, Group, Paper, Stack, Table, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { PlaceLink } from "~/parts/code-view";
import { count, percent } from "~/parts/numbers";
import { t } from "~/text";
import type { Findings } from "./overview";

export function Section(props: { title: string; lead?: string | undefined; children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={props.title} miw={0}>
      <Title order={2} size="h5" mb={props.lead ? 2 : "sm"}>{props.title}</Title>
      {props.lead && <Text size="xs" c="dimmed" mb="sm">{props.lead}</Text>}
      {props.children}
    </Paper>
  );
}

export function FindingSections(props: { findings: Findings }) {
  const { findings } = props;
  return (
    <>
      <Layers graph={findings.importGraph} />
      <Owners rows={findings.ownership} />
      <List
        title={t.overview.definitions}
        none={t.overview.noDefinitions}
        items={findings.definitions.filter((one) => one.usedIn > 0).map((one) => ({
          place: { ...one, sourceId: one.source?.id },
          badge: one.kind,
          name: one.name,
          text: t.overview.usedIn(one.usedIn),
        }))}
      />
      <Technologies rows={findings.technologies} />
      <Duplicates groups={findings.duplicates} />
      <List
        title={t.overview.unused}
        none={t.overview.noUnused}
        items={findings.deadCode.map((one) => ({
          place: { ...one.location, sourceId: one.location.source?.id },
          badge: one.kind,
          name: one.name,
          text: one.testsOnly ? t.overview.testsOnly : "",
        }))}
      />
      <Together pairs={findings.coChanges} />
    </>
  );
}

interface Item {
  place: { path: string; startLine: number; endLine: number; sourceId: string | undefined };
  badge: string;
  name: string;
  text: string;
}

function List(props: { title: string; none: string; items: Item[] }) {
  return (
    <Section title={props.title}>
      {props.items.length === 0 && <Text size="sm" c="dimmed">{props.none}</Text>}
      <Stack gap={6} component="ul" m={0} p={0} style={{ listStyle: "none" }}>
        {props.items.map((item) => (
          <Group component="li" gap={6} key={`${item.place.path}:${item.place.startLine}${item.name}`}>
            <Badge color="gray">{item.badge}</Badge>
            <Text size="sm" className="code anywhere">{item.name}</Text>
            <PlaceLink place={item.place} />
            {item.text && <Text size="xs" c="dimmed">{item.text}</Text>}
          </Group>
        ))}
      </Stack>
    </Section>
  );
}

function Layers(props: { graph: Findings["importGraph"] }) {
  const { graph } = props;
  return (
    <Section title={t.overview.layers} lead={t.overview.graph(count(graph.files), count(graph.edges))}>
      <Stack gap={4} component="ol" m={0} p={0} style={{ listStyle: "none" }}>
        {/* What stands on the others comes first, as in a drawing of layers. */}
        {[...graph.layers].reverse().slice(0, 10).map((layer) => (
          <Group component="li" key={layer.level} gap="xs" wrap="nowrap" align="flex-start">
            <Badge color="gray" w={36} style={{ flexShrink: 0 }}>{layer.level}</Badge>
            <Group gap={4}>
              {layer.folders.map((folder) => (
                <Badge key={folder} variant="outline" color="gray" className="code" maw="100%">{folder || "/"}</Badge>
              ))}
            </Group>
          </Group>
        ))}
      </Stack>
      {graph.layers.length === 0 && <Text size="sm" c="dimmed">{t.overview.noLayers}</Text>}
      {graph.cycles.length > 0 && (
        <Stack gap={4} mt="sm">
          <Title order={3} size="h6">{t.overview.cycles}</Title>
          {graph.cycles.slice(0, 5).map((cycle) => (
            <Group key={cycle.path.map((step) => step.file).join()} gap={6}>
              {cycle.path.map((step) => (
                <PlaceLink
                  key={step.file}
                  place={{ path: step.file, startLine: step.line, endLine: step.line, sourceId: step.source?.id }}
                />
              ))}
            </Group>
          ))}
        </Stack>
      )}
    </Section>
  );
}

function Owners(props: { rows: Findings["ownership"] }) {
  if (props.rows.length === 0) {
    return <Section title={t.overview.ownership}><Text size="sm" c="dimmed">{t.overview.noOwnership}</Text></Section>;
  }
  return (
    <Section title={t.overview.ownership}>
      <Table.ScrollContainer minWidth={280}>
        <Table verticalSpacing={4} aria-label={t.overview.ownership}>
          <Table.Tbody>
            {props.rows.map((row) => (
              <Table.Tr key={row.folder}>
                <Table.Td className="code anywhere">{row.folder || "/"}</Table.Td>
                <Table.Td>{row.mainAuthor}</Table.Td>
                <Table.Td ta="right">{percent(row.mainShare)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Section>
  );
}

function Technologies(props: { rows: Findings["technologies"] }) {
  return (
    <Section title={t.overview.technologies}>
      {props.rows.length === 0 && <Text size="sm" c="dimmed">{t.overview.noLanguages}</Text>}
      <Stack gap={6} component="ul" m={0} p={0} style={{ listStyle: "none" }}>
        {props.rows.slice(0, 12).map((row) => (
          <Group component="li" key={`${row.kind}${row.name}`} justify="space-between" gap="xs">
            <Text size="sm" ps={row.name === row.language ? 0 : "md"}>
              {row.name} {row.version && <Text span size="xs" c="dimmed">{row.version}</Text>}
            </Text>
            <Text size="xs" c="dimmed">{t.overview.technologyFiles(count(row.files))}</Text>
          </Group>
        ))}
      </Stack>
    </Section>
  );
}

function Duplicates(props: { groups: Findings["duplicates"] }) {
  return (
    <Section title={t.overview.duplicates}>
      {props.groups.length === 0 && <Text size="sm" c="dimmed">{t.overview.noDuplicates}</Text>}
      <Stack gap="xs" component="ul" m={0} p={0} style={{ listStyle: "none" }}>
        {props.groups.map((group) => (
          <Group component="li" gap={6} key={group.places.map((place) => `${place.path}:${place.startLine}`).join()}>
            <Text size="xs" c="dimmed">{t.overview.copies(group.lines, group.count)}</Text>
            {group.places.slice(0, 3).map((place) => (
              <PlaceLink
                key={`${place.path}:${place.startLine}`}
                place={{ ...place, sourceId: place.source?.id }}
              />
            ))}
          </Group>
        ))}
      </Stack>
    </Section>
  );
}

function Together(props: { pairs: Findings["coChanges"] }) {
  return (
    <Section title={t.overview.together}>
      {props.pairs.length === 0 && <Text size="sm" c="dimmed">{t.overview.noTogether}</Text>}
      <Stack gap="xs" component="ul" m={0} p={0} style={{ listStyle: "none" }}>
        {props.pairs.map((pair) => (
          <li key={pair.paths.join()}>
            {pair.paths.map((path) => <Text key={path} size="sm" className="code anywhere">{path}</Text>)}
            <Text size="xs" c="dimmed">{t.overview.togetherIn(pair.together)} · {percent(pair.degree)}</Text>
          </li>
        ))}
      </Stack>
    </Section>
  );
}
