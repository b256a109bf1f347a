// What the cache knows about the schema, and which lists a mutation changes. A mutation's own answer updates the
// objects that it names; here stands only what it changes besides.

import type { Cache, CacheExchangeOpts, UpdateResolver } from "@urql/exchange-graphcache";

/** Types without an id: they are part of what holds them. */
const EMBEDDED = [
  "AnalysisWarning", "Citation", "CloneGroup", "CoChange", "CodeLocation", "CodePatternChange", "ConsolidationReport",
  "ContextSection", "DeadCode", "EnrichmentPreview", "EnrichmentReport", "GitRepository", "Hotspot", "ImportCycle",
  "ImportGraph", "ImportLayer", "ImportResult", "ImportStep", "LanguageShare", "Membership", "ModelCatalog",
  "ModelDefaults", "ModelEndpoint", "ModelUsage", "OwnModelDefaults", "Ownership", "PageInfo", "PatternStrength",
  "PersonaMatch", "PersonaMatchReason", "PersonaModel", "PreviewItem", "PreviewSection", "ProjectCommand",
  "ProjectFindings", "ProjectMetrics", "ProviderHealth", "Quotation", "RankedDefinition", "RunAttempt", "RunError",
  "RunFinished", "RunMessage", "RunPhase", "RunPhaseSkipped", "RunPhaseStarted", "RunProgress", "RunProgressed",
  "RunText", "ScoreExplanation", "SearchHit", "SearchPlace", "ServerInfo", "SkippedFiles", "SourceSchedule",
  "SpecializationMatch", "Technology", "TermMatch", "UsageReport", "UsageRow", "UsageSum", "Viewer",
];

type Entity = "Query" | { __typename: string; id: string };

/** Forgets fields of an object, whatever their arguments: what shows them asks again. */
function forget(cache: Cache, entity: Entity, ...fields: string[]): void {
  for (const field of cache.inspectFields(entity)) {
    if (fields.includes(field.fieldName)) cache.invalidate(entity, field.fieldKey);
  }
}

/** Forgets all fields of an object but these: its names, which the answer at hand shows itself. */
function forgetRest(cache: Cache, entity: Entity, ...kept: string[]): void {
  const fields = cache.inspectFields(entity).map((field) => field.fieldName);
  forget(cache, entity, ...fields.filter((field) => !kept.includes(field)));
}

/** Forgets fields of the projects, or of the tenant, that screens have asked for by themselves. */
function forgetEvery(cache: Cache, type: "Project" | "Tenant", ...fields: string[]): void {
  for (const id of idsOf(cache, type)) forget(cache, { __typename: type, id }, ...fields);
}

function idsOf(cache: Cache, type: string): Set<string> {
  const viewer = cache.resolve("Query", "viewer");
  const links = [
    ...cache.inspectFields("Query").map((field) => cache.resolve("Query", field.fieldKey)),
    typeof viewer === "string" ? cache.resolve(viewer, "tenant") : null,
  ];
  const ids = links.filter((link) => typeof link === "string").filter((link) => link.startsWith(`${type}:`));
  return new Set(ids.map((link) => link.slice(type.length + 1)));
}

type Input = { input: Record<string, string | undefined> };

const query =
  (...fields: string[]): UpdateResolver =>
  (_result, _args, cache) =>
    forget(cache, "Query", ...fields);

const within =
  (type: string, argument: string, ...fields: string[]): UpdateResolver =>
  (_result, args, cache) => {
    const id = (args as Input).input[argument];
    if (id) forget(cache, { __typename: type, id }, ...fields);
  };

const every =
  (type: "Project" | "Tenant", ...fields: string[]): UpdateResolver =>
  (_result, _args, cache) =>
    forgetEvery(cache, type, ...fields);

const gone =
  (type: string, argument: string, ...more: UpdateResolver[]): UpdateResolver =>
  (...all) => {
    const [, args, cache] = all;
    const id = (args as Input).input[argument];
    for (const one of more) one(...all);
    if (id) cache.invalidate({ __typename: type, id });
  };

/** Forgets fields of the note that a mutation answers with. */
const note =
  (mutation: string, ...fields: string[]): UpdateResolver =>
  (result, _args, cache) => {
    const changed = (result[mutation] as { note?: { id: string } } | undefined)?.note;
    if (changed) forget(cache, { __typename: "Note", id: changed.id }, ...fields);
  };

const both =
  (...updates: UpdateResolver[]): UpdateResolver =>
  (...all) => {
    for (const update of updates) update(...all);
  };

const models = query("modelCatalog");
const members = query("viewer");

export const cacheOptions: CacheExchangeOpts = {
  // The interfaces of the schema: a fragment on one of these types matches it, and no other.
  possibleTypes: {
    Run: ["CodeAnalysis", "Consolidation", "Embedding", "NoteEnrichment", "Sync"],
    RunEvent: ["RunFinished", "RunMessage", "RunPhaseSkipped", "RunPhaseStarted", "RunProgressed", "RunText"],
    Node: [
      "ActionPoint", "BlogPost", "CodeAnalysis", "CodePattern", "Consolidation", "ConsolidationPattern", "Embedding",
      "GitConnection", "Insight", "MemoryEntry", "Note", "NoteEnrichment", "NoteVersion", "Persona", "Project",
      "Source", "SourceFile", "Sync", "Tenant", "User",
    ],
  },
  keys: Object.fromEntries(
    EMBEDDED.map((type) => [type, () => null]),
  ),
  updates: {
    Mutation: {
      createProject: query("projects"),
      deleteProject: gone("Project", "projectId", query("projects", "runs")),
      addSource: within("Project", "projectId", "sources"),
      importRepositories: both(query("projects", "runs", "gitConnections"), every("Project", "sources", "latestSync")),
      removeSource: gone("Source", "sourceId", every("Project", "sources")),
      startSync: both(within("Source", "sourceId", "syncs", "status"), query("runs")),
      startCodeAnalysis: both(within("Project", "projectId", "latestAnalysis"), query("runs")),
      enrichNote: both(within("Note", "noteId", "enrichments"), query("runs")),
      startConsolidation: query("runs"),
      updateConsolidationPattern: both(every("Project", "consolidationPatterns"), query("search")),
      applyEnrichment: note("applyEnrichment", "versions"),
      restoreNoteVersion: note("restoreNoteVersion", "versions"),
      createNote: within("Project", "projectId", "notes"),
      deleteNote: gone("Note", "noteId", every("Project", "notes")),
      createMemoryEntry: both(within("Project", "projectId", "memoryEntries"), query("search")),
      createInsight: both(within("Project", "projectId", "insights"), query("search")),
      createBlogPost: within("Project", "projectId", "blogPosts"),
      importBlogPost: within("Project", "projectId", "blogPosts"),
      deleteBlogPost: gone("BlogPost", "blogPostId", every("Project", "blogPosts")),
      addGitConnection: query("gitConnections"),
      removeGitConnection: gone("GitConnection", "connectionId", query("gitConnections")),
      createPersona: query("personas"),
      installStarterPersonas: query("personas"),
      deletePersona: gone("Persona", "personaId", query("personas")),
      createBudget: query("budgets"),
      deleteBudget: gone("Budget", "budgetId", query("budgets")),
      setProviderKey: models,
      removeProviderKey: models,
      verifyProvider: models,
      setModelDefaults: models,
      setModelEndpoint: models,
      removeModelEndpoint: models,
      setModel: models,
      removeModel: models,
      setModelHidden: models,
      inviteMember: every("Tenant", "invitations"),
      setMemberRole: both(every("Tenant", "members"), members),
      removeMember: every("Tenant", "members"),
      transferOwnership: both(every("Tenant", "members"), members),
      createApiToken: every("Tenant", "apiTokens"),
    },
    Subscription: {
      // A run has ended: what it may have changed is read again.
      tenantActivity: (result, _args, cache) => {
        const event = result.tenantActivity as {
          __typename?: string;
          run?: { __typename: string; id: string; kind: string; project?: { id: string } | null };
        };
        const changesLists = ["RunPhaseStarted", "RunFinished"].includes(event?.__typename ?? "");
        if (changesLists) forget(cache, "Query", "runs");
        if (event?.__typename !== "RunFinished") return;
        if (event.run?.kind === "CONSOLIDATION") forgetEvery(cache, "Project", "consolidationPatterns");
        // The event brings the run's new status, but not what the run has made: that is read again.
        if (event.run) forgetRest(cache, event.run, ...Object.keys(event.run));
        const project = event.run?.project;
        if (project) forgetRest(cache, { __typename: "Project", id: project.id }, "__typename", "id", "name", "slug");
      },
    },
  },
};
