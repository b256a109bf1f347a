//! The search index, used by the crates above: weighted fields, full-text search, places in files, rank fusion.
//!
//! A file is ranked as a whole, by its path, the names it defines, its headings, comments and text together; then the
//! best places within it are chosen. Both databases rank by the same numbers, which this crate computes.
//!
//! A crate publishes its knowledge in the transaction that changes it, and searches return everything of the tenant:
//!
//! ```
//! use nyxcore_retrieval::{Document, KnowledgeKind, SearchRequest, documents_publish, search};
//!
//! # nyxcore_tests::example!(|store, tenant| [];
//! let scoped = store.write(tenant.id).await?;
//! let document = Document::new(
//!     KnowledgeKind::MemoryEntry,
//!     "memory_01h455vb4pex5vsknk084sn02q",
//!     "Leases",
//!     "A lease is renewed every 15 seconds by renewLease.",
//! );
//! documents_publish(&scoped, vec![document]).await?;
//! scoped.commit().await?;
//!
//! // `renewLease` was split into its words.
//! let scoped = store.read(tenant.id).await?;
//! let hits = search(&scoped, &SearchRequest::new("How do I renew it?")).await?;
//! assert_eq!((hits.len(), hits[0].title.as_str()), (1, "Leases"));
//! # );
//! ```
//!
//! The text and rank functions need no database:
//!
//! ```
//! use nyxcore_retrieval::{RankedList, excerpt, fuse, query_terms, split_identifiers};
//!
//! // What is written into the index ...
//! let words = split_identifiers("parseHTTPResponse(user_id)");
//! assert_eq!(words, "parsehttpresponse parse http response user_id user id");
//!
//! // ... is found by what a person asks, whose words are never taken for query syntax.
//! let terms = query_terms("How does it parse \"HTTP\" responses?");
//! assert_eq!(terms, ["parse", "http", "responses"]);
//!
//! // The part of a hit that is worth showing, and one order out of several lists.
//! assert_eq!(excerpt("fn first() {}\nfn parseHTTP() {}\nfn last() {}\n", &terms, 20), "fn parseHTTP() {}");
//! let fused = fuse(&[RankedList::new(&["a", "b"]), RankedList::new(&["b", "c"])]);
//! assert_eq!(fused[0].id, "b");
//! ```

mod entity;
mod file;
pub mod fusion;
mod model;
mod publish;
mod rank;
pub mod role;
mod search;
pub mod text;
mod usage;
pub mod vector;

pub use file::file_documents;
pub use fusion::{FusedItem, RRF_K, RankedList, fuse};
pub use model::{
    Citation, Document, Field, Hit, KnowledgeKind, Place, PublishReport, SEARCH_LIMIT_MAX,
    ScoreExplanation, SearchRequest, TermMatch,
};
pub use publish::{
    PreparedDocuments, documents_prepare, documents_publish, documents_publish_new,
    documents_publish_prepared, documents_withdraw, documents_withdraw_project,
};
pub use role::{Authority, FileRole};
pub use search::{search, search_with};
pub use text::chunk::{Chunk, ChunkLimits, chunk_lines};
pub use text::excerpt::excerpt;
pub use text::question::named_paths;
pub use text::section::{Section, document_sections};
pub use text::{
    QUERY_TERMS_MAX, SignificantWord, TERM_CHARS_MAX, query_terms, significant_words,
    split_identifiers,
};
pub use usage::{Usage, Usages, identifiers_named, usages_of};
pub use vector::{QuestionVector, VectorModel};
