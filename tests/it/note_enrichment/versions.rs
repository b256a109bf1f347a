//! Earlier versions of notes, and suggestions that are accepted one by one.

use nyxcore_projects::{
    NOTE_VERSIONS_MAX, NoteVersionId, NoteVersionList, NoteVersionReason, action_point_accept,
    note_version_restore,
};

use super::*;

on_both_databases! {
    async fn an_applied_enrichment_can_be_undone(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let world = world(&store, acme.id).await;
        let done = enriched(&store, acme.id, world.note.id).await;
        let applied = apply(&store, acme.id, &done).await;
        assert_eq!(apply(&store, acme.id, &done).await, applied);
        let scoped = store.write(acme.id).await.unwrap();
        let versions = NoteVersionList.page(&scoped, world.note.id, &PageRequest::first(9)).await.unwrap().into_items();
        assert_eq!(versions.len(), 1);
        assert_eq!((versions[0].body.as_str(), versions[0].reason, versions[0].enrichment_id), (world.note.body.as_str(), NoteVersionReason::Enriched, Some(done.run_id.0)));
        let restored = note_version_restore(&scoped, versions[0].id).await.unwrap();
        assert_eq!((restored.title, restored.body), (world.note.title.clone(), world.note.body.clone()));
        // The text that a restore replaces becomes a version too. Another restore changes nothing.
        note_version_restore(&scoped, versions[0].id).await.unwrap();
        let versions = NoteVersionList.page(&scoped, world.note.id, &PageRequest::first(9)).await.unwrap().into_items();
        assert_eq!(versions.iter().map(|version| version.reason).collect::<Vec<_>>(), [NoteVersionReason::Restored, NoteVersionReason::Enriched]);
        assert_eq!(versions[0].body, applied.body);
        for _ in 0..NOTE_VERSIONS_MAX {
            let newest = NoteVersionList.page(&scoped, world.note.id, &PageRequest::first(1)).await.unwrap().into_items().remove(0);
            note_version_restore(&scoped, newest.id).await.unwrap();
        }
        assert_eq!(NoteVersionList.count(&scoped, world.note.id).await.unwrap(), NOTE_VERSIONS_MAX as u64);
        let any = versions[0].id;
        scoped.commit().await.unwrap();
        let scoped = store.write(other.id).await.unwrap();
        assert_eq!(NoteVersionList.count(&scoped, world.note.id).await.unwrap(), 0);
        for id in [any, NoteVersionId(scoped.env().id())] {
            assert_eq!(note_version_restore(&scoped, id).await.unwrap_err().code(), "NOT_FOUND");
        }
    }

    async fn an_accepted_suggestion_outlives_its_enrichment(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let world = world(&store, acme.id).await;
        let done = enriched(&store, acme.id, world.note.id).await;
        let suggested = points(&store, acme.id, &done).await;
        assert!(suggested.len() == 2 && suggested.iter().all(|point| point.is_suggested()));
        let scoped = store.write(acme.id).await.unwrap();
        let accepted = action_point_accept(&scoped, suggested[0].id).await.unwrap();
        assert!(!accepted.is_suggested() && accepted.accepted_at.is_some());
        assert_eq!(action_point_accept(&scoped, suggested[0].id).await.unwrap().accepted_at, accepted.accepted_at);
        enrichment_dismiss(&scoped, done.run_id).await.unwrap();
        scoped.commit().await.unwrap();
        let statuses: Vec<_> = points(&store, acme.id, &done).await.iter().map(|point| point.status).collect();
        assert_eq!(statuses, [ActionPointStatus::Open, ActionPointStatus::Dismissed]);
        // The record stays: the text, its citations, and a changed decision about a suggestion.
        let kept = read(&store, acme.id, &done).await;
        assert_eq!((kept.markdown, kept.citations, kept.decision), (done.markdown, done.citations, EnrichmentDecision::Dismissed));
        let scoped = store.write(acme.id).await.unwrap();
        assert_eq!(action_point_accept(&scoped, suggested[1].id).await.unwrap().status, ActionPointStatus::Open);
    }

    async fn a_note_and_the_cited_code_say_what_to_do(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project(&scoped, "home").await;
        let code = "// Leases.\nfn renew_lease() {\n    // TODO(ada): renew the lease before it expires\n}\n";
        let source = file(&scoped, project, "src/lease.rs", code, "rust").await;
        let document = Document {
            kind: KnowledgeKind::Code,
            subject: nyxcore_projects::code_subject(source, "src/lease.rs"),
            subject_id: None,
            title: "src/lease.rs".into(),
            body: code.into(),
            end_line: Some(4),
            ..pattern(&scoped, Some(project), "")
        };
        documents_publish(&scoped, vec![document]).await.unwrap();
        let asks = note(&scoped, project, "Limit how long a lease lives", "Why does a lease expire?").await;
        let wonders = note(&scoped, project, "Weather", "Is it raining?").await;
        scoped.commit().await.unwrap();
        let points = points(&store, acme.id, &enriched(&store, acme.id, asks.id).await).await;
        let told: Vec<_> = points.iter().map(|point| (point.text.as_str(), point.citations.last().unwrap().start_line)).collect();
        assert_eq!(told, [("Limit how long a lease lives", Some(2)), ("renew the lease before it expires", Some(3))]);
        assert_eq!(points[0].citations[0].kind, KnowledgeKind::Note);
        assert_eq!(self::points(&store, acme.id, &enriched(&store, acme.id, wonders.id).await).await, []);
    }
}
