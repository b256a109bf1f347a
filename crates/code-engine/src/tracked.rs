//! The files that git tracks, read from its index (<https://git-scm.com/docs/index-format>). `.gitignore` says what is
//! not to be added; what is tracked already is no less a part of the project for being named there.

use std::fs;
use std::path::{Path, PathBuf};

/// An index larger than this is not read, in bytes: about two million files.
const INDEX_CAP: u64 = 256 << 20;

/// Bytes of an entry before its name, with ids of SHA-1, and where in them the mode and the flags lie.
const ENTRY_BYTES: usize = 62;
const MODE_AT: usize = 24;
const FLAGS_AT: usize = 60;

/// The paths that the index of the repository at `root` has, from the root. `None` where there is no index, or one of
/// a form that is not known.
pub(crate) fn tracked(root: &Path) -> Option<Vec<String>> {
    let index = git_folder(root)?.join("index");
    let is_small = index.metadata().ok()?.len() <= INDEX_CAP;
    let bytes = is_small.then(|| fs::read(index).ok()).flatten()?;
    index_paths(&bytes)
}

/// The folder of git's own files: `.git`, or what the file `.git` of a further work tree or of a submodule names.
fn git_folder(root: &Path) -> Option<PathBuf> {
    let own = root.join(".git");
    if own.is_dir() {
        return Some(own);
    }
    let text = fs::read_to_string(own).ok()?;
    Some(root.join(text.strip_prefix("gitdir:")?.trim()))
}

/// The paths of files and links in an index of version 2, 3 or 4.
fn index_paths(bytes: &[u8]) -> Option<Vec<String>> {
    let mut rest = bytes.strip_prefix(b"DIRC")?;
    let version = number(rest.get(..4)?);
    let count = number(rest.get(4..8)?);
    rest = rest.get(8..)?;
    if !(2..=4).contains(&version) {
        return None;
    }
    let mut paths = Vec::new();
    let mut name: Vec<u8> = Vec::new();
    for _ in 0..count {
        let mode = number(rest.get(MODE_AT..MODE_AT + 4)?);
        let is_extended = rest.get(FLAGS_AT)? & 0x40 != 0 && version >= 3;
        let fixed = ENTRY_BYTES + if is_extended { 2 } else { 0 };
        let written = rest.get(fixed..)?;
        let (kept, suffix) = match version {
            // The name is told by how much of the one before it is dropped, and what comes after.
            4 => {
                let (dropped, suffix) = offset_read(written)?;
                (name.len().checked_sub(dropped)?, suffix)
            }
            _ => (0, written),
        };
        let end = suffix.iter().position(|byte| *byte == 0)?;
        name.truncate(kept);
        name.extend_from_slice(suffix.get(..end)?);
        // A file, a program, a link; not a submodule, and not a folder that a sparse index keeps as one.
        match mode {
            0o100_644 | 0o100_755 | 0o120_000 => paths.extend(String::from_utf8(name.clone()).ok()),
            0o160_000 | 0o040_000 => {}
            // No mode that git knows: ids of another length, or damage.
            _ => return None,
        }
        rest = match version {
            4 => suffix.get(end + 1..)?,
            // Up to eight bytes of NUL end an entry at a multiple of eight.
            _ => rest.get((fixed + end + 1).next_multiple_of(8)..)?,
        };
    }
    Some(paths)
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// A number of seven bits a byte, the highest first, with one more for each byte that follows.
fn offset_read(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value = value << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
        value += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(version: u32, mode: u32, name: &[u8]) -> Vec<u8> {
        let mut entry = vec![0u8; ENTRY_BYTES];
        entry[MODE_AT..MODE_AT + 4].copy_from_slice(&mode.to_be_bytes());
        entry.extend_from_slice(name);
        entry.push(0);
        while version < 4 && !entry.len().is_multiple_of(8) {
            entry.push(0);
        }
        entry
    }

    fn index(version: u32, entries: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"DIRC".to_vec();
        bytes.extend_from_slice(&version.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(entries.len()).unwrap().to_be_bytes());
        bytes.extend(entries.concat());
        bytes
    }

    #[test]
    fn an_index_names_files_and_links_and_no_submodules() {
        let of = |version| {
            index(
                version,
                &[
                    entry(version, 0o100_644, b"a/package.json"),
                    entry(version, 0o120_000, b"link"),
                    entry(version, 0o160_000, b"module"),
                    entry(version, 0o100_755, b"run"),
                ],
            )
        };
        for version in [2, 3] {
            let paths = index_paths(&of(version)).unwrap();
            assert_eq!(paths, ["a/package.json", "link", "run"], "{version}");
        }
    }

    #[test]
    fn names_of_version_four_build_on_the_one_before() {
        let entries = [
            entry(4, 0o100_644, b"\0src/a.rs"),
            entry(4, 0o100_644, b"\x04b.rs"),
            entry(4, 0o100_644, b"\x08web/c.ts"),
        ];
        let paths = index_paths(&index(4, &entries)).unwrap();
        assert_eq!(paths, ["src/a.rs", "src/b.rs", "web/c.ts"]);
        assert_eq!(offset_read(&[0x80, 0x00, 7]).unwrap().0, 128);
    }

    #[test]
    fn a_damaged_index_says_nothing() {
        let whole = index(
            2,
            &[entry(2, 0o100_644, b"a.rs"), entry(2, 0o100_644, b"b.rs")],
        );
        assert!(index_paths(&whole).is_some());
        for length in 0..whole.len() - 8 {
            assert!(index_paths(&whole[..length]).is_none(), "{length}");
        }
        assert!(index_paths(&index(2, &[entry(2, 0o777_777, b"a.rs")])).is_none());
    }
}
