// The addresses below /auth: signing in and out, sessions, invitations. They are no part of the GraphQL API, because a
// session belongs to a person and not to a tenant.

import { clockHear } from "./clock.ts";
import { ApiError, sentence } from "./errors.ts";

export type Role = "OWNER" | "ADMIN" | "MEMBER" | "VIEWER";

interface TenantChoice {
  id: string;
  slug: string;
  name: string;
  role: Role;
}

export interface SignedIn {
  user: { id: string; email: string; name: string };
  tenants: TenantChoice[];
  /** The slug of the chosen tenant. */
  tenant: string | null;
}

export interface Methods {
  password: boolean;
  oidc: { id: string; name: string }[];
  signUp: "closed" | "open";
  /** Whether the server has no tenant yet. */
  setUp: boolean;
}

export interface BrowserSession {
  id: string;
  current: boolean;
  createdAt: string;
  lastSeenAt: string;
  expiresAt: string;
  address: string | null;
  userAgent: string | null;
}

export interface InvitationLook {
  tenantName: string;
  email: string;
  role: Role;
  inviter: string | null;
  expiresAt: string;
}

async function ask<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
  const answer = await fetch(path, {
    method,
    credentials: "same-origin",
    headers: method === "POST" ? { "content-type": "application/json" } : {},
    body: method === "POST" ? JSON.stringify(body ?? {}) : null,
  });
  clockHear(answer.headers.get("date"));
  const text = await answer.text();
  let data: unknown = {};
  try {
    data = text ? JSON.parse(text) : {};
  } catch {
    throw new ApiError("NETWORK", `HTTP ${answer.status}`);
  }
  if (!answer.ok) {
    const { code = `HTTP_${answer.status}`, message = answer.statusText } = data as { code?: string; message?: string };
    throw new ApiError(code, sentence(message));
  }
  return data as T;
}

export const auth = {
  session: () => ask<SignedIn>("GET", "/auth/session"),
  methods: () => ask<Methods>("GET", "/auth/methods"),
  signIn: (email: string, password: string) => ask<SignedIn>("POST", "/auth/sign-in", { email, password }),
  signUp: (email: string, password: string, name: string) =>
    ask<SignedIn>("POST", "/auth/sign-up", { email, password, name }),
  setUp: (input: { secret: string; slug: string; name: string; email: string; password: string }) =>
    ask<SignedIn>("POST", "/auth/set-up", input),
  link: (secret: string) => ask<SignedIn>("POST", "/auth/link", { secret }),
  signOut: () => ask<object>("POST", "/auth/sign-out"),
  signOutEverywhere: () => ask<{ ended: number }>("POST", "/auth/sign-out-everywhere"),
  tenant: (slug: string) => ask<SignedIn>("POST", "/auth/tenant", { slug }),
  password: (current: string, next: string) => ask<object>("POST", "/auth/password", { current, new: next }),
  sessions: () => ask<{ sessions: BrowserSession[] }>("GET", "/auth/sessions"),
  endSession: (id: string) => ask<object>("POST", "/auth/sessions/end", { id }),
  invitation: (secret: string) => ask<InvitationLook>("POST", "/auth/invitations/look", { secret }),
  accept: (secret: string) => ask<SignedIn>("POST", "/auth/invitations/accept", { secret }),
  acceptAsNew: (secret: string, name: string, password: string) =>
    ask<SignedIn>("POST", "/auth/invitations/accept", { secret, name, password }),
};
