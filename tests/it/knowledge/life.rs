//! Knowledge is changed, archived, superseded, imported, paired and audited.

use chrono::TimeDelta;
use nyxcore_knowledge::{
    AuditFindingKind, InsightChanges, InsightType, MemoryEntryChanges, MemoryEntryFilter,
    MemorySource, ProjectMemoryEntries, import_parse, insight_create, insight_duplicates,
    insight_pair, insight_partners_suggest, insight_update, knowledge_audit,
    memory_entries_import_bulk, memory_entries_recalled, memory_entry_create, memory_entry_list,
    memory_entry_supersede, memory_entry_update,
};
use nyxcore_retrieval::{SearchRequest, search};
use nyxcore_tenancy::{ChildList, Error, PageRequest, Store, TenantId};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::{insight, memory, project};
use crate::support::{store, store_at_rest, tenant};

async fn found(store: &Store, tenant: TenantId, text: &str) -> Vec<String> {
    let scoped = store.read(tenant).await.unwrap();
    let hits = search(&scoped, &SearchRequest::new(text)).await.unwrap();
    hits.into_iter().map(|hit| hit.title).collect()
}

on_both_databases! {
    async fn an_archived_entry_is_kept_and_not_found(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let entry = memory_entry_create(&scoped, memory(None, "Leases")).await.unwrap();
        let archived = MemoryEntryChanges { archived: Some(true), ..Default::default() };
        memory_entry_update(&scoped, entry.id, archived).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(found(&store, acme.id, "renewal of leases").await, [] as [&str; 0]);
        let home = project(&store, acme.id, "home").await;
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(ProjectMemoryEntries.count(&scoped, home).await.unwrap(), 0);
        assert_eq!(ProjectMemoryEntries.page(&scoped, home, &PageRequest::first(10)).await.unwrap().items.len(), 0);
        drop(scoped);

        let scoped = store.write(acme.id).await.unwrap();
        let back = MemoryEntryChanges { archived: Some(false), title: Some("Leases again".into()), valid_from_commit: Some("ABCDEF1".into()), ..Default::default() };
        let entry = memory_entry_update(&scoped, entry.id, back).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(entry.valid_from_commit.as_deref(), Some("abcdef1"));
        assert_eq!(found(&store, acme.id, "renewal of leases").await, ["Leases again"]);
    }

    async fn a_superseded_entry_is_not_found(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let home = project(&store, acme.id, "home").await;
        let scoped = store.write(acme.id).await.unwrap();
        let old = memory_entry_create(&scoped, memory(Some(home), "Old")).await.unwrap();
        let new = memory_entry_create(&scoped, memory(Some(home), "New")).await.unwrap();
        let elsewhere = memory_entry_create(&scoped, memory(None, "Elsewhere")).await.unwrap();
        memory_entry_supersede(&scoped, old.id, Some(new.id)).await.unwrap();
        for (former, by) in [(new.id, old.id), (old.id, old.id), (old.id, elsewhere.id)] {
            assert!(matches!(memory_entry_supersede(&scoped, former, Some(by)).await, Err(Error::Invalid(_))));
        }
        let filter = MemoryEntryFilter { current: Some(false), ..Default::default() };
        let listed = memory_entry_list(&scoped, &filter, &PageRequest::first(10)).await.unwrap().into_items();
        assert_eq!(listed.iter().map(|entry| entry.id).collect::<Vec<_>>(), [old.id]);
        scoped.commit().await.unwrap();
        let mut titles = found(&store, acme.id, "renewal of leases").await;
        titles.sort();
        assert_eq!(titles, ["Elsewhere", "New"]);
    }

    async fn an_import_updates_its_entries_in_place(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let home = project(&store, acme.id, "home").await;
        let scoped = store.write(acme.id).await.unwrap();
        let file = "---\ntags: [runs]\n---\n# Leases\nThey are renewed.\n";
        let entries = import_parse("notes.md", file).unwrap();
        let first = memory_entries_import_bulk(&scoped, home, entries.clone()).await.unwrap();
        let again = memory_entries_import_bulk(&scoped, home, entries).await.unwrap();
        assert_eq!((first.added, again.added, again.unchanged), (1, 0, 1));
        let filter = MemoryEntryFilter { tag: Some("runs".into()), source: Some(MemorySource::Import), project_id: Some(home), current: Some(true) };
        assert_eq!(memory_entry_list(&scoped, &filter, &PageRequest::first(10)).await.unwrap().items.len(), 1);
        let other = MemoryEntryFilter { tag: Some("run".into()), ..Default::default() };
        assert_eq!(memory_entry_list(&scoped, &other, &PageRequest::first(10)).await.unwrap().items.len(), 0);
        let broken = import_parse("m.json", r#"[{"title": "x", "content": ""}]"#).unwrap();
        assert_eq!(memory_entries_import_bulk(&scoped, home, broken).await.unwrap().refused.len(), 1);
    }

    async fn an_insight_is_written_once_and_finds_its_partner(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let pain = insight_create(&scoped, insight(None, InsightType::PainPoint, "Leases expire unseen")).await.unwrap();
        let same = insight_create(&scoped, insight(None, InsightType::PainPoint, "Leases expire unseen")).await;
        assert!(matches!(same, Err(Error::Conflict(_))));
        let mut near = insight(None, InsightType::PainPoint, "Leases expire unseen");
        near.detail = "Something new was learned.".into();
        let near = insight_create(&scoped, near).await.unwrap();
        let solution = insight_create(&scoped, insight(None, InsightType::Solution, "Renew leases before they expire")).await.unwrap();
        let ids = |list: Vec<nyxcore_knowledge::Insight>| list.into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(insight_duplicates(&scoped, pain.id).await.unwrap()), [near.id]);
        assert_eq!(ids(insight_partners_suggest(&scoped, pain.id).await.unwrap()), [solution.id]);
        let paired = insight_pair(&scoped, pain.id, solution.id).await.unwrap();
        assert_eq!(paired.paired_with, Some(solution.id));
        assert_eq!(insight_partners_suggest(&scoped, near.id).await.unwrap(), []);
        let archived = InsightChanges { archived: Some(true), ..Default::default() };
        insight_update(&scoped, near.id, archived).await.unwrap();
        assert_eq!(insight_duplicates(&scoped, pain.id).await.unwrap(), []);
    }

    async fn the_audit_names_what_is_wrong_and_quotes_no_secret(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let secret = format!("ghp_{}", "a1".repeat(18));
        let scoped = store.write(acme.id).await.unwrap();
        let mut leak = memory(None, "Access");
        leak.content = format!("The token is {secret}");
        let leak = memory_entry_create(&scoped, leak).await.unwrap();
        let one = memory_entry_create(&scoped, memory(None, "Leases")).await.unwrap();
        memory_entry_create(&scoped, memory(None, "Leases")).await.unwrap();
        scoped.commit().await.unwrap();
        clock.advance(TimeDelta::days(100));
        let scoped = store.write(acme.id).await.unwrap();
        memory_entries_recalled(&scoped, &[one.id, leak.id]).await.unwrap();
        let audit = knowledge_audit(&scoped, None).await.unwrap();
        let kinds: Vec<_> = audit.findings.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds, [AuditFindingKind::Secret, AuditFindingKind::Duplicate, AuditFindingKind::NeverRecalled]);
        assert!(audit.findings.iter().all(|finding| !finding.reason.contains(&secret)));
        scoped.commit().await.unwrap();
        let scoped = store.read(other.id).await.unwrap();
        assert_eq!(knowledge_audit(&scoped, None).await.unwrap().checked, 0);
    }
}
