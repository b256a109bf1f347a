//! The expected number of rows of each list, and the fields that cost more than one.
//!
//! A list without `first` has no limit of its own. Its size here is that of a full but ordinary list; the real
//! response is limited by [`Limits::answer_values`](super::Limits::answer_values).

/// Rows of each list that takes no number of rows, by `Type.field`.
pub(super) const LIST_SIZES: &[(&str, usize)] = &[
    ("ActionPoint.citations", 10),
    ("CloneGroup.places", 10),
    ("EnrichmentPreview.sections", 6),
    ("EnrichmentPreview.templates", 2),
    ("EnrichmentReport.filesUnknown", 5),
    ("EnrichmentReport.openQuestions", 5),
    ("EnrichmentReport.templates", 2),
    // Two files each.
    ("CoChange.commits", 2),
    ("CoChange.paths", 2),
    ("CoChange.sources", 2),
    // A run is tried three times.
    ("CodeAnalysis.attempts", 3),
    ("CodeAnalysis.skipped", 10),
    ("CodeAnalysis.warnings", 10),
    ("CodePattern.counterExamples", 5),
    ("CodePattern.exemplars", 5),
    // A run is tried three times.
    ("Consolidation.attempts", 3),
    ("Consolidation.patterns", 50),
    ("Consolidation.projects", 20),
    ("ConsolidationPattern.evidence", 10),
    ("ConsolidationPattern.projects", 20),
    ("ConsolidationPattern.quotations", 3),
    ("ConsolidationPattern.tags", 10),
    ("ConsolidationReport.projectsDeleted", 2),
    ("ConsolidationReport.templates", 2),
    ("DeadCode.caveats", 5),
    // A run is tried five times.
    ("Embedding.attempts", 5),
    ("GitConnection.branches", 300),
    ("GitRepository.importedAs", 3),
    ("ImportCycle.path", 10),
    ("ImportGraph.cycles", 20),
    ("ImportGraph.layers", 20),
    ("ImportLayer.folders", 20),
    ("ImportMemoryEntriesPayload.refused", 10),
    ("ImportRepositoriesPayload.results", 50),
    ("Insight.duplicates", 5),
    ("Insight.suggestedPartners", 5),
    ("KnowledgeAudit.findings", 100),
    ("KnowledgeFinding.subjects", 2),
    ("MemoryEntry.tags", 10),
    // The starter set.
    ("InstallStarterPersonasPayload.installed", 12),
    ("InstallStarterPersonasPayload.skipped", 12),
    ("Model.capabilities", 5),
    ("ModelCatalog.models", 200),
    ("ModelCatalog.providers", 10),
    ("ModelCatalog.warnings", 5),
    ("ModelDefaults.byProvider", 10),
    ("ModelDefaults.warnings", 5),
    ("ModelEndpoint.headerNames", 3),
    ("Note.actionPoints", 50),
    ("NoteEnrichment.actionPoints", 50),
    ("NoteEnrichment.attempts", 3),
    ("NoteEnrichment.citations", 20),
    ("NoteEnrichment.contextUsed", 10),
    ("Persona.specializations", 15),
    ("Persona.traits", 10),
    // The number of reasons of an ordinary match.
    ("PersonaMatch.reasons", 10),
    ("PreviewSection.items", 10),
    ("Project.sources", 20),
    ("Project.stack", 10),
    ("ProjectFindings.commands", 20),
    ("ProjectFindings.technologies", 20),
    ("ProjectMetrics.languages", 20),
    ("Provider.models", 50),
    ("Query.budgets", 20),
    ("Query.templates", 10),
    // One of each domain.
    ("Query.specializations", 15),
    ("Run.attempts", 3),
    ("RunAttempt.phases", 10),
    // A short question's terms.
    ("ScoreExplanation.terms", 10),
    ("SearchHit.morePlaces", 1),
    ("ServerInfo.capabilities", 10),
    ("SkippedFiles.paths", 10),
    ("SpecializationMatch.keywords", 10),
    ("Sync.attempts", 3),
    ("Template.variables", 20),
    ("TermMatch.fields", 2),
    ("UsageReport.byDay", 31),
    ("UsageReport.byMember", 20),
    ("UsageReport.byModel", 20),
    ("UsageReport.byProject", 20),
    ("UsageReport.byPurpose", 10),
    ("Viewer.memberships", 20),
];

/// The cost of a field, if it is more than 1: it calls another server, searches, or reads much for few values.
pub(super) const FIELD_COSTS: &[(&str, usize)] = &[
    ("GitConnection.branches", 200),
    ("GitConnection.repositories", 200),
    ("Insight.duplicates", 200),
    ("Insight.suggestedPartners", 200),
    ("Mutation.importRepositories", 200),
    ("Mutation.verifyProvider", 200),
    // One or two searches, and the texts of the results.
    ("Query.enrichmentPreview", 400),
    ("Query.knowledgeAudit", 500),
    ("Query.personaMatches", 200),
    ("Query.search", 200),
    ("Query.specializations", 30),
];

/// The entry of a table for `Type.field`.
pub(super) fn of_field(table: &[(&str, usize)], parent: &str, field: &str) -> Option<usize> {
    let is_field = |name: &str| name.split_once('.') == Some((parent, field));
    table
        .iter()
        .find(|(name, _)| is_field(name))
        .map(|(_, size)| *size)
}
