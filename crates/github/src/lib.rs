//! GitHub's REST API as far as importing repositories needs it: who a token is, which repositories it can see, and their branches.
//!
//! A wire client and nothing else: it knows no database and no tenant. Whoever makes one has resolved the server's address and looked at it, because the client
//! connects to those addresses and to no others. It follows one redirect at the most, on the same server; it waits for no rate limit, but tells how long
//! one lasts; and what it says of an error holds neither the token nor anything that the server wrote.
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
