//! A client for the part of GitHub's REST API that the import needs: the owner of a token, its repositories, and their
//! branches.
//!
//! It does not depend on a database or a tenant. The caller resolves and verifies the server's address, and the client
//! connects only to that address. It follows at most one redirect, on the same server. It does not wait for a rate
//! limit, but reports its duration. Its errors contain neither the token nor text of the server.
//!
//! ```
//! use std::net::IpAddr;
//!
//! use nyxcore_github::{BaseUrl, GithubClient, GithubError, GithubOptions, GithubToken};
//!
//! async fn names(url: &str, token: &str, addresses: Vec<IpAddr>) -> Result<Vec<String>, GithubError> {
//!     let (base, token) = (BaseUrl::parse(url)?, GithubToken::parse(token)?);
//!     let client = GithubClient::new(&base, &token, &GithubOptions::new(addresses))?;
//!     let page = client.repositories(1, 100).await?;
//!     Ok(page.repositories.into_iter().map(|repository| repository.full_name).collect())
//! }
//! # #[cfg(feature = "testing")]
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! #     use nyxcore_github::testing::{FakeAnswer, FakeGithub};
//! #     rustls::crypto::ring::default_provider().install_default().unwrap();
//! #     let server = FakeGithub::answers(vec![FakeAnswer::fixture("repositories_page_1")]).await;
//! #     let names = names(&server.url(), "github_pat_11ABCDEFG0_not_a_real_one", vec![[127, 0, 0, 1].into()]).await;
//! #     assert_eq!(names.unwrap(), ["acme/atlas", "acme/legacy.api", "octocat/dotfiles"]);
//! # });
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
