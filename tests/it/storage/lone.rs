//! Reads of one statement without a transaction, on PostgreSQL: isolated by the form of the statement, and in one
//! snapshot with the following statements.

use std::sync::{Arc, Mutex};

use nyxcore_projects::{
    NewNote, NewProject, Note, NoteChanges, NoteId, Notes, Project, ProjectChanges, ProjectId,
    ProjectList, ProjectNotes, Projects, note_create, note_update, project_by_slug, project_create,
    project_update,
};
use nyxcore_tenancy::{
    Acting, ApiTokenId, Caller, ChildList, Credential, Env, Origin, PageRequest, ReadOnly,
    Repository, Role, RootList, Scoped, Store, directory,
};
use nyxcore_tests::{TestDatabase, run_on_postgres};
use sea_orm::{
    Condition, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, Statement,
    TransactionTrait,
};
use serde_json::Value;

use crate::support::{options, tenant};

/// The marker of a statement that sets its tenant itself.
const LONE: &str = "set_config('nyxcore.tenant_id'";

/// One read for each form of statement that the query builder generates.
const SHAPES: [&str; 11] = [
    "one by its id",
    "one by a text",
    "some by their ids",
    "a page",
    "a page of large texts",
    "a page from the end",
    "a page that a text filters",
    "pages of parents",
    "a count",
    "a count that a text filters",
    "counts of parents",
];

struct Side {
    acting: Acting,
    projects: Vec<Project>,
    notes: Vec<Note>,
}

struct World {
    store: Store,
    acme: Side,
    other: Side,
    heard: Arc<Mutex<Vec<String>>>,
}

impl World {
    async fn new(db: &TestDatabase) -> Self {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut options = options(db.app_url());
        let listener = heard.clone();
        options.statement_listener = Some(Arc::new(move |sql: &str, _| {
            listener.lock().unwrap().push(sql.to_owned());
        }));
        let store = Store::connect(&options, Env::default()).await.unwrap();
        Self {
            acme: Side::new(&store, "acme").await,
            other: Side::new(&store, "other").await,
            store,
            heard,
        }
    }

    async fn lone(&self, side: &Side) -> Scoped<ReadOnly> {
        self.store.read_one_as(&side.acting).await.unwrap()
    }

    /// The results of a read of that form, without a transaction and in one, and the statements of the former.
    async fn both(&self, shape: &str, by: &Side, of: &Side) -> ([String; 2], Vec<String>) {
        let scoped = self.lone(by).await;
        self.statements();
        let lone = read(shape, &scoped, of).await;
        let statements = self.statements();
        let scoped = self.store.read_as(&by.acting).await.unwrap();
        ([lone, read(shape, &scoped, of).await], statements)
    }

    /// The statements since the last call.
    fn statements(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

impl Side {
    async fn new(store: &Store, slug: &str) -> Self {
        let (tenant, owner) = tenant(store, slug).await;
        let scoped = store.write(tenant.id).await.unwrap();
        let (mut projects, mut notes) = (Vec::new(), Vec::new());
        for number in 0..2 {
            let new = NewProject {
                name: format!("Project {number} of {slug}"),
                ..NewProject::default()
            };
            let project = project_create(&scoped, new).await.unwrap();
            for _ in 0..3 {
                let new = NewNote {
                    project_id: project.id,
                    title: format!("A note of {slug}"),
                    body: "Text".into(),
                    created_by: None,
                };
                notes.push(note_create(&scoped, new).await.unwrap());
            }
            projects.push(project);
        }
        scoped.commit().await.unwrap();
        let caller = Caller {
            tenant: tenant.id,
            user: owner.id,
            role: Role::Owner,
            credential: Credential::Token(ApiTokenId(store.env().id())),
        };
        Self {
            acting: Acting::new(caller, Origin::default()),
            projects,
            notes,
        }
    }

    fn project_ids(&self) -> Vec<ProjectId> {
        self.projects.iter().map(|project| project.id).collect()
    }

    fn note_ids(&self) -> Vec<NoteId> {
        self.notes.iter().map(|note| note.id).collect()
    }
}

/// Reads the rows of `of`, and returns them as text.
async fn read(shape: &str, scoped: &Scoped<ReadOnly>, of: &Side) -> String {
    let (project, projects) = (of.projects[0].id, of.project_ids());
    let few = PageRequest::first(2);
    let filtered = ProjectList {
        query: Some("project 1".into()),
    };
    match shape {
        "one by its id" => format!("{:?}", Notes::get(scoped, of.notes[0].id).await.unwrap()),
        "one by a text" => {
            let found = project_by_slug(scoped, &of.projects[0].slug).await.unwrap();
            format!("{found:?}")
        }
        "some by their ids" => {
            let found = Notes::get_many(scoped, &of.note_ids()).await.unwrap();
            let mut found: Vec<_> = found.into_values().collect();
            found.sort_unstable_by_key(|note| note.id);
            format!("{found:?}")
        }
        "a page" => format!(
            "{:?}",
            ProjectNotes.page(scoped, project, &few).await.unwrap()
        ),
        "a page of large texts" => {
            let many = PageRequest::first(100);
            format!(
                "{:?}",
                ProjectNotes.page(scoped, project, &many).await.unwrap()
            )
        }
        "a page from the end" => {
            let last = PageRequest {
                from_end: true,
                ..few
            };
            format!(
                "{:?}",
                ProjectNotes.page(scoped, project, &last).await.unwrap()
            )
        }
        "a page that a text filters" => {
            format!("{:?}", filtered.page(scoped, &few).await.unwrap())
        }
        "pages of parents" => {
            let pages = ProjectNotes.pages(scoped, &projects, &few).await.unwrap();
            let mut pages: Vec<_> = pages.into_iter().collect();
            pages.sort_unstable_by_key(|(project, _)| *project);
            format!("{pages:?}")
        }
        "a count" => format!("{}", Notes::count(scoped, Condition::all()).await.unwrap()),
        "a count that a text filters" => format!("{}", filtered.count(scoped).await.unwrap()),
        "counts of parents" => {
            let counts = ProjectNotes.counts(scoped, &projects).await.unwrap();
            let mut counts: Vec<_> = counts.into_iter().collect();
            counts.sort_unstable();
            format!("{counts:?}")
        }
        other => panic!("what is {other}?"),
    }
}

/// Whether a read of that form returns the rows of the reader, whatever ids are given.
fn is_of_reader(shape: &str) -> bool {
    matches!(
        shape,
        "a count" | "a count that a text filters" | "a page that a text filters"
    )
}

#[test]
fn a_lone_read_of_each_shape_returns_its_tenants_rows_only() {
    run_on_postgres(|db| async move {
        let world = World::new(&db).await;
        let (acme, other) = (&world.acme, &world.other);
        for shape in SHAPES {
            let ([lone, in_transaction], statements) = world.both(shape, acme, acme).await;
            assert_eq!(lone, in_transaction, "{shape}");
            assert!(
                lone.contains("acme") || lone.contains(['1', '3', '6']),
                "{shape}: {lone}"
            );
            let is_lone = statements.len() == 1 && statements[0].contains(LONE);
            assert!(is_lone, "{shape}: {statements:#?}");

            let ([lone, in_transaction], _) = world.both(shape, other, acme).await;
            assert_eq!(lone, in_transaction, "{shape} by another tenant");
            assert!(!lone.contains("acme"), "{shape}: {lone}");
            if !is_of_reader(shape) {
                let nothing = ["None", "[]", "{}"];
                let is_empty = nothing.contains(&lone.as_str()) || lone.contains("items: []");
                assert!(is_empty, "{shape}: {lone}");
            }
        }
    });
}

#[test]
fn the_plan_of_each_lone_read_sets_the_tenant_first() {
    run_on_postgres(|db| async move {
        let world = World::new(&db).await;
        let app = db.app_connection().await.unwrap();
        for shape in SHAPES {
            let (_, statements) = world.both(shape, &world.acme, &world.acme).await;
            let plan = plan(&app, &statements[0]).await;
            let parts = plan["Plans"].as_array().unwrap();
            let sides: Vec<&str> = parts
                .iter()
                .map(|part| part["Parent Relationship"].as_str().unwrap())
                .collect();
            // The outer side is evaluated first and reads no table. All tables and the sub-selects of their policies
            // are on the inner side, which a nested loop runs for each row of the outer side.
            assert_eq!(plan["Node Type"], "Nested Loop", "{shape}: {plan:#}");
            assert_eq!(sides, ["Outer", "Inner"], "{shape}: {plan:#}");
            let [outer, inner] = [0, 1].map(|side| parts[side].to_string());
            assert!(
                !outer.contains("Relation Name") && !outer.contains("InitPlan"),
                "{shape}: {plan:#}"
            );
            assert!(
                inner.contains("Relation Name") && inner.contains("InitPlan"),
                "{shape}: {plan:#}"
            );
        }
    });
}

/// The plan of a statement for arbitrary values.
async fn plan(app: &DatabaseConnection, sql: &str) -> Value {
    let values = (1..).take_while(|number| sql.contains(&format!("${number}")));
    let values = values.map(|_| "NULL").collect::<Vec<_>>().join(", ");
    let tx = app.begin().await.unwrap();
    for sql in [
        "SET LOCAL plan_cache_mode = force_generic_plan",
        &format!("PREPARE lone AS {sql}"),
    ] {
        tx.execute_unprepared(sql).await.unwrap();
    }
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE lone ({values})");
    let row = one(&tx, &explain).await;
    let plan: Value = row.try_get_by_index(0).unwrap();
    tx.execute_unprepared("DEALLOCATE lone").await.unwrap();
    plan[0]["Plan"].clone()
}

async fn one(db: &impl ConnectionTrait, sql: &str) -> sea_orm::QueryResult {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    db.query_one_raw(statement).await.unwrap().unwrap()
}

/// One connection for all statements, outside of a transaction.
struct OneConnection {
    app: DatabaseConnection,
    /// Holds the pool's other connection.
    _other: DatabaseTransaction,
}

impl OneConnection {
    async fn new(db: &TestDatabase) -> Self {
        let app = db.app_connection().await.unwrap();
        Self {
            _other: app.begin().await.unwrap(),
            app,
        }
    }

    async fn settings(&self) -> [String; 2] {
        let sql = "SELECT coalesce(current_setting('nyxcore.tenant_id', true), ''), coalesce(current_setting('nyxcore.scope', true), '')";
        let row = one(&self.app, sql).await;
        [0, 1].map(|column| row.try_get_by_index(column).unwrap())
    }

    /// The number of rows of the prepared statement for these values.
    async fn rows(&self, values: [String; 4]) -> Result<usize, String> {
        let values = values.map(|value| format!("'{value}'")).join(", ");
        let sql = format!("EXECUTE lone ({values})");
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let rows = self.app.query_all_raw(statement).await;
        rows.map(|rows| rows.len())
            .map_err(|error| error.to_string())
    }
}

#[test]
fn a_lone_statement_leaves_no_setting_and_needs_its_tenant() {
    run_on_postgres(|db| async move {
        let world = World::new(&db).await;
        let (_, statements) = world.both("one by its id", &world.acme, &world.acme).await;
        let connection = OneConnection::new(&db).await;
        let prepare = format!("PREPARE lone AS {}", statements[0]);
        connection.app.execute_unprepared(&prepare).await.unwrap();
        let [acme, other] =
            [&world.acme, &world.other].map(|side| side.acting.caller.tenant.0.to_string());
        let note = world.acme.notes[0].id.0.to_string();
        let values =
            |filter: &str, setting: &str| [filter, &note, "1", setting].map(ToOwned::to_owned);
        // Also if the connection has leftover settings.
        for leftover in ["", &other, &acme] {
            let scope = if leftover.is_empty() { "" } else { "system" };
            let set =
                format!("SET nyxcore.tenant_id = '{leftover}'; SET nyxcore.scope = '{scope}'");
            connection.app.execute_unprepared(&set).await.unwrap();
            assert_eq!(connection.rows(values(&acme, &acme)).await, Ok(1));
            assert_eq!(connection.settings().await, [leftover, scope]);
            assert_eq!(connection.rows(values(&acme, &other)).await, Ok(0));
            assert_eq!(connection.rows(values(&other, &acme)).await, Ok(0));
            let refused = connection.rows(values(&acme, "")).await;
            assert!(refused.unwrap_err().contains("uuid"));
            assert_eq!(connection.settings().await, [leftover, scope]);
        }
    });
}

#[test]
fn the_second_statement_is_of_the_snapshot_of_the_first() {
    run_on_postgres(|db| async move {
        let world = World::new(&db).await;
        let acme = &world.acme;
        let project = acme.projects[0].id;
        let scoped = world.lone(acme).await;
        let first = Projects::get(&scoped, project).await.unwrap();
        // Rows that the first statement did not read may change.
        note_change(&world, "changed").await;
        world.statements();
        let note = Notes::get(&scoped, acme.notes[0].id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(note.title, "changed");
        let statements = world.statements();
        assert!(
            !statements.iter().any(|sql| sql.contains(LONE)),
            "{statements:#?}"
        );
        // From here on the scope has one snapshot.
        note_change(&world, "changed again").await;
        let note = Notes::get(&scoped, acme.notes[0].id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(note.title, "changed");
        assert_eq!(Projects::get(&scoped, project).await.unwrap(), first);
    });
}

#[test]
fn a_second_statement_is_refused_if_the_firsts_rows_changed() {
    run_on_postgres(|db| async move {
        let world = World::new(&db).await;
        let acme = &world.acme;
        let project = acme.projects[0].id;
        let scoped = world.lone(acme).await;
        Projects::get(&scoped, project).await.unwrap();
        let write = world.store.write(acme.acting.caller.tenant).await.unwrap();
        let changes = ProjectChanges {
            name: Some("Another".into()),
            ..ProjectChanges::default()
        };
        project_update(&write, project, changes).await.unwrap();
        write.commit().await.unwrap();
        let refused = Notes::get(&scoped, acme.notes[0].id).await;
        assert_eq!(refused.unwrap_err().code(), "DATABASE_BUSY");
    });
}

async fn note_change(world: &World, title: &str) {
    let tenant = world.acme.acting.caller.tenant;
    let scoped = world.store.write(tenant).await.unwrap();
    let changes = NoteChanges {
        title: Some(title.to_owned()),
        ..NoteChanges::default()
    };
    note_update(&scoped, world.acme.notes[0].id, changes)
        .await
        .unwrap();
    scoped.commit().await.unwrap();
}

#[test]
fn statements_at_once_share_the_snapshot() {
    run_on_postgres(|db| async move {
        let world = World::new(&db).await;
        let acme = &world.acme;
        let scoped = world.lone(acme).await;
        world.statements();
        let all = acme.notes.iter().map(|note| Notes::get(&scoped, note.id));
        let found = futures::future::join_all(all).await;
        assert!(found.into_iter().all(|note| note.unwrap().is_some()));
        let statements = world.statements();
        let lone = statements.iter().filter(|sql| sql.contains(LONE));
        assert_eq!(lone.count(), 1, "{statements:#?}");
    });
}

#[test]
fn a_statement_by_hand_takes_a_transaction() {
    run_on_postgres(|db| async move {
        let world = World::new(&db).await;
        let scoped = world.lone(&world.acme).await;
        world.statements();
        let owner = world.acme.acting.caller.user;
        let users = directory::users_by_id(&scoped, &[owner]).await.unwrap();
        assert_eq!(users.len(), 1);
        let statements = world.statements();
        assert!(
            !statements.iter().any(|sql| sql.contains(LONE)),
            "{statements:#?}"
        );
    });
}
