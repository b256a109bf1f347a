//! Fetches a branch of a remote into its mirror: one `ls-remote` the first time, and one fetch.

mod packs;

use std::{collections::HashMap, net::IpAddr};

use tokio_util::sync::CancellationToken;

use super::{
    BranchName, FetchProgress, GitError, Mirror, RemoteAccess, SourcePolicy, SourceUrl,
    access::{KeyFolder, key_files},
    command::{GitCommand, SshRemote},
    failure::{failure_is_corruption, failure_is_delta_base},
    mirror::MIRROR_REF,
    url::Location,
};
use packs::{bytes_new, pack_sizes};

/// The `upload-pack` command that serves a path on this machine. It allows omitting large files, and reading a
/// repository of another account: by allowing the path, the operator allowed that. The command is a constant: git
/// appends the quoted path.
const LOCAL_UPLOAD_PACK: &str =
    "git -c safe.directory=* -c uploadpack.allowFilter=true upload-pack";

/// The number of packs from which on a mirror's packs are joined; reads slow down with each. As `gc.autoPackLimit`.
const PACKS_MAX: usize = 50;

/// The parameters of a fetch.
#[derive(Debug, Clone)]
pub struct FetchRequest<'a> {
    /// The address of the remote.
    pub url: &'a SourceUrl,
    /// The operator's policy; the host's addresses are checked against it now.
    pub policy: &'a SourcePolicy,
    /// The branch; `None` for the remote's default.
    pub branch: Option<&'a BranchName>,
    /// Files larger than this many bytes are omitted, if the remote supports it.
    pub blob_bytes_max: u64,
    /// The credentials. They are not used if they do not fit the address (a token for `ssh://`).
    pub access: &'a RemoteAccess,
    /// Gives up after more than this many bytes in one fetch.
    pub bytes_max: Option<u64>,
}

impl FetchRequest<'_> {
    fn ref_name(&self) -> String {
        self.branch
            .map_or_else(|| "HEAD".to_owned(), BranchName::full_name)
    }
}

/// The result of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchResult {
    /// The commit the branch points at, as hex.
    pub head_commit: String,
    /// The size of the new packs in bytes; 0 if there was nothing new.
    pub bytes_received: u64,
    /// Whether the mirror had this commit already.
    pub unchanged: bool,
}

impl Mirror {
    /// Fetches a branch. `progress` is called as git reports. A damaged mirror is created again, once.
    ///
    /// # Errors
    /// Any [`GitError`] about addresses, remotes and branches; the mirror then stays as it was.
    pub async fn mirror_fetch(
        &self,
        request: &FetchRequest<'_>,
        cancel: &CancellationToken,
        progress: &mut (dyn FnMut(FetchProgress) + Send),
    ) -> Result<FetchResult, GitError> {
        let addresses = self.addresses(request, cancel).await?;
        if let Location::Local { path } = request.url.location()
            && !path.is_dir()
        {
            return Err(GitError::NotARepository);
        }
        let _lock = self.lock(cancel).await?;
        self.make_usable(cancel).await?;
        let _key = self.key_write(request)?;
        match self
            .fetch_attempt(request, &addresses, cancel, progress)
            .await
        {
            Err(error) if failure_is_corruption(&error) => {
                tracing::warn!(
                    detail = error.detail(),
                    "a mirror is damaged and is created again"
                );
                self.make_anew(cancel).await?;
                self.fetch_attempt(request, &addresses, cancel, progress)
                    .await
            }
            outcome => outcome,
        }
    }

    /// Resolves the remote's host once, and checks that each of its addresses is allowed.
    async fn addresses(
        &self,
        request: &FetchRequest<'_>,
        cancel: &CancellationToken,
    ) -> Result<Vec<IpAddr>, GitError> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(GitError::Cancelled),
            addresses = request.url.addresses_resolve(request.policy, self.resolver.as_ref()) => addresses,
        }
    }

    /// Writes the SSH key to disk, if the access has one, until the result is dropped. Call it with the lock held.
    pub(crate) fn key_write(
        &self,
        request: &FetchRequest<'_>,
    ) -> Result<Option<KeyFolder>, GitError> {
        if !matches!(request.url.location(), Location::Ssh { .. }) {
            return Ok(None);
        }
        KeyFolder::write(self.path_key(), request.access)
            .map_err(|error| GitError::storage("writing a key for ssh", &error))
    }

    /// Checks the free disk space: a fetch on a nearly full disk would leave none for the database.
    fn room_check(&self) -> Result<(), GitError> {
        let Ok(found) = rustix::fs::statvfs(&self.path) else {
            return Ok(());
        };
        if found.f_bavail.saturating_mul(found.f_frsize) < self.options.free_bytes_min {
            return Err(GitError::DiskFull);
        }
        Ok(())
    }

    async fn fetch_attempt(
        &self,
        request: &FetchRequest<'_>,
        addresses: &[IpAddr],
        cancel: &CancellationToken,
        progress: &mut (dyn FnMut(FetchProgress) + Send),
    ) -> Result<FetchResult, GitError> {
        let before = self.head_commit().await?;
        let room = self.room_check();
        // The remote is only queried before the first fetch, or if the disk is nearly full. Otherwise the fetch itself
        // says that there is nothing new, which saves a request.
        if before.is_none() || room.is_err() {
            let commit = self.remote_check(request, addresses, cancel).await?;
            if before.as_ref() == Some(&commit) {
                return Ok(FetchResult {
                    head_commit: commit,
                    bytes_received: 0,
                    unchanged: true,
                });
            }
        }
        room?;
        // Written before any object arrives: from here on the mirror may lack larger files.
        if self
            .blob_limit()
            .is_none_or(|limit| limit > request.blob_bytes_max)
            || before.is_none()
        {
            self.blob_limit_set(request.blob_bytes_max)?;
        }
        let packs_before = pack_sizes(&self.path);
        let refspec = format!("+{}:{MIRROR_REF}", request.ref_name());
        let mut fetched = self
            .fetch_run(&[], &refspec, request, addresses, cancel, progress)
            .await;
        if fetched.as_ref().is_err_and(failure_is_delta_base) {
            // With `--refetch` the remote sends everything whole, as for an empty mirror.
            fetched = self
                .fetch_run(
                    &["--refetch"],
                    &refspec,
                    request,
                    addresses,
                    cancel,
                    progress,
                )
                .await;
        }
        if let Err(GitError::BranchNotFound { .. }) = &fetched {
            // This check gives a more exact error. If the branch has come back between the two requests, the next sync
            // fetches it.
            self.remote_check(request, addresses, cancel).await?;
        }
        fetched.map_err(|error| branch_named(error, request))?;

        let bytes_received = bytes_new(&self.path, &packs_before);
        let Some(head_commit) = self.head_commit().await? else {
            return Err(GitError::failed(
                "the fetch",
                "not a valid object: the branch points at no commit",
            ));
        };
        if pack_sizes(&self.path).len() > PACKS_MAX {
            self.mirror_maintain(cancel).await?;
        }
        Ok(FetchResult {
            unchanged: before.as_ref() == Some(&head_commit),
            head_commit,
            bytes_received,
        })
    }

    /// Fetches contents by their ids, all in one request, whatever their size. Returns the number of bytes received.
    ///
    /// # Errors
    /// As [`Mirror::mirror_fetch`]; the remote may have lost one of the contents.
    pub async fn blobs_fetch(
        &self,
        request: &FetchRequest<'_>,
        ids: &[String],
        cancel: &CancellationToken,
        progress: &mut (dyn FnMut(FetchProgress) + Send),
    ) -> Result<u64, GitError> {
        let addresses = self.addresses(request, cancel).await?;
        let _lock = self.lock(cancel).await?;
        let _key = self.key_write(request)?;
        self.room_check()?;
        let packs_before = pack_sizes(&self.path);
        let fetch = self
            .command("fetching contents", "fetch")
            .flags(&[
                "--progress",
                "--no-tags",
                "--no-recurse-submodules",
                "--no-write-fetch-head",
                "--no-auto-maintenance",
                "--filter=blob:none",
                "--stdin",
            ])
            // The contents are not reachable from the mirror's commits, so negotiation is useless.
            .config("fetch.negotiationAlgorithm", "noop")
            .input(ids.join("\n").into_bytes())
            .operands(["origin"])
            .timeout(self.options.fetch_timeout)
            .bytes_max(request.bytes_max);
        self.remote_configure(fetch, request, &addresses)
            .run(cancel, progress)
            .await?;
        Ok(bytes_new(&self.path, &packs_before))
    }

    async fn fetch_run(
        &self,
        flags: &[&'static str],
        refspec: &str,
        request: &FetchRequest<'_>,
        addresses: &[IpAddr],
        cancel: &CancellationToken,
        progress: &mut (dyn FnMut(FetchProgress) + Send),
    ) -> Result<Vec<u8>, GitError> {
        let fetch = self
            .command("the fetch", "fetch")
            .flags(&[
                "--progress",
                "--force",
                "--no-tags",
                "--no-recurse-submodules",
                "--no-write-fetch-head",
                "--no-auto-maintenance",
                "--update-shallow",
            ])
            .flag_with(
                "--filter",
                format_args!("blob:limit={}", request.blob_bytes_max),
            )
            .flags(flags)
            .operands(["origin", refspec])
            .timeout(self.options.fetch_timeout)
            .bytes_max(request.bytes_max);
        self.remote_configure(fetch, request, addresses)
            .run(cancel, progress)
            .await
    }

    /// The commit of the branch, or of HEAD, if the remote has it in a supported format; otherwise the reason.
    async fn remote_check(
        &self,
        request: &FetchRequest<'_>,
        addresses: &[IpAddr],
        cancel: &CancellationToken,
    ) -> Result<String, GitError> {
        let wanted = request.ref_name();
        let refs = self
            .remote_refs(request, addresses, &[], &wanted, cancel)
            .await?;
        if let Some(commit) = refs.get(&wanted) {
            return match commit.len() {
                40 => Ok(commit.clone()),
                _ => Err(GitError::RepositoryFormatUnsupported),
            };
        }
        // No such branch. Does the repository have any ref?
        let refs = self
            .remote_refs(request, addresses, &["--heads"], "refs/heads/*", cancel)
            .await?;
        if refs.is_empty() {
            Err(GitError::RepositoryEmpty)
        } else {
            Err(GitError::BranchNotFound {
                branch: request.branch.map(BranchName::to_string),
            })
        }
    }

    /// The remote's refs that the pattern names, with their commits.
    async fn remote_refs(
        &self,
        request: &FetchRequest<'_>,
        addresses: &[IpAddr],
        flags: &[&'static str],
        pattern: &str,
        cancel: &CancellationToken,
    ) -> Result<HashMap<String, String>, GitError> {
        let command = self
            .command("asking the remote for its branches", "ls-remote")
            .flags(flags)
            .operands(["origin", pattern]);
        let output = self
            .remote_configure(command, request, addresses)
            .run(cancel, &mut |_| ())
            .await
            .map_err(|error| match error {
                // A silent remote is given up earlier by git. This one sends without end, and would do so again.
                GitError::Timeout { .. } => GitError::RemoteUnreachable {
                    reason: "did not finish listing its branches in time",
                    transient: false,
                },
                error => error,
            })?;
        // Lines of `<id>\t<ref>`.
        let output = String::from_utf8_lossy(&output);
        let refs = output.lines().filter_map(|line| line.split_once('\t'));
        Ok(refs
            .filter(|(id, _)| id.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .map(|(id, name)| (name.to_owned(), id.to_owned()))
            .collect())
    }

    /// Joins the mirror's packs and drops unreachable objects. Called by a fetch when it is due.
    ///
    /// # Errors
    /// [`GitError::DiskFull`], [`GitError::Cancelled`], [`GitError::Timeout`].
    async fn mirror_maintain(&self, cancel: &CancellationToken) -> Result<(), GitError> {
        let outcome = self
            .command("tidying a mirror", "gc")
            .flags(&["--quiet", "--prune=1.day.ago"])
            .timeout(self.options.fetch_timeout)
            .run(cancel, &mut |_| ())
            .await;
        match outcome {
            // The fetch succeeded: a failed cleanup is only logged.
            Err(error @ GitError::GitFailed { .. }) => {
                tracing::warn!(detail = error.detail(), "a mirror could not be tidied");
                Ok(())
            }
            outcome => outcome.map(|_| ()),
        }
    }

    /// The configuration of one command: the remote's address, the credential, and everything that confines git to it.
    pub(crate) fn remote_configure<'a>(
        &self,
        command: GitCommand<'a>,
        request: &FetchRequest<'_>,
        addresses: &[IpAddr],
    ) -> GitCommand<'a> {
        let url = request.url;
        let command = command.config("remote.origin.url", url.as_str());
        match url.location() {
            Location::Http {
                encrypted,
                host,
                port,
            } => {
                let command = command
                    .protocol(if *encrypted { "https" } else { "http" })
                    .secret_config(request.access.header(url));
                match host {
                    url::Host::Domain(name) => command.config(
                        "http.curloptResolve",
                        format!("{name}:{port}:{}", address_list(addresses)),
                    ),
                    _ => command,
                }
            }
            Location::Ssh { host, port } => {
                // ssh takes one address; its host key is still looked up under the original host name.
                let address = addresses
                    .iter()
                    .find(|address| address.is_ipv4())
                    .or_else(|| addresses.first());
                let host = host.to_string();
                let host = host.trim_matches(['[', ']']);
                let known_as = match port {
                    22 => host.to_owned(),
                    port => format!("[{host}]:{port}"),
                };
                command.protocol("ssh").ssh(SshRemote {
                    address: address.copied(),
                    known_as: Some(known_as),
                    files: key_files(&self.path_key()),
                })
            }
            Location::Local { .. } => command
                .protocol("file")
                .config("remote.origin.uploadpack", LOCAL_UPLOAD_PACK),
        }
    }
}

/// The addresses in curl's format: IPv6 in brackets, separated by commas.
fn address_list(addresses: &[IpAddr]) -> String {
    let spelled = addresses.iter().map(|address| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    });
    spelled.collect::<Vec<_>>().join(",")
}

/// A branch may be deleted between the query and the fetch: the error then names it.
fn branch_named(error: GitError, request: &FetchRequest<'_>) -> GitError {
    match error {
        GitError::BranchNotFound { .. } => GitError::BranchNotFound {
            branch: request.branch.map(BranchName::to_string),
        },
        error => error,
    }
}
