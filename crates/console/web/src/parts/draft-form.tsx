// Writes a title and a text in Markdown, as a draft that survives whatever happens before it is saved.

import { Alert, Button, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import type { Failure } from "~/api/errors";
import { t } from "~/text";
import { confirm } from "./confirm";
import { Editor } from "./editor";
import { FailureBox } from "./failure";
import { TitleField } from "./form";
import { useDraft } from "./use-draft";

interface Text {
  title: string;
  body: string;
}

export function DraftForm(props: {
  /** Names the draft in the browser's storage. */
  name: string;
  saved: Text;
  label: string;
  change: { busy: boolean; failure: Failure | undefined };
  /** Gives the data of the change, or nothing where it failed. */
  onSave: (text: Text) => Promise<unknown>;
  onClose: () => void;
  children?: ReactNode;
}) {
  const { name, saved, label, change, onSave, onClose, children } = props;
  const draft = useDraft(name, { title: saved.title, body: saved.body });
  const submit = async () => {
    if (!draft.dirty) return onClose();
    if (await onSave(draft.value)) {
      draft.forget();
      onClose();
    }
  };
  const cancel = async () => {
    if (draft.dirty && !(await confirm({ title: t.notes.discard, text: t.notes.discardText, label: t.notes.discard })))
      return;
    draft.forget();
    onClose();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Stack gap="sm">
        {draft.restored && <Alert color="blue">{t.notes.restored}</Alert>}
        {children}
        <TitleField value={draft.value.title} onValue={(title) => draft.set({ title })} />
        <Editor
          label={label}
          value={draft.value.body}
          onChange={(body) => draft.set({ body })}
          onSave={() => void submit()}
          actions={
            <>
              <Button variant="default" size="xs" onClick={() => void cancel()}>
                {t.common.cancel}
              </Button>
              <Button type="submit" size="xs" loading={change.busy}>
                {t.common.save}
              </Button>
            </>
          }
        />
        <FailureBox failure={change.failure} />
      </Stack>
    </form>
  );
}
