// Asks before something is destroyed. `await confirm({…})` is true where the reader agrees.

import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { t } from "~/text";

interface Question {
  title: string;
  text: ReactNode;
  /** What the button says, such as "Delete project". */
  label: string;
  /** What has to be typed first, for what takes much with it. */
  type?: string;
}

let show: ((question: Question, answer: (agreed: boolean) => void) => void) | undefined;

export function confirm(question: Question): Promise<boolean> {
  return new Promise((answer) => (show ? show(question, answer) : answer(false)));
}

export function ConfirmHost() {
  const [asked, setAsked] = useState<{ question: Question; answer: (agreed: boolean) => void }>();
  const [opened, setOpened] = useState(false);
  const [typed, setTyped] = useState("");
  useEffect(() => {
    show = (question, answer) => {
      setTyped("");
      setAsked({ question, answer });
      setOpened(true);
    };
    return () => {
      show = undefined;
    };
  }, []);
  const close = (agreed: boolean) => {
    setOpened(false);
    asked?.answer(agreed);
  };
  const { title, text, label, type } = asked?.question ?? {};
  return (
    <Modal
      opened={opened}
      onClose={() => close(false)}
      title={title}
      closeButtonProps={{ "aria-label": t.common.close }}
      centered
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          close(true);
        }}
      >
        <Stack>
          <Text size="sm" component="div" className="anywhere">
            {text}
          </Text>
          {type && (
            <TextInput
              label={t.common.typeToConfirm(type)}
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              autoComplete="off"
              data-autofocus
            />
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => close(false)} data-autofocus={type ? undefined : true}>
              {t.common.cancel}
            </Button>
            <Button type="submit" color="red" disabled={type !== undefined && typed.trim() !== type}>
              {label}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
