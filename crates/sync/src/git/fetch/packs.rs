//! The packs of a mirror, and the number of new bytes.

use std::{collections::HashMap, fs, path::Path};

/// The size in bytes of the packs that did not exist before.
pub(super) fn bytes_new(mirror: &Path, before: &HashMap<String, u64>) -> u64 {
    let now = pack_sizes(mirror).into_iter();
    now.filter(|(name, _)| !before.contains_key(name))
        .map(|(_, size)| size)
        .sum()
}

pub(super) fn pack_sizes(mirror: &Path) -> HashMap<String, u64> {
    let entries = fs::read_dir(mirror.join("objects/pack"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let size = entry.metadata().ok()?.len();
            name.ends_with(".pack").then_some((name, size))
        })
        .collect()
}
