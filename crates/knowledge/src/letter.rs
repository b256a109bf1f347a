//! Letters: files in a repository under `.memory/`, written for future contributors. Each becomes a memory entry.

use nyxcore_tenancy::text;

use crate::service::ImportedMemoryEntry;

/// Whether a file of a repository is a letter: `.memory/letter_*.md`, in any folder.
pub fn is_letter(path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap_or_default();
    (folder == ".memory" || folder.ends_with("/.memory"))
        && file.starts_with("letter_")
        && file.ends_with(".md")
}

/// A letter as a memory entry, known by `source_ref`. Its title is its first heading, or its file's name if it has
/// none.
///
/// ```
/// use nyxcore_knowledge::letter_entry;
///
/// let entry = letter_entry(".memory/letter_004.md", "# Leases\n\n## Done\n- renewed every 15 s\n");
/// assert_eq!(entry.title, "Leases");
/// assert_eq!(entry.source_ref, ".memory/letter_004.md");
/// ```
pub fn letter_entry(source_ref: &str, content: &str) -> ImportedMemoryEntry {
    let heading = content
        .lines()
        .find_map(|line| line.strip_prefix("# "))
        .map(str::trim);
    let file = source_ref.rsplit('/').next().unwrap_or(source_ref);
    let title = heading
        .and_then(text::name_cleaned)
        .or_else(|| text::name_cleaned(file.trim_end_matches(".md")))
        .unwrap_or_else(|| "Untitled".to_owned());
    ImportedMemoryEntry {
        source_ref: source_ref.to_owned(),
        title,
        content: content.to_owned(),
        tags: vec!["letter".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_lies_in_a_memory_folder() {
        for path in [
            ".memory/letter_1.md",
            "apps/web/.memory/letter_2024-01-01.md",
        ] {
            assert!(is_letter(path), "{path}");
        }
        for path in [
            "letter_1.md",
            ".memory/notes.md",
            "x.memory/letter_1.md",
            ".memory/letter_1.txt",
            ".memory/old/letter_1.md",
        ] {
            assert!(!is_letter(path), "{path}");
        }
    }

    #[test]
    fn a_letter_without_a_heading_is_called_like_its_file() {
        assert_eq!(
            letter_entry(".memory/letter_7.md", "## Done\n#hashtag\n# \n").title,
            "letter_7"
        );
        assert_eq!(
            letter_entry(".memory/letter_7.md", &format!("# {}", "ä".repeat(300)))
                .title
                .chars()
                .count(),
            200
        );
    }
}
