//! The files of one commit, read from git objects without a checkout.

use nyxcore_code_engine::listing::{Skip, is_attributes, is_list};
use nyxcore_code_engine::tree::{Around, FileTree, TreeError, TreeFile};
use nyxcore_projects::ScanPath;
use nyxcore_sync::git::{BlobBytes, BlobReader, GitError, RepositoryReader};
use tokio_util::sync::CancellationToken;

/// The maximum size of an ignore or attributes file in a parent folder, in bytes. A larger one is not read.
const LIST_CAP: u64 = 1 << 20;

/// The files of a commit below a folder, by their paths relative to the folder.
pub struct Revision {
    identity: String,
    files: Vec<TreeFile>,
    blobs: BlobReader,
    around: Around,
}

impl Revision {
    /// Lists the files of `commit` (hex) below the folder `below`.
    ///
    /// # Errors
    /// The commit or the folder does not exist, or the repository cannot be read.
    pub async fn open(
        reader: &RepositoryReader,
        repository: &std::path::Path,
        commit: &str,
        below: &str,
    ) -> Result<Self, GitError> {
        let scan_path = ScanPath::parse(below).map_err(GitError::from)?;
        let listing = reader
            .tree_list(commit, &scan_path, &CancellationToken::new())
            .await?;
        let prefix = if below.is_empty() {
            String::new()
        } else {
            format!("{below}/")
        };
        let inside = |path: &str| path.strip_prefix(&prefix).map(str::to_owned);
        let files = listing.entries.into_iter().filter_map(|entry| {
            Some(TreeFile {
                path: inside(&entry.path)?,
                blob: Some(entry.blob),
                is_link: false,
            })
        });
        let links = listing.links.iter().filter_map(|path| {
            Some(TreeFile {
                path: inside(path)?,
                blob: None,
                is_link: true,
            })
        });
        let blobs = reader.blob_reader();
        let mut around = Around {
            below: below.to_owned(),
            lists: Vec::new(),
        };
        if !below.is_empty() {
            let whole = reader
                .tree_list(commit, &ScanPath::default(), &CancellationToken::new())
                .await?;
            let is_above = |path: &str| {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let reaches = folder.is_empty() || prefix.starts_with(&format!("{folder}/"));
                reaches && folder != below && (is_list(path) || is_attributes(path))
            };
            for entry in whole
                .entries
                .into_iter()
                .filter(|entry| is_above(&entry.path))
            {
                if let Ok(BlobBytes::Bytes(bytes)) = blobs.blob_bytes(&entry.blob, LIST_CAP)
                    && let Ok(text) = String::from_utf8(bytes)
                {
                    around.lists.push((entry.path, text));
                }
            }
        }
        Ok(Self {
            // All revisions share one identity, because little changes from one to the next.
            identity: format!("repository {} {below}", repository.display()),
            files: files.chain(links).collect(),
            blobs,
            around,
        })
    }
}

impl FileTree for Revision {
    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn list(&self) -> Result<Vec<TreeFile>, TreeError> {
        Ok(self.files.clone())
    }

    fn around(&self) -> Around {
        self.around.clone()
    }

    fn is_tracked(&self) -> bool {
        true
    }

    fn read(&self, file: &TreeFile, bytes_max: u64) -> Result<Vec<u8>, Skip> {
        let blob = file.blob.as_deref().ok_or(Skip::Unreadable)?;
        match self.blobs.blob_bytes(blob, bytes_max) {
            Ok(BlobBytes::Bytes(bytes)) => Ok(bytes),
            Ok(BlobBytes::TooLarge { .. }) => Err(Skip::TooLarge),
            // A partial clone has not fetched the blob, or the repository is damaged.
            Ok(BlobBytes::Missing) | Err(_) => Err(Skip::Unreadable),
        }
    }
}
