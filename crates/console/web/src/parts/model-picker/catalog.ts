// What every choice of a model shows: the catalog, as the tenant and the person have it.

import { useQuery } from "urql";
import { type ResultOf, graphql } from "~/api/graphql";

export const ModelCatalog = graphql(`
  query ModelCatalog {
    modelCatalog {
      asOf
      models(includeShutDown: true) {
        id
        name
        wireId
        capabilities
        contextWindow
        maxOutputTokens
        inputUsdPerMtok
        outputUsdPerMtok
        lifecycle
        shutdownDate
        reasoning
        own
        hidden
        replacement { id name }
        provider { id name configured keySource health { state message checkedAt } }
      }
      providers {
        id
        name
        configured
        keySource
        health { state message checkedAt }
        endpoint { name baseUrl protocol headerNames }
      }
      defaults {
        default { id }
        fast { id }
        review { id }
        embedding { id }
        own { default { id } fast { id } review { id } embedding { id } }
        warnings
      }
    }
  }
`);

export type Catalog = ResultOf<typeof ModelCatalog>["modelCatalog"];
export type CatalogModel = Catalog["models"][number];
export type CatalogProvider = Catalog["providers"][number];

export function useCatalog() {
  const [{ data, error, fetching }, reload] = useQuery({ query: ModelCatalog });
  return { catalog: data?.modelCatalog, error, fetching, reload: () => reload({ requestPolicy: "network-only" }) };
}

/** Whether a model matches what was typed: every word in its name, its id or its provider. */
export function modelMatches(model: CatalogModel, words: string): boolean {
  const text = `${model.name} ${model.id} ${model.wireId} ${model.provider.name}`.toLocaleLowerCase();
  return words.toLocaleLowerCase().split(/\s+/).every((word) => text.includes(word));
}
