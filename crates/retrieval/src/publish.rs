//! Publishes documents to the index and removes them. Publishing is part of the transaction that changes the data.

use std::collections::{BTreeMap, BTreeSet};

use nyxcore_tenancy::{Backend, ReadWrite, Result, Scoped, TenantId};
use sea_orm::sea_query::Condition;
use sea_orm::{ActiveValue::Set, ColumnTrait};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::entity::search_document::{self as row, Column};
use crate::model::{Document, KnowledgeKind, PublishReport};
use crate::role::FileRole;
use crate::text::fold::Stems;
use crate::text::weigh::{DocumentTerms, WordClass};

/// Part of every content key: increment it when the computation of terms changes, so that every document is written
/// again.
const TERMS_VERSION: u8 = 6;

/// A chunk that is already in the index.
struct IndexedChunk {
    id: Uuid,
    content_key: String,
}

/// The chunks of subjects that are already in the index, by subject and number.
type FormerChunks = BTreeMap<(KnowledgeKind, String), BTreeMap<i64, IndexedChunk>>;

/// Publishes subjects: all chunks of each of them, in order. Chunks of one subject need not be adjacent.
///
/// Unchanged chunks are not written again, and obsolete chunks of a subject are deleted. It takes a handful of
/// statements for thousands of documents.
///
/// # Errors
/// [`NotFound`](nyxcore_tenancy::Error::NotFound) for a project that the tenant does not have; or the database
/// refuses.
pub async fn documents_publish(
    scoped: &Scoped<ReadWrite>,
    documents: Vec<Document>,
) -> Result<PublishReport> {
    let documents = untokenized(documents);
    let former = former_chunks(scoped, &documents).await?;
    write(scoped, documents, former).await
}

/// As [`documents_publish`], for subjects that were created in this transaction: it does not look for their former
/// chunks.
///
/// # Errors
/// As [`documents_publish`].
pub async fn documents_publish_new(
    scoped: &Scoped<ReadWrite>,
    documents: Vec<Document>,
) -> Result<PublishReport> {
    write(scoped, untokenized(documents), FormerChunks::new()).await
}

fn untokenized(documents: Vec<Document>) -> Vec<PreparedDocument> {
    let unread = documents.into_iter().map(|document| PreparedDocument {
        content_key: content_key(&document),
        terms: None,
        document,
    });
    unread.collect()
}

/// Documents with their content keys and, where they are tokenized, their terms. See [`documents_prepare`].
#[derive(Debug, Default)]
pub struct PreparedDocuments(Vec<PreparedDocument>);

#[derive(Debug)]
struct PreparedDocument {
    document: Document,
    content_key: String,
    /// The terms by which it is found; `None` where it is not tokenized yet.
    terms: Option<DocumentTerms>,
}

/// Tokenizes documents without a database, so that another thread can do it while the former documents are written.
#[must_use]
pub fn documents_prepare(documents: Vec<Document>) -> PreparedDocuments {
    let mut stems = Stems::new();
    let prepared = documents.into_iter().map(|document| PreparedDocument {
        content_key: content_key(&document),
        terms: Some(document_terms(&document, &mut stems)),
        document,
    });
    PreparedDocuments(prepared.collect())
}

/// Publishes prepared documents, as [`documents_publish`] does.
///
/// # Errors
/// As [`documents_publish`].
pub async fn documents_publish_prepared(
    scoped: &Scoped<ReadWrite>,
    documents: PreparedDocuments,
) -> Result<PublishReport> {
    let former = former_chunks(scoped, &documents.0).await?;
    write(scoped, documents.0, former).await
}

async fn write(
    scoped: &Scoped<ReadWrite>,
    documents: Vec<PreparedDocument>,
    mut former: FormerChunks,
) -> Result<PublishReport> {
    // The subjects are in the order of their keys, so that two transactions that publish the same ones do not deadlock.
    let mut subjects: BTreeMap<(KnowledgeKind, String), Vec<PreparedDocument>> = BTreeMap::new();
    for prepared in documents {
        let document = &prepared.document;
        let chunks = subjects
            .entry((document.kind, document.subject.clone()))
            .or_default();
        chunks.push(prepared);
    }
    let mut published = PublishReport::default();
    let mut rows = Vec::new();
    let mut gone: Vec<Uuid> = Vec::new();
    let mut stems = Stems::new();
    for ((kind, subject), chunks) in subjects {
        let mut former = former.remove(&(kind, subject)).unwrap_or_default();
        for (chunk, prepared) in (0_i64..).zip(chunks) {
            let PreparedDocument {
                document,
                content_key,
                terms,
            } = prepared;
            match former.remove(&chunk) {
                Some(old) if old.content_key == content_key => published.unchanged += 1,
                old => {
                    let id = old.map_or_else(|| scoped.env().id(), |old| old.id);
                    let terms = terms.unwrap_or_else(|| document_terms(&document, &mut stems));
                    let words = words_stored(scoped, &document, &terms);
                    let alike = terms.fingerprint();
                    let row = row_of(id, chunk, content_key, words, document);
                    rows.push(row::ActiveModel {
                        alike: Set(alike),
                        ..row
                    });
                }
            }
        }
        gone.extend(former.into_values().map(|old| old.id));
    }
    published.deleted = scoped
        .delete_in::<row::Entity, _>(Column::Id, gone, Condition::all())
        .await?;
    published.written = rows.len() as u64;
    let changed = [
        Column::ProjectId,
        Column::SubjectId,
        Column::Title,
        Column::Body,
        Column::Terms,
        Column::Path,
        Column::SourceId,
        Column::Role,
        Column::Authority,
        Column::Alike,
        Column::StartLine,
        Column::EndLine,
        Column::Stack,
        Column::ContentKey,
    ];
    scoped
        .upsert_all(
            rows,
            &[Column::Kind, Column::Subject, Column::Chunk],
            &changed,
        )
        .await?;
    Ok(published)
}

/// Removes subjects of a kind from the index, and returns the number of documents. Unknown subjects are no error.
///
/// # Errors
/// The database refuses.
pub async fn documents_withdraw(
    scoped: &Scoped<ReadWrite>,
    kind: KnowledgeKind,
    subjects: &[String],
) -> Result<u64> {
    let of_kind = Column::Kind.eq(kind);
    scoped
        .delete_in::<row::Entity, _>(Column::Subject, subjects, of_kind)
        .await
}

/// Removes everything of a kind that belongs to a project from the index, and returns the number of documents.
///
/// # Errors
/// The database refuses.
pub async fn documents_withdraw_project(
    scoped: &Scoped<ReadWrite>,
    kind: KnowledgeKind,
    project_id: Uuid,
) -> Result<u64> {
    let which = Condition::all()
        .add(Column::Kind.eq(kind))
        .add(Column::ProjectId.eq(project_id));
    scoped.delete::<row::Entity>(which).await
}

/// The stored chunks of the documents' subjects.
async fn former_chunks(
    scoped: &Scoped<ReadWrite>,
    documents: &[PreparedDocument],
) -> Result<FormerChunks> {
    let mut former = FormerChunks::new();
    for &kind in KnowledgeKind::all() {
        let of_kind = documents.iter().map(|prepared| &prepared.document);
        let of_kind = of_kind.filter(|document| document.kind == kind);
        let names: BTreeSet<&String> = of_kind.map(|document| &document.subject).collect();
        let rows: Vec<(Uuid, String, i64, String)> = scoped
            .find_in::<row::Entity, _>(Column::Subject, names)
            .filter(Column::Kind.eq(kind))
            .columns([
                Column::Id,
                Column::Subject,
                Column::Chunk,
                Column::ContentKey,
            ])
            .await?;
        for (id, subject, chunk, content_key) in rows {
            former
                .entry((kind, subject))
                .or_default()
                .insert(chunk, IndexedChunk { id, content_key });
        }
    }
    Ok(former)
}

fn row_of(
    id: Uuid,
    chunk: i64,
    content_key: String,
    terms: String,
    document: Document,
) -> row::ActiveModel {
    row::ActiveModel {
        role: Set(document.role_or_path()),
        authority: Set(document.authority()),
        id: Set(id),
        project_id: Set(document.project_id),
        kind: Set(document.kind),
        subject: Set(document.subject),
        subject_id: Set(document.subject_id),
        chunk: Set(chunk),
        title: Set(storable(document.title)),
        body: Set(storable(document.body)),
        terms: Set(terms),
        path: Set(document.path),
        source_id: Set(document.source_id),
        start_line: Set(document.start_line),
        end_line: Set(document.end_line),
        stack: Set(document.stack),
        content_key: Set(content_key),
        ..Default::default()
    }
}

/// The terms in the form of the database's full text: separated by spaces, and each quoted for a `tsvector`.
fn words_stored(scoped: &Scoped<ReadWrite>, document: &Document, terms: &DocumentTerms) -> String {
    let key = tenant_key(scoped.tenant());
    let words = terms.stored(&key, word_class(document.kind));
    match scoped.backend() {
        Backend::Postgres if !words.is_empty() => format!("'{}'", words.replace(' ', "' '")),
        _ => words,
    }
}

/// The class of a kind's words.
pub(crate) fn word_class(kind: KnowledgeKind) -> WordClass {
    match kind {
        KnowledgeKind::Code => WordClass::File,
        _ => WordClass::Text,
    }
}

/// The terms by which a document is found: those of its title, its path, and its body with the names that it defines.
fn document_terms(document: &Document, stems: &mut Stems) -> DocumentTerms {
    DocumentTerms::of(
        &document.title,
        document.path.as_deref(),
        &document.body,
        stems,
    )
}

/// The prefix of all words of a tenant in the full text, so that each tenant has its own posting lists: the last 48
/// bits of its id. Two tenants with the same key would share lists, and still not find each other's documents.
pub(crate) fn tenant_key(tenant: TenantId) -> String {
    format!("{:012x}", tenant.0.as_u128() & 0xffff_ffff_ffff)
}

/// Replaces NUL, which PostgreSQL does not store in a text.
fn storable(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

/// The SHA-256 of all that is written of a document, in hexadecimal. While it is the same, the document is unchanged.
/// Each part is preceded by its length, so that no two documents give the same bytes.
fn content_key(document: &Document) -> String {
    let mut hash = Sha256::new();
    hash.update([TERMS_VERSION]);
    let mut part = |bytes: Option<&[u8]>| match bytes {
        Some(bytes) => {
            hash.update((bytes.len() as u64 + 1).to_le_bytes());
            hash.update(bytes);
        }
        None => hash.update(0_u64.to_le_bytes()),
    };
    part(Some(document.title.as_bytes()));
    part(Some(document.body.as_bytes()));
    part(document.path.as_deref().map(str::as_bytes));
    part(document.stack.as_deref().map(str::as_bytes));
    let role = document.role.map(FileRole::weight);
    part(role.map(f64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
    for line in [document.start_line, document.end_line] {
        part(line.map(i64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }
    for id in [document.subject_id, document.project_id] {
        part(id.as_ref().map(|id| id.as_bytes().as_slice()));
    }
    // It is only added where there is one: so documents without a source keep their keys from before sources existed.
    if let Some(source) = &document.source_id {
        part(Some(source.as_bytes().as_slice()));
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        Document {
            kind: KnowledgeKind::Code,
            subject: "source_1:src/lease.rs".into(),
            subject_id: None,
            project_id: None,
            title: "src/lease.rs".into(),
            body: "fn renewLease() {}".into(),
            path: Some("src/lease.rs".into()),
            source_id: None,
            start_line: Some(1),
            end_line: Some(1),
            stack: None,
            role: None,
        }
    }

    #[test]
    fn a_document_is_found_by_its_title_path_and_body() {
        let terms = document_terms(&document(), &mut Stems::new());
        assert_eq!(
            terms.order,
            ["src", "leas", "rs", "renewlease", "renew", "fn"]
        );
    }

    /// A document whose text moves from one field to the next is a changed document.
    #[test]
    fn every_field_that_is_written_is_part_of_the_key() {
        let some = Some(Uuid::from_u128(1));
        let variants = [
            document(),
            Document {
                title: "src/lease.rsfn".into(),
                body: " renewLease() {}".into(),
                ..document()
            },
            Document {
                path: None,
                ..document()
            },
            Document {
                path: Some(String::new()),
                ..document()
            },
            Document {
                start_line: None,
                end_line: Some(1),
                ..document()
            },
            Document {
                start_line: Some(1),
                end_line: None,
                ..document()
            },
            Document {
                stack: Some("rust".into()),
                ..document()
            },
            Document {
                path: None,
                stack: Some("src/lease.rs".into()),
                ..document()
            },
            Document {
                subject_id: some,
                ..document()
            },
            Document {
                project_id: some,
                ..document()
            },
            Document {
                source_id: some,
                ..document()
            },
            Document {
                role: Some(FileRole::Convention),
                ..document()
            },
        ];
        let mut keys: Vec<String> = variants.iter().map(content_key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), variants.len());
    }
}
