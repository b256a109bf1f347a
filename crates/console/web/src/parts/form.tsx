// The one form: its fields, what went wrong beside them, and the button that sends it. And the fields that most forms
// have: each hands on its value and not the event.

import {
  Button,
  Group,
  PasswordInput,
  type PasswordInputProps,
  Stack,
  TextInput,
  type TextInputProps,
  Textarea,
  type TextareaProps,
} from "@mantine/core";
import type { ReactNode } from "react";
import type { Failure } from "~/api/errors";
import { t } from "~/text";
import { FailureBox } from "./failure";

export function Form(props: {
  /** What the form sends, by `useChange` or `useStep`. */
  change: { busy: boolean; failure: Failure | undefined };
  onSubmit: () => unknown;
  /** What the button says: "Save" where nothing else is said. */
  label?: string;
  /** The form is one of several on its page: its button does not stand out. */
  quiet?: boolean;
  /** There is nothing to save. */
  unchanged?: boolean;
  /** Adds a button that closes a long form without sending it. */
  onCancel?: () => void;
  children: ReactNode;
}) {
  const { change, onSubmit, label = t.common.save, quiet = false, unchanged, onCancel, children } = props;
  const send = (
    <Button type="submit" variant={quiet ? "default" : "filled"} loading={change.busy} disabled={unchanged ?? false}>
      {label}
    </Button>
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        // One request at a time: a second Enter sends nothing.
        if (!change.busy) onSubmit();
      }}
    >
      <Stack>
        {children}
        <FailureBox failure={change.failure} />
        {onCancel ? (
          <Group justify="flex-end">
            <Button variant="default" onClick={onCancel}>
              {t.common.cancel}
            </Button>
            {send}
          </Group>
        ) : // On a page the button is as wide as its words, in a dialog as wide as the fields.
        quiet || unchanged !== undefined ? (
          <Group>{send}</Group>
        ) : (
          send
        )}
      </Stack>
    </form>
  );
}

type ValueProps<Props> = Omit<Props, "onChange"> & { onValue: (value: string) => void };

export function TextField({ onValue, ...props }: ValueProps<TextInputProps>) {
  return <TextInput {...props} onChange={(event) => onValue(event.currentTarget.value)} />;
}

/** The title of a note, a post or an entry. */
export function TitleField(props: ValueProps<TextInputProps>) {
  return <TextField label={t.notes.noteTitle} required maxLength={200} dir="auto" {...props} />;
}

/** A field of several lines, which grows with its text. */
export function LongField({ onValue, ...props }: ValueProps<TextareaProps>) {
  return <Textarea autosize dir="auto" {...props} onChange={(event) => onValue(event.currentTarget.value)} />;
}

export function PasswordField({ onValue, ...props }: ValueProps<PasswordInputProps>) {
  return (
    <PasswordInput
      visibilityToggleButtonProps={{ "aria-label": t.signIn.showPassword }}
      {...props}
      onChange={(event) => onValue(event.currentTarget.value)}
    />
  );
}
