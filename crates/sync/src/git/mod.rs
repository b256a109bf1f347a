//! The git layer: from a user-given address to files and their history. It does not depend on a database or a tenant.
//!
//! - [`SourceUrl`], [`BranchName`](nyxcore_projects::BranchName) and [`ScanPath`](nyxcore_projects::ScanPath) are
//!   validated user input; [`SourcePolicy`] is the operator's policy.
//! - [`MirrorStore`] has a bare partial clone of each source, fetched by the `git` command in a closed environment.
//! - [`RepositoryReader`] lists and compares trees and reads contents with gix, and counts changes with `git log`,
//!   without network access.
//!
//! Only `command` starts a process, and only `fetch` uses the network.

mod access;
mod blob;
mod command;
mod error;
mod failure;
mod fetch;
mod history;
mod labels;
mod mirror;
mod progress;
mod reader;
mod revision;
mod similarity;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tree;
mod url;
mod walk;

#[cfg(test)]
mod tests;

use nyxcore_projects::{BranchName, ScanPath};

pub use nyxcore_outbound::{AddressClass, HostResolver, Resolving, SystemResolver, address_class};

pub use self::{
    access::RemoteAccess,
    blob::{BlobBytes, BlobContent, BlobStream},
    command::GitOptions,
    error::GitError,
    fetch::{FetchRequest, FetchResult},
    history::{CommitChange, HistoryChurn, HistoryQuery, PathChurn},
    labels::{CommitLabel, LabelChange},
    mirror::{Mirror, MirrorStore},
    progress::{FetchPhase, FetchProgress},
    reader::{DiscoveredRepository, RepositoryReader, repository_discover},
    revision::BlobReader,
    similarity::{Fingerprint, SIMILARITY_MIN},
    tree::{ChangeKind, TreeChange, TreeDiff, TreeEntry, TreeListing},
    url::{SourcePolicy, SourceUrl, repository_same, url_origin},
    walk::SkippedEntries,
};
pub(crate) use self::{
    reader::blocking as reading_blocking,
    url::{repository_key, repository_spellings},
    walk::files_too_many,
};
