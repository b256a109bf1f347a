//! The test project of enrichments, with every kind of knowledge, and a check that citations are valid.

use nyxcore_code_engine::blob_id;
use nyxcore_knowledge::{
    ConsolidationPatternId, ConsolidationPatterns, ConsolidationSeverity, ConsolidationType,
    InsightId, InsightSeverity, InsightType, Insights, MemoryEntries, MemoryEntryId,
    NewConsolidationPattern, NewInsight, NewMemoryEntry, consolidation_pattern_create,
    insight_create, memory_entry_create,
};
use nyxcore_projects::{
    FileChanges, NewBlob, NewFile, NewNote, NewProject, NewSource, Note, NoteId, Notes, ProjectId,
    SourceId, blob_content, blobs_insert, code_subject, files_apply, files_by_path, note_create,
    project_create, source_add,
};
use nyxcore_retrieval::{Citation, Document, KnowledgeKind, documents_publish};
use nyxcore_tenancy::{Access, ReadWrite, Repository, Scoped, Store, TenantId, TypedId, id_format};

const LEASE_RS: &str = "//! Leases.\n\nuse std::time::Duration;\n\n/// Renews the lease of a worker.\npub fn renew_lease(worker: &str) -> Duration {\n    let fence = \"```\";\n    Duration::from_secs(15)\n}\n";

/// A project with one item of every kind of knowledge about leases, one about something else, and a note that asks
/// about leases.
pub struct World {
    pub project: ProjectId,
    pub source: SourceId,
    pub pattern: String,
    pub note: Note,
}

pub async fn world(store: &Store, tenant: TenantId) -> World {
    let scoped = store.write(tenant).await.unwrap();
    let project = project(&scoped, "home").await;
    let source = file(&scoped, project, "src/lease.rs", LEASE_RS, "rust").await;
    let code = Document {
        kind: KnowledgeKind::Code,
        subject: code_subject(source, "src/lease.rs"),
        subject_id: None,
        title: "src/lease.rs".into(),
        body: LEASE_RS.into(),
        end_line: Some(9),
        ..pattern(&scoped, Some(project), "")
    };
    let pattern = Document {
        start_line: Some(6),
        end_line: Some(9),
        ..pattern(
            &scoped,
            Some(project),
            "Functions that renew leases are snake_case",
        )
    };
    let subject = pattern.subject.clone();
    documents_publish(&scoped, vec![code, pattern])
        .await
        .unwrap();
    memory_entry_create(&scoped, memory(project, "Letter about leases"))
        .await
        .unwrap();
    memory_entry_create(
        &scoped,
        NewMemoryEntry {
            content: "Nothing but weather.".into(),
            ..memory(project, "Weather")
        },
    )
    .await
    .unwrap();
    let insight = NewInsight {
        project_id: Some(project),
        insight_type: InsightType::PainPoint,
        severity: Some(InsightSeverity::High),
        category: None,
        title: "Leases expire unseen".into(),
        detail: "A worker lost its lease in the middle of a batch.".into(),
        suggestion: Some("Renew the lease before each batch.".into()),
        paired_with: None,
        created_by: None,
    };
    insight_create(&scoped, insight).await.unwrap();
    let consolidation = NewConsolidationPattern {
        pattern_type: ConsolidationType::Pain,
        title: "Workers outlive their leases".into(),
        description: "Seen wherever a batch is long and a lease is short.".into(),
        evidence: vec!["a run was done twice".into()],
        frequency: 3,
        severity: Some(ConsolidationSeverity::High),
        tags: vec!["runs".into(), "workers".into()],
        project_ids: vec![project],
    };
    consolidation_pattern_create(&scoped, consolidation)
        .await
        .unwrap();
    let note = note(&scoped, project, "Lease renewal", "How does a worker renew its lease?\n\n- [ ] measure how long a renewal takes\n- [x] read the code\n").await;
    scoped.commit().await.unwrap();
    World {
        project,
        source,
        pattern: subject,
        note,
    }
}

/// Checks that a cited object exists in its own table, and has the quoted text.
pub async fn resolve(store: &Store, tenant: TenantId, world: &World, citation: &Citation) {
    let scoped = store.read(tenant).await.unwrap();
    let subject = citation.subject_id.as_deref().unwrap_or_default();
    assert!(citation.score > 0.0 && !citation.title.is_empty() && !citation.excerpt.is_empty());
    let text = match citation.kind {
        KnowledgeKind::MemoryEntry => {
            MemoryEntries::require(&scoped, MemoryEntryId::parse(subject).unwrap())
                .await
                .unwrap()
                .content
        }
        KnowledgeKind::Insight => {
            Insights::require(&scoped, InsightId::parse(subject).unwrap())
                .await
                .unwrap()
                .detail
        }
        KnowledgeKind::Consolidation => {
            ConsolidationPatterns::require(&scoped, ConsolidationPatternId::parse(subject).unwrap())
                .await
                .unwrap()
                .description
        }
        KnowledgeKind::Note => {
            Notes::require(&scoped, NoteId::parse(subject).unwrap())
                .await
                .unwrap()
                .body
        }
        KnowledgeKind::CodePattern => {
            assert_eq!(subject, world.pattern);
            assert_eq!(citation.source_id, Some(world.source.0));
            assert_eq!(
                lines(&scoped, world.source, citation).await.lines().next(),
                Some("pub fn renew_lease(worker: &str) -> Duration {")
            );
            citation.excerpt.clone()
        }
        KnowledgeKind::Code | KnowledgeKind::Document => {
            assert_eq!(
                (citation.subject_id.as_deref(), citation.source_id),
                (None, Some(world.source.0))
            );
            lines(&scoped, world.source, citation).await
        }
    };
    assert!(text.contains(&citation.excerpt), "{citation:?}");
}

/// The lines of a citation, read from the stored file.
async fn lines<A: Access>(scoped: &Scoped<A>, source: SourceId, citation: &Citation) -> String {
    let path = citation.path.clone().unwrap();
    let file = &files_by_path(scoped, source, Some(&[&path])).await.unwrap()[&path];
    let content = blob_content(scoped, &file.blob).await.unwrap().unwrap();
    let lines: Vec<&str> = content.split_inclusive('\n').collect();
    let (start, end) = (
        citation.start_line.unwrap() as usize,
        citation.end_line.unwrap() as usize,
    );
    lines[start - 1..end].concat()
}

pub async fn project(scoped: &Scoped<ReadWrite>, name: &str) -> ProjectId {
    project_create(
        scoped,
        NewProject {
            name: name.to_owned(),
            ..NewProject::default()
        },
    )
    .await
    .unwrap()
    .id
}

pub async fn note(
    scoped: &Scoped<ReadWrite>,
    project_id: ProjectId,
    title: &str,
    body: &str,
) -> Note {
    let new = NewNote {
        project_id,
        title: title.to_owned(),
        body: body.to_owned(),
        created_by: None,
    };
    note_create(scoped, new).await.unwrap()
}

/// A source with one file, stored as a sync stores it.
pub async fn file(
    scoped: &Scoped<ReadWrite>,
    project_id: ProjectId,
    path: &str,
    content: &str,
    language: &str,
) -> SourceId {
    let source = NewSource {
        project_id,
        url: format!("https://example.org/{}.git", scoped.env().id()),
        branch: None,
        scan_path: String::new(),
    };
    let source = source_add(scoped, source).await.unwrap().id;
    let (oid, size) = (blob_id(content.as_bytes()), content.len() as i64);
    blobs_insert(
        scoped,
        vec![NewBlob {
            oid: oid.clone(),
            size,
            content: Some(content.to_owned()),
        }],
    )
    .await
    .unwrap();
    let file = NewFile {
        path: path.to_owned(),
        blob: oid,
        language: Some(language.to_owned()),
        size,
    };
    files_apply(
        scoped,
        source,
        FileChanges {
            added: vec![file],
            ..FileChanges::default()
        },
    )
    .await
    .unwrap();
    source
}

/// A code pattern as the analysis publishes it.
pub fn pattern(scoped: &Scoped<ReadWrite>, project: Option<ProjectId>, title: &str) -> Document {
    let id = scoped.env().id();
    Document {
        kind: KnowledgeKind::CodePattern,
        subject: id_format("codepattern", id),
        subject_id: Some(id),
        project_id: project.map(|project| project.0),
        title: title.to_owned(),
        body: "Name functions that renew leases in `snake_case`.".into(),
        path: Some("src/lease.rs".into()),
        source_id: None,
        start_line: Some(1),
        end_line: Some(9),
        stack: Some("rust".into()),
        role: None,
    }
}

pub fn memory(project: ProjectId, title: &str) -> NewMemoryEntry {
    NewMemoryEntry {
        project_id: Some(project),
        title: title.to_owned(),
        content: "## Pain Log\n- The sweeper came too late for the lease.\n".into(),
        tags: vec![],
        created_by: None,
    }
}
