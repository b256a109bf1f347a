//! The branch name and the scan path of a source. Both are types, so that no unvalidated text reaches git. Their rules
//! are defined only here.

use std::fmt;

use nyxcore_tenancy::{Error, text};

/// Why a text is not a valid branch name or scan path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is not a valid branch name.
    #[error("the branch name {0}")]
    Branch(&'static str),
    /// The text is not a valid scan path.
    #[error("the scan path {0}")]
    ScanPath(&'static str),
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::Invalid(error.to_string())
    }
}

/// A branch name by the rules of `git check-ref-format --branch`: never empty, never an option, no wildcard.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BranchName(String);

impl BranchName {
    /// Checks `text`; a leading `refs/heads/` is dropped.
    ///
    /// # Errors
    /// [`NameError::Branch`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let invalid = |reason| Err(NameError::Branch(reason));
        let name = text.strip_prefix("refs/heads/").unwrap_or(text);
        if name.is_empty() {
            return invalid("is empty");
        }
        if name.len() > text::BRANCH.max {
            return invalid("is longer than 255 bytes");
        }
        if name.starts_with('-') {
            return invalid("must not start with \"-\"");
        }
        if name == "HEAD" || name == "@" {
            return invalid("is reserved by git");
        }
        if gix_validate::reference::name(format!("refs/heads/{name}").as_str().into()).is_err() {
            return invalid("has characters that git does not allow in one");
        }
        Ok(Self(name.to_owned()))
    }

    /// Parses an optional name; a blank text means the repository's default branch.
    ///
    /// # Errors
    /// [`NameError::Branch`].
    pub fn parse_optional(text: &str) -> Result<Option<Self>, NameError> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self::parse(text)).transpose()
    }

    /// The name without `refs/heads/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with `refs/heads/`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A folder inside the repository; `""` is its root. Relative, slashes normalised, never leaving the tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ScanPath(String);

impl ScanPath {
    /// Checks and normalises `text`: `"/"`, `"."` and `""` are the root; `"./a//b/"` is `"a/b"`.
    ///
    /// # Errors
    /// [`NameError::ScanPath`] for absolute paths, `..`, backslashes, invisible characters and more than 1,000 bytes.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let invalid = |reason| Err(NameError::ScanPath(reason));
        if text.len() > text::SCAN_PATH.max {
            return invalid("is longer than 1,000 bytes");
        }
        if text.chars().any(char::is_control) {
            return invalid("must not have control characters");
        }
        if text.contains('\\') {
            return invalid("must use \"/\" between folders");
        }
        if text.starts_with('/') && !text.trim_matches('/').is_empty() {
            return invalid("must be relative to the repository's root");
        }
        let parts: Vec<&str> = text
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        if parts.contains(&"..") {
            return invalid("must not contain \"..\"");
        }
        Ok(Self(parts.join("/")))
    }

    /// The normalised path; `""` is the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the repository's root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The folders from the root down.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }
}

/// The path as people see it: `/` for the root.
impl fmt::Display for ScanPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "/" } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_branch_keeps_to_the_rules_of_git() {
        for good in [
            "main",
            "feature/x",
            "release-1.2",
            "renovate/@scope/pkg-3.x",
            "ünïcode",
            "a@b",
            "1",
        ] {
            assert_eq!(
                BranchName::parse(good).map(|name| name.0),
                Ok(good.to_owned()),
                "{good}"
            );
        }
        assert_eq!(
            BranchName::parse("refs/heads/main").map(|name| name.0),
            Ok("main".to_owned())
        );
        for bad in [
            "",
            "-x",
            "--upload-pack=touch /tmp/x",
            "@",
            "HEAD",
            "a..b",
            "a b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[b",
            "a\\b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a.",
            "a@{b",
            "a\nb",
            "a\0b",
            "refs/heads/-x",
            "a\u{7f}",
        ] {
            let error = BranchName::parse(bad).expect_err(bad);
            assert!(matches!(error, NameError::Branch(_)), "{bad:?}");
        }
        assert!(BranchName::parse(&"x".repeat(256)).is_err());
        assert_eq!(BranchName::parse_optional(" ").unwrap(), None);
        let main = BranchName::parse_optional(" main ").unwrap().unwrap();
        assert_eq!(main.as_str(), "main");
    }

    #[test]
    fn a_scan_path_stays_inside_the_tree() {
        for (text, normalised) in [
            ("", ""),
            ("/", ""),
            (".", ""),
            ("./", ""),
            ("src", "src"),
            ("src/", "src"),
            ("./src//a/", "src/a"),
            ("a b/ü", "a b/ü"),
            ("-x", "-x"),
            ("...", "..."),
        ] {
            assert_eq!(
                ScanPath::parse(text).map(|path| path.0),
                Ok(normalised.to_owned()),
                "{text:?}"
            );
        }
        for bad in [
            "..",
            "../a",
            "a/..",
            "a/../b",
            "/etc",
            "//a",
            "a\\..\\b",
            "a\0",
            "a\nb",
            "\u{1b}[31m",
        ] {
            let error = ScanPath::parse(bad).expect_err(bad);
            assert!(matches!(error, NameError::ScanPath(_)), "{bad:?}");
        }
        let longest = "a".repeat(text::SCAN_PATH.max);
        assert!(
            ScanPath::parse(&longest).is_ok() && ScanPath::parse(&format!("{longest}a")).is_err()
        );
        assert_eq!(ScanPath::default().to_string(), "/");
    }

    proptest! {
        #[test]
        fn no_accepted_branch_can_be_an_option_or_a_pattern(text in "[-a@./~^:*?\\[\\\\ \\x00-\\x1f]{0,12}|\\PC{0,20}") {
            if let Ok(branch) = BranchName::parse(&text) {
                let name = branch.as_str();
                prop_assert!(!name.starts_with('-') && !name.is_empty());
                prop_assert!(!name.contains(['*', '?', '[', ':', ' ', '^', '~', '\\']) && !name.contains(".."));
                prop_assert!(!name.chars().any(char::is_control));
            }
        }

        #[test]
        fn no_accepted_scan_path_leaves_the_tree(text in "[a./\\\\\\x00\\n-]{0,16}|\\PC{0,20}") {
            if let Ok(path) = ScanPath::parse(&text) {
                prop_assert!(!path.as_str().starts_with('/') && !path.as_str().contains("//"));
                prop_assert!(path.segments().all(|segment| segment != ".." && segment != "."));
                prop_assert_eq!(ScanPath::parse(path.as_str()), Ok(path.clone()));
            }
        }
    }
}
