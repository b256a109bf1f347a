//! The integration test binary: one module per area.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod code_analysis;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod embedder;
#[cfg(test)]
mod embeddings;
#[cfg(test)]
mod end_to_end;
#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod gateway_transport;
#[cfg(test)]
mod github;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod house_rules;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod knowledge;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod models;
#[cfg(test)]
mod note_enrichment;
#[cfg(test)]
mod oidc;
#[cfg(test)]
mod people;
#[cfg(test)]
mod personas;
#[cfg(test)]
mod projects;
#[cfg(test)]
mod remotes;
#[cfg(test)]
mod retrieval;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod support;
#[cfg(test)]
mod sync;
#[cfg(test)]
mod tenancy;
#[cfg(test)]
mod texts;
