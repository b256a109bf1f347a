//! Embeds the texts of a tenant's search index, so that questions find what they mean in other words.
//!
//! A run embeds the texts that have no vector of the tenant's default embedding model. It calls the model through the
//! model service, which enforces budgets and keeps the ledger. Vectors are stored by the hash of their text, so that
//! the same text is never embedded twice. After a change of the model the new vectors are stored beside the old ones,
//! and questions are compared with the new ones when all are there.
//!
//! ```
//! use nyxcore_embeddings::{EmbeddingHandler, embedding_start, question_embed, question_model};
//! use nyxcore_llm::testing::{VendorServer, respond};
//! use nyxcore_model_catalog::{
//!     CallContext, DefaultPurpose, ModelService, ModelServiceOptions, ProviderKey, provider_key_set, tenant_default_set,
//! };
//! use nyxcore_outbound::OutboundPolicy;
//! use nyxcore_retrieval::{Document, KnowledgeKind, SearchRequest, documents_publish, search_with};
//! use nyxcore_runs::{Workers, run_follow};
//! use nyxcore_tenancy::secret::{Keyring, MasterKey, MasterKeys};
//! use futures::TryStreamExt;
//!
//! # nyxcore_tests::example!(|store, tenant| [
//! #     nyxcore_runs::registration(), nyxcore_model_catalog::registration(), nyxcore_embeddings::registration()
//! # ];
//! // A server on this machine that answers as the vendor does.
//! let vendor = VendorServer::start(respond).await;
//! let outbound = OutboundPolicy { allow_private: true };
//! let keyring = Keyring::new(MasterKeys::one(MasterKey::generate()?));
//! let models = ModelService::start(ModelServiceOptions::new(store.clone(), keyring.clone(), outbound))?;
//!
//! let scoped = store.write(tenant.id).await?;
//! let key = ProviderKey::new("not-a-real-key-0123456789".into(), Some(vendor.url("/v1")));
//! provider_key_set(&scoped, &keyring, outbound, ("openai", &key)).await?;
//! tenant_default_set(&scoped, DefaultPurpose::Embedding, Some("text-embedding-3-small")).await?;
//! let document = Document::new(KnowledgeKind::MemoryEntry, "memory_1", "Leases", "A lease is renewed.");
//! documents_publish(&scoped, vec![document]).await?;
//! let run = embedding_start(&scoped).await?.expect("the tenant has a model").run().id;
//! scoped.commit().await?;
//!
//! let workers = Workers::builder(&store).service(models.clone()).handler(EmbeddingHandler::new()).start()?;
//! run_follow(&store, tenant.id, run, 0).try_for_each(|_| async { Ok(()) }).await?;
//! workers.shutdown().await;
//!
//! // The question is embedded between two scopes.
//! let text = "Who prolongs it?";
//! let scoped = store.read(tenant.id).await?;
//! let model = question_model(&scoped).await?.expect("everything is embedded");
//! drop(scoped);
//! let meaning = question_embed(&models, CallContext::new(tenant.id, "search"), model, text).await;
//! let scoped = store.read(tenant.id).await?;
//! let hits = search_with(&scoped, &SearchRequest::new(text), meaning.vector.as_ref()).await?;
//! assert_eq!((hits.len(), hits[0].title.as_str()), (1, "Leases"));
//! # );
//! ```

mod batch;
mod handler;
mod question;
mod registration;
mod start;

pub use handler::EmbeddingHandler;
pub use question::{QuestionMeaning, question_embed, question_model};
pub use registration::{EMBEDDING_RUN, PURPOSE, registration};
pub use start::{
    embedding_catch_up, embedding_follow, embedding_start, embedding_start_anew,
    local_embedding_begin,
};
