//! A project with several sources: a citation names its own source.

use nyxcore_projects::SourceId;
use nyxcore_tenancy::{ReadWrite, Scoped};

use super::*;

const PATH: &str = "src/lease.rs";
const SHORT: &str = "fn short_lease() {}\n";
const LONG: &str = "// One\n// Two\n// Three\nfn long_lease() {}\n";

/// A pattern about leases at the lines 3 and 4 of that source's file.
fn of_source(
    scoped: &Scoped<ReadWrite>,
    project: nyxcore_projects::ProjectId,
    title: &str,
    source: Option<SourceId>,
) -> Document {
    Document {
        source_id: source.map(|source| source.0),
        start_line: Some(3),
        end_line: Some(4),
        ..pattern(scoped, Some(project), title)
    }
}

on_both_databases! {
    async fn a_citation_names_the_source_that_has_the_lines(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project(&scoped, "home").await;
        let short = file(&scoped, project, PATH, SHORT, "rust").await;
        let long = file(&scoped, project, PATH, LONG, "rust").await;
        let strange = SourceId(scoped.env().id());
        let documents = [("short leases", Some(short)), ("long leases", Some(long)), ("strange leases", Some(strange)), ("old leases", None)];
        let documents = documents.map(|(title, source)| of_source(&scoped, project, title, source));
        documents_publish(&scoped, documents.into()).await.unwrap();
        let note = note(&scoped, project, "Leases", "How are leases named?").await;
        scoped.commit().await.unwrap();

        let done = enriched(&store, acme.id, note.id).await;
        let mut places: Vec<_> = done.citations.iter().filter(|one| one.kind == KnowledgeKind::CodePattern).map(|one| (one.title.as_str(), one.source_id, one.path.as_deref(), one.start_line)).collect();
        places.sort_unstable();
        // Only the long file has these lines. The short file does not have them, and the old place does not name its
        // file.
        assert_eq!(places, [
            ("long leases", Some(long.0), Some(PATH), Some(3)),
            ("old leases", None, None, None),
            ("short leases", None, None, None),
            ("strange leases", None, None, None),
        ]);
    }

    async fn an_old_place_is_of_the_only_source(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project(&scoped, "home").await;
        let only = file(&scoped, project, PATH, LONG, "rust").await;
        let old = of_source(&scoped, project, "old leases", None);
        documents_publish(&scoped, vec![old]).await.unwrap();
        let note = note(&scoped, project, "Leases", "How are leases named?").await;
        scoped.commit().await.unwrap();
        let citation = enriched(&store, acme.id, note.id).await.citations.remove(0);
        assert_eq!((citation.source_id, citation.path.as_deref()), (Some(only.0), Some(PATH)));
        // Citations that were stored without a source can still be read.
        let mut stored = serde_json::to_value(&citation).unwrap();
        stored.as_object_mut().unwrap().remove("source_id");
        let read: nyxcore_retrieval::Citation = serde_json::from_value(stored).unwrap();
        assert_eq!(read, nyxcore_retrieval::Citation { source_id: None, ..citation });
    }
}
