// Gives the screens the API of the chosen tenant.

import { type ReactNode, createContext, useContext, useEffect, useMemo, useSyncExternalStore } from "react";
import { Provider } from "urql";
import { type Api, type ConnectionState, apiOpen } from "./client.ts";

const ApiContext = createContext<Api | undefined>(undefined);

export function ApiProvider(props: { tenant: string; onDoubt: () => void; children: ReactNode }) {
  const { tenant, onDoubt } = props;
  const api = useMemo(() => apiOpen(tenant, onDoubt), [tenant, onDoubt]);
  useEffect(() => api.close, [api]);
  return (
    <ApiContext value={api}>
      <Provider value={api.client}>{props.children}</Provider>
    </ApiContext>
  );
}

export function useApi(): Api {
  const api = useContext(ApiContext);
  if (!api) throw new Error("useApi outside of ApiProvider");
  return api;
}

export function useConnection(): ConnectionState {
  const { connection } = useApi();
  return useSyncExternalStore(connection.subscribe, connection.current);
}
