//! Validates the texts of this crate against the limits of [`text`].

use nyxcore_tenancy::{Result, text};

/// The most bytes of a file's path. A sync skips files with longer ones.
pub const FILE_PATH_MAX: usize = text::FILE_PATH.max;

/// A description; `None` where it is blank.
pub fn description(text: &str) -> Result<Option<String>> {
    let text = text::body("the description", text.trim())?;
    Ok((!text.is_empty()).then_some(text))
}

/// A repository's address. Whether it may be called is decided before it is fetched from.
pub fn url(text: &str) -> Result<String> {
    text::SOURCE_URL.check("the URL", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_blank_is_absent() {
        assert_eq!(description("  ").unwrap(), None);
        assert_eq!(description(" x ").unwrap().as_deref(), Some("x"));
    }
}
