//! Updated facts about models: a file in the data directory that replaces the facts built into the program.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use nyxcore_model_catalog::{ModelCatalog, catalog_install};

use crate::error::{Error, Result};

/// The file in the data directory.
pub const FILE: &str = "models.json";

/// Where the file is.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

/// Takes the file over, where there is one. What the program carries is used where it is newer.
///
/// # Errors
/// [`Error::ModelFacts`] for a file that cannot be read or is none.
pub fn install(data_dir: &Path) -> Result<()> {
    let path = path(data_dir);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).context("reading the facts about models failed"),
    };
    let facts = ModelCatalog::parse(&text).map_err(|error| Error::ModelFacts {
        code: error.code(),
        message: format!(
            "{}: {error}; run `nyxcore models update` again, or delete the file",
            path.display()
        ),
    })?;
    catalog_install(facts);
    Ok(())
}

/// Keeps the file, at once as a whole: a server that starts meanwhile reads the old one or the new one.
///
/// # Errors
/// The file cannot be written.
pub fn write(data_dir: &Path, json: &str) -> Result<()> {
    let new = data_dir.join(format!("{FILE}.new"));
    let write = || {
        let mut file = fs::File::create(&new)?;
        file.write_all(json.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path(data_dir))
    };
    write().context("saving the facts about models failed")
}
