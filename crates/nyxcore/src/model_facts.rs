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

/// Loads the file if it exists. If the built-in facts are newer, they are used.
///
/// # Errors
/// [`Error::ModelFacts`] for a file that cannot be read or is invalid.
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

/// Replaces the file atomically: a server that starts meanwhile reads either the old or the new one.
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
