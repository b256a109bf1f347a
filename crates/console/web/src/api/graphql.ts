// The typed `graphql` tag: an operation written with it has the types of the server's schema.

import { initGraphQLTada } from "gql.tada";
import type { introspection } from "./graphql-env.d.ts";

export const graphql = initGraphQLTada<{
  introspection: introspection;
  // Fragments are plain pieces of a selection here: a screen reads what it asked for.
  disableMasking: true;
  scalars: { DateTime: string; JSON: unknown; Long: number };
}>();

export type { FragmentOf, ResultOf, VariablesOf } from "gql.tada";
