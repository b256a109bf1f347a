// The one way to mutate: `run` gives the data or nothing; what goes wrong is shown, with its code, and kept in
// `failure` for a form that shows it beside its fields.

import { useCallback, useState } from "react";
import { type AnyVariables, type DocumentInput, useClient } from "urql";
import { toastFailure, toastSuccess } from "~/parts/toast";
import { type Failure, failureOf } from "./errors.ts";

export interface Change<Data, Variables> {
  run: (variables: Variables) => Promise<Data | undefined>;
  busy: boolean;
  failure: Failure | undefined;
  clear: () => void;
}

interface ChangeOptions<Data> {
  /** What a toast says after success. */
  done?: string | ((data: Data) => string | undefined);
  /** Failures are shown by the form itself, and not as a toast. */
  inline?: boolean;
}

export function useChange<Data, Variables extends AnyVariables>(
  document: DocumentInput<Data, Variables>,
  options: ChangeOptions<Data> = {},
): Change<Data, Variables> {
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const { done, inline } = options;
  const run = useCallback(
    async (variables: Variables) => {
      setBusy(true);
      setFailure(undefined);
      const result = await client.mutation(document, variables).toPromise();
      setBusy(false);
      if (result.error || !result.data) {
        const failed = failureOf(result.error ?? new Error("no data"));
        setFailure(failed);
        if (!inline) toastFailure(failed);
        return undefined;
      }
      const words = typeof done === "function" ? done(result.data) : done;
      if (words) toastSuccess(words);
      return result.data;
    },
    [client, document, done, inline],
  );
  return { run, busy, failure, clear: useCallback(() => setFailure(undefined), []) };
}
