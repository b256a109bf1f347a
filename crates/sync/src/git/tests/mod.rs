//! The git layer against the real git.

mod credentials;
mod fetching;
mod history;
mod holes;
mod reading;
mod refusing;
mod repairing;

use std::{path::PathBuf, sync::Arc};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{testing::*, *};

/// A size limit for files in tests, in bytes.
const CAP: u64 = 64 * 1024;
const ID: &str = "0198c1f2-0000-7000-8000-000000000001";

/// A data directory, a folder for remotes, and the operator's policy.
struct World {
    folder: TempDir,
    store: MirrorStore,
    policy: SourcePolicy,
    access: RemoteAccess,
    cancel: CancellationToken,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().join("data");
        let policy = SourcePolicy {
            allow_local: true,
            allow_private: true,
            data_dir: Some(data_dir.clone()),
            ..SourcePolicy::default()
        };
        Self {
            store: MirrorStore::new(&data_dir),
            folder,
            policy,
            access: RemoteAccess::Anonymous,
            cancel: CancellationToken::new(),
        }
    }

    fn remotes(&self) -> PathBuf {
        self.folder.path().join("remotes")
    }

    fn repository(&self, name: &str) -> TestRepository {
        TestRepository::create(self.remotes().join(name))
    }

    fn url(&self, text: &str) -> SourceUrl {
        SourceUrl::parse(text, &self.policy).expect(text)
    }

    fn local(&self, repository: &TestRepository) -> SourceUrl {
        self.url(repository.path().to_str().expect("UTF-8"))
    }

    async fn mirror(&self) -> Mirror {
        self.store
            .mirror_open_or_create(ID, &self.cancel)
            .await
            .expect("a mirror")
    }

    async fn fetch(&self, url: &SourceUrl, branch: Option<&str>) -> Result<FetchResult, GitError> {
        let branch = branch.map(|name| BranchName::parse(name).expect(name));
        let request = FetchRequest {
            url,
            policy: &self.policy,
            branch: branch.as_ref(),
            access: &self.access,
            blob_bytes_max: CAP,
            bytes_max: None,
        };
        self.mirror()
            .await
            .mirror_fetch(&request, &self.cancel, &mut |_| ())
            .await
    }

    async fn reader(&self) -> RepositoryReader {
        self.mirror().await.reader().expect("a mirror that opens")
    }
}

fn code(outcome: Result<FetchResult, GitError>) -> &'static str {
    outcome.expect_err("this must fail").code()
}

fn open(repository: &TestRepository) -> RepositoryReader {
    RepositoryReader::repository_open(&repository.path().join(".git")).expect("a repository")
}

fn scan(text: &str) -> ScanPath {
    ScanPath::parse(text).expect(text)
}

/// Text that hardly compresses, different for each `seed`, so that sizes are meaningful.
fn noise_of(seed: u64, bytes: usize) -> String {
    let mut state = 88_172_645_463_325_252_u64 ^ (seed << 20);
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!("{state:016x}"));
    }
    text.truncate(bytes);
    text
}

fn noise(bytes: usize) -> String {
    noise_of(0, bytes)
}

async fn contents(reader: &RepositoryReader, ids: Vec<String>, bytes_max: u64) -> Vec<BlobContent> {
    let mut stream = reader.blobs_read(ids, bytes_max, &CancellationToken::new());
    let mut found = Vec::new();
    while let Some(blob) = stream.blob_next().await {
        found.push(blob.expect("a readable blob").1);
    }
    found
}
