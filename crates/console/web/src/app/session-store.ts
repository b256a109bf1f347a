// Who is signed in. One store for the page; components read it by `useSession`.

import { useSyncExternalStore } from "react";
import { type SignedIn, auth } from "~/api/auth";
import { ApiError, type Failure, failureOf } from "~/api/errors";

type SessionState =
  | { at: "loading" }
  | { at: "unreachable"; failure: Failure }
  | { at: "signed-out" }
  | {
      at: "signed-in";
      who: SignedIn;
      /** The session has ended while the page is open; what is typed stays. */ ended: boolean;
    };

let state: SessionState = { at: "loading" };
const listeners = new Set<() => void>();
const again = new Set<() => void>();

function become(next: SessionState): void {
  state = next;
  for (const listener of listeners) listener();
}

export async function sessionLoad(): Promise<void> {
  try {
    become({ at: "signed-in", who: await auth.session(), ended: false });
  } catch (error) {
    if (error instanceof ApiError && error.code === "UNAUTHENTICATED") become({ at: "signed-out" });
    else become({ at: "unreachable", failure: failureOf(error as Error) });
  }
}

/** After a sign-in. The same person in the same tenant goes on where they were; anybody else begins anew. */
export function sessionBegin(who: SignedIn): void {
  const before = state;
  const same = before.at === "signed-in" && before.who.user.id === who.user.id && before.who.tenant === who.tenant;
  if (before.at === "signed-in" && !same) {
    location.assign("/");
    return;
  }
  become({ at: "signed-in", who, ended: false });
  for (const listener of again) listener();
}

/** The server no longer knows the session: asked again first, since another tab may have signed in meanwhile. */
export async function sessionCheck(): Promise<void> {
  const before = state;
  if (before.at !== "signed-in" || before.ended) return;
  try {
    const who = await auth.session();
    if (who.tenant !== before.who.tenant || who.user.id !== before.who.user.id) location.reload();
    else become({ at: "signed-in", who, ended: false });
  } catch (error) {
    if (error instanceof ApiError && error.code === "UNAUTHENTICATED") become({ ...before, ended: true });
  }
}

export async function sessionLeave(): Promise<void> {
  await auth.signOut();
  location.assign("/");
}

/** Calls back when the person has signed in again. */
export function onSignedIn(listener: () => void): () => void {
  again.add(listener);
  return () => again.delete(listener);
}

export function useSession(): SessionState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

export function useWho(): SignedIn {
  const session = useSession();
  if (session.at !== "signed-in") throw new Error("nobody is signed in");
  return session.who;
}

/** What the person may do in this tenant. What they may not do is not shown. */
export function useMay(): { write: boolean; manage: boolean; own: boolean } {
  const who = useWho();
  const role = who.tenants.find((tenant) => tenant.slug === who.tenant)?.role;
  return {
    write: role !== undefined && role !== "VIEWER",
    manage: role === "ADMIN" || role === "OWNER",
    own: role === "OWNER",
  };
}
