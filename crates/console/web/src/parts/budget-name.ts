// What a budget and a cost are for, in words.

import { t } from "~/text";

/** What calls are made for; a purpose that a newer server has is shown as it is. */
export function purposeName(purpose: string | null): string {
  const names: Readonly<Record<string, string>> = t.usage.purposes;
  return purpose === null ? "–" : (names[purpose] ?? purpose);
}

/** Such as "One project · Atlas". */
export function budgetName(budget: {
  scope: keyof typeof t.usage.scopes;
  project: { name: string } | null;
  member: { name: string } | null;
  purpose: string | null;
}): string {
  const { scope, project, member, purpose } = budget;
  const one = project?.name ?? member?.name ?? (purpose === null ? null : purposeName(purpose));
  return one === null ? t.usage.scopes[scope] : `${t.usage.scopes[scope]} · ${one}`;
}
