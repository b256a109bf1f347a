// What went wrong, in one shape: of the GraphQL API, of the addresses below /auth, and of the network.

import type { CombinedError } from "urql";
import { t } from "~/text";

/** An error to show: words for a person, and the code that the documentation and the log know. */
export interface Failure {
  code: string;
  message: string;
  /** Seconds after which the same request may work. */
  retryAfter?: number;
}

export class ApiError extends Error implements Failure {
  code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const OFFLINE = "NETWORK";

export function failureOf(error: CombinedError | Error): Failure {
  if (error instanceof ApiError) return { code: error.code, message: error.message };
  if ("graphQLErrors" in error) {
    const first = error.graphQLErrors[0];
    if (first) {
      const code = String(first.extensions?.code ?? "UNKNOWN");
      const retryAfter = Number(first.extensions?.retryAfter);
      return { code, message: words(code, first.message), ...(retryAfter > 0 ? { retryAfter } : {}) };
    }
    return { code: OFFLINE, message: t.errors.offline };
  }
  if (error instanceof TypeError) return { code: OFFLINE, message: t.errors.offline };
  return { code: "UNKNOWN", message: error.message };
}

/** The catalogue's words for a code; the server's own where it has none for it. */
function words(code: string, message: string): string {
  const known: Record<string, string | undefined> = t.errors.codes;
  return known[code] ?? sentence(message);
}

/** The server writes its messages as one writes a log: "name: is empty". */
export function sentence(message: string): string {
  const first = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
