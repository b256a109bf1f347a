//! The bounds that every text has to keep, and what is said when one does not.

use nyxcore_tenancy::{Error, Result};

/// Characters in a name or title. A rule of this project.
pub const NAME_MAX: usize = 200;
/// Characters in a body of text. A rule of this project.
pub const BODY_MAX: usize = 200_000;
/// Characters in an action point: one sentence or three. A rule of this project.
pub const ACTION_POINT_MAX: usize = 2_000;
/// Bytes in a repository's address. With a branch and a path it makes a unique key, and PostgreSQL takes keys of up to 2,704 bytes.
const URL_MAX: usize = 1_000;
/// Bytes in a branch's name: what a file system, which is where Git keeps branches, takes in one name.
const BRANCH_MAX: usize = 255;
/// Bytes in a scan path. See [`URL_MAX`].
const SCAN_PATH_MAX: usize = 1_000;
/// Bytes in the path of a file, which is part of a unique key: PostgreSQL takes keys of up to 2,704 bytes. A sync passes over longer ones.
pub const FILE_PATH_MAX: usize = 2_000;

/// A name or title on one line, without the space around it.
pub fn name(what: &str, text: &str) -> Result<String> {
    let text = text.trim();
    bounded(what, text, text.chars().count(), NAME_MAX)?;
    Ok(text.to_owned())
}

/// A text that may be empty and have many lines. PostgreSQL keeps no NUL in a text, so neither database may.
pub fn body(what: &str, text: &str, max: usize) -> Result<String> {
    if text.contains('\0') {
        return Err(Error::Invalid(format!(
            "{what} contains a NUL character: it must be text"
        )));
    }
    if text.chars().count() > max {
        return Err(Error::Invalid(format!(
            "{what} is longer than {max} characters"
        )));
    }
    Ok(text.to_owned())
}

/// A description, which is absent where it is blank.
pub fn description(text: &str) -> Result<Option<String>> {
    let text = body("the description", text.trim(), BODY_MAX)?;
    Ok((!text.is_empty()).then_some(text))
}

/// A repository's address. What it may point at is decided where it is fetched from.
pub fn url(text: &str) -> Result<String> {
    one_line("the URL", text, URL_MAX)
}

/// A branch, which is the default one where it is blank.
pub fn branch(text: &str) -> Result<Option<String>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    one_line("the branch", text, BRANCH_MAX).map(Some)
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
    bounded("the scan path", &path, path.len(), SCAN_PATH_MAX)?;
    Ok(path)
}

/// A text for a key, which is bounded in bytes.
fn one_line(what: &str, text: &str, max: usize) -> Result<String> {
    let text = text.trim();
    bounded(what, text, text.len(), max)?;
    Ok(text.to_owned())
}

fn bounded(what: &str, text: &str, length: usize, max: usize) -> Result<()> {
    if !(1..=max).contains(&length) {
        return Err(Error::Invalid(format!("{what} has 1 to {max} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::Invalid(format!(
            "{what} is one line, without control characters"
        )));
    }
    Ok(())
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
        assert!(scan_path_normalize(&"a".repeat(SCAN_PATH_MAX + 1)).is_err());
        assert!(scan_path_normalize(&"a".repeat(SCAN_PATH_MAX)).is_ok());
    }

    #[test]
    fn a_name_is_trimmed_bounded_and_one_line() {
        assert_eq!(name("the name", "  Atlas ").unwrap(), "Atlas");
        assert!(name("the name", " \n ").is_err());
        assert!(name("the name", "two\nlines").is_err());
        assert!(name("the name", &"ä".repeat(NAME_MAX)).is_ok());
        assert!(name("the name", &"ä".repeat(NAME_MAX + 1)).is_err());
    }

    #[test]
    fn a_body_may_be_empty_but_holds_no_nul() {
        assert_eq!(body("the body", "", BODY_MAX).unwrap(), "");
        assert!(body("the body", "a\0b", BODY_MAX).is_err());
        assert!(body("the body", "four", 3).is_err());
    }

    #[test]
    fn what_is_blank_is_absent() {
        assert_eq!(description("  ").unwrap(), None);
        assert_eq!(branch("").unwrap(), None);
        assert_eq!(branch(" main ").unwrap().as_deref(), Some("main"));
    }
}
