//! The bounds that every text has to keep, and what is said when one does not.

use std::collections::HashSet;

use nyxcore_projects::{ProjectId, Projects};
use nyxcore_tenancy::{Access, Error, Repository, Result, Scoped};

/// Characters in a title. A rule of this project.
const TITLE_MAX: usize = 200;
/// Characters in a body of text. A rule of this project.
const BODY_MAX: usize = 200_000;
/// Characters in a tag or category. A rule of this project.
const TAG_MAX: usize = 50;

/// A title on one line, without the space around it.
pub fn title(text: &str) -> Result<String> {
    one_line("the title", text, TITLE_MAX)
}

/// A text of at least one letter, with as many lines as it likes. PostgreSQL keeps no NUL in a text, so neither database may.
pub fn body(what: &str, text: &str) -> Result<String> {
    if text.contains('\0') {
        return Err(Error::Invalid(format!(
            "{what} contains a NUL character: it must be text"
        )));
    }
    if text.trim().is_empty() || text.chars().count() > BODY_MAX {
        return Err(Error::Invalid(format!(
            "{what} has 1 to {BODY_MAX} characters"
        )));
    }
    Ok(text.to_owned())
}

/// As [`body`], and absent where it is blank.
pub fn body_optional(what: &str, text: Option<&str>) -> Result<Option<String>> {
    text.filter(|text| !text.trim().is_empty())
        .map(|text| body(what, text))
        .transpose()
}

/// A category, which is absent where it is blank.
pub fn category(text: Option<&str>) -> Result<Option<String>> {
    text.filter(|text| !text.trim().is_empty())
        .map(|text| one_line("the category", text, TAG_MAX))
        .transpose()
}

/// Tags, each once, in the order in which they were given.
pub fn tags(tags: &[String], least: usize, most: usize) -> Result<Vec<String>> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for tag in tags {
        let tag = one_line("a tag", tag, TAG_MAX)?;
        if seen.insert(tag.clone()) {
            kept.push(tag);
        }
    }
    if !(least..=most).contains(&kept.len()) {
        return Err(Error::Invalid(format!(
            "there must be {least} to {most} different tags, not {}",
            kept.len()
        )));
    }
    Ok(kept)
}

/// Passes where the tenant has all of these projects.
pub async fn projects<A: Access>(scoped: &Scoped<A>, projects: &[ProjectId]) -> Result<()> {
    if projects.is_empty() {
        return Ok(());
    }
    let found = Projects::get_many(scoped, projects).await?;
    if projects.iter().all(|project| found.contains_key(project)) {
        Ok(())
    } else {
        Err(Error::NotFound("project"))
    }
}

/// A text on one line, without the space around it.
pub fn one_line(what: &str, text: &str, max: usize) -> Result<String> {
    let text = text.trim();
    if !(1..=max).contains(&text.chars().count()) {
        return Err(Error::Invalid(format!("{what} has 1 to {max} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::Invalid(format!(
            "{what} is one line, without control characters"
        )));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    #[test]
    fn a_title_is_trimmed_bounded_and_one_line() {
        assert_eq!(title("  Leases ").unwrap(), "Leases");
        assert!(title(" ").is_err());
        assert!(title("two\nlines").is_err());
        assert!(title(&"ä".repeat(TITLE_MAX)).is_ok());
        assert!(title(&"ä".repeat(TITLE_MAX + 1)).is_err());
    }

    #[test]
    fn a_body_says_something_and_holds_no_nul() {
        assert_eq!(body("the content", " two\nlines ").unwrap(), " two\nlines ");
        assert!(body("the content", " \n").is_err());
        assert!(body("the content", "a\0b").is_err());
        assert!(body("the content", &"x".repeat(BODY_MAX + 1)).is_err());
        assert_eq!(body_optional("the suggestion", Some(" ")).unwrap(), None);
    }

    #[test]
    fn a_tag_counts_once() {
        assert_eq!(
            tags(&owned(&["sync", " sync ", "git"]), 2, 4).unwrap(),
            ["sync", "git"]
        );
        assert!(tags(&owned(&["sync", "sync"]), 2, 4).is_err());
        assert!(tags(&owned(&["a", "b", "c", "d", "e"]), 2, 4).is_err());
        assert!(tags(&owned(&["a", " "]), 0, 4).is_err());
    }
}
