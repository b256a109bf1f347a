// ProviderModelPicker: the one way to choose a model. Arrows move, Enter chooses, Escape closes, Alt-F marks a
// favourite; what is typed searches at once.

import {
  ActionIcon,
  Badge,
  Box,
  Combobox,
  Group,
  InputBase,
  Kbd,
  ScrollArea,
  Stack,
  Text,
  Tooltip,
  useCombobox,
} from "@mantine/core";
import { IconKey, IconStar, IconStarFilled } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { useMay } from "~/app/session-store";
import { t } from "~/text";
import { compact, usd } from "../numbers";
import { HealthBadge, LifecycleBadge } from "./badges";
import { type CatalogModel, type CatalogProvider, modelMatches, useCatalog } from "./catalog";
import { useFavourites } from "./favourites";

export interface PickedModel {
  provider: string;
  model: string;
}

/** What stands for "call no model at all", where that can be chosen. */
export const WITHOUT_MODEL: PickedModel = { provider: "", model: "" };

/** The value of the option that adds a key: no model is called so. */
const ADD_KEY = "+key:";
const NONE = "+none";
const WITHOUT = "+without";

interface Choice {
  label: string;
  text: string;
}

export function ProviderModelPicker(props: {
  label: string;
  value: PickedModel | null;
  onChange: (picked: PickedModel | null) => void;
  /** Only models that can do this, such as "chat" or "embedding". */
  capability?: string;
  /** What it means to choose no model, where that is possible. */
  none?: Choice;
  /** What it means to call none, where that is possible. */
  without?: Choice;
  disabled?: boolean;
}) {
  const { label, value, onChange, capability, none, without, disabled = false } = props;
  const { catalog, error } = useCatalog();
  const favourites = useFavourites();
  const may = useMay();
  const navigate = useNavigate();
  const [words, setWords] = useState("");
  const help = useId();
  const combobox = useCombobox({
    onDropdownOpen: () => {
      combobox.focusSearchInput();
      combobox.updateSelectedOptionIndex("active");
    },
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      combobox.focusTarget();
      setWords("");
    },
  });
  const models = (catalog?.models ?? []).filter((model) => !capability || model.capabilities.includes(capability));
  const chosen = value && models.find((model) => model.id === value.model);
  const found = models.filter(
    (model) => modelMatches(model, words.trim()) && (model.lifecycle !== "SHUT_DOWN" || words.trim() !== ""),
  );
  const submit = (option: string) => {
    if (option.startsWith(ADD_KEY)) {
      void navigate({ to: "/models", hash: `key-${option.slice(ADD_KEY.length)}` });
      return;
    }
    const model = models.find((one) => one.id === option);
    onChange(model ? { provider: model.provider.id, model: model.id } : option === WITHOUT ? WITHOUT_MODEL : null);
    combobox.closeDropdown();
  };
  const isDefault = (model: CatalogModel) => catalog?.defaults.default?.id === model.id;
  const isOwnDefault = (model: CatalogModel) => catalog?.defaults.own.default?.id === model.id;
  const starred = found.filter((model) => favourites.has(model.id) && model.lifecycle !== "SHUT_DOWN");
  const option = (model: CatalogModel) => (
    <ModelOption
      key={model.id}
      model={model}
      active={model.id === value?.model}
      favourite={favourites.has(model.id)}
      onFavourite={() => favourites.toggle(model.id)}
      marks={isOwnDefault(model) ? [t.picker.own] : isDefault(model) ? [t.picker.default] : []}
    />
  );
  return (
    <Combobox
      store={combobox}
      onOptionSubmit={submit}
      disabled={disabled}
      width={460}
      position="bottom-start"
      withinPortal
    >
      <Combobox.Target targetType="button">
        <InputBase
          label={label}
          component="button"
          type="button"
          pointer
          miw={260}
          disabled={disabled}
          rightSection={<Combobox.Chevron />}
          rightSectionPointerEvents="none"
          onClick={() => combobox.toggleDropdown()}
          error={error && !catalog ? t.picker.failed : undefined}
        >
          <Text size="sm" truncate component="span" display="block">
            {chosen
              ? `${chosen.provider.name} · ${chosen.name}`
              : value
                ? value.model || without?.label
                : (none?.label ?? t.picker.choose)}
          </Text>
        </InputBase>
      </Combobox.Target>
      <Combobox.Dropdown maw="calc(100vw - 2rem)">
        <Combobox.Search
          value={words}
          onChange={(event) => {
            setWords(event.currentTarget.value);
            combobox.updateSelectedOptionIndex();
          }}
          onKeyDown={(event) => {
            if (event.altKey && event.code === "KeyF") {
              event.preventDefault();
              const index = combobox.getSelectedOptionIndex();
              const element = document.querySelectorAll(`#${CSS.escape(combobox.listId ?? "")} [data-combobox-option]`)[
                index
              ];
              const id = element?.getAttribute("data-model");
              if (id) favourites.toggle(id);
            }
          }}
          placeholder={t.picker.search}
          aria-label={t.picker.search}
          aria-describedby={help}
        />
        <Combobox.Options aria-label={label}>
          <ScrollArea.Autosize mah={340} type="auto">
            {words.trim() === "" && (
              <>
                {none && <ChoiceOption value={NONE} choice={none} active={value === null} />}
                {without && <ChoiceOption value={WITHOUT} choice={without} active={value?.model === ""} />}
              </>
            )}
            {starred.length > 0 && <Combobox.Group label={t.picker.favourites}>{starred.map(option)}</Combobox.Group>}
            {catalog?.providers.map((provider) => (
              <ProviderGroup key={provider.id} provider={provider} mayAddKey={may.manage}>
                {found.filter((model) => model.provider.id === provider.id && !starred.includes(model)).map(option)}
              </ProviderGroup>
            ))}
            {found.length === 0 && <Combobox.Empty>{t.picker.nothing}</Combobox.Empty>}
          </ScrollArea.Autosize>
        </Combobox.Options>
        <Combobox.Footer>
          <Text size="xs" c="dimmed" id={help}>
            <Kbd size="xs">↑</Kbd> <Kbd size="xs">↓</Kbd> {t.picker.move} ·{" "}
            <Kbd size="xs">Enter</Kbd> {t.picker.pick} ·{" "}
            <Kbd size="xs">Alt F</Kbd> {t.picker.favourite}
          </Text>
        </Combobox.Footer>
      </Combobox.Dropdown>
    </Combobox>
  );
}

function ChoiceOption(props: { value: string; choice: Choice; active: boolean }) {
  return (
    <Combobox.Option value={props.value} active={props.active}>
      <Text size="sm">{props.choice.label}</Text>
      <Text size="xs" c="dimmed">
        {props.choice.text}
      </Text>
    </Combobox.Option>
  );
}

function ProviderGroup(props: { provider: CatalogProvider; mayAddKey: boolean; children: React.ReactNode[] }) {
  const { provider, mayAddKey, children } = props;
  if (children.length === 0) return null;
  return (
    <Combobox.Group
      label={
        <Group gap={6}>
          {provider.name} <HealthBadge health={provider.health} />
        </Group>
      }
    >
      {!provider.configured &&
        (mayAddKey ? (
          <Combobox.Option value={`${ADD_KEY}${provider.id}`}>
            <Group gap={6}>
              <IconKey size={16} aria-hidden />
              <Text size="sm">{t.picker.addKey(provider.name)}</Text>
            </Group>
          </Combobox.Option>
        ) : (
          <Text size="xs" c="dimmed" px="sm" pb={4}>
            {t.picker.noKey}
          </Text>
        ))}
      {children}
    </Combobox.Group>
  );
}

function ModelOption(props: {
  model: CatalogModel;
  active: boolean;
  favourite: boolean;
  onFavourite: () => void;
  marks: string[];
}) {
  const { model, active, favourite, onFavourite, marks } = props;
  const callable = model.provider.configured && model.lifecycle !== "SHUT_DOWN";
  return (
    <Combobox.Option value={model.id} active={active} disabled={!callable} data-model={model.id}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Stack gap={0} miw={0}>
          <Group gap={6}>
            <Text size="sm" fw={active ? 600 : 400}>
              {model.name}
            </Text>
            {marks.map((mark) => (
              <Badge key={mark} size="sm">
                {mark}
              </Badge>
            ))}
            <LifecycleBadge model={model} />
          </Group>
          <Text size="xs" c="dimmed">
            {modelFacts(model)}
          </Text>
        </Stack>
        <Tooltip label={favourite ? t.picker.unmark : t.picker.mark}>
          {/* The keyboard reaches this by Alt-F: an option has no focus of its own. */}
          <ActionIcon
            component="span"
            variant="subtle"
            color="yellow"
            aria-hidden
            onMouseDown={(event: React.MouseEvent) => event.preventDefault()}
            onClick={(event: React.MouseEvent) => {
              event.stopPropagation();
              onFavourite();
            }}
          >
            {favourite ? <IconStarFilled size={16} /> : <IconStar size={16} />}
          </ActionIcon>
        </Tooltip>
      </Group>
      {favourite && <Box className="visually-hidden">{t.picker.favourites}</Box>}
    </Combobox.Option>
  );
}

/** "1M tokens · $3.00 in, $15.00 out per million". */
function modelFacts(model: CatalogModel): string {
  const facts: string[] = [];
  if (model.contextWindow) facts.push(t.picker.context(compact(model.contextWindow)));
  if (model.inputUsdPerMtok !== null) {
    facts.push(
      t.picker.price(usd(model.inputUsdPerMtok), model.outputUsdPerMtok === null ? "" : usd(model.outputUsdPerMtok)),
    );
  }
  return facts.join(" · ");
}
