//! Projects, sources and notes: access, validation, and cascading deletes.

mod files;
mod posts;

use chrono::TimeDelta;
use nyxcore_projects::{
    ActionPointChanges, ActionPointStatus, ActionPoints, NewActionPoint, NewNote, NewProject,
    NewSource, NoteChanges, Notes, Project, ProjectChanges, ProjectId, ProjectNotes, Projects,
    Source, SourceChanges, Sources, action_point_create_all, action_point_update, action_points_of,
    note_create, note_delete, note_update, project_by_slug, project_count, project_create,
    project_delete, project_list, project_update, source_add, source_remove, source_synced,
    source_update, sources_of,
};
use nyxcore_retrieval::{Citation, KnowledgeKind, SearchRequest, search};
use nyxcore_tenancy::{
    Access, ChildList, PageRequest, ReadWrite, Repository, Scoped, Store, Tenant, UserId, directory,
};
use nyxcore_tests::{TestDatabase, on_both_databases};

use crate::support::{store, store_at_rest, tenant};

on_both_databases! {
    /// The reason for the tenancy rule: a person with two accounts could not see the projects of the other account.
    async fn both_of_a_persons_sign_ins_reach_all_the_tenants_projects(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, oliver) = directory::tenant_create(&store, "acme", "Acme", "oliver.baer@example.org").await.unwrap();
        let alias = member_add(&store, &acme, "oliver.baer+ckbnyx@example.org").await;
        assert_ne!(oliver.id, alias);

        let scoped = store.write(acme.id).await.unwrap();
        let by_oliver = project_create(&scoped, NewProject { created_by: Some(oliver.id), ..named("Atlas") }).await.unwrap();
        let by_alias = project_create(&scoped, NewProject { created_by: Some(alias), ..named("Borealis") }).await.unwrap();
        scoped.commit().await.unwrap();

        // The caller does not matter: a scope only knows the tenant.
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(projects(&scoped, None).await, ["Borealis", "Atlas"]);
        assert_eq!(project_count(&scoped, None).await.unwrap(), 2);
        drop(scoped);

        // Either account can change the other's objects, and the creator stays recorded.
        let scoped = store.write(acme.id).await.unwrap();
        let changes = ProjectChanges { description: Some("Maps".into()), ..Default::default() };
        let changed = project_update(&scoped, by_oliver.id, changes).await.unwrap();
        assert_eq!(changed.created_by, Some(oliver.id));
        let note = note_create(&scoped, NewNote { created_by: Some(oliver.id), ..note_in(by_alias.id) }).await.unwrap();
        assert_eq!(ProjectNotes.count(&scoped, by_alias.id).await.unwrap(), 1);
        assert_eq!(note.created_by, Some(oliver.id));
    }

    async fn another_tenants_project_answers_as_if_it_were_not_there(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (other, _) = tenant(&store, "other").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project_create(&scoped, named("Atlas")).await.unwrap();
        let source = source_add(&scoped, source_in(project.id)).await.unwrap();
        let note = note_create(&scoped, note_in(project.id)).await.unwrap();
        scoped.commit().await.unwrap();

        let scoped = store.write(other.id).await.unwrap();
        assert!(projects(&scoped, None).await.is_empty());
        assert_eq!(project_by_slug(&scoped, "atlas").await.unwrap(), None);
        assert!(sources_of(&scoped, &[project.id]).await.unwrap().is_empty());
        assert_eq!(ProjectNotes.count(&scoped, project.id).await.unwrap(), 0);
        let refused = [
            project_update(&scoped, project.id, ProjectChanges::default()).await.unwrap_err(),
            project_delete(&scoped, project.id).await.unwrap_err(),
            source_add(&scoped, source_in(project.id)).await.unwrap_err(),
            source_update(&scoped, source.id, SourceChanges::default()).await.unwrap_err(),
            source_remove(&scoped, source.id).await.unwrap_err(),
            note_update(&scoped, note.id, NoteChanges::default()).await.unwrap_err(),
            note_delete(&scoped, note.id).await.unwrap_err(),
            action_point_create_all(&scoped, note.id, None, vec![]).await.unwrap_err(),
        ];
        assert!(refused.iter().all(|error| error.code() == "NOT_FOUND"), "{refused:?}");
        // The database refuses the reference, which ends the transaction.
        drop(scoped);
        let ended = store.write(other.id).await.unwrap();
        let refused = note_create(&ended, note_in(project.id)).await.unwrap_err();
        assert!(matches!(refused, nyxcore_tenancy::Error::NotFound("project")), "{refused:?}");
        drop(ended);
        let scoped = store.write(other.id).await.unwrap();
        // The other tenant may use the same slug.
        assert_eq!(project_create(&scoped, named("Atlas")).await.unwrap().slug, "atlas");
        scoped.commit().await.unwrap();

        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(Projects::require(&scoped, project.id).await.unwrap(), project);
        assert_eq!(Sources::require(&scoped, source.id).await.unwrap(), source);
        assert_eq!(Notes::require(&scoped, note.id).await.unwrap(), note);
    }

    async fn only_derived_slugs_are_made_unique(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let mut slugs = Vec::new();
        for _ in 0..3 {
            slugs.push(project_create(&scoped, named("Tom & Jerry!")).await.unwrap().slug);
        }
        assert_eq!(slugs, ["tom-jerry", "tom-jerry-2", "tom-jerry-3"]);
        let taken = NewProject { slug: Some("tom-jerry".into()), ..named("Other") };
        assert_eq!(project_create(&scoped, taken).await.unwrap_err().code(), "CONFLICT");
    }

    async fn a_slug_cannot_be_changed_into_one_that_is_taken(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        project_create(&scoped, named("Atlas")).await.unwrap();
        let other = project_create(&scoped, named("Borealis")).await.unwrap();
        let changes = ProjectChanges { slug: Some("atlas".into()), ..Default::default() };
        assert_eq!(project_update(&scoped, other.id, changes).await.unwrap_err().code(), "CONFLICT");
    }

    async fn a_project_changes_only_in_what_is_named(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let made = project_create(&scoped, NewProject { description: Some(" Maps ".into()), ..named("Atlas") }).await.unwrap();
        assert_eq!(made.description.as_deref(), Some("Maps"));
        clock.advance(TimeDelta::minutes(1));
        let changes = ProjectChanges { name: Some("Atlas II".into()), ..Default::default() };
        let changed = project_update(&scoped, made.id, changes).await.unwrap();
        let expected = Project { name: "Atlas II".into(), updated_at: store.env().now(), ..made.clone() };
        assert_eq!(changed, expected);
        let changes = ProjectChanges { description: Some(String::new()), ..Default::default() };
        assert_eq!(project_update(&scoped, made.id, changes).await.unwrap().description, None);
    }

    async fn projects_are_found_by_part_of_name_or_slug(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        for name in ["Atlas", "Änderung_100%", "back\\slash"] {
            project_create(&scoped, named(name)).await.unwrap();
        }
        project_create(&scoped, NewProject { slug: Some("hidden-name".into()), ..named("Zed") }).await.unwrap();
        assert_eq!(projects(&scoped, Some("TLA")).await, ["Atlas"]);
        assert_eq!(projects(&scoped, Some("änder")).await, ["Änderung_100%"]);
        assert_eq!(projects(&scoped, Some("ÄNDER")).await, ["Änderung_100%"]);
        assert_eq!(projects(&scoped, Some("den-NAME")).await, ["Zed"]);
        // Wildcards of a pattern are literal characters in a query.
        assert_eq!(projects(&scoped, Some("_1")).await, ["Änderung_100%"]);
        assert_eq!(projects(&scoped, Some("0%")).await, ["Änderung_100%"]);
        assert_eq!(projects(&scoped, Some("k\\s")).await, ["back\\slash"]);
        assert!(projects(&scoped, Some("a%s")).await.is_empty());
        assert_eq!(projects(&scoped, Some("  ")).await.len(), 4);
        assert_eq!(project_count(&scoped, Some("atlas")).await.unwrap(), 1);
    }

    async fn what_is_out_of_bounds_is_refused_and_nothing_is_kept(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let project = project_create(&scoped, named("Atlas")).await.unwrap();
        let refused = [
            project_create(&scoped, named(" ")).await.unwrap_err(),
            project_create(&scoped, named(&"a".repeat(201))).await.unwrap_err(),
            project_create(&scoped, NewProject { slug: Some("No Slug".into()), ..named("B") }).await.unwrap_err(),
            source_add(&scoped, NewSource { url: String::new(), ..source_in(project.id) }).await.unwrap_err(),
            source_add(&scoped, NewSource { url: "a".repeat(1_001), ..source_in(project.id) }).await.unwrap_err(),
            source_add(&scoped, NewSource { scan_path: "src/../..".into(), ..source_in(project.id) }).await.unwrap_err(),
            source_add(&scoped, NewSource { scan_path: "a\\b".into(), ..source_in(project.id) }).await.unwrap_err(),
            source_add(&scoped, NewSource { scan_path: "/src".into(), ..source_in(project.id) }).await.unwrap_err(),
            source_add(&scoped, NewSource { branch: Some("--upload-pack=x".into()), ..source_in(project.id) }).await.unwrap_err(),
            note_create(&scoped, NewNote { title: "two\nlines".into(), ..note_in(project.id) }).await.unwrap_err(),
            note_create(&scoped, NewNote { body: "a\0b".into(), ..note_in(project.id) }).await.unwrap_err(),
        ];
        assert!(refused.iter().all(|error| error.code() == "INVALID_INPUT"), "{refused:?}");
        assert_eq!(project_count(&scoped, None).await.unwrap(), 1);
        assert!(sources_of(&scoped, &[project.id]).await.unwrap().is_empty());
        assert_eq!(ProjectNotes.count(&scoped, project.id).await.unwrap(), 0);
    }

    async fn the_longest_source_fits_its_unique_index(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let project = project_create(&scoped, named("Atlas")).await.unwrap();
        let longest = NewSource { url: noise(1_000), branch: Some(noise(255)), scan_path: noise(1_000), ..source_in(project.id) };
        source_add(&scoped, longest).await.unwrap();
    }

    async fn the_same_source_is_added_once_a_project(db: TestDatabase) {
        let (store, scoped) = scope(&db).await;
        let project = project_create(&scoped, named("Atlas")).await.unwrap();
        let other = project_create(&scoped, named("Borealis")).await.unwrap();
        let root = source_add(&scoped, source_in(project.id)).await.unwrap();
        assert_eq!((root.scan_path.as_str(), root.display_path()), ("", "/"));
        source_add(&scoped, source_in(other.id)).await.unwrap();
        let src = source_add(&scoped, NewSource { scan_path: "./src/".into(), ..source_in(project.id) }).await.unwrap();
        assert_eq!((src.scan_path.as_str(), src.display_path()), ("src", "src"));
        source_add(&scoped, NewSource { branch: Some("main".into()), ..source_in(project.id) }).await.unwrap();
        let tenant = scoped.tenant();
        scoped.commit().await.unwrap();

        let scoped = store.write(tenant).await.unwrap();
        let again = NewSource { branch: Some(" ".into()), scan_path: "./".into(), ..source_in(project.id) };
        assert_eq!(source_add(&scoped, again).await.unwrap_err().code(), "CONFLICT");
        drop(scoped);
        let scoped = store.write(tenant).await.unwrap();
        let changes = SourceChanges { scan_path: Some("/".into()), ..Default::default() };
        assert_eq!(source_update(&scoped, src.id, changes).await.unwrap_err().code(), "CONFLICT");
    }

    async fn a_source_that_looks_elsewhere_forgets_its_commit(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project_create(&scoped, named("Atlas")).await.unwrap();
        let source = source_add(&scoped, source_in(project.id)).await.unwrap();
        clock.advance(TimeDelta::hours(1));
        let at = store.env().now();
        let synced = source_synced(&scoped, source.id, "c0ffee", at).await.unwrap();
        assert_eq!((synced.head_commit.as_deref(), synced.last_synced_at), (Some("c0ffee"), Some(at)));

        let same = SourceChanges { scan_path: Some("/".into()), branch: Some(String::new()), ..Default::default() };
        assert_eq!(source_update(&scoped, source.id, same).await.unwrap(), synced);
        let changes = SourceChanges { branch: Some("next".into()), ..Default::default() };
        let expected = Source { branch: Some("next".into()), head_commit: None, updated_at: at, ..synced };
        assert_eq!(source_update(&scoped, source.id, changes).await.unwrap(), expected);
    }

    async fn sources_come_by_their_projects_in_one_go(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let mut ids = Vec::new();
        for name in ["A", "B", "C"] {
            ids.push(project_create(&scoped, named(name)).await.unwrap().id);
        }
        let first = source_add(&scoped, source_in(ids[0])).await.unwrap();
        let second = source_add(&scoped, NewSource { scan_path: "src".into(), ..source_in(ids[0]) }).await.unwrap();
        let third = source_add(&scoped, source_in(ids[1])).await.unwrap();
        let found = sources_of(&scoped, &ids).await.unwrap();
        assert_eq!(found[&ids[0]], [first, second]);
        assert_eq!(found[&ids[1]], [third]);
        assert!(!found.contains_key(&ids[2]));
    }

    async fn a_note_is_found_as_it_is_now_and_no_more_when_it_is_gone(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let project = project_create(&scoped, named("Atlas")).await.unwrap();
        let note = note_create(&scoped, NewNote { body: "Talk about renewLease.".into(), ..note_in(project.id) }).await.unwrap();
        assert_eq!(found(&scoped, "renew").await, [note.id.to_string()]);
        let changes = NoteChanges { body: Some("Talk about backoff.".into()), ..Default::default() };
        let changed = note_update(&scoped, note.id, changes).await.unwrap();
        assert_eq!((changed.title.as_str(), changed.body.as_str()), (note.title.as_str(), "Talk about backoff."));
        assert!(found(&scoped, "renew").await.is_empty());
        assert_eq!(found(&scoped, "backoff").await, [note.id.to_string()]);
        note_delete(&scoped, note.id).await.unwrap();
        assert!(found(&scoped, "backoff").await.is_empty());
        assert_eq!(Notes::get(&scoped, note.id).await.unwrap(), None);
    }

    async fn notes_are_found_by_title_and_by_the_end_of_the_body(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let project = project_create(&scoped, named("Atlas")).await.unwrap();
        let title = "Retrospective".to_owned();
        let short = note_create(&scoped, NewNote { title, body: String::new(), ..note_in(project.id) }).await.unwrap();
        assert_eq!(found(&scoped, "retrospective").await, [short.id.to_string()]);
        let body = format!("{}the last word is hippopotamus", "filler line\n".repeat(1_000));
        let long = note_create(&scoped, NewNote { body, ..note_in(project.id) }).await.unwrap();
        assert_eq!(found(&scoped, "hippopotamus").await, [long.id.to_string()]);
    }

    async fn notes_are_listed_newest_first_a_project_at_a_time(db: TestDatabase) {
        let (_, scoped) = scope(&db).await;
        let project = project_create(&scoped, named("Atlas")).await.unwrap();
        let other = project_create(&scoped, named("Borealis")).await.unwrap();
        let first = note_create(&scoped, note_in(project.id)).await.unwrap();
        let second = note_create(&scoped, note_in(project.id)).await.unwrap();
        note_create(&scoped, note_in(other.id)).await.unwrap();
        let page = ProjectNotes.page(&scoped, project.id, &PageRequest::first(10)).await.unwrap();
        assert_eq!(page.into_items(), [second, first]);
    }

    async fn action_points_keep_order_citations_and_status(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let scoped = store.write(acme.id).await.unwrap();
        let project = project_create(&scoped, named("Atlas")).await.unwrap();
        let note = note_create(&scoped, note_in(project.id)).await.unwrap();
        let bare = note_create(&scoped, note_in(project.id)).await.unwrap();
        let new = |text: &str, citations| NewActionPoint { text: text.into(), citations };
        let points = vec![new("Add a test", vec![citation()]), new(" Rename it ", vec![])];
        let made = action_point_create_all(&scoped, note.id, None, points).await.unwrap();
        assert_eq!(made[1].text, "Rename it");
        let stored = action_points_of(&scoped, &[bare.id, note.id]).await.unwrap();
        assert_eq!(stored[&note.id], made);
        assert!(!stored.contains_key(&bare.id));

        clock.advance(TimeDelta::seconds(1));
        let changes = ActionPointChanges { status: Some(ActionPointStatus::Done), text: None };
        let done = action_point_update(&scoped, made[0].id, changes).await.unwrap();
        assert_eq!((done.status, done.text.as_str()), (ActionPointStatus::Done, "Add a test"));
        assert_eq!((done.citations, done.updated_at), (vec![citation()], store.env().now()));

        let refused = action_point_create_all(&scoped, note.id, None, vec![new(" ", vec![])]).await;
        assert_eq!(refused.unwrap_err().code(), "INVALID_INPUT");
        note_delete(&scoped, note.id).await.unwrap();
        assert_eq!(ActionPoints::get(&scoped, made[0].id).await.unwrap(), None);
    }
}

async fn scope(db: &TestDatabase) -> (Store, Scoped<ReadWrite>) {
    let store = store(db).await;
    let (acme, _) = tenant(&store, "acme").await;
    let scoped = store.write(acme.id).await.unwrap();
    (store, scoped)
}

/// Adds a person who has an account in another tenant as a member.
async fn member_add(store: &Store, to: &Tenant, email: &str) -> UserId {
    let (_, user) = directory::tenant_create(store, "elsewhere", "Elsewhere", email)
        .await
        .unwrap();
    let scoped = store.write(to.id).await.unwrap();
    let now = store.env().now();
    let sql = "INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, 'MEMBER', $3)";
    scoped
        .sql_execute(sql, [user.id.into(), now.into()])
        .await
        .unwrap();
    scoped.commit().await.unwrap();
    user.id
}

fn named(name: &str) -> NewProject {
    NewProject {
        name: name.into(),
        ..NewProject::default()
    }
}

fn source_in(project_id: ProjectId) -> NewSource {
    NewSource {
        project_id,
        url: "https://example.org/atlas.git".into(),
        branch: None,
        scan_path: String::new(),
    }
}

fn note_in(project_id: ProjectId) -> NewNote {
    NewNote {
        project_id,
        title: "Leases".into(),
        body: "They run out.".into(),
        created_by: None,
    }
}

/// Text without repetition, so that compression does not shorten it in an index.
fn noise(length: usize) -> String {
    let mut state: u32 = 1;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + u8::try_from(state >> 24).unwrap() % 26)
        })
        .collect()
}

fn citation() -> Citation {
    Citation {
        kind: KnowledgeKind::Code,
        subject_id: None,
        title: "src/lease.rs".into(),
        excerpt: "fn renew() {\n\t\"quoted\"\n}".into(),
        path: Some("src/lease.rs".into()),
        source_id: None,
        start_line: Some(3),
        end_line: Some(5),
        score: 0.1,
    }
}

async fn projects<A: Access>(scoped: &Scoped<A>, query: Option<&str>) -> Vec<String> {
    let page = project_list(scoped, query, &PageRequest::first(10))
        .await
        .unwrap();
    page.into_items().into_iter().map(|p| p.name).collect()
}

async fn found<A: Access>(scoped: &Scoped<A>, text: &str) -> Vec<String> {
    let hits = search(scoped, &SearchRequest::new(text)).await.unwrap();
    hits.into_iter().map(|hit| hit.subject).collect()
}
