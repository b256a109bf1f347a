//! The git layer: from what a user typed as an address to files and their history. It knows no database and no tenant.
//!
//! - [`SourceUrl`], and [`BranchName`](nyxcore_projects::BranchName) and [`ScanPath`](nyxcore_projects::ScanPath) of the crate below, are what a user wrote, checked; [`SourcePolicy`] is what the operator allows.
//! - [`MirrorStore`] keeps a bare partial clone for each source, filled by the `git` command in a closed environment.
//! - [`RepositoryReader`] lists and compares trees and reads contents with gix, and counts changes with `git log`: no network.
//!
//! Only `command` starts a process; only `fetch` knows the network.

mod access;
mod blob;
mod command;
mod error;
mod failure;
mod fetch;
mod history;
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
