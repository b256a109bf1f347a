//! The number of statements of a list does not depend on the number of parents.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::TimeDelta;
use nyxcore_code_analysis::{AnalysisTrigger, analysis_start};
use nyxcore_knowledge::{
    ConsolidationType, InsightType, NewConsolidationPattern, NewInsight, NewMemoryEntry,
    consolidation_pattern_create, insight_create, memory_entry_create,
};
use nyxcore_note_enrichment::{NewEnrichment, enrichment_start};
use nyxcore_projects::{
    NewBlogPost, NewNote, NewProject, NewSource, ProjectId, blog_post_create, note_create,
    project_create, source_add,
};
use nyxcore_sync::{SyncTrigger, sync_start};
use nyxcore_tenancy::{ReadWrite, Role, Scoped};
use nyxcore_tests::{TestDatabase, on_both_databases, run_on_postgres};
use serde_json::json;

use super::registry::NODES;
use super::schema::Schema;
use super::server::Server;
use super::team::Team;
use super::world::Objects;

/// The tested numbers of parents.
const SIZES: [usize; 3] = [1, 10, 100];

/// Types with lists, and the query that returns `#` objects of the type, each in another project.
const PARENTS: &[(&str, &str)] = &[
    ("Project", "projects(first: #) { nodes { @ } }"),
    ("Source", "projects(first: #) { nodes { sources { @ } } }"),
    (
        "Note",
        "projects(first: #) { nodes { notes(first: 1) { nodes { @ } } } }",
    ),
    (
        "NoteEnrichment",
        "projects(first: #) { nodes { notes(first: 1) { nodes { enrichments(first: 1) { nodes { @ } } } } } }",
    ),
    ("Sync", "projects(first: #) { nodes { latestSync { @ } } }"),
    (
        "CodeAnalysis",
        "projects(first: #) { nodes { latestAnalysis { @ } } }",
    ),
    (
        "BlogPost",
        "projects(first: #) { nodes { blogPosts(first: 1) { nodes { @ } } } }",
    ),
    (
        "MemoryEntry",
        "projects(first: #) { nodes { memoryEntries(first: 1) { nodes { @ } } } }",
    ),
    (
        "Insight",
        "projects(first: #) { nodes { insights(first: 1) { nodes { @ } } } }",
    ),
    (
        "ConsolidationPattern",
        "projects(first: #) { nodes { consolidationPatterns(first: 1) { nodes { @ } } } }",
    ),
];

/// Lists that run a search for each parent. Their query cost accounts for that. A search on `SQLite` takes one more
/// statement than on `PostgreSQL`, so they are not part of the snapshot.
const SEARCHES: [&str; 2] = ["Insight.duplicates", "Insight.suggestedPartners"];

/// Types whose lists are not counted, with the reason.
const WITHOUT: &[(&str, &str)] = &[
    ("ActionPoint", "part of its row"),
    ("CloneGroup", "part of the findings' row"),
    ("CoChange", "part of the findings' row"),
    ("CodePattern", "part of its row"),
    (
        "Consolidation",
        "its own are read like an enrichment's, and projects have none",
    ),
    ("ConsolidationReport", "part of the consolidation's row"),
    ("DeadCode", "part of the findings' row"),
    ("Embedding", "a tenant has one at a time"),
    ("EnrichmentPreview", "made once for an operation"),
    ("EnrichmentReport", "part of the enrichment's row"),
    ("GitRepository", "asked of GitHub, a page at a time"),
    ("ImportCycle", "part of the findings' row"),
    ("ImportGraph", "part of the findings' row"),
    ("ImportLayer", "part of the findings' row"),
    ("KnowledgeAudit", "made once for an operation"),
    ("KnowledgeFinding", "part of the audit"),
    ("Model", "in memory"),
    ("ModelCatalog", "read once for an operation"),
    ("ModelDefaults", "read once for an operation"),
    ("ModelEndpoint", "part of its row"),
    ("Persona", "part of its row"),
    ("PersonaMatch", "computed from the personas that were read"),
    (
        "ProjectFindings",
        "one row, read with those of the other projects",
    ),
    (
        "ProjectMetrics",
        "one row, read with those of the other projects",
    ),
    ("PreviewSection", "part of the preview"),
    ("Provider", "in memory"),
    ("RunAttempt", "part of its row"),
    ("ScoreExplanation", "part of the hit"),
    ("SearchHit", "part of the hit"),
    ("ServerInfo", "in memory"),
    ("SkippedFiles", "part of the analysis' row"),
    ("SpecializationMatch", "computed from a text"),
    ("Template", "in memory"),
    ("Tenant", "there is one in an operation"),
    ("TermMatch", "part of the hit"),
    (
        "UsageReport",
        "a report is a statement of its own for each project",
    ),
    ("Viewer", "there is one in an operation"),
];

on_both_databases! {
    async fn a_list_costs_the_same_below_any_number_of_parents(db: TestDatabase) {
        let server = Server::start(&db).await;
        let team = Team::make(&server, "acme").await;
        let scoped = server.store.write(team.tenant.id).await.unwrap();
        for number in 0..SIZES[2] {
            project_fill(&scoped, number).await;
        }
        scoped.commit().await.unwrap();
        let token = team.token(Role::Owner);
        let schema = Schema::of(&server, token).await;
        let lists = schema.child_lists();
        let known = PARENTS.iter().chain(WITHOUT).map(|(name, _)| *name);
        let known: BTreeSet<&str> = known.collect();
        let unknown: BTreeSet<&str> = lists.iter().map(|list| list.parent.as_str()).filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "say how these are reached, or why their lists are not counted: {unknown:?}");
        let count = async |query: String| {
            server.statements();
            let answer = server.ask(Some(token), &query, &json!({})).await;
            assert!(answer.json["errors"].is_null(), "{query}: {}", answer.text);
            i64::try_from(server.statements().len()).unwrap()
        };
        // The first request of a process also fills caches.
        count("{ projects(first: 100) { nodes { id } } }".to_owned()).await;
        let mut table = String::new();
        for (parent, path) in PARENTS {
            for list in lists.iter().filter(|list| list.parent == *parent) {
                let name = format!("{parent}.{}", list.field);
                if SEARCHES.contains(&name.as_str()) {
                    continue;
                }
                let mut counts = Vec::new();
                for size in SIZES {
                    let path = path.replace('#', &size.to_string());
                    let alone = count(format!("{{ {} }}", path.replace('@', "__typename"))).await;
                    let asked = format!("__typename {} {}", list.field, list.selection);
                    counts.push(count(format!("{{ {} }}", path.replace('@', &asked))).await - alone);
                }
                writeln!(table, "{name}: {counts:?}").unwrap();
            }
        }
        let is_flat = |line: &&str| {
            let counts = line.split_once(": ").unwrap().1.trim_matches(['[', ']']);
            let counts: BTreeSet<&str> = counts.split(", ").collect();
            counts.len() == 1
        };
        let growing: Vec<&str> = table.lines().filter(|line| !is_flat(line)).collect();
        assert!(growing.is_empty(), "{growing:#?}");
        insta::assert_snapshot!("lists_below_1_10_and_100_parents", table);
    }
}

/// Kinds of nodes whose scalar fields all come from their row, with exceptions.
const PLAIN: [&str; 11] = [
    "ActionPoint",
    "BlogPost",
    "CodePattern",
    "ConsolidationPattern",
    "GitConnection",
    "Insight",
    "MemoryEntry",
    "Note",
    "Persona",
    "Project",
    "SourceFile",
];
const LOADED: [&str; 3] = [
    "GitConnection.branches",
    "Project.stack",
    "SourceFile.content",
];

/// Lists of the root that need one statement, with the type of their items.
const ROOT_LISTS: [(&str, &str); 6] = [
    ("projects(first: 40)", "Project"),
    ("projects(query: \"quince\", last: 5)", "Project"),
    ("personas", "Persona"),
    ("memoryEntries", "MemoryEntry"),
    ("gitConnections", "GitConnection"),
    ("auditLog(first: 10)", "AuditEntry"),
];

/// Queries that need more than one statement, and so a transaction.
const IN_TRANSACTION: [&str; 4] = [
    "{ project(id: \"$project\") { id notes { nodes { id } } } }",
    "{ a: project(id: \"$project\") { id } b: project(id: \"$library\") { id } }",
    "{ projects { nodes { id } totalCount } }",
    "{ node(id: \"$sync\") { ... on Sync { filesAdded } } }",
];

#[test]
fn a_query_of_one_statement_takes_one_round_trip() {
    run_on_postgres(|db| async move {
        let server = Server::start(&db).await;
        let team = Team::make(&server, "acme").await;
        let objects = Objects::make(&server, &team).await;
        let token = team.token(Role::Owner);
        let schema = Schema::of(&server, token).await;
        let leaves = |kind: &str| schema.selection(kind, 0, &BTreeSet::from(LOADED));
        let mut documents = vec![
            format!("{{ project(id: \"$project\") {} }}", leaves("Project")),
            format!("{{ project(slug: \"$project_slug\") {} }}", leaves("Project")),
            "{ run(id: \"$sync\") { id status createdAt } }".to_owned(),
            "query ($no: Boolean = false) { p: project(id: \"$project\") { ...P } } fragment P on Project { id name @include(if: $no) }".to_owned(),
        ];
        for (kind, name) in NODES.iter().filter(|(kind, _)| PLAIN.contains(kind)) {
            documents.push(format!(
                "{{ node(id: \"${name}\") {{ ... on {kind} {} }} }}",
                leaves(kind)
            ));
        }
        for (list, kind) in ROOT_LISTS {
            let leaves = leaves(kind);
            let page = leaves_of_page(&leaves);
            documents.push(format!("{{ {list} {page} }}"));
        }
        for document in documents {
            let statements = asked(&server, token, &objects, &document).await;
            let lone = statements.iter().filter(|sql| sql.contains(LONE)).count();
            assert_eq!(
                (lone, statements.len()),
                (1, 1),
                "{document}: {statements:#?}"
            );
        }
        for document in IN_TRANSACTION {
            let statements = asked(&server, token, &objects, document).await;
            let lone = statements.iter().filter(|sql| sql.contains(LONE)).count();
            assert!(
                lone == 0 && !statements.is_empty(),
                "{document}: {statements:#?}"
            );
        }
    });
}

/// The marker of a statement that sets its tenant itself, without a transaction.
const LONE: &str = "set_config('nyxcore.tenant_id'";

fn leaves_of_page(leaves: &str) -> String {
    format!(
        "{{ nodes {leaves} edges {{ cursor node {leaves} }} pageInfo {{ hasNextPage endCursor }} }}"
    )
}

/// The statements of a document, without those for the credential. `$name` stands for an id.
async fn asked(server: &Server, token: &str, objects: &Objects, document: &str) -> Vec<String> {
    let mut names: Vec<&&str> = objects.0.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let document = names.iter().fold(document.to_owned(), |text, name| {
        text.replace(
            &format!("\"${name}\""),
            &format!("\"{}\"", objects.id(name)),
        )
    });
    server.statements();
    let answer = server.ask(Some(token), &document, &json!({})).await;
    assert!(
        answer.json["errors"].is_null(),
        "{document}: {}",
        answer.text
    );
    let mut statements = server.statements();
    let credential = statements.iter().position(|sql| sql.contains("api_tokens"));
    statements.remove(credential.expect("every request looks its credential up"));
    statements
}

/// A project with one object of every kind that has lists.
async fn project_fill(scoped: &Scoped<ReadWrite>, number: usize) {
    let new = NewProject {
        name: format!("Project {number}"),
        ..NewProject::default()
    };
    let project: ProjectId = project_create(scoped, new).await.unwrap().id;
    let new = NewSource {
        project_id: project,
        url: format!("https://git.example.org/{number}.git"),
        branch: None,
        scan_path: String::new(),
    };
    let source = source_add(scoped, new).await.unwrap().id;
    sync_start(scoped, source, SyncTrigger::Manual, None)
        .await
        .unwrap();
    let trigger = AnalysisTrigger::Manual;
    analysis_start(scoped, project, trigger, None, TimeDelta::zero())
        .await
        .unwrap();
    let new = NewNote {
        project_id: project,
        title: "A note".into(),
        body: "Text".into(),
        created_by: None,
    };
    let note = note_create(scoped, new).await.unwrap().id;
    enrichment_start(scoped, NewEnrichment::extractive(note))
        .await
        .unwrap();
    let new = NewBlogPost {
        project_id: project,
        title: "A post".into(),
        body: "Text".into(),
        created_by: None,
    };
    blog_post_create(scoped, new).await.unwrap();
    let new = NewMemoryEntry {
        project_id: Some(project),
        title: "An entry".into(),
        content: "Text".into(),
        tags: Vec::new(),
        created_by: None,
    };
    memory_entry_create(scoped, new).await.unwrap();
    let new = NewInsight {
        project_id: Some(project),
        insight_type: InsightType::PainPoint,
        severity: None,
        category: None,
        title: "An insight".into(),
        detail: "Text".into(),
        suggestion: None,
        paired_with: None,
        created_by: None,
    };
    insight_create(scoped, new).await.unwrap();
    let new = NewConsolidationPattern {
        pattern_type: ConsolidationType::Pain,
        title: format!("Pattern {number}"),
        description: "Text".into(),
        evidence: vec!["Seen".into()],
        frequency: 1,
        severity: None,
        tags: vec!["one".into(), "two".into()],
        project_ids: vec![project],
    };
    consolidation_pattern_create(scoped, new).await.unwrap();
}
