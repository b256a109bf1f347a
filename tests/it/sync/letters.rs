//! Letters of a repository become memory entries and follow their files. The test uses the real program, so the real
//! wiring is tested.

use futures::StreamExt;
use nyxcore_knowledge::{MemoryEntry, MemorySource, ProjectMemoryEntries};
use nyxcore_projects::SourceId;
use nyxcore_retrieval::{KnowledgeKind, SearchRequest, search};
use nyxcore_runs::{EventBody, Level, RunStatus, run_follow};
use nyxcore_sync::{Sync, SyncStepKind, SyncTrigger, sync_start_without};
use nyxcore_tenancy::{ChildList, PageRequest};
use nyxcore_tests::{TestDatabase, on_both_databases};

use super::process::Process;
use super::world::{SyncWorld, repository};
use crate::support::store;

/// Starts a sync, which a process executes, and waits for its end.
async fn synced(world: &SyncWorld, source: SourceId, skip: &[SyncStepKind]) -> Sync {
    let scoped = world.write().await;
    let started = sync_start_without(&scoped, source, SyncTrigger::Manual, None, skip).await;
    let run = started.unwrap().0.run().id;
    scoped.commit().await.unwrap();
    let events: Vec<_> = run_follow(&world.store, world.tenant.id, run, 0)
        .collect()
        .await;
    assert!(!events.is_empty());
    let sync = world.sync(run).await;
    assert_eq!(sync.run.status, RunStatus::Succeeded, "{:?}", sync.run);
    sync
}

/// The entries, by the letters' paths.
async fn entries(world: &SyncWorld, source: SourceId) -> Vec<(String, MemoryEntry)> {
    let scoped = world.read().await;
    let page = ProjectMemoryEntries
        .page(&scoped, world.project, &PageRequest::first(50))
        .await;
    let prefix = format!("{source}:");
    let mut entries: Vec<_> = page
        .unwrap()
        .into_items()
        .into_iter()
        .map(|entry| {
            let name = entry.source_ref.clone().unwrap();
            (name.strip_prefix(&prefix).unwrap().to_owned(), entry)
        })
        .collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries
}

/// The titles of the entries that a search finds.
async fn found(world: &SyncWorld, words: &str) -> Vec<String> {
    let scoped = world.read().await;
    let hits = search(&scoped, &SearchRequest::new(words)).await.unwrap();
    let entries = hits
        .into_iter()
        .filter(|hit| hit.kind == KnowledgeKind::MemoryEntry);
    entries.map(|hit| hit.title).collect()
}

async fn warnings(world: &SyncWorld, sync: &Sync) -> Vec<String> {
    let events = world.events(sync).await;
    let told = events.into_iter().filter_map(|event| match event.body {
        EventBody::Message {
            level: Level::Warning,
            text,
        } => Some(text),
        _ => None,
    });
    told.collect()
}

on_both_databases! {
    async fn letters_become_memory_entries_that_follow_their_files(db: TestDatabase) {
        let world = SyncWorld::new(&db, &store(&db).await, "acme").await;
        let mut repository = repository(&db, "atlas");
        repository
            .write(".memory/letter_1.md", "# Leases\n\n## Done\n- the quagga was renewed\n")
            .write(".memory/letter_2.md", "# Queues\n\n## Pain Log\n- the okapi was slow\n")
            .write("apps/web/.memory/letter_3.md", "# Pages\n")
            .write(".memory/notes.md", "# No letter\n")
            .write(".memory/letter_4.md", b"caf\xe9\n")
            .write(".memory/letter_5.md", "\n");
        repository.commit("one");
        let source = world.source(&repository, None, "").await;
        let process = Process::start(&db, "local");
        let sync = synced(&world, source, &[]).await;
        let first = entries(&world, source).await;
        let paths: Vec<&str> = first.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, [".memory/letter_1.md", ".memory/letter_2.md", "apps/web/.memory/letter_3.md"]);
        assert!(first.iter().all(|(_, entry)| entry.source == MemorySource::Github && entry.tags == ["letter"]));
        let warned = warnings(&world, &sync).await;
        assert!(warned.len() == 2 && warned[0].contains(".memory/letter_4.md") && warned[1].contains(".memory/letter_5.md"), "{warned:?}");
        assert!(world.messages(&sync).await.contains(&"letters: 3 new".to_owned()));
        assert_eq!(found(&world, "quagga").await, ["Leases"]);

        // One letter is changed, one is moved, one is deleted: the others are unchanged, and no warning is repeated.
        repository.write(".memory/letter_2.md", "# Queues\n\n## Pain Log\n- the okapi is fast\n");
        repository.remove("apps/web/.memory/letter_3.md").write("src/a.rs", "fn a() {}\n");
        std::fs::create_dir_all(repository.path().join("old/.memory")).unwrap();
        repository.git(&["mv", ".memory/letter_1.md", "old/.memory/letter_1.md"]);
        repository.commit("two");
        let sync = synced(&world, source, &[]).await;
        let second = entries(&world, source).await;
        let paths: Vec<&str> = second.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, [".memory/letter_2.md", "old/.memory/letter_1.md"]);
        assert_eq!((second[0].1.id, second[1].1.id), (first[1].1.id, first[0].1.id));
        assert!(second[0].1.content.contains("fast") && second[0].1.created_at == first[1].1.created_at);
        assert_eq!(second[1].1.content, first[0].1.content);
        assert_eq!(warnings(&world, &sync).await, Vec::<String>::new());
        assert_eq!((found(&world, "fast okapi").await, found(&world, "pages").await), (vec!["Queues".to_owned()], Vec::new()));

        // The step is skipped on request, and the next sync catches up without any change. Letters that swapped their
        // paths follow their files' contents.
        let (one, two) = (second[1].1.content.clone(), second[0].1.content.clone());
        repository.write(".memory/letter_2.md", &one).write("old/.memory/letter_1.md", &two).write(".memory/letter_9.md", "# Late\n");
        repository.commit("three");
        synced(&world, source, &[SyncStepKind::Knowledge]).await;
        assert_eq!(entries(&world, source).await, second);
        synced(&world, source, &[]).await;
        let third = entries(&world, source).await;
        assert_eq!(third.len(), 3);
        assert_eq!((&third[0].1.content, third[0].1.id), (&one, second[0].1.id));
        assert_eq!((&third[2].1.content, third[2].1.id), (&two, second[1].1.id));

        // The entry of a letter that is no longer text keeps its last content.
        repository.write(".memory/letter_9.md", b"\0");
        repository.commit("four");
        let sync = synced(&world, source, &[]).await;
        assert!(warnings(&world, &sync).await[0].contains(".memory/letter_9.md"));
        assert_eq!(entries(&world, source).await[1].1.content, "# Late\n");
        drop(process);
    }
}
