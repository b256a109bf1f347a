//! Validates texts from users and programs against one table of limits.
//!
//! Every crate that stores text validates it here, so that both databases accept the same texts, and the messages are
//! the same. The limits are in [`LIMITS`], which `docs/limits.md` prints.
//!
//! ```
//! use nyxcore_tenancy::text;
//!
//! assert_eq!(text::name("the name", "  Atlas ").unwrap(), "Atlas");
//! assert!(text::name("the name", "Atlas\u{202e}").is_err());
//! ```

mod character;
mod email;
mod limit;
mod search;

use chrono::{DateTime, Datelike, Utc};

pub use email::email;
pub(crate) use email::email_sought;
pub use limit::{
    ACTION_POINT, API_KEY, BASE_URL, BODY, BRANCH, EMAIL, FILE_PATH, FILTER, Form, LIMITS, Limit,
    NAME, PASSWORD, SCAN_PATH, SEARCH, SLUG, SOURCE_REF, SOURCE_URL, TAG, Unit, limits_text,
};
pub use search::{SearchText, contains};

use crate::error::{Error, Result};

impl Limit {
    /// Checks `text` against this limit and returns the text to store. One-line texts are stored without surrounding
    /// white space. `what` names the text in the error, such as `the project's name`.
    ///
    /// # Errors
    /// [`Error::Invalid`] contains `what` and the rule, and never the text.
    pub fn check(&self, what: &str, text: &str) -> Result<String> {
        let text = match self.form {
            Form::Name | Form::Line => text.trim(),
            Form::Text => text,
        };
        if text.contains('\0') {
            return Err(Error::Invalid(format!(
                "{what} contains the character U+0000, which cannot be stored"
            )));
        }
        let length = self.length(text);
        if !(self.min..=self.max).contains(&length) {
            let (min, max, unit) = (self.min, self.max, self.unit.as_str());
            return Err(Error::Invalid(format!(
                "{what} must have {min} to {max} {unit}, not {length}"
            )));
        }
        let offending = match self.form {
            Form::Name => text.chars().find(|c| character::is_unfit_for_names(*c)),
            Form::Line => text.chars().find(|c| character::breaks_line(*c)),
            Form::Text => None,
        };
        match offending {
            None => Ok(text.to_owned()),
            Some(c) => Err(Error::Invalid(format!(
                "{what} contains the character U+{:04X}: it must be one line {}",
                u32::from(c),
                match self.form {
                    Form::Name => "without control characters and invisible characters",
                    Form::Line | Form::Text => "without control characters",
                }
            ))),
        }
    }

    /// As [`Limit::check`]; a blank text is absent.
    ///
    /// # Errors
    /// As [`Limit::check`].
    pub fn check_optional(&self, what: &str, text: Option<&str>) -> Result<Option<String>> {
        text.filter(|text| !text.trim().is_empty())
            .map(|text| self.check(what, text))
            .transpose()
    }

    fn length(&self, text: &str) -> usize {
        match self.unit {
            Unit::Characters => text.chars().count(),
            Unit::Bytes => text.len(),
        }
    }
}

/// Checks a name or title: one line of 1 to 200 characters, without invisible characters.
///
/// # Errors
/// As [`Limit::check`].
pub fn name(what: &str, text: &str) -> Result<String> {
    NAME.check(what, text)
}

/// Checks a text of any number of lines, which may be empty.
///
/// # Errors
/// As [`Limit::check`].
pub fn body(what: &str, text: &str) -> Result<String> {
    BODY.check(what, text)
}

/// As [`body`], with at least one character that is no white space.
///
/// # Errors
/// As [`Limit::check`], and for a blank text.
pub fn body_filled(what: &str, text: &str) -> Result<String> {
    if text.trim().is_empty() {
        return Err(Error::Invalid(format!(
            "{what} must have 1 to {} {}, not 0",
            BODY.max,
            BODY.unit.as_str()
        )));
    }
    BODY.check(what, text)
}

/// As [`body`]; a blank text is absent.
///
/// # Errors
/// As [`Limit::check`].
pub fn body_optional(what: &str, text: Option<&str>) -> Result<Option<String>> {
    BODY.check_optional(what, text)
}

/// Checks a filter that is compared with a stored text: one line of up to 2,000 bytes.
///
/// # Errors
/// As [`Limit::check`].
pub fn filter(what: &str, text: &str) -> Result<String> {
    FILTER.check(what, text)
}

/// Cleans a name that another program wrote, such as a heading of a file, so that [`name`] accepts it. `None` if
/// nothing is left.
pub fn name_cleaned(text: &str) -> Option<String> {
    let visible = text.chars().filter(|c| !character::is_invisible(*c));
    let plain: String = visible
        .map(|c| if character::breaks_line(c) { ' ' } else { c })
        .collect();
    let cut: String = plain.trim().chars().take(NAME.max).collect();
    let cut = cut.trim_end();
    (!cut.is_empty()).then(|| cut.to_owned())
}

/// Checks that both databases can store and order a time: its year in UTC is 1 to 9999.
///
/// # Errors
/// [`Error::Invalid`] contains `what` and the rule.
pub fn time(what: &str, at: DateTime<Utc>) -> Result<DateTime<Utc>> {
    if (1..=9999).contains(&at.year()) {
        Ok(at)
    } else {
        Err(Error::Invalid(format!(
            "{what} must be in the years 1 to 9999 of UTC"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_trimmed_and_bounded() {
        assert_eq!(name("the name", "  Atlas ").unwrap(), "Atlas");
        assert!(name("the name", " \n ").is_err());
        assert!(name("the name", &"ä".repeat(NAME.max)).is_ok());
        assert!(name("the name", &"ä".repeat(NAME.max + 1)).is_err());
    }

    #[test]
    fn a_name_has_no_invisible_characters() {
        for c in [
            '\u{0}',
            '\u{7}',
            '\n',
            '\r',
            '\t',
            '\u{7f}',
            '\u{85}',
            '\u{ad}',
            '\u{61c}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202b}',
            '\u{202c}',
            '\u{202d}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2067}',
            '\u{2068}',
            '\u{2069}',
            '\u{206f}',
            '\u{3164}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{e0001}',
            '\u{e0041}',
        ] {
            let error = name("the name", &format!("a{c}b")).unwrap_err();
            assert_eq!(error.code(), "INVALID_INPUT", "{c:?}");
            assert!(error.to_string().starts_with("the name "), "{error}");
            assert!(!error.to_string().contains(c) || c == ' ', "{error}");
        }
    }

    #[test]
    fn a_name_may_be_of_any_script() {
        for text in [
            "Ада",
            "明日香",
            "עדה",
            "علي",
            "Zoë ❤\u{fe0f}",
            "O'Neil & Söhne (2)",
            "ａ",
        ] {
            assert_eq!(name("the name", text).unwrap(), text);
        }
    }

    #[test]
    fn a_body_may_be_empty_but_has_no_nul() {
        assert_eq!(body("the body", "").unwrap(), "");
        assert_eq!(
            body("the body", " two\nlines\u{200b} ").unwrap(),
            " two\nlines\u{200b} "
        );
        assert!(body("the body", "a\0b").is_err());
        assert!(body("the body", &"x".repeat(BODY.max + 1)).is_err());
        assert!(body_filled("the body", " \n").is_err());
    }

    #[test]
    fn an_error_does_not_repeat_the_text() {
        let error = name("the name", &"secret".repeat(100)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the name must have 1 to 200 characters, not 600"
        );
    }

    #[test]
    fn a_blank_optional_text_is_absent() {
        assert_eq!(
            TAG.check_optional("the category", Some("  ")).unwrap(),
            None
        );
        assert_eq!(TAG.check_optional("the category", None).unwrap(), None);
        assert_eq!(body_optional("the suggestion", Some(" ")).unwrap(), None);
        assert!(body_optional("the suggestion", Some("a\0b")).is_err());
        let given = TAG.check_optional("the category", Some(" tools "));
        assert_eq!(given.unwrap().as_deref(), Some("tools"));
    }

    #[test]
    fn a_time_is_one_that_both_databases_hold() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        for good in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"] {
            assert!(time("the expiry", at(good)).is_ok(), "{good}");
        }
        for bad in [
            "0000-12-31T23:59:59Z",
            "+10000-01-01T00:00:00Z",
            "9999-12-31T23:59:59-14:00",
            "-4713-01-01T00:00:00Z",
            "+262142-12-31T23:59:59Z",
        ] {
            assert!(time("the expiry", at(bad)).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_cleaned_name_is_a_name(text in "\\PC{0,300}|.{0,300}|[\u{200b}\u{202e}\n a]{0,20}") {
            if let Some(cleaned) = name_cleaned(&text) {
                prop_assert_eq!(name("the name", &cleaned).unwrap(), cleaned);
            }
        }

        #[test]
        fn a_name_that_passes_is_not_cleaned(text in "\\PC{1,200}") {
            if let Ok(name) = name("the name", &text) {
                prop_assert_eq!(name_cleaned(&name), Some(name));
            }
        }
    }
}
