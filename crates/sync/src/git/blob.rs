//! Streams the contents of files. Only the contents that were read ahead are in memory.

use std::sync::Arc;

use gix::ObjectId;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    GitError, RepositoryReader,
    reader::{blocking, cancel_check},
};

/// The number of contents read ahead: as many as are written to the database at once, so that reading and writing do
/// not wait for each other.
pub(super) const AHEAD: usize = 256;
/// The number of KiB read ahead: many large contents must not wait in memory together.
const AHEAD_KIB: u32 = 16 << 10;
/// The number of bytes that are searched for a NUL byte, as in git.
const BINARY_PROBE_BYTES: usize = 8000;
/// The start of every Git LFS pointer, and its maximum length (the specification's limit).
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v";
const LFS_POINTER_BYTES_MAX: usize = 1024;

/// The content of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobContent {
    /// Text in UTF-8, as it is (with its byte order mark and line ends).
    Text(String),
    /// It has a NUL byte near its beginning.
    Binary,
    /// No NUL byte, and not UTF-8: text in another encoding, or a binary file.
    NotUtf8,
    /// A Git LFS pointer: the content is elsewhere.
    LfsPointer,
    /// Larger than the limit.
    TooLarge {
        /// In bytes.
        size: u64,
    },
    /// Not in the repository: it was above the size limit when it was fetched, or it never existed.
    Missing,
}

/// The bytes of a blob, whatever its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobBytes {
    /// All of it.
    Bytes(Vec<u8>),
    /// Larger than the limit.
    TooLarge {
        /// In bytes.
        size: u64,
    },
    /// Not in the repository.
    Missing,
}

impl BlobContent {
    fn of(data: Vec<u8>) -> Self {
        if data[..data.len().min(BINARY_PROBE_BYTES)].contains(&0) {
            return Self::Binary;
        }
        if data.len() <= LFS_POINTER_BYTES_MAX && data.starts_with(LFS_POINTER) {
            return Self::LfsPointer;
        }
        String::from_utf8(data).map_or(Self::NotUtf8, Self::Text)
    }
}

/// A stream of blobs, in the requested order.
#[derive(Debug)]
pub struct BlobStream {
    receiver: mpsc::Receiver<(BlobResult, OwnedSemaphorePermit)>,
}

type BlobResult = Result<(String, BlobContent), GitError>;

impl BlobStream {
    /// The next blob with its id; `None` after the last, and after an error. Dropping the stream stops the reading.
    ///
    /// # Errors
    /// [`GitError::MirrorDamaged`] for a blob that exists and cannot be decoded; [`GitError::Cancelled`].
    pub async fn blob_next(&mut self) -> Option<BlobResult> {
        let (read, _room) = self.receiver.recv().await?;
        Some(read)
    }
}

impl RepositoryReader {
    /// Reads the blobs `ids` (hex), in this order, up to `bytes_max` bytes each. The size is known before the content
    /// is read, so a blob that is too large costs nothing.
    #[must_use]
    pub fn blobs_read(
        &self,
        ids: Vec<String>,
        bytes_max: u64,
        cancel: &CancellationToken,
    ) -> BlobStream {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (repository, cancel) = (self.repository.clone(), cancel.clone());
        let room = Arc::new(Semaphore::new(AHEAD_KIB as usize));
        let runtime = Handle::current();
        // Detached on purpose: it ends when it notices that the stream's receiver was dropped.
        drop(tokio::task::spawn_blocking(move || {
            let repository = repository.to_thread_local();
            for id in ids {
                let read =
                    cancel_check(&cancel).and_then(|()| blob_read(&repository, &id, bytes_max));
                let failed = read.is_err();
                let kib = match &read {
                    Ok(BlobContent::Text(text)) => text.len() / 1024 + 1,
                    _ => 1,
                };
                let kib = u32::try_from(kib).unwrap_or(AHEAD_KIB).min(AHEAD_KIB);
                // The permits are released when the consumer takes the content, or drops the stream.
                let room = runtime.block_on(async {
                    tokio::select! {
                        room = Arc::clone(&room).acquire_many_owned(kib) => room.ok(),
                        () = sender.closed() => None,
                    }
                });
                let Some(room) = room else { return };
                let read = read.map(|content| (id, content));
                if sender.blocking_send((read, room)).is_err() || failed {
                    return;
                }
            }
        }));
        BlobStream { receiver }
    }

    /// The sizes of `ids` in bytes, in this order, from their headers alone; `None` for a missing blob.
    ///
    /// # Errors
    /// [`GitError::MirrorDamaged`], [`GitError::Cancelled`].
    pub async fn blob_sizes(
        &self,
        ids: Vec<String>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Option<u64>>, GitError> {
        let (repository, cancel) = (self.repository.clone(), cancel.clone());
        blocking(move || {
            let repository = repository.to_thread_local();
            ids.iter()
                .map(|id| {
                    cancel_check(&cancel)?;
                    Ok(blob_size(&repository, id)?.map(|(_, size)| size))
                })
                .collect()
        })
        .await
    }
}

fn damaged(id: &str, error: &dyn std::fmt::Display) -> GitError {
    GitError::MirrorDamaged {
        detail: format!("blob {id}: {error}"),
    }
}

fn blob_size(repository: &gix::Repository, id: &str) -> Result<Option<(ObjectId, u64)>, GitError> {
    let Ok(object) = ObjectId::from_hex(id.as_bytes()) else {
        return Ok(None);
    };
    let header = repository
        .try_find_header(object)
        .map_err(|error| damaged(id, &error))?;
    Ok(header
        .filter(|header| header.kind().is_blob())
        .map(|header| (object, header.size())))
}

fn blob_read(
    repository: &gix::Repository,
    id: &str,
    bytes_max: u64,
) -> Result<BlobContent, GitError> {
    Ok(match blob_take(repository, id, bytes_max)? {
        BlobBytes::Bytes(data) => BlobContent::of(data),
        BlobBytes::TooLarge { size } => BlobContent::TooLarge { size },
        BlobBytes::Missing => BlobContent::Missing,
    })
}

/// Reads the bytes of a blob, unchanged.
pub(crate) fn blob_take(
    repository: &gix::Repository,
    id: &str,
    bytes_max: u64,
) -> Result<BlobBytes, GitError> {
    let Some((object, size)) = blob_size(repository, id)? else {
        return Ok(BlobBytes::Missing);
    };
    if size > bytes_max {
        return Ok(BlobBytes::TooLarge { size });
    }
    let mut blob = repository
        .find_blob(object)
        .map_err(|error| damaged(id, &error))?;
    Ok(BlobBytes::Bytes(blob.take_data()))
}
