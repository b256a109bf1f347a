//! Validates tags and projects. [`text`] validates texts.

use std::collections::HashSet;

use nyxcore_projects::{ProjectId, Projects};
use nyxcore_tenancy::{Access, Error, Repository, Result, Scoped, text};

/// Tags, each once, in the order in which they were given.
pub fn tags(tags: &[String], least: usize, most: usize) -> Result<Vec<String>> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for tag in tags {
        let tag = text::TAG.check("the tag", tag)?;
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

/// The id of a commit, or its beginning, in lower case; `None` for an empty text.
pub fn commit(text: &str) -> Result<Option<String>> {
    let text = text.trim().to_ascii_lowercase();
    if text.is_empty() {
        return Ok(None);
    }
    if !(7..=64).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let reason = "a commit is 7 to 64 hexadecimal digits";
        return Err(Error::Invalid(reason.into()));
    }
    Ok(Some(text))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    #[test]
    fn a_commit_is_hexadecimal() {
        assert_eq!(commit(" ABCDEF1 ").unwrap().as_deref(), Some("abcdef1"));
        assert_eq!(commit(" ").unwrap(), None);
        assert!(commit("abc").is_err() && commit("main-branch").is_err());
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
