// A step that asks the addresses below /auth: busy while it runs, and its failure beside the form.

import { useState } from "react";
import { type Failure, failureOf } from "~/api/errors";

export function useStep<Arguments extends unknown[]>(
  step: (...args: Arguments) => Promise<void>,
): { run: (...args: Arguments) => Promise<void>; busy: boolean; failure: Failure | undefined } {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const run = async (...args: Arguments) => {
    setBusy(true);
    setFailure(undefined);
    try {
      await step(...args);
    } catch (error) {
      setFailure(failureOf(error as Error));
    } finally {
      setBusy(false);
    }
  };
  return { run, busy, failure };
}
