//! A client for the part of GitHub's REST API that the import needs: the owner of a token, its repositories, and their
//! branches.
//!
//! It does not depend on a database or a tenant. The caller resolves and verifies the server's address, and the client
//! connects only to that address. It follows at most one redirect, on the same server. It does not wait for a rate
//! limit, but reports its duration. Its errors contain neither the token nor text of the server.
//!
//! ```no_run
//! use std::net::IpAddr;
//!
//! use nyxcore_github::{BaseUrl, GITHUB_COM, GithubClient, GithubError, GithubOptions, GithubToken};
//!
//! async fn names(token: &str, addresses: Vec<IpAddr>) -> Result<Vec<String>, GithubError> {
//!     let (base, token) = (BaseUrl::parse(GITHUB_COM)?, GithubToken::parse(token)?);
//!     let client = GithubClient::new(&base, &token, &GithubOptions::new(addresses))?;
//!     let page = client.repositories(1, 100).await?;
//!     Ok(page.repositories.into_iter().map(|repository| repository.full_name).collect())
//! }
//! ```

mod answer;
mod base_url;
mod client;
mod error;
mod name;
mod token;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use answer::{Branch, BranchPage, Owner, Repository, RepositoryPage, Viewer};
pub use base_url::{BaseUrl, GITHUB_COM};
pub use client::{GithubClient, GithubOptions, PER_PAGE_MAX};
pub use error::{GithubError, RetryAt};
pub use name::RepositoryName;
pub use token::{GithubToken, TOKEN_MAX};
