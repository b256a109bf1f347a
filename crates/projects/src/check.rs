//! The checks of this crate's texts, against the limits of [`text`].

use nyxcore_tenancy::{Error, Result, text};

/// Bytes in the path of a file. A sync passes over longer ones.
pub const FILE_PATH_MAX: usize = text::FILE_PATH.max;

/// A description, which is absent where it is blank.
pub fn description(text: &str) -> Result<Option<String>> {
    let text = text::body("the description", text.trim())?;
    Ok((!text.is_empty()).then_some(text))
}

/// A repository's address. What it may point at is decided where it is fetched from.
pub fn url(text: &str) -> Result<String> {
    text::SOURCE_URL.check("the URL", text)
}

/// A branch, which is the default one where it is blank.
pub fn branch(text: &str) -> Result<Option<String>> {
    text::BRANCH.check_optional("the branch", Some(text))
}

/// A folder within a repository in the one way of writing it: no slash at either end, no empty part, no `.`, and `""` for the root.
///
/// # Errors
/// [`Error::Invalid`] for a path that leads out of the repository, has control characters, or is longer than 1,000 bytes.
pub fn scan_path_normalize(path: &str) -> Result<String> {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if parts.contains(&"..") {
        return Err(Error::Invalid(
            "the scan path leads out of the repository: it must not contain `..`".into(),
        ));
    }
    let path = parts.join("/");
    if path.is_empty() {
        return Ok(path);
    }
    text::SCAN_PATH.check("the scan path", &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_path_has_one_way_of_writing_it() {
        for (given, kept) in [
            ("", ""),
            ("/", ""),
            ("./", ""),
            ("//", ""),
            ("src", "src"),
            ("/src/", "src"),
            ("a//b/./c", "a/b/c"),
            ("with space/ä", "with space/ä"),
            ("..hidden/a..b", "..hidden/a..b"),
        ] {
            assert_eq!(scan_path_normalize(given).unwrap(), kept, "{given:?}");
        }
    }

    #[test]
    fn a_scan_path_that_leads_out_is_refused() {
        for path in ["..", "../x", "a/../../b", "a/..", "/.."] {
            assert!(scan_path_normalize(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn a_scan_path_with_control_characters_or_without_end_is_refused() {
        assert!(scan_path_normalize("a\nb").is_err());
        assert!(scan_path_normalize(&"a".repeat(text::SCAN_PATH.max + 1)).is_err());
        assert!(scan_path_normalize(&"a".repeat(text::SCAN_PATH.max)).is_ok());
    }

    #[test]
    fn what_is_blank_is_absent() {
        assert_eq!(description("  ").unwrap(), None);
        assert_eq!(branch("").unwrap(), None);
        assert_eq!(branch(" main ").unwrap().as_deref(), Some("main"));
    }
}
