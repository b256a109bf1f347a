//! The file of a backup: a tar archive of the manifest, the manifest's checksum, and the members that the manifest
//! names with their checksums.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};
use tempfile::NamedTempFile;

use super::manifest::{FORMAT, Manifest, Member};
use crate::error::{Error, Result};

/// The first member.
const MANIFEST: &str = "manifest.json";
/// The second member: the SHA-256 of the first, in hexadecimal digits.
const MANIFEST_SUM: &str = "manifest.sha256";
/// The maximum size of a manifest, in bytes: hundreds of tables and policies take a tenth of it.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;
/// The file mode of the archive and of its members: the database contains data that others must not read.
const MODE: u32 = 0o600;
/// Bytes that are read and written at once.
const BUFFER: usize = 256 << 10;

/// Writes an archive to `path`, as a whole or not at all, readable by its owner only. The manifest gets the lengths and
/// the checksums of the members.
///
/// # Errors
/// [`Error::FileExists`]; a file cannot be read or written.
pub fn archive_write(
    path: &Path,
    manifest: &mut Manifest,
    members: &[(&str, PathBuf)],
) -> Result<()> {
    manifest.members = members
        .iter()
        .map(|(name, file)| Ok(((*name).to_owned(), member_of(file)?)))
        .collect::<io::Result<_>>()
        .context("reading what is to be archived failed")?;
    let written = || -> io::Result<NamedTempFile> {
        let file = NamedTempFile::with_prefix_in(".nyxcore-backup-", folder_of(path))?;
        let mut builder = Builder::new(BufWriter::with_capacity(BUFFER, file));
        let text = serde_json::to_vec_pretty(manifest)?;
        let sum = hex::encode(Sha256::digest(&text));
        append(&mut builder, manifest, MANIFEST, text.len() as u64, &*text)?;
        append(
            &mut builder,
            manifest,
            MANIFEST_SUM,
            sum.len() as u64,
            sum.as_bytes(),
        )?;
        for (name, file) in members {
            let file = File::open(file)?;
            let length = file.metadata()?.len();
            append(&mut builder, manifest, name, length, file)?;
        }
        let file = builder.into_inner()?.into_inner()?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    let file = written().map_err(|error| refused(path, &error))?;
    // This refuses to replace a file that has been created meanwhile.
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            bail!(Error::FileExists(path.to_owned()));
        }
        Err(error) => bail!(refused(path, &error.error)),
    }
    let folder = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    folder.map_err(|error| refused(path, &error).into())
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn refused(path: &Path, error: &io::Error) -> Error {
    Error::OutputRefused {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn append(
    builder: &mut Builder<impl Write>,
    manifest: &Manifest,
    name: &str,
    length: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(MODE);
    header.set_size(length);
    let written_at = manifest.created_at.timestamp();
    header.set_mtime(u64::try_from(written_at).unwrap_or_default());
    builder.append_data(&mut header, name, content)
}

fn member_of(file: &Path) -> io::Result<Member> {
    let mut sum = SumWriter::new(io::sink());
    let bytes = io::copy(
        &mut BufReader::with_capacity(BUFFER, File::open(file)?),
        &mut sum,
    )?;
    Ok(Member {
        bytes,
        sha256: sum.sum(),
    })
}

/// An archive whose manifest has been read.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    /// The manifest of the archive.
    pub manifest: Manifest,
}

impl Archive {
    /// Reads the manifest of an archive.
    ///
    /// # Errors
    /// [`Error::BackupInvalid`] for a file that is not a backup or is damaged, [`Error::BackupNewer`] for a later
    /// format.
    pub fn open(path: &Path) -> Result<Self> {
        let broken = |error: io::Error| invalid(path, error.to_string());
        let mut archive = tar_open(path)?;
        let mut entries = archive.entries().map_err(broken)?;
        let mut text_of = |name: &str| -> Result<Vec<u8>> {
            let none = || invalid(path, format!("it is not a backup: it has no {name}"));
            // A file that is not an archive fails here.
            let Some(Ok(entry)) = entries.next() else {
                bail!(none());
            };
            if *entry.path_bytes() != *name.as_bytes() {
                bail!(none());
            }
            let mut text = Vec::new();
            entry
                .take(MANIFEST_BYTES_MAX)
                .read_to_end(&mut text)
                .map_err(broken)?;
            Ok(text)
        };
        let text = text_of(MANIFEST)?;
        let sum = text_of(MANIFEST_SUM)?;
        if hex::encode(Sha256::digest(&text)).as_bytes() != sum {
            bail!(invalid(path, "its manifest was changed".into()));
        }
        Ok(Self {
            path: path.to_owned(),
            manifest: manifest_read(path, &text)?,
        })
    }

    /// Whether the archive has a member of that name.
    pub fn has(&self, name: &str) -> bool {
        self.manifest.members.contains_key(name)
    }

    /// Writes the members into a folder, and compares them with the manifest. Writes only members that are in the
    /// manifest and in `names`.
    ///
    /// # Errors
    /// [`Error::BackupInvalid`] where a member is missing, unexpected, or different from the manifest; the folder
    /// cannot be written.
    pub fn unpack(&self, folder: &Path, names: &[&str]) -> Result<()> {
        let broken = |error: io::Error| invalid(&self.path, error.to_string());
        let mut archive = tar_open(&self.path)?;
        let mut missing: BTreeSet<&str> =
            self.manifest.members.keys().map(String::as_str).collect();
        for entry in archive.entries().map_err(broken)?.skip(2) {
            let mut entry = entry.map_err(broken)?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let Some(member) = self.manifest.members.get(&name).filter(|_| {
                entry.header().entry_type() == EntryType::Regular && missing.remove(&*name)
            }) else {
                bail!(invalid(
                    &self.path,
                    format!("it has an unexpected member {name:?}")
                ));
            };
            let sum = if names.contains(&&*name) {
                let mut options = OpenOptions::new();
                options.write(true).create_new(true).mode(MODE);
                let file = options.open(folder.join(&name));
                let file = file.context("writing a member of the backup failed")?;
                let mut sum = SumWriter::new(BufWriter::with_capacity(BUFFER, file));
                copy(&mut entry, &mut sum).map_err(|error| self.copy_refused(error))?;
                sum.flush()
                    .context("writing a member of the backup failed")?;
                sum.sum()
            } else {
                let mut sum = SumWriter::new(io::sink());
                copy(&mut entry, &mut sum).map_err(|error| self.copy_refused(error))?;
                sum.sum()
            };
            if entry.size() != member.bytes || sum != member.sha256 {
                bail!(invalid(
                    &self.path,
                    format!("its member {name} is not what was archived")
                ));
            }
        }
        match missing.first() {
            None => Ok(()),
            Some(name) => Err(invalid(&self.path, format!("its member {name} is missing")).into()),
        }
    }

    fn copy_refused(&self, error: CopyError) -> anyhow::Error {
        match error {
            CopyError::Read(error) => invalid(&self.path, error.to_string()).into(),
            CopyError::Write(error) => {
                anyhow::Error::new(error).context("writing a member of the backup failed")
            }
        }
    }
}

fn manifest_read(path: &Path, text: &[u8]) -> Result<Manifest> {
    /// The field that every format of the manifest has.
    #[derive(serde::Deserialize)]
    struct AnyFormat {
        format: u32,
    }
    let unread = |error: serde_json::Error| invalid(path, format!("its manifest: {error}"));
    let any: AnyFormat = serde_json::from_slice(text).map_err(unread)?;
    if any.format > FORMAT {
        bail!(Error::BackupNewer {
            path: path.to_owned(),
            reason: format!("it has the format {}", any.format),
        });
    }
    Ok(serde_json::from_slice(text).map_err(unread)?)
}

fn tar_open(path: &Path) -> Result<tar::Archive<BufReader<File>>> {
    let file = File::open(path).map_err(|error| Error::FileInvalid {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(tar::Archive::new(BufReader::with_capacity(BUFFER, file)))
}

fn invalid(path: &Path, reason: String) -> Error {
    Error::BackupInvalid {
        path: path.to_owned(),
        reason,
    }
}

/// Which side of a copy failed.
enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<(), CopyError> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match from.read(&mut buffer).map_err(CopyError::Read)? {
            0 => return Ok(()),
            read => to.write_all(&buffer[..read]).map_err(CopyError::Write)?,
        }
    }
}

/// A writer that passes data on and computes its SHA-256.
struct SumWriter<W> {
    inner: W,
    sum: Sha256,
}

impl<W> SumWriter<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            sum: Sha256::new(),
        }
    }

    fn sum(self) -> String {
        hex::encode(self.sum.finalize())
    }
}

impl<W: Write> Write for SumWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Flushes a file to the disk.
///
/// # Errors
/// The system refuses.
pub fn file_sync(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::super::manifest::tests::sample;
    use super::*;
    use crate::error::code_of;

    /// An archive of two members, and the folder that it is in.
    fn written() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let members = [
            ("database", "rows ".repeat(1000)),
            ("master.key", "key".into()),
        ];
        let members = members.map(|(name, text)| {
            let file = folder.path().join(name);
            fs::write(&file, text).unwrap();
            (name, file)
        });
        let path = folder.path().join("b.tar");
        archive_write(&path, &mut sample(), &members).unwrap();
        (folder, path)
    }

    fn unpack(path: &Path, names: &[&str]) -> Result<tempfile::TempDir> {
        let into = tempfile::tempdir().unwrap();
        Archive::open(path)?.unpack(into.path(), names)?;
        Ok(into)
    }

    #[test]
    fn members_come_out_as_they_went_in() {
        let (folder, path) = written();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, MODE);
        let into = unpack(&path, &["database"]).unwrap();
        let read = |folder: &Path| fs::read(folder.join("database")).unwrap();
        assert_eq!(read(into.path()), read(folder.path()));
        assert!(
            !into.path().join("master.key").exists(),
            "nobody asked for it"
        );
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 3, "two members and the archive");
    }

    #[test]
    fn an_existing_file_is_not_replaced() {
        let (folder, path) = written();
        let before = fs::read(&path).unwrap();
        let members = [("database", folder.path().join("database"))];
        let error = archive_write(&path, &mut sample(), &members).unwrap_err();
        assert_eq!(code_of(&error), "FILE_EXISTS");
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn no_changed_byte_of_a_member_or_manifest_passes() {
        let (_folder, path) = written();
        let whole = fs::read(&path).unwrap();
        // One byte in each of the four contents: headers are at multiples of 512.
        let mut places: Vec<usize> = vec![600];
        let find = |text: &[u8]| whole.windows(text.len()).rposition(|found| found == text);
        places.push(find(b"rows ").unwrap());
        places.push(find(b"key").unwrap());
        for place in places {
            let mut broken = whole.clone();
            broken[place] ^= 1;
            fs::write(&path, &broken).unwrap();
            let error = unpack(&path, &["database", "master.key"]).unwrap_err();
            assert_eq!(code_of(&error), "BACKUP_INVALID", "at {place}");
        }
    }

    #[test]
    fn a_cut_archive_is_invalid() {
        let (_folder, path) = written();
        let whole = fs::read(&path).unwrap();
        let end = whole
            .windows(5)
            .rposition(|found| found == b"rows ")
            .unwrap();
        for length in [0, 100, 512, 3000, end] {
            fs::write(&path, &whole[..length]).unwrap();
            let error = unpack(&path, &["database"]).unwrap_err();
            assert_eq!(code_of(&error), "BACKUP_INVALID", "of {length} bytes");
        }
    }

    #[test]
    fn something_else_is_no_backup() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.tar");
        fs::write(&path, "SQLite format 3\0".repeat(100)).unwrap();
        let error = Archive::open(&path).unwrap_err();
        assert_eq!(code_of(&error), "BACKUP_INVALID");
        let error = Archive::open(&folder.path().join("none")).unwrap_err();
        assert_eq!(code_of(&error), "FILE_INVALID");
    }

    #[test]
    fn a_later_format_is_refused_before_it_is_read() {
        let text = br#"{"format": 2, "whatever": true}"#;
        let error = manifest_read(Path::new("b.tar"), text).unwrap_err();
        assert_eq!(code_of(&error), "BACKUP_NEWER");
    }
}
