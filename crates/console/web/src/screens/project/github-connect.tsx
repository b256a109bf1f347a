// Connects a GitHub account by a token.

import { Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { FailureBox } from "~/parts/failure";
import { t } from "~/text";

const AddConnection = graphql(`
  mutation AddGitConnection($input: AddGitConnectionInput!) {
    addGitConnection(input: $input) {
      login
      connection {
        id
        name
        baseUrl
      }
    }
  }
`);

export function ConnectForm(props: { onDone: (id: string) => void }) {
  const [name, setName] = useState("GitHub");
  const [token, setToken] = useState("");
  const [baseUrl, setBaseUrl] = useState("");
  const add = useChange(AddConnection, {
    inline: true,
    done: (made) => t.github.connected(made.addGitConnection.login),
  });
  const submit = async () => {
    const made = await add.run({ input: { name, token: token.trim(), baseUrl: baseUrl.trim() || null } });
    if (made) props.onDone(made.addGitConnection.connection.id);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Stack>
        <Text size="sm">{t.github.connectText}</Text>
        <PasswordInput
          label={t.github.token}
          description={t.github.tokenText}
          autoComplete="off"
          required
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": t.signIn.showPassword }}
          data-autofocus
        />
        <TextInput
          label={t.common.name}
          required
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label={t.github.server}
          placeholder="https://github.com"
          description={t.github.serverText}
          value={baseUrl}
          onChange={(event) => setBaseUrl(event.currentTarget.value)}
        />
        <FailureBox failure={add.failure} />
        <Button type="submit" loading={add.busy}>
          {t.github.connect}
        </Button>
      </Stack>
    </form>
  );
}
