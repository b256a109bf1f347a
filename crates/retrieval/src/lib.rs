//! The search index, used by the crates above: split identifiers, full-text search, rank fusion.
//!
//! A crate publishes its knowledge in the transaction that changes it, and searches return everything of the tenant:
//!
//! ```
//! use nyxcore_retrieval::{Document, KnowledgeKind, SearchRequest, documents_publish, search};
//!
//! # nyxcore_tests::example!(|store, tenant| [];
//! let scoped = store.write(tenant.id).await?;
//! let document = Document {
//!     kind: KnowledgeKind::MemoryEntry,
//!     subject: "memory_01h455vb4pex5vsknk084sn02q".into(),
//!     subject_id: None,
//!     project_id: None,
//!     title: "Leases".into(),
//!     body: "A lease is renewed every 15 seconds by renewLease.".into(),
//!     path: None,
//!     source_id: None,
//!     start_line: None,
//!     end_line: None,
//!     stack: None,
//! };
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
//! assert_eq!(split_identifiers("parseHTTPResponse(user_id)"), "parsehttpresponse parse http response user_id user id");
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
pub mod fusion;
mod model;
mod publish;
mod search;
pub mod text;

pub use fusion::{FusedItem, RRF_K, RankedList, fuse};
pub use model::{
    Citation, Document, Hit, KnowledgeKind, PublishReport, SEARCH_LIMIT_MAX, SearchRequest,
};
pub use publish::{documents_publish, documents_withdraw, documents_withdraw_project};
pub use search::search;
pub use text::chunk::{Chunk, ChunkLimits, chunk_lines};
pub use text::excerpt::excerpt;
pub use text::vector::{tsquery, tsvector};
pub use text::{QUERY_TERMS_MAX, TERM_CHARS_MAX, query_terms, split_identifiers};
