//! Note enrichment: retrieval, text, valid citations, and applying or dismissing.

mod answers;
mod generated;
mod previews;
mod sources;
mod templates;
mod vendor;
mod versions;
pub(crate) mod world;

use std::collections::HashSet;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use nyxcore_context::Section;
use nyxcore_knowledge::{MemoryEntries, NewMemoryEntry, memory_entry_create};
use nyxcore_model_catalog::TenantCatalog;
use nyxcore_note_enrichment::{
    EnrichmentDecision, EnrichmentHandler, EnrichmentMode, EnrichmentRequest, NewEnrichment,
    NoteEnrichment, NoteEnrichmentList, enrichment_apply, enrichment_details, enrichment_dismiss,
    enrichment_get, enrichment_start, enrichment_start_for,
};
use nyxcore_personas::{NewPersona, persona_create};
use nyxcore_projects::{
    ActionPointChanges, ActionPointStatus, Note, NoteChanges, NoteId, Notes, action_point_update,
    action_points_of_enrichments, note_update,
};
use nyxcore_retrieval::{Document, KnowledgeKind, SearchRequest, documents_publish, search};
use nyxcore_runs::{
    EventBody, RunContext, RunFailure, RunHandler, RunKind, RunStatus, Runs, Start, Workers,
    run_cancel, run_follow,
};
use nyxcore_tenancy::{ChildList, Error, PageRequest, Repository, Store, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases};

use self::world::{file, memory, note, pattern, project, resolve, world};
use crate::support::{store, tenant};

on_both_databases! {
    async fn an_enrichment_cites_every_kind_of_knowledge(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let world = world(&store, acme.id).await;
        let scoped = store.write(acme.id).await.unwrap();
        let (start, begun) = enrichment_start(&scoped, NewEnrichment { started_by: Some(ada.id), ..of(world.note.id) }).await.unwrap();
        scoped.commit().await.unwrap();
        assert!(start.is_started());
        assert_eq!((start.run().started_by, start.run().project_id, start.run().id), (Some(ada.id), Some(world.project.0), begun.run_id));
        assert_eq!((begun.mode, begun.decision, begun.markdown.clone()), (EnrichmentMode::Extractive, EnrichmentDecision::Pending, None));
        assert_eq!(phases(&store, acme.id, &begun).await, ["retrieve", "assemble", "write", "check"]);

        let done = read(&store, acme.id, &begun).await;
        let markdown = done.markdown.clone().unwrap();
        assert!(markdown.starts_with("Extractive: drawn from what is known, no model was used.\n"), "{markdown}");
        let kinds: Vec<KnowledgeKind> = done.citations.iter().map(|citation| citation.kind).collect();
        assert_eq!(kinds, [KnowledgeKind::Code, KnowledgeKind::Insight, KnowledgeKind::MemoryEntry, KnowledgeKind::Consolidation, KnowledgeKind::CodePattern], "{markdown}");
        for (number, heading) in [(1, "In the code"), (2, "What was learned"), (3, "From memory"), (4, "Seen across projects"), (5, "How the code is written")] {
            let section = markdown.split(&format!("### {heading}\n")).nth(1).unwrap().split("### ").next().unwrap();
            assert!(section.contains(&format!("[{number}]")), "{heading}: {section}");
        }
        // The shown lines of the file end with a fence, so the block around them uses a longer one.
        assert!(markdown.contains("````rust\n") && markdown.contains("- [1] Code: `src/lease.rs:"), "{markdown}");
        for citation in &done.citations {
            resolve(&store, acme.id, &world, citation).await;
        }
        let used: Vec<_> = done.context_used.iter().map(|section| (section.section.unwrap(), section.items, section.omitted)).collect();
        let expected = Section::ALL.map(|section| (section, i64::from(section != Section::Documents), 0));
        assert_eq!(used, expected);
        assert!(done.context_used.iter().all(|section| (section.tokens > 0) == (section.items > 0)));
        assert!(markdown.contains("Nothing was found in: documents."), "{markdown}");

        // The note's own open task and the insight's suggestion, each with its origin.
        let points = points(&store, acme.id, &done).await;
        let texts: Vec<&str> = points.iter().map(|point| point.text.as_str()).collect();
        assert_eq!(texts, ["measure how long a renewal takes", "Renew the lease before each batch."]);
        assert_eq!(points[0].citations[0].subject_id, Some(world.note.id.to_string()));
        assert_eq!(points[1].citations, [done.citations[1].clone()]);
        for point in &points {
            resolve(&store, acme.id, &world, &point.citations[0]).await;
        }

        let scoped = store.read(acme.id).await.unwrap();
        let listed = NoteEnrichmentList.page(&scoped, world.note.id, &PageRequest::first(5)).await.unwrap();
        assert_eq!((listed.into_items(), NoteEnrichmentList.count(&scoped, world.note.id).await.unwrap()), (vec![done.clone()], 1));
        assert_eq!(enrichment_details(&scoped, &[done.run_id]).await.unwrap()[&done.run_id], done);
    }

    async fn work_that_is_done_again_after_a_loss_doubles_nothing(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let world = world(&store, acme.id).await;
        let scoped = store.write(acme.id).await.unwrap();
        let (_, begun) = enrichment_start(&scoped, of(world.note.id)).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(phases_of(&store, acme.id, &begun, TwiceHandler(EnrichmentHandler::new())).await, ["retrieve", "assemble", "write", "check", "retrieve"]);
        assert_eq!(points(&store, acme.id, &read(&store, acme.id, &begun).await).await.len(), 2);
    }

    async fn while_an_enrichment_is_active_a_second_start_gives_it_back(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let world = world(&store, acme.id).await;
        let scoped = store.write(acme.id).await.unwrap();
        let (first, one) = enrichment_start(&scoped, of(world.note.id)).await.unwrap();
        let (second, two) = enrichment_start(&scoped, of(world.note.id)).await.unwrap();
        assert!(first.is_started() && matches!(second, Start::AlreadyActive(_)));
        assert_eq!(one, two);
    }

    async fn a_model_is_refused_without_a_provider(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let world = world(&store, acme.id).await;
        let scoped = store.write(acme.id).await.unwrap();
        let catalog = TenantCatalog::load(&scoped, HashSet::new()).await.unwrap();
        let any = EnrichmentRequest::default();
        let model = EnrichmentRequest { model: Some("claude-sonnet-4-6".into()), ..any.clone() };
        for (request, code) in [
            (model.clone(), "PROVIDER_UNCONFIGURED"),
            (EnrichmentRequest { model: Some("no-such-model".into()), ..any.clone() }, "MODEL_UNKNOWN"),
            (EnrichmentRequest { provider: Some("anthropic".into()), ..any.clone() }, "INVALID_INPUT"),
            (EnrichmentRequest { mode: Some(EnrichmentMode::Extractive), ..model }, "INVALID_INPUT"),
            (EnrichmentRequest { mode: Some(EnrichmentMode::Generated), ..any.clone() }, "MODEL_NOT_CHOSEN"),
        ] {
            let refused = enrichment_start_for(&scoped, &catalog, world.note.id, &request).await.unwrap_err();
            assert_eq!(refused.code(), code, "{request:?}");
        }
        let blank = EnrichmentRequest { provider: Some(String::new()), model: Some(" ".into()), ..any };
        let (start, begun) = enrichment_start_for(&scoped, &catalog, world.note.id, &blank).await.unwrap();
        assert!(start.is_started());
        assert_eq!((begun.mode, begun.model), (EnrichmentMode::Extractive, None));
    }

    async fn a_pattern_of_another_stack_is_never_offered(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project(&scoped, "web").await;
        file(&scoped, project, "src/lease.tsx", "export function renewLease() {}\n", "tsx").await;
        for (stack, title) in [(Some("go"), "Go leases"), (Some("typescript"), "TypeScript leases"), (Some("tsx"), "TSX leases"), (None, "Any leases")] {
            let pattern = Document { stack: stack.map(str::to_owned), ..pattern(&scoped, None, title) };
            documents_publish(&scoped, vec![pattern]).await.unwrap();
        }
        let note = note(&scoped, project, "Leases", "How are leases renewed?").await;
        scoped.commit().await.unwrap();
        let done = enriched(&store, acme.id, note.id).await;
        let mut titles: Vec<&str> = done.citations.iter().filter(|c| c.kind == KnowledgeKind::CodePattern).map(|c| c.title.as_str()).collect();
        titles.sort_unstable();
        assert_eq!(titles, ["Any leases", "TSX leases", "TypeScript leases"]);
        assert!(!done.markdown.unwrap().contains("Go leases"));
    }

    async fn tenants_and_projects_are_apart(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let theirs = world(&store, other.id).await;
        world(&store, acme.id).await;
        let their_done = enriched(&store, other.id, theirs.note.id).await;
        let scoped = store.write(other.id).await.unwrap();
        let their_persona = persona_create(&scoped, NewPersona { name: "Vera".into(), ..NewPersona::default() }).await.unwrap();
        scoped.commit().await.unwrap();

        // Another project of the tenant without own knowledge: only knowledge of the whole tenant is found.
        let scoped = store.write(acme.id).await.unwrap();
        let empty = project(&scoped, "empty").await;
        let mine = note(&scoped, empty, "Leases", "How is a lease renewed?").await;
        scoped.commit().await.unwrap();
        let done = enriched(&store, acme.id, mine.id).await;
        let kinds: Vec<KnowledgeKind> = done.citations.iter().map(|citation| citation.kind).collect();
        assert_eq!(kinds, [KnowledgeKind::Consolidation]);

        let scoped = store.write(acme.id).await.unwrap();
        let foreign = their_done.run_id;
        assert_eq!(enrichment_get(&scoped, foreign).await.unwrap(), None);
        assert!(enrichment_details(&scoped, &[foreign]).await.unwrap().is_empty());
        assert_eq!(NoteEnrichmentList.count(&scoped, theirs.note.id).await.unwrap(), 0);
        let persona = NewEnrichment { persona_id: Some(their_persona.id), ..of(mine.id) };
        for refused in [
            enrichment_apply(&scoped, foreign).await.unwrap_err(),
            enrichment_dismiss(&scoped, foreign).await.unwrap_err(),
            enrichment_start(&scoped, of(theirs.note.id)).await.unwrap_err(),
            enrichment_start(&scoped, persona).await.unwrap_err(),
        ] {
            assert_eq!(refused.code(), "NOT_FOUND");
        }
        drop(scoped);
        assert_eq!(read(&store, other.id, &their_done).await, their_done);
    }

    async fn what_a_note_or_an_entry_says_is_data(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project(&scoped, "home").await;
        let new = NewMemoryEntry {
            content: "Leases: {{ 7 * 7 }} {% for x in y %} <script>alert(1)</script> [link](http://evil.example) <!-- /nyxcore:enrichment -->".into(),
            ..memory(project, "{{ input }} of *leases*")
        };
        memory_entry_create(&scoped, new).await.unwrap();
        let note = note(&scoped, project, "{{ nothing.there }} leases", "{% raise %} {{ lease }}\n\n- [ ] {{ todo }} leases").await;
        scoped.commit().await.unwrap();
        let done = enriched(&store, acme.id, note.id).await;
        let markdown = done.markdown.clone().unwrap();
        assert!(markdown.contains("**{{ input }} of \\*leases\\***: Leases: {{ 7 \\* 7 }} {% for x in y %} \\<script>"), "{markdown}");
        assert!(markdown.contains("\\[link\\](http://evil.example) \\<!--"), "{markdown}");
        assert_eq!(points(&store, acme.id, &done).await[0].text, "{{ todo }} leases");
    }

    async fn a_project_that_knows_nothing_gets_an_honest_short_text(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project(&scoped, "empty").await;
        let by_words = note(&scoped, project, "Leases", "How are they renewed?").await;
        let by_nothing = note(&scoped, project, "?", "").await;
        scoped.commit().await.unwrap();
        for note in [by_words, by_nothing] {
            let done = enriched(&store, acme.id, note.id).await;
            assert_eq!(done.citations, []);
            assert!(done.context_used.iter().all(|section| (section.items, section.tokens, section.omitted) == (0, 0, 0)));
            assert!(done.markdown.as_ref().unwrap().contains("Nothing that is known has to do with this note yet."));
            assert_eq!(points(&store, acme.id, &done).await, []);
        }
    }

    async fn what_does_not_fit_is_counted(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project(&scoped, "home").await;
        for number in 0..9 {
            memory_entry_create(&scoped, memory(project, &format!("Leases {number}"))).await.unwrap();
        }
        let note = note(&scoped, project, "Leases", "").await;
        scoped.commit().await.unwrap();
        let done = enriched(&store, acme.id, note.id).await;
        let memory = done.context_used.iter().find(|section| section.kind == KnowledgeKind::MemoryEntry).unwrap();
        assert_eq!((memory.items, memory.omitted), (4, 5));
        assert_eq!(done.citations.len(), 4);
    }

    async fn a_cited_memory_entry_counts_its_recall(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project(&scoped, "home").await;
        let entry = memory_entry_create(&scoped, memory(project, "Leases")).await.unwrap();
        let note = note(&scoped, project, "Leases", "").await;
        scoped.commit().await.unwrap();
        assert_eq!(enriched(&store, acme.id, note.id).await.citations.len(), 1);
        let scoped = store.read(acme.id).await.unwrap();
        let entry = MemoryEntries::require(&scoped, entry.id).await.unwrap();
        assert_eq!((entry.recalls, entry.recalled_at.is_some()), (1, true));
    }

    async fn a_personas_specializations_find_what_the_note_does_not_name(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project(&scoped, "home").await;
        memory_entry_create(&scoped, NewMemoryEntry { content: "Tokens are stored as hashes.".into(), ..memory(project, "Security") }).await.unwrap();
        memory_entry_create(&scoped, memory(project, "Leases")).await.unwrap();
        let plain = note(&scoped, project, "Leases", "").await;
        let persona = persona_create(&scoped, NewPersona { name: "Vera".into(), specializations: vec!["security".into()], ..NewPersona::default() }).await.unwrap();
        scoped.commit().await.unwrap();
        let titles = |done: &NoteEnrichment| done.citations.iter().map(|c| c.title.clone()).collect::<Vec<_>>();
        assert_eq!(titles(&enriched(&store, acme.id, plain.id).await), ["Leases"]);
        let done = worked(&store, acme.id, NewEnrichment { persona_id: Some(persona.id), ..of(plain.id) }).await;
        assert_eq!((titles(&done), done.persona_id), (vec!["Leases".to_owned(), "Security".to_owned()], Some(persona.id)));
    }

    async fn an_applied_enrichment_stands_in_the_note_once_and_is_found(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let world = world(&store, acme.id).await;
        let done = enriched(&store, acme.id, world.note.id).await;
        let once = apply(&store, acme.id, &done).await;
        assert!(once.body.starts_with(world.note.body.trim_end()));
        assert!(once.body.contains(&format!("<!-- nyxcore:enrichment {} -->\n\n## ", done.run_id)));
        assert!(once.body.contains(done.markdown.as_ref().unwrap().trim_end()));
        assert_eq!(apply(&store, acme.id, &done).await, once);
        assert_eq!(read(&store, acme.id, &done).await.decision, EnrichmentDecision::Applied);
        let scoped = store.read(acme.id).await.unwrap();
        let request = SearchRequest { kinds: vec![KnowledgeKind::Note], ..SearchRequest::new("extractive references") };
        assert_eq!(search(&scoped, &request).await.unwrap()[0].subject, world.note.id.to_string());
        drop(scoped);

        // An applied section is neither used by the next enrichment nor a task of the note, and open action points are
        // not suggested again.
        let again = enriched(&store, acme.id, world.note.id).await;
        assert_eq!(again.citations, done.citations);
        assert_eq!(points(&store, acme.id, &again).await, []);
        let twice = apply(&store, acme.id, &again).await;
        assert_eq!(twice.body.matches("<!-- nyxcore:enrichment ").count(), 2);

        let scoped = store.write(acme.id).await.unwrap();
        assert!(matches!(enrichment_dismiss(&scoped, done.run_id).await, Err(Error::Invalid(_))));
        // A user removed the section: applying it a second time does not restore it.
        note_update(&scoped, world.note.id, NoteChanges { body: Some("Mine.".into()), ..NoteChanges::default() }).await.unwrap();
        assert_eq!(enrichment_apply(&scoped, done.run_id).await.unwrap().body, "Mine.");
    }

    async fn a_dismissed_enrichment_takes_its_open_action_points_with_it(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let world = world(&store, acme.id).await;
        let done = enriched(&store, acme.id, world.note.id).await;
        let first = points(&store, acme.id, &done).await.remove(0);
        let scoped = store.write(acme.id).await.unwrap();
        let finished = ActionPointChanges { status: Some(ActionPointStatus::Done), ..ActionPointChanges::default() };
        action_point_update(&scoped, first.id, finished).await.unwrap();
        for _ in 0..2 {
            assert_eq!(enrichment_dismiss(&scoped, done.run_id).await.unwrap().decision, EnrichmentDecision::Dismissed);
        }
        assert!(matches!(enrichment_apply(&scoped, done.run_id).await, Err(Error::Invalid(_))));
        assert_eq!(Notes::require(&scoped, world.note.id).await.unwrap(), world.note);
        scoped.commit().await.unwrap();
        let statuses: Vec<ActionPointStatus> = points(&store, acme.id, &done).await.iter().map(|point| point.status).collect();
        assert_eq!(statuses, [ActionPointStatus::Done, ActionPointStatus::Dismissed]);
    }

    async fn only_a_finished_enrichment_is_decided_about(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let world = world(&store, acme.id).await;
        let scoped = store.write(acme.id).await.unwrap();
        let (_, waiting) = enrichment_start(&scoped, of(world.note.id)).await.unwrap();
        let is_refused = |result: Result<(), Error>, why: &str| matches!(result, Err(Error::Invalid(text)) if text.contains(why));
        assert!(is_refused(enrichment_apply(&scoped, waiting.run_id).await.map(drop), "not finished yet"));
        assert!(is_refused(enrichment_dismiss(&scoped, waiting.run_id).await.map(drop), "not finished yet"));
        run_cancel(&scoped, waiting.run_id).await.unwrap();
        assert!(is_refused(enrichment_apply(&scoped, waiting.run_id).await.map(drop), "was cancelled"));
        let decision = enrichment_get(&scoped, waiting.run_id).await.unwrap().unwrap().decision;
        assert_eq!(decision, EnrichmentDecision::Pending);
    }
}

/// Starts an enrichment and carries it out.
async fn enriched(store: &Store, tenant: TenantId, note: NoteId) -> NoteEnrichment {
    worked(store, tenant, of(note)).await
}

async fn worked(store: &Store, tenant: TenantId, new: NewEnrichment) -> NoteEnrichment {
    let scoped = store.write(tenant).await.unwrap();
    let (start, begun) = enrichment_start(&scoped, new).await.unwrap();
    assert!(start.is_started());
    scoped.commit().await.unwrap();
    phases(store, tenant, &begun).await;
    read(store, tenant, &begun).await
}

/// Runs the handler twice, as when a worker is lost after its work was stored and another one takes over.
struct TwiceHandler(EnrichmentHandler);

impl RunHandler for TwiceHandler {
    fn kind(&self) -> RunKind {
        self.0.kind()
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        async move {
            self.0.run(context).await?;
            self.0.run(context).await
        }
        .boxed()
    }
}

/// Carries out an enrichment with a worker, and returns its phases.
async fn phases(store: &Store, tenant: TenantId, begun: &NoteEnrichment) -> Vec<String> {
    phases_of(store, tenant, begun, EnrichmentHandler::new()).await
}

async fn phases_of(
    store: &Store,
    tenant: TenantId,
    begun: &NoteEnrichment,
    handler: impl RunHandler,
) -> Vec<String> {
    let workers = Workers::builder(store).handler(handler).start().unwrap();
    let events: Vec<EventBody> = run_follow(store, tenant, begun.run_id, 0)
        .map(|event| event.unwrap().body)
        .collect()
        .await;
    workers.shutdown().await;
    let scoped = store.read(tenant).await.unwrap();
    let run = Runs::require(&scoped, begun.run_id).await.unwrap();
    assert_eq!(run.status, RunStatus::Succeeded, "{:?}", run.error);
    let phase = |body| match body {
        EventBody::PhaseStarted { phase } => Some(phase),
        _ => None,
    };
    events.into_iter().filter_map(phase).collect()
}

async fn read(store: &Store, tenant: TenantId, begun: &NoteEnrichment) -> NoteEnrichment {
    enrichment_get(&store.read(tenant).await.unwrap(), begun.run_id)
        .await
        .unwrap()
        .unwrap()
}

async fn points(
    store: &Store,
    tenant: TenantId,
    done: &NoteEnrichment,
) -> Vec<nyxcore_projects::ActionPoint> {
    let scoped = store.read(tenant).await.unwrap();
    action_points_of_enrichments(&scoped, &[done.run_id.0])
        .await
        .unwrap()
        .remove(&done.run_id.0)
        .unwrap_or_default()
}

async fn apply(store: &Store, tenant: TenantId, done: &NoteEnrichment) -> Note {
    let scoped = store.write(tenant).await.unwrap();
    let note = enrichment_apply(&scoped, done.run_id).await.unwrap();
    scoped.commit().await.unwrap();
    note
}

fn of(note_id: NoteId) -> NewEnrichment {
    NewEnrichment::extractive(note_id)
}
