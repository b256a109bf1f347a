//! Facts kept on disk between runs, one small file a blob, under the engine's version. It can be deleted at any time.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::facts::{ENGINE_VERSION, FileFacts};
use super::language::Language;
use super::skip::Skip;

/// A folder of facts.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    /// Numbers the files that are being written, so that two threads never write the same.
    writes: AtomicU64,
}

/// What is kept of a blob: its facts, or why it has none.
#[derive(Debug, Serialize, Deserialize)]
enum Kept {
    Facts(FileFacts),
    Skip(Skip),
}

impl Cache {
    pub(crate) fn new(folder: &Path) -> Cache {
        Cache {
            folder: folder.join(format!("facts-{ENGINE_VERSION}")),
            writes: AtomicU64::new(0),
        }
    }

    /// The facts of a blob: those kept, or those that `analyse` finds, which are kept then. A kept file that does not
    /// read is found anew; one that cannot be written is left.
    pub(crate) fn get_or(
        &self,
        blob: &str,
        language: Language,
        analyse: impl FnOnce() -> Result<FileFacts, Skip>,
    ) -> Result<FileFacts, Skip> {
        let path = self
            .folder
            .join(blob.get(..2).unwrap_or(""))
            .join(format!("{blob}.{language}"));
        if let Ok(bytes) = std::fs::read(&path)
            && let Ok(kept) = postcard::from_bytes::<Kept>(&bytes)
        {
            return match kept {
                Kept::Facts(facts) => Ok(facts),
                Kept::Skip(reason) => Err(reason),
            };
        }
        let found = analyse();
        let kept = match &found {
            Ok(facts) => Kept::Facts(facts.clone()),
            Err(reason) => Kept::Skip(*reason),
        };
        // A failure to keep costs the next run some time and nothing else.
        let _ = self.write(&path, &kept);
        found
    }

    /// Writes beside the place and moves it there, so that no reader ever sees half a file.
    fn write(&self, path: &Path, kept: &Kept) -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(folder)?;
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let beside = folder.join(format!(".{}-{number}.tmp", std::process::id()));
        std::fs::write(
            &beside,
            postcard::to_stdvec(kept).map_err(std::io::Error::other)?,
        )?;
        std::fs::rename(&beside, path)
    }
}
