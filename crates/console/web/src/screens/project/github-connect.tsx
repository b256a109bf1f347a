// Connects a GitHub account by a token.

import { Text } from "@mantine/core";
import { useState } from "react";
import { graphql } from "~/api/graphql";
import { useChange } from "~/api/use-change";
import { Form, PasswordField, TextField } from "~/parts/form";
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
    <Form change={add} onSubmit={submit} label={t.github.connect}>
      <Text size="sm">{t.github.connectText}</Text>
      <PasswordField
        label={t.github.token}
        description={t.github.tokenText}
        autoComplete="off"
        required
        value={token}
        onValue={setToken}
        data-autofocus
      />
      <TextField label={t.common.name} required value={name} onValue={setName} />
      <TextField
        label={t.github.server}
        placeholder="https://github.com"
        description={t.github.serverText}
        value={baseUrl}
        onValue={setBaseUrl}
      />
    </Form>
  );
}
