//! The texts of files before and after a change, to recognise unchanged places.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::evidence::CodeLocation;

/// Linter comments that allow an exception on their line or the next.
const EXCUSES: [&str; 18] = [
    "#[allow(",
    "#[expect(",
    "@Suppress",
    "NOLINT",
    "NOSONAR",
    "SuppressWarnings",
    "biome-ignore",
    "codespell:ignore",
    "eslint-disable",
    "lint:ignore",
    "noinspection",
    "nolint",
    "noqa",
    "oxlint-disable",
    "phpcs:ignore",
    "pylint: disable",
    "rubocop:disable",
    "swiftlint:disable",
];

/// Returns a line without the comment at its end, so that a place stays the same when its comment changes.
fn code_only(line: &str) -> &str {
    let at = [" #", " //", "\t#", "\t//"]
        .iter()
        .filter_map(|mark| line.find(mark))
        .min();
    line[..at.unwrap_or(line.len())].trim_end()
}

/// The lines of files, trimmed. Each file is read once.
pub(super) struct Texts<R> {
    read: R,
    known: RefCell<BTreeMap<String, Rc<[String]>>>,
}

impl<R: Fn(&str) -> Option<String>> Texts<R> {
    pub(super) fn new(read: R) -> Texts<R> {
        Texts {
            read,
            known: RefCell::default(),
        }
    }

    /// The lines of a file; empty if it has no text.
    fn file(&self, path: &str) -> Rc<[String]> {
        let mut known = self.known.borrow_mut();
        if let Some(lines) = known.get(path) {
            return lines.clone();
        }
        let text = (self.read)(path).unwrap_or_default();
        let lines: Rc<[String]> = text.lines().map(|line| line.trim().to_owned()).collect();
        known.insert(path.to_owned(), lines.clone());
        lines
    }

    /// The code of a place's first line.
    pub(super) fn line(&self, place: &CodeLocation) -> Option<String> {
        let at = (place.start_line as usize).checked_sub(1)?;
        Some(code_only(self.file(&place.path).get(at)?).to_owned())
    }

    /// The lines of a place.
    pub(super) fn lines(&self, place: &CodeLocation) -> Vec<String> {
        let lines = self.file(&place.path);
        let start = (place.start_line as usize).saturating_sub(1);
        let end = (place.end_line as usize).clamp(start, lines.len());
        lines.get(start..end).unwrap_or_default().to_vec()
    }

    /// How often a file contains those consecutive lines.
    pub(super) fn times(&self, path: &str, lines: &[String]) -> usize {
        if lines.is_empty() {
            return 0;
        }
        let file = self.file(path);
        file.windows(lines.len())
            .filter(|some| *some == lines)
            .count()
    }

    /// Whether the place or the line above has a linter comment that allows it, or the file or its crate allows items
    /// without documentation: the exception is intentional.
    pub(super) fn is_excused(&self, place: &CodeLocation, kind: &str) -> bool {
        if kind == "documentation" && self.is_undocumented_crate(&place.path) {
            return true;
        }
        let lines = self.file(&place.path);
        let at = place.start_line as usize;
        let near = lines.get(at.saturating_sub(2)..at).unwrap_or_default();
        near.iter()
            .any(|line| EXCUSES.iter().any(|excuse| line.contains(excuse)))
    }

    /// Whether the Rust file or the root of its crate has an attribute that allows items without documentation.
    fn is_undocumented_crate(&self, path: &str) -> bool {
        if !path.ends_with(".rs") {
            return false;
        }
        let source = path.rsplit_once("src/").map(|(crate_path, _)| crate_path);
        let root = source.map(|crate_path| format!("{crate_path}src/lib.rs"));
        let allows = |line: &String| {
            line.starts_with("#![allow(")
                && (line.contains("missing_docs") || line.contains("warnings"))
        };
        let files = std::iter::once(path).chain(root.as_deref());
        files
            .into_iter()
            .any(|file| self.file(file).iter().any(allows))
    }
}

#[cfg(test)]
mod tests {
    use super::code_only;

    #[test]
    fn a_comment_at_the_end_of_a_line_is_no_code() {
        assert_eq!(code_only("open(\"a\")\t// why"), "open(\"a\")");
        assert_eq!(code_only("# all of it"), "# all of it");
    }
}
