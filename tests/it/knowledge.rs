//! Memory entries, insights and consolidation patterns can be found as soon as their transaction is committed.

mod consolidation;
mod life;

use chrono::TimeDelta;
use nyxcore_knowledge::{
    ConsolidationPatterns, ConsolidationSeverity, ConsolidationType, ImportedMemoryEntry, Insight,
    InsightSeverity, InsightType, Insights, MemoryEntries, MemoryImport, MemorySource,
    NewConsolidationPattern, NewInsight, NewMemoryEntry, ProjectConsolidationPatterns,
    ProjectInsights, ProjectMemoryEntries, consolidation_pattern_create,
    consolidation_pattern_projects, insight_create, letter_entry, memory_entries_import,
    memory_entries_remove, memory_entry_create,
};
use nyxcore_projects::{ProjectId, project_delete};
use nyxcore_retrieval::{Hit, KnowledgeKind, SearchRequest, search};
use nyxcore_tenancy::{ChildList, Error, PageRequest, Repository, Store, TenantId, TypedId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::Condition;

use crate::support::{project, store, store_at_rest, tenant};

on_both_databases! {
    async fn a_memory_entry_is_read_back_listed_and_found(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = tenant(&store, "acme").await;
        let home = project(&store, acme.id, "home").await;
        let scoped = store.write(acme.id).await.unwrap();
        let new = NewMemoryEntry { tags: vec!["sync".into(), "sync".into()], created_by: Some(ada.id), ..memory(Some(home), " Leases ") };
        let entry = memory_entry_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();

        assert_eq!((entry.title.as_str(), entry.tags.as_slice()), ("Leases", ["sync".to_owned()].as_slice()));
        assert_eq!((entry.source, entry.source_ref.as_deref(), entry.created_by), (MemorySource::Manual, None, Some(ada.id)));
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(MemoryEntries::require(&scoped, entry.id).await.unwrap(), entry);
        let hits = search(&scoped, &SearchRequest::new("lease renewal, sync")).await.unwrap();
        assert_eq!((hits[0].kind, hits[0].subject.clone(), hits[0].subject_id), (KnowledgeKind::MemoryEntry, entry.id.to_string(), Some(entry.id.uuid())));
    }

    async fn a_project_lists_its_own_entries_and_the_whole_tenants(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (home, away) = (project(&store, acme.id, "home").await, project(&store, acme.id, "away").await);
        let scoped = store.write(acme.id).await.unwrap();
        for (project, title) in [(Some(home), "homes"), (None, "everyones"), (Some(away), "aways")] {
            memory_entry_create(&scoped, memory(project, title)).await.unwrap();
            insight_create(&scoped, insight(project, InsightType::Strength, title)).await.unwrap();
        }
        scoped.commit().await.unwrap();
        let scoped = store.read(acme.id).await.unwrap();
        let page = PageRequest::default();
        let titles: Vec<String> = ProjectMemoryEntries.page(&scoped, home, &page).await.unwrap().into_items().into_iter().map(|e| e.title).collect();
        assert_eq!(titles, ["everyones", "homes"]);
        let titles: Vec<String> = ProjectInsights.page(&scoped, home, &page).await.unwrap().into_items().into_iter().map(|i| i.title).collect();
        assert_eq!(titles, ["everyones", "homes"]);
        assert_eq!((ProjectMemoryEntries.count(&scoped, home).await.unwrap(), MemoryEntries::count(&scoped, Condition::all()).await.unwrap()), (2, 3));
        assert_eq!((ProjectInsights.count(&scoped, home).await.unwrap(), Insights::count(&scoped, Condition::all()).await.unwrap()), (2, 3));
    }

    async fn a_letter_is_updated_in_place_by_its_path(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (home, away) = (project(&store, acme.id, "home").await, project(&store, acme.id, "away").await);
        let first = vec![letter(1, "the lease expired"), letter(2, "the page was slow")];
        assert_eq!(import(&store, acme.id, home, first.clone()).await, counts(2, 0, 0));
        assert_eq!(import(&store, acme.id, home, first).await, counts(0, 0, 2));
        // A letter of the same name in another project is another letter.
        assert_eq!(import(&store, acme.id, away, vec![letter(1, "elsewhere")]).await, counts(1, 0, 0));

        let before = letters(&store, acme.id, home).await;
        clock.advance(TimeDelta::hours(1));
        assert_eq!(import(&store, acme.id, home, vec![letter(1, "the lease was renewed"), letter(3, "new")]).await, counts(1, 1, 0));
        let after = letters(&store, acme.id, home).await;
        assert_eq!(after.len(), 3);
        let (old, new) = (&before[0], &after[0]);
        assert_eq!((new.id, new.created_at, new.source), (old.id, old.created_at, MemorySource::Github));
        assert_eq!(new.updated_at, old.updated_at + TimeDelta::hours(1));
        assert_eq!(after[1], before[1]);
        assert_eq!(subjects(&ask(&store, acme.id, "renewed").await), [new.id.to_string()]);
        assert_eq!(ask(&store, acme.id, "expired").await, []);
    }

    async fn one_letter_that_breaks_a_rule_does_not_stop_the_others(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let home = project(&store, acme.id, "home").await;
        let done = import(&store, acme.id, home, vec![letter(1, "good"), letter(2, &"x".repeat(200_001)), letter(3, "a\0b"), letter(1, "better")]).await;
        assert_eq!((done.added, done.updated), (1, 0));
        assert_eq!(done.refused.iter().map(|r| r.source_ref.as_str()).collect::<Vec<_>>(), [".memory/letter_2.md", ".memory/letter_3.md"]);
        assert!(letters(&store, acme.id, home).await[0].content.contains("better"));
    }

    async fn a_removed_letter_is_neither_listed_nor_found(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (home, away) = (project(&store, acme.id, "home").await, project(&store, acme.id, "away").await);
        import(&store, acme.id, home, vec![letter(1, "lease"), letter(2, "lease")]).await;
        import(&store, acme.id, away, vec![letter(1, "lease")]).await;
        let scoped = store.write(acme.id).await.unwrap();
        let gone = [".memory/letter_1.md".to_owned(), ".memory/letter_9.md".to_owned()];
        assert_eq!(memory_entries_remove(&scoped, home, &gone).await.unwrap(), 1);
        scoped.commit().await.unwrap();
        assert_eq!(letters(&store, acme.id, home).await.len(), 1);
        assert_eq!(ask(&store, acme.id, "lease").await.len(), 2);
    }

    async fn a_long_letter_is_found_once_by_the_part_that_says_it(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let home = project(&store, acme.id, "home").await;
        let text = format!("{}\n\n## Pain Log\nThe worker lost its lease.\n\n{}", "Nothing happened.\n".repeat(300), "All was well.\n".repeat(300));
        import(&store, acme.id, home, vec![letter(1, &text)]).await;
        let hits = ask(&store, acme.id, "worker lost lease").await;
        assert_eq!(hits.len(), 1);
        assert!(hits[0].excerpt.contains("The worker lost its lease."), "{}", hits[0].excerpt);
    }

    async fn a_pain_and_its_solution_name_each_other(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let home = project(&store, acme.id, "home").await;
        let scoped = store.write(acme.id).await.unwrap();
        let new = NewInsight { severity: Some(InsightSeverity::Blocker), category: Some("runs".into()), ..insight(Some(home), InsightType::PainPoint, "Stuck runs") };
        let pain = insight_create(&scoped, new).await.unwrap();
        let solves = |kind, project| NewInsight { paired_with: Some(pain.id), suggestion: Some("sweep".into()), ..insight(project, kind, "Sweeper") };
        for wrong in [solves(InsightType::Decision, Some(home)), solves(InsightType::PainPoint, Some(home)), solves(InsightType::Solution, None)] {
            assert!(matches!(insight_create(&scoped, wrong).await, Err(Error::Invalid(_))));
        }
        let solution = insight_create(&scoped, solves(InsightType::Solution, Some(home))).await.unwrap();
        scoped.commit().await.unwrap();

        let scoped = store.read(acme.id).await.unwrap();
        let both = Insights::get_many(&scoped, &[pain.id, solution.id]).await.unwrap();
        assert_eq!(both[&solution.id], solution);
        assert_eq!(both[&pain.id], Insight { paired_with: Some(solution.id), ..pain.clone() });
        assert_eq!(solution.paired_with, Some(pain.id));
        assert_eq!(subjects(&search(&scoped, &SearchRequest::new("sweep")).await.unwrap()), [solution.id.to_string()]);
        drop(scoped);

        let scoped = store.write(acme.id).await.unwrap();
        let second = insight_create(&scoped, solves(InsightType::Solution, Some(home))).await;
        assert!(matches!(second, Err(Error::Conflict(_))));
        drop(scoped);

        // The pair is deleted with its project.
        let scoped = store.write(acme.id).await.unwrap();
        project_delete(&scoped, home).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(Insights::count(&store.read(acme.id).await.unwrap(), Condition::all()).await.unwrap(), 0);
        assert_eq!(ask(&store, acme.id, "sweep").await, []);
    }

    async fn consolidation_patterns_are_found_in_every_project(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (home, away) = (project(&store, acme.id, "home").await, project(&store, acme.id, "away").await);
        let scoped = store.write(acme.id).await.unwrap();
        let shared = consolidation_pattern_create(&scoped, consolidation(vec![away, home, home])).await.unwrap();
        let nowhere = consolidation_pattern_create(&scoped, consolidation(vec![])).await.unwrap();
        scoped.commit().await.unwrap();

        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(ConsolidationPatterns::require(&scoped, shared.id).await.unwrap(), shared);
        let page = ProjectConsolidationPatterns.page(&scoped, home, &PageRequest::default()).await.unwrap();
        assert_eq!(page.into_items(), std::slice::from_ref(&shared));
        assert_eq!((ProjectConsolidationPatterns.count(&scoped, away).await.unwrap(), ConsolidationPatterns::count(&scoped, Condition::all()).await.unwrap()), (1, 2));
        let seen = consolidation_pattern_projects(&scoped, &[shared.id, nowhere.id]).await.unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[&shared.id], [home, away]);
        let in_home = SearchRequest { project_id: Some(home.0), ..SearchRequest::new("leases expire") };
        assert_eq!(search(&scoped, &in_home).await.unwrap().len(), 2);
    }

    async fn a_consolidation_pattern_keeps_to_its_numbers(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let texts = |n: usize| (0..n).map(|n| format!("text {n}")).collect::<Vec<_>>();
        for wrong in [
            NewConsolidationPattern { evidence: texts(0), ..consolidation(vec![]) },
            NewConsolidationPattern { evidence: texts(4), ..consolidation(vec![]) },
            NewConsolidationPattern { tags: texts(1), ..consolidation(vec![]) },
            NewConsolidationPattern { tags: texts(5), ..consolidation(vec![]) },
            NewConsolidationPattern { frequency: 0, ..consolidation(vec![]) },
            NewConsolidationPattern { pattern_type: ConsolidationType::Tool, ..consolidation(vec![]) },
        ] {
            assert!(matches!(consolidation_pattern_create(&scoped, wrong.clone()).await, Err(Error::Invalid(_))), "{wrong:?}");
        }
        consolidation_pattern_create(&scoped, consolidation(vec![])).await.unwrap();
    }

    async fn another_tenants_ids_are_not_found(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let theirs = project(&store, other.id, "theirs").await;
        let scoped = store.write(other.id).await.unwrap();
        let entry = memory_entry_create(&scoped, memory(Some(theirs), "Secret")).await.unwrap();
        let pain = insight_create(&scoped, insight(None, InsightType::PainPoint, "Secret")).await.unwrap();
        let pattern = consolidation_pattern_create(&scoped, consolidation(vec![theirs])).await.unwrap();
        scoped.commit().await.unwrap();

        let scoped = store.write(acme.id).await.unwrap();
        assert!(matches!(memory_entry_create(&scoped, memory(Some(theirs), "t")).await, Err(Error::NotFound("project"))));
        assert!(matches!(memory_entries_import(&scoped, theirs, vec![letter(1, "t")]).await, Err(Error::NotFound("project"))));
        assert!(matches!(insight_create(&scoped, insight(Some(theirs), InsightType::Decision, "t")).await, Err(Error::NotFound("project"))));
        let paired = NewInsight { paired_with: Some(pain.id), ..insight(None, InsightType::Solution, "t") };
        assert!(matches!(insight_create(&scoped, paired).await, Err(Error::NotFound("insight"))));
        assert!(matches!(consolidation_pattern_create(&scoped, consolidation(vec![theirs])).await, Err(Error::NotFound("project"))));
        assert_eq!(MemoryEntries::get(&scoped, entry.id).await.unwrap(), None);
        assert!(Insights::get_many(&scoped, &[pain.id]).await.unwrap().is_empty());
        assert!(consolidation_pattern_projects(&scoped, &[pattern.id]).await.unwrap().is_empty());
        assert_eq!(ProjectMemoryEntries.count(&scoped, theirs).await.unwrap(), 0);
        assert_eq!(ProjectConsolidationPatterns.count(&scoped, theirs).await.unwrap(), 0);
        drop(scoped);
        assert_eq!(ask(&store, acme.id, "secret leases").await, []);
    }
}

async fn import(
    store: &Store,
    tenant: TenantId,
    project: ProjectId,
    letters: Vec<ImportedMemoryEntry>,
) -> MemoryImport {
    let scoped = store.write(tenant).await.unwrap();
    let import = memory_entries_import(&scoped, project, letters)
        .await
        .unwrap();
    scoped.commit().await.unwrap();
    import
}

/// A project's entries, oldest first.
async fn letters(
    store: &Store,
    tenant: TenantId,
    project: ProjectId,
) -> Vec<nyxcore_knowledge::MemoryEntry> {
    let scoped = store.read(tenant).await.unwrap();
    let mut entries = ProjectMemoryEntries
        .page(&scoped, project, &PageRequest::default())
        .await
        .unwrap()
        .into_items();
    entries.reverse();
    entries
}

async fn ask(store: &Store, tenant: TenantId, text: &str) -> Vec<Hit> {
    search(
        &store.read(tenant).await.unwrap(),
        &SearchRequest::new(text),
    )
    .await
    .unwrap()
}

fn subjects(hits: &[Hit]) -> Vec<String> {
    hits.iter().map(|hit| hit.subject.clone()).collect()
}

fn counts(added: u64, updated: u64, unchanged: u64) -> MemoryImport {
    MemoryImport {
        added,
        updated,
        unchanged,
        refused: vec![],
    }
}

fn letter(number: u32, text: &str) -> ImportedMemoryEntry {
    letter_entry(
        &format!(".memory/letter_{number}.md"),
        &format!("# Letter {number}\n\n{text}\n"),
    )
}

fn memory(project_id: Option<ProjectId>, title: &str) -> NewMemoryEntry {
    NewMemoryEntry {
        project_id,
        title: title.to_owned(),
        content: "The renewal of leases.".to_owned(),
        tags: vec![],
        created_by: None,
    }
}

fn insight(project_id: Option<ProjectId>, insight_type: InsightType, title: &str) -> NewInsight {
    NewInsight {
        project_id,
        insight_type,
        severity: None,
        category: None,
        title: title.to_owned(),
        detail: "Something was learned.".to_owned(),
        suggestion: None,
        paired_with: None,
        created_by: None,
    }
}

fn consolidation(project_ids: Vec<ProjectId>) -> NewConsolidationPattern {
    NewConsolidationPattern {
        pattern_type: ConsolidationType::Pain,
        title: "Leases expire unseen".to_owned(),
        description: "Workers lose their leases.".to_owned(),
        evidence: vec!["a run was done twice".to_owned()],
        frequency: 3,
        severity: Some(ConsolidationSeverity::High),
        tags: vec!["runs".to_owned(), "workers".to_owned()],
        project_ids,
    }
}
