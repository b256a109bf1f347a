// Models: which there are, how their providers stand, whose key is used, and what is called by default.

import { Alert, Skeleton, Stack, Tabs } from "@mantine/core";
import { useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { failureOf } from "~/api/errors";
import { useMay } from "~/app/session-store";
import { FailureBox } from "~/parts/failure";
import { useCatalog } from "~/parts/model-picker/catalog";
import { Page } from "~/parts/page";
import { t } from "~/text";
import { Defaults } from "./defaults";
import { ModelTable } from "./model-table";
import { Providers } from "./providers";

export function Models() {
  const may = useMay();
  const { catalog, error, reload } = useCatalog();
  const hash = useRouterState({ select: (state) => state.location.hash });
  const [tab, setTab] = useState<string | null>("providers");
  // "Add key" of a picker leads to the provider's form.
  useEffect(() => {
    if (hash.startsWith("key-")) setTab("providers");
  }, [hash]);
  return (
    <Page title={t.models.title} lead={catalog ? t.models.lead(catalog.asOf) : " "}>
      {error && !catalog && <FailureBox failure={failureOf(error)} retry={reload} />}
      {!catalog && !error && <Skeleton height={320} />}
      {catalog && (
        <>
          {catalog.defaults.warnings.length > 0 && (
            <Alert color="yellow" title={t.models.defaultsWarn}>
              <Stack gap={2}>{catalog.defaults.warnings.map((warning) => <span key={warning}>{warning}</span>)}</Stack>
            </Alert>
          )}
          <Tabs value={tab} onChange={setTab} keepMounted={false}>
            <Tabs.List>
              <Tabs.Tab value="providers">{t.models.providers}</Tabs.Tab>
              <Tabs.Tab value="models">{t.models.catalog}</Tabs.Tab>
              <Tabs.Tab value="defaults">{t.models.defaults}</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="providers" pt="md">
              <Providers catalog={catalog} wanted={hash.startsWith("key-") ? hash.slice(4) : undefined} />
            </Tabs.Panel>
            <Tabs.Panel value="models" pt="md">
              <ModelTable catalog={catalog} mayManage={may.manage} />
            </Tabs.Panel>
            <Tabs.Panel value="defaults" pt="md">
              <Defaults catalog={catalog} />
            </Tabs.Panel>
          </Tabs>
        </>
      )}
    </Page>
  );
}
