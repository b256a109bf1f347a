//! E-mail addresses: their syntax, and the canonical form that identifies an account.
//!
//! The canonical form is lower-case, with the domain in ASCII: `Ada@München.DE` and `ada@xn--mnchen-3ya.de` are one
//! account. The part before the `@` must be ASCII. Otherwise a letter of another script that looks like a Latin one
//! (Cyrillic `а`) would make a second account that people mistake for the first. An internationalised domain is
//! displayed as `xn--…`, where such a letter is visible.

use url::Host;

use super::limit::EMAIL;
use crate::error::{Error, Result};

/// The maximum number of bytes before the `@` (RFC 5321, 4.5.3.1.1).
const LOCAL_MAX: usize = 64;
/// The maximum number of bytes of a label of a domain (RFC 1035, 2.3.4).
const LABEL_MAX: usize = 63;

/// Returns the address in canonical form.
///
/// # Errors
/// [`Error::Invalid`] for an invalid address: two `@`, dots at an end or side by side, a quoted part, a letter outside
/// ASCII before the `@`, or an invalid domain or a network address.
pub fn email(text: &str) -> Result<String> {
    let text = EMAIL.check("the e-mail address", text)?;
    let Some((local, domain)) = text.split_once('@') else {
        return invalid("must have a name and a domain: name@example.org");
    };
    if !local.is_ascii() {
        return invalid("has a letter outside ASCII before the @");
    }
    if local.len() > LOCAL_MAX || !local.split('.').all(is_atom) {
        return invalid(
            "must have up to 64 letters, digits and signs before the @, with single dots between them",
        );
    }
    let Ok(Host::Domain(domain)) = Host::parse(domain) else {
        return invalid("must have a domain after the @, such as example.org");
    };
    if !domain.split('.').all(is_label) {
        return invalid(
            "must have a domain after the @, made of labels of letters, digits and hyphens",
        );
    }
    EMAIL.check(
        "the e-mail address",
        &format!("{}@{domain}", local.to_ascii_lowercase()),
    )
}

/// The form for finding an account: as [`email`]. If that refuses the text, its lower case, because an account may be
/// older than the syntax check.
///
/// # Errors
/// [`Error::Invalid`] for a text that cannot be the address of any account.
pub(crate) fn email_sought(text: &str) -> Result<String> {
    email(text).or_else(|error| {
        let text = EMAIL.check("the e-mail address", text)?.to_lowercase();
        match text.split_once('@') {
            Some((local, domain)) if !local.is_empty() && !domain.is_empty() => Ok(text),
            _ => Err(error),
        }
    })
}

/// Whether the text is an atom between dots (RFC 5322, 3.2.3: `atext`).
fn is_atom(part: &str) -> bool {
    let is_sign = |b: u8| b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    !part.is_empty()
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || is_sign(b))
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_MAX).contains(&label.len())
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn invalid<T>(rule: &str) -> Result<T> {
    Err(Error::Invalid(format!("the e-mail address {rule}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_address_fold_to_one() {
        for (given, kept) in [
            (" Ada@Example.ORG ", "ada@example.org"),
            ("ada+list@example.org", "ada+list@example.org"),
            ("o'neil@example.org", "o'neil@example.org"),
            ("ada@localhost", "ada@localhost"),
            ("a@münchen.de", "a@xn--mnchen-3ya.de"),
            ("A@MÜNCHEN.de", "a@xn--mnchen-3ya.de"),
            ("a@mu\u{308}nchen.de", "a@xn--mnchen-3ya.de"),
            ("a@xn--mnchen-3ya.de", "a@xn--mnchen-3ya.de"),
            ("a@XN--MNCHEN-3YA.DE", "a@xn--mnchen-3ya.de"),
            ("a@ｅｘａｍｐｌｅ.org", "a@example.org"),
            ("a@例え。jp", "a@xn--r8jz45g.jp"),
        ] {
            assert_eq!(email(given).unwrap(), kept, "{given}");
            assert_eq!(email_sought(given).unwrap(), kept, "{given}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(LOCAL_MAX + 1));
        let longer = format!("a@{}.org", "a.".repeat(130));
        for text in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a@b@example.org",
            "a@example..org",
            "a@.example.org",
            "a@example.org.",
            "a..b@example.org",
            ".a@example.org",
            "a.@example.org",
            "<script>@example.org",
            "\"a b\"@example.org",
            "a b@example.org",
            "a@exa mple.org",
            "a@example.org\nBcc: eve@example.org",
            "a\0@example.org",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a@[::1]",
            "a@1",
            "a@-example.org",
            "a@example-.org",
            "a@exa_mple.org",
            "a@xn--a.org",
            "аda@example.org",
            "ada@exam\u{202e}ple.org",
            "a\u{200b}@example.org",
            "a@example.org/x",
            "a@example.org:25",
            "a,b@example.org",
            &long,
            &longer,
        ] {
            let error = email(text).unwrap_err();
            assert_eq!(error.code(), "INVALID_INPUT", "{text:?}");
            assert!(
                error.to_string().starts_with("the e-mail address "),
                "{error}"
            );
        }
    }

    #[test]
    fn an_address_of_old_is_sought_as_it_was_kept() {
        assert_eq!(email_sought(" Аda@example.org").unwrap(), "аda@example.org");
        assert!(email_sought("ada").is_err());
        assert!(email_sought("a\0b@example.org").is_err());
    }

    proptest! {
        #[test]
        fn an_address_that_was_taken_is_taken_again(text in "[a-zA-Zä.+@-]{1,12}@[a-zA-Zäß.-]{1,20}|.{0,40}") {
            if let Ok(kept) = email(&text) {
                prop_assert_eq!(email(&kept).unwrap(), kept);
            }
        }
    }
}
