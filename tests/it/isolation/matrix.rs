//! The matrix: every field of the schema, requested by each role, by another tenant's owner with this tenant's ids,
//! and without credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use nyxcore_tenancy::{Action, Role};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::digest::Digester;
use super::registry::{Entry, NODES, REGISTRY};
use super::schema::{ROOTS, Schema};
use super::server::{Answer, Server};
use super::team::{ROLES, Team};
use super::world::{Objects, nobodys, places};

/// The allowed outcomes for an id of another tenant: the same as for an id that does not exist.
const NOT_THERE: [&str; 3] = ["NOT_FOUND", "null", "empty"];

struct TwoTenants {
    server: Server,
    schema: Schema,
    acme: Team,
    other: Team,
    acme_world: Objects,
    other_world: Objects,
}

impl TwoTenants {
    async fn make(db: &TestDatabase) -> Self {
        let server = Server::start(db).await;
        let acme = Team::make(&server, "acme").await;
        let other = Team::make(&server, "other").await;
        Self {
            schema: Schema::of(&server, acme.token(Role::Owner)).await,
            acme_world: Objects::make(&server, &acme).await,
            other_world: Objects::make(&server, &other).await,
            server,
            acme,
            other,
        }
    }

    async fn digester(&self) -> Digester<'_> {
        Digester::new(&self.server.superuser, Some(self.acme.tenant.id.0)).await
    }

    /// The response to the other tenant's owner, and its statements.
    async fn as_other(&self, document: &str, variables: &Value) -> (Answer, Vec<String>) {
        let token = self.other.token(Role::Owner);
        self.as_other_by(token, document, variables).await
    }

    /// As `as_other`, with another token: refusals of one token are folded in the audit log.
    async fn as_other_by(
        &self,
        token: &str,
        document: &str,
        variables: &Value,
    ) -> (Answer, Vec<String>) {
        self.server.statements();
        let answer = self.server.ask(Some(token), document, variables).await;
        (answer, self.server.statements())
    }

    /// Checks that a response to the other tenant contains nothing of acme, except for what the request itself named.
    fn tells_nothing(&self, answer: &Answer, named: &Value) {
        assert!(!answer.text.contains(&self.acme.mark), "{}", answer.text);
        let named = named.to_string();
        for id in self.acme_world.0.values() {
            assert!(
                named.contains(id) || !answer.text.contains(id),
                "{id} in {}",
                answer.text
            );
        }
    }
}

/// Mutations that have no effect if they are repeated, so that the next role still finds the state of the first.
const REPEATABLE: &[&str] = &[
    "Mutation.installStarterPersonas",
    "Mutation.resetTemplate",
    "Mutation.restoreNoteVersion",
    "Mutation.supersedeMemoryEntry",
];

/// Kinds of nodes without text written by users.
const WITHOUT_TEXT: &[&str] = &["Embedding", "Tenant"];

on_both_databases! {
    async fn every_field_follows_the_policy_for_each_role(db: TestDatabase) {
        let two = TwoTenants::make(&db).await;
        let whole: Vec<&Entry> = REGISTRY.iter().collect();
        assert_eq!(complaints(&two.schema, &whole), Vec::<String>::new());
        complaints_are_made(&two.schema);
        let (mut matrix, mut worlds) = (String::new(), BTreeMap::new());
        for entry in REGISTRY.iter().filter(|entry| !entry.field.starts_with("Subscription.")) {
            let (resource, action) = entry.needs;
            let row = format!("{} {}", entry.field, entry.variables);
            writeln!(matrix, "{row}\n    {}.{}", resource.as_str(), action.as_str()).unwrap();
            by_role(&two, entry, &mut worlds, &mut matrix).await;
            by_another_tenant(&two, entry, &mut matrix).await;
        }
        by_nobody(&two).await;
        insta::assert_snapshot!("matrix", matrix);
    }

    async fn a_viewer_reads_what_an_owner_reads(db: TestDatabase) {
        let two = TwoTenants::make(&db).await;
        let listed: BTreeSet<&str> = NODES.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(listed, two.schema.nodes(), "NODES is not what the schema has");
        let digester = two.digester().await;
        for (kind, name) in NODES {
            let selection = two.schema.selection(kind, 2, &with_a_permission_of_their_own());
            let one = format!("query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {selection} }} }}");
            let many = format!("query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {selection} }} }}");
            let (id, own) = (two.acme_world.id(name), two.other_world.id(name));
            let owners = two.server.ask(Some(two.acme.token(Role::Owner)), &one, &json!({"id": id})).await;
            assert_eq!(owners.json["data"]["node"]["id"], id, "{kind}: {}", owners.text);
            assert!(owners.json.get("errors").is_none() && owners.text.contains(&two.acme.mark) || WITHOUT_TEXT.contains(kind), "{}", owners.text);
            for role in ROLES {
                let answer = two.server.ask(Some(two.acme.token(role)), &one, &json!({"id": id})).await;
                // Fields may be returned in any order.
                assert_eq!(answer.json, owners.json, "{kind} as {role:?}: a field that needs more than VIEWER has to be in the registry");
            }
            // Alone, beside an own id, and twice: another tenant's id behaves like one that does not exist.
            let before = digester.take().await;
            let alone = two.as_other(&one, &json!({"id": own})).await.0.json["data"]["node"].clone();
            assert_eq!(alone["id"], own, "{kind}");
            for (document, theirs, nobodys, expected) in [
                (&one, json!({"id": id}), json!({"id": nobodys(id)}), json!({"node": null})),
                (&many, json!({"ids": [id, id]}), json!({"ids": [nobodys(id), nobodys(id)]}), json!({"nodes": [null, null]})),
                (&many, json!({"ids": [own, id]}), json!({"ids": [own, nobodys(id)]}), json!({"nodes": [alone, null]})),
            ] {
                let (answer, statements) = two.as_other(document, &theirs).await;
                assert_eq!(answer.json, json!({"data": expected}), "{kind}");
                two.tells_nothing(&answer, &theirs);
                let (nothing, same) = two.as_other(document, &nobodys).await;
                assert_eq!(nothing.json, answer.json, "{kind}");
                // The own object beside it is read by loaders, whose batches depend on timing.
                if document == &one {
                    assert_eq!((nothing.text, same), (answer.text, statements), "{kind}");
                }
            }
            assert_eq!(digester.changed(&before).await, Vec::<String>::new(), "{kind}");
        }
    }
}

/// The differences between the schema and the registry: a missing or superfluous field, and an id argument that has no
/// place in a field's variables.
fn complaints(schema: &Schema, registry: &[&Entry]) -> Vec<String> {
    let registered: BTreeSet<String> = registry
        .iter()
        .map(|entry| entry.field.to_owned())
        .collect();
    let missing = schema
        .to_register()
        .into_iter()
        .filter(|field| !registered.contains(field));
    let mut complaints: Vec<String> = missing
        .map(|field| format!("{field} is not in the registry"))
        .collect();
    for field in &registered {
        let Some(ids) = schema.ids(field) else {
            complaints.push(format!("the schema has no {field}"));
            continue;
        };
        let tried: BTreeSet<String> = registry
            .iter()
            .filter(|entry| entry.field == field)
            .flat_map(|entry| places(&serde_json::from_str(entry.variables).unwrap()))
            .map(|(at, _)| any_index(&at))
            .collect();
        let untried = ids.difference(&tried);
        complaints
            .extend(untried.map(|at| format!("{field}: another tenant's id is not tried in {at}")));
    }
    complaints
}

/// A missing field, a removed field and an untried id are each reported by name.
fn complaints_are_made(schema: &Schema) {
    let mut registry: Vec<&Entry> = REGISTRY
        .iter()
        .filter(|entry| entry.field != "Mutation.createNote")
        .collect();
    let without_id = Entry {
        variables: r#"{"input": {"noteId": "$note"}}"#,
        field: "Mutation.enrichNote",
        ..*registry[0]
    };
    registry.retain(|entry| entry.field != "Mutation.enrichNote");
    let gone = Entry {
        field: "Mutation.dropEverything",
        ..*registry[0]
    };
    registry.extend([&without_id, &gone]);
    assert_eq!(
        complaints(schema, &registry),
        [
            "Mutation.createNote is not in the registry",
            "the schema has no Mutation.dropEverything",
            "Mutation.enrichNote: another tenant's id is not tried in /input/personaId",
        ]
    );
}

/// `/ids/0` as `/ids/*`.
fn any_index(at: &str) -> String {
    let part = |part: &str| {
        if part.parse::<usize>().is_ok() {
            "*"
        } else {
            part
        }
        .to_owned()
    };
    at.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Fields of objects that have their own row in the registry.
pub fn with_a_permission_of_their_own() -> BTreeSet<&'static str> {
    let fields = REGISTRY.iter().map(|entry| entry.field);
    fields
        .filter(|field| !ROOTS.contains(&field.split('.').next().unwrap()))
        .collect()
}

/// Each role changes its own world, and gets another one after an object was deleted or decided.
async fn by_role(
    two: &TwoTenants,
    entry: &Entry,
    worlds: &mut BTreeMap<&'static str, Objects>,
    matrix: &mut String,
) {
    let document = two.schema.document(entry);
    let policy = two.server.store.registry();
    let needed = policy.role_needed(entry.needs.0, entry.needs.1);
    let is_mutation = entry.field.starts_with("Mutation.");
    let digester = two.digester().await;
    write!(matrix, "    ").unwrap();
    for role in ROLES {
        let is_allowed = needed.is_some_and(|needed| role.includes(needed))
            && !policy.session_needed(entry.needs.0, entry.needs.1);
        let is_spent = matches!(
            entry.needs.1,
            Action::Delete | Action::Apply | Action::Cancel | Action::Transfer
        );
        // A refused mutation leaves the world unchanged.
        let world = if !(is_mutation && is_allowed) {
            &two.acme_world
        } else if let Some(world) = worlds.get(role.as_str()) {
            world
        } else {
            let world = Objects::make(&two.server, &two.acme).await;
            worlds.entry(role.as_str()).or_insert(world)
        };
        let token = match is_mutation {
            true => two.acme.somebody(&two.server, role).await,
            false => two.acme.token(role).to_owned(),
        };
        let before = digester.take().await;
        let variables = world.filled(entry.variables);
        let answer = two.server.ask(Some(&token), &document, &variables).await;
        let told = outcome(entry, &answer);
        let expected = if is_allowed { entry.told } else { "FORBIDDEN" };
        assert_eq!(
            told, expected,
            "{} as {role:?}: {}",
            entry.field, answer.text
        );
        let changed = digester.changed(&before).await;
        if !is_mutation {
            assert_eq!(changed, Vec::<String>::new(), "{} as {role:?}", entry.field);
        } else if told == "ok" {
            let adds_once = REPEATABLE.contains(&entry.field);
            assert!(
                (changed.len() > 1 || adds_once) && changed.contains(&"audit_entries".to_owned()),
                "{} as {role:?}: {changed:?}",
                entry.field
            );
        } else {
            // A refused mutation leaves an audit entry and nothing else.
            assert_eq!(changed, ["audit_entries"], "{} as {role:?}", entry.field);
        }
        if is_spent && entry.variables.contains("\"$") {
            worlds.remove(role.as_str());
        } else if is_spent {
            // The tenant's own objects are deleted in all its worlds.
            worlds.clear();
        }
        write!(matrix, "{} {told} · ", role.as_str()).unwrap();
    }
    writeln!(matrix, "nobody UNAUTHENTICATED").unwrap();
}

async fn by_another_tenant(two: &TwoTenants, entry: &Entry, matrix: &mut String) {
    let document = two.schema.document(entry);
    let template: Value = serde_json::from_str(entry.variables).unwrap();
    let own = two.other_world.filled(entry.variables);
    let places = places(&template);
    // A separate token for each place, because refusals of one token are folded. The tokens are created before any
    // comparison.
    let mut tokens = Vec::new();
    for _ in &places {
        tokens.push(two.other.somebody(&two.server, Role::Owner).await);
    }
    let digester = two.digester().await;
    let before = digester.take().await;
    write!(matrix, "    another tenant:").unwrap();
    if places.is_empty() {
        let (answer, _) = two.as_other(&document, &own).await;
        two.tells_nothing(&answer, &json!(null));
        write!(matrix, " its own {}", outcome(entry, &answer)).unwrap();
    }
    for ((at, name), token) in places.into_iter().zip(&tokens) {
        let with = |id: &str| {
            let mut variables = own.clone();
            *variables.pointer_mut(&at).unwrap() = id.into();
            variables
        };
        let theirs = two.acme_world.id(&name);
        let none = nobodys(theirs);
        let asked = with(theirs);
        let (answer, statements) = two.as_other_by(token, &document, &asked).await;
        let told = outcome(entry, &answer);
        assert!(
            NOT_THERE.contains(&told.as_str()),
            "{} with another's {at}: {}",
            entry.field,
            answer.text
        );
        two.tells_nothing(&answer, &asked);
        // Another tenant's id and an unknown id lead to the same response and the same statements.
        let (nothing, same) = two.as_other_by(token, &document, &with(&none)).await;
        let plain = |text: &str| text.replace(theirs, "<id>").replace(&none, "<id>");
        assert_eq!(
            (nothing.status, plain(&nothing.text)),
            (answer.status, plain(&answer.text)),
            "{} {at}",
            entry.field
        );
        assert_eq!(same, statements, "{} {at}", entry.field);
        write!(
            matrix,
            " {} {told}",
            at.rsplit('/')
                .find(|part| part.parse::<usize>().is_err())
                .unwrap()
        )
        .unwrap();
    }
    writeln!(matrix).unwrap();
    // All ids at once, as in a copied request.
    let asked = two.acme_world.filled(entry.variables);
    if entry.variables.contains("\"$") {
        let (answer, _) = two.as_other(&document, &asked).await;
        let told = outcome(entry, &answer);
        assert!(
            NOT_THERE.contains(&told.as_str()),
            "{} with another's ids: {}",
            entry.field,
            answer.text
        );
        two.tells_nothing(&answer, &asked);
    }
    assert_eq!(
        digester.changed(&before).await,
        Vec::<String>::new(),
        "{}",
        entry.field
    );
}

/// Without a token nothing is read or written.
async fn by_nobody(two: &TwoTenants) {
    let digester = Digester::new(&two.server.superuser, None).await;
    let before = digester.take().await;
    two.server.statements();
    for entry in REGISTRY {
        let variables = two.acme_world.filled(entry.variables);
        let answer = two
            .server
            .ask(None, &two.schema.document(entry), &variables)
            .await;
        let code = &answer.json["errors"][0]["extensions"]["code"];
        assert_eq!(
            (answer.status, code),
            (401, &json!("UNAUTHENTICATED")),
            "{}",
            entry.field
        );
        assert!(answer.json.get("data").is_none(), "{}", answer.text);
    }
    assert_eq!(two.server.statements(), Vec::<String>::new());
    assert_eq!(digester.changed(&before).await, Vec::<String>::new());
}

/// The outcome of a query in a word: the code of its error, `null`, `empty`, or `ok`.
fn outcome(entry: &Entry, answer: &Answer) -> String {
    if let Some(code) = answer.json["errors"][0]["extensions"]["code"].as_str() {
        return code.to_owned();
    }
    let (_, name) = entry.field.split_once('.').unwrap();
    let mut value = &answer.json["data"];
    for part in entry.within.iter().chain(&[name]) {
        value = &value[*part];
    }
    let items = value.as_array().or_else(|| value["nodes"].as_array());
    match (value, items) {
        (Value::Null, _) => "null",
        (_, Some(items)) if items.is_empty() => "empty",
        (_, Some(items)) if items.contains(&Value::Null) => "null",
        _ => "ok",
    }
    .to_owned()
}
