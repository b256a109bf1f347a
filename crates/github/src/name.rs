//! Validates repository names before they become part of a URL.

use crate::GithubError;

/// The longest name of an owner or a repository, in bytes. GitHub allows 39 for owners, more with an enterprise's
/// suffix, and 100 for repositories.
const NAME_MAX: usize = 100;

/// `owner/name`, in characters that GitHub uses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepositoryName {
    owner: String,
    name: String,
}

impl RepositoryName {
    /// Reads `owner/name`, without the space around it.
    ///
    /// # Errors
    /// [`GithubError::NameInvalid`].
    pub fn parse(text: &str) -> Result<Self, GithubError> {
        match text.trim().split_once('/') {
            Some((owner, name)) => Self::new(owner, name),
            None => Err(GithubError::NameInvalid),
        }
    }

    /// The repository `name` of `owner`.
    ///
    /// # Errors
    /// [`GithubError::NameInvalid`].
    pub fn new(owner: &str, name: &str) -> Result<Self, GithubError> {
        let fits = |part: &str| (1..=NAME_MAX).contains(&part.len());
        let is_owner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_name = |byte: u8| is_owner(byte) || byte == b'.';
        let good = fits(owner)
            && fits(name)
            && !owner.starts_with('-')
            && owner.bytes().all(is_owner)
            && name.bytes().all(is_name)
            && !matches!(name, "." | "..");
        if !good {
            return Err(GithubError::NameInvalid);
        }
        Ok(Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The owner of the repository.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The name of the repository without its owner.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl std::fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_githubs_characters() {
        for text in [
            "octocat/Hello-World",
            "acme_corp/.github",
            "a/b",
            "0-1/x.y_z",
            " acme/atlas ",
        ] {
            let name = RepositoryName::parse(text).unwrap();
            assert_eq!(name.to_string(), text.trim());
        }
    }

    #[test]
    fn what_would_change_the_address_is_no_name() {
        let long = format!("acme/{}", "a".repeat(NAME_MAX + 1));
        for text in [
            "",
            "acme",
            "acme/",
            "/atlas",
            "acme/..",
            "../user",
            "acme/.",
            "acme/a/b",
            "acme/a%2Fb",
            "acme/a?x=1",
            "acme/a#b",
            "acme/a b",
            "acme/ä",
            "-x/a",
            "acme\\a/b",
            "acme/a\n",
            &long,
        ] {
            if text.trim() == text {
                let error = RepositoryName::parse(text).unwrap_err();
                assert_eq!(error.code(), "GITHUB_NAME_INVALID", "{text:?}");
            }
        }
        assert!(RepositoryName::new("acme", "a\n").is_err());
    }
}
