// A choice of one among few, each with its name. A file of its own: the sign-in needs no list.

import { Select, type SelectProps } from "@mantine/core";

export function ChoiceField<Value extends string>({
  names,
  onValue,
  ...props
}: Omit<SelectProps<Value>, "data" | "onChange" | "allowDeselect" | "value"> & {
  names: Readonly<Record<Value, string>>;
  value: Value;
  onValue: (value: Value) => void;
}) {
  return (
    <Select<Value>
      {...(props as SelectProps<Value>)}
      data={optionsOf(names)}
      allowDeselect={false}
      onChange={(value) => value && onValue(value as Value)}
    />
  );
}

/** The options of a list, out of the names of its values. */
export function optionsOf<Value extends string>(
  names: Readonly<Record<Value, string>>,
): { value: Value; label: string }[] {
  return Object.entries<string>(names).map(([value, label]) => ({ value: value as Value, label }));
}
