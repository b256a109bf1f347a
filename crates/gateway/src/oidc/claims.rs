//! The claims of an ID token that are used. An invalid value of any other claim does not prevent the sign-in.
//!
//! The library reads every claim of the specification and refuses the token if one has an unexpected type, such as
//! `updated_at` as a string. So it gets a token with only the claims that it verifies. The signature is verified over
//! the original token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// A problem with the data of a provider. The text names the claim, but not its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClaimError {
    /// The text is not a signed token.
    #[error("the ID token is not a signed JSON Web Token")]
    NotSigned,
    /// The body of the userinfo response is not a JSON object.
    #[error("the response of the userinfo endpoint is not a JSON object")]
    NoObject,
    /// A required claim is absent.
    #[error("the claim `{0}` is missing")]
    Missing(&'static str),
    /// A required claim has another type.
    #[error("the claim `{0}` is not {1}")]
    Type(&'static str, &'static str),
    /// A claim does not match the expected value.
    #[error("the claim `{0}` does not match")]
    Mismatch(&'static str),
}

/// The type names of claims, as [`ClaimError::Type`] writes them.
const TEXT: &str = "a text";
const TEXTS: &str = "a text or a list of texts";
const TIME: &str = "a number of seconds";
/// The longest subject (OpenID Connect Core, 2).
const SUBJECT_MAX: usize = 255;

/// The claims that the library verifies: the name, the type, and whether the claim is required.
const VERIFIED: &[(&str, &str, bool)] = &[
    ("iss", TEXT, true),
    ("sub", TEXT, true),
    ("aud", TEXTS, true),
    ("exp", TIME, true),
    ("iat", TIME, true),
    ("nonce", TEXT, true),
    ("azp", TEXT, false),
    ("at_hash", TEXT, false),
];

/// An ID token as it was sent, with its claims read and not yet verified.
#[derive(Debug, Clone)]
pub(super) struct SentToken {
    text: String,
    claims: Map<String, Value>,
}

impl SentToken {
    /// Reads a token of three parts.
    ///
    /// # Errors
    /// [`ClaimError`] names the first claim that is missing or of another type.
    pub(super) fn parse(text: &str) -> Result<Self, ClaimError> {
        let parts: Vec<&str> = text.split('.').collect();
        let [_, payload, _] = parts[..] else {
            return Err(ClaimError::NotSigned);
        };
        let payload = URL_SAFE_NO_PAD
            .decode(payload)
            .map_err(|_| ClaimError::NotSigned)?;
        let claims: Map<String, Value> =
            serde_json::from_slice(&payload).map_err(|_| ClaimError::NotSigned)?;
        for (name, kind, is_needed) in VERIFIED {
            match claims.get(*name) {
                None | Some(Value::Null) if *is_needed => return Err(ClaimError::Missing(name)),
                None | Some(Value::Null) => {}
                Some(value) if is_of(value, kind) => {}
                Some(_) => return Err(ClaimError::Type(name, kind)),
            }
        }
        let subject = claims
            .get("sub")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if subject.is_empty() || subject.len() > SUBJECT_MAX || subject.contains(char::is_control) {
            return Err(ClaimError::Type("sub", "1 to 255 characters on one line"));
        }
        Ok(Self {
            text: text.to_owned(),
            claims,
        })
    }

    /// The token reduced to the claims that the library verifies. Its signature does not fit this text.
    pub(super) fn reduced(&self) -> String {
        let named = VERIFIED.iter().filter_map(|(name, ..)| {
            let value = self.claims.get(*name).filter(|value| !value.is_null())?;
            Some(((*name).to_owned(), value.clone()))
        });
        let payload = Value::Object(named.collect()).to_string();
        let mut parts: Vec<&str> = self.text.split('.').collect();
        let payload = URL_SAFE_NO_PAD.encode(payload);
        if let Some(part) = parts.get_mut(1) {
            *part = &payload;
        }
        parts.join(".")
    }

    /// The signed part, and its signature.
    ///
    /// # Errors
    /// [`ClaimError::NotSigned`].
    pub(super) fn signed(&self) -> Result<(&[u8], Vec<u8>), ClaimError> {
        let (message, signature) = self.text.rsplit_once('.').ok_or(ClaimError::NotSigned)?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| ClaimError::NotSigned)?;
        Ok((message.as_bytes(), signature))
    }

    /// The user's profile in the token.
    pub(super) fn profile(&self) -> Profile {
        Profile::read(&self.claims)
    }
}

/// The profile of a user, from an ID token or from the userinfo endpoint. Claims of an unexpected type are absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) email: Option<String>,
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
}

impl Profile {
    fn read(claims: &Map<String, Value>) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        // Some providers write the boolean as a string (Amazon Cognito). Only `true` counts as true.
        let email_verified = match claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(verified)) => verified == "true",
            _ => false,
        };
        Self {
            email: text("email"),
            email_verified,
            name: text("name"),
        }
    }

    /// Reads the response of the userinfo endpoint, which must be about that subject (OpenID Connect Core, 5.3.2).
    ///
    /// # Errors
    /// [`ClaimError::NoObject`]; [`ClaimError`] for `sub`.
    pub(super) fn of_userinfo(body: &[u8], subject: &str) -> Result<Self, ClaimError> {
        let claims: Map<String, Value> =
            serde_json::from_slice(body).map_err(|_| ClaimError::NoObject)?;
        match claims.get("sub") {
            None | Some(Value::Null) => Err(ClaimError::Missing("sub")),
            Some(Value::String(found)) if found == subject => Ok(Self::read(&claims)),
            Some(Value::String(_)) => Err(ClaimError::Mismatch("sub")),
            Some(_) => Err(ClaimError::Type("sub", TEXT)),
        }
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match value {
        Value::String(_) => kind == TEXT || kind == TEXTS,
        Value::Array(items) => kind == TEXTS && items.iter().all(Value::is_string),
        Value::Number(_) => kind == TIME,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn needed() -> Value {
        json!({"iss": "https://id.example", "sub": "ada", "aud": "nyxcore", "exp": 2, "iat": 1, "nonce": "n"})
    }

    fn token(claims: &Value) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!(
            "{}.{}.{}",
            part(r#"{"alg":"RS256"}"#),
            part(&claims.to_string()),
            part("signature")
        )
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = needed();
        claims[name] = value;
        claims
    }

    #[test]
    fn odd_claims_that_are_not_needed_are_ignored() {
        let mut claims = needed();
        for (name, value) in [
            ("updated_at", json!("2026-01-02T03:04:05.678Z")),
            ("locale", json!({"language": "de"})),
            ("address", json!("a text")),
            ("name", json!(["Ada"])),
            ("email", json!({"value": "ada@example.org"})),
            ("birthdate", json!(1815)),
            ("phone_number_verified", json!("yes")),
            ("gender", json!(null)),
            ("zoneinfo", json!(1)),
            ("auth_time", json!("now")),
            ("amr", json!("pwd")),
            ("acr", json!(1)),
        ] {
            claims[name] = value;
        }
        let sent = SentToken::parse(&token(&claims)).unwrap();
        assert_eq!(
            sent.profile(),
            Profile {
                email: None,
                email_verified: false,
                name: None
            }
        );
        let payload = sent.reduced();
        let payload = URL_SAFE_NO_PAD
            .decode(payload.split('.').nth(1).unwrap())
            .unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&payload).unwrap(), needed());
    }

    #[test]
    fn what_was_signed_is_the_text_that_was_sent() {
        let text = token(&with("locale", json!(1)));
        let sent = SentToken::parse(&text).unwrap();
        let (message, signature) = sent.signed().unwrap();
        assert_eq!(
            (message, signature.as_slice()),
            (
                text.rsplit_once('.').unwrap().0.as_bytes(),
                &b"signature"[..]
            )
        );
    }

    #[test]
    fn an_error_names_the_claim() {
        for (claims, words) in [
            (with("iss", json!(null)), "the claim `iss` is missing"),
            (with("sub", json!(7)), "the claim `sub` is not a text"),
            (
                with("sub", json!("")),
                "the claim `sub` is not 1 to 255 characters on one line",
            ),
            (
                with("sub", json!("a\u{0}b")),
                "the claim `sub` is not 1 to 255 characters on one line",
            ),
            (
                with("aud", json!({})),
                "the claim `aud` is not a text or a list of texts",
            ),
            (
                with("aud", json!(["a", 1])),
                "the claim `aud` is not a text or a list of texts",
            ),
            (
                with("exp", json!("2030-01-01T00:00:00Z")),
                "the claim `exp` is not a number of seconds",
            ),
            (
                with("nonce", json!(true)),
                "the claim `nonce` is not a text",
            ),
            (
                with("azp", json!(["nyxcore"])),
                "the claim `azp` is not a text",
            ),
        ] {
            assert_eq!(
                SentToken::parse(&token(&claims)).unwrap_err().to_string(),
                words
            );
        }
        for text in ["", "a.b", "a.b.c.d.e", "a.!.c", &token(&json!([]))] {
            assert_eq!(
                SentToken::parse(text).unwrap_err(),
                ClaimError::NotSigned,
                "{text}"
            );
        }
    }

    #[test]
    fn an_address_is_confirmed_by_true_and_nothing_else() {
        let verified = |value: Value| {
            let claims = with("email_verified", value);
            SentToken::parse(&token(&claims))
                .unwrap()
                .profile()
                .email_verified
        };
        assert!(verified(json!(true)) && verified(json!("true")));
        for value in [
            json!(false),
            json!("false"),
            json!("1"),
            json!(1),
            json!(["true"]),
            json!([true]),
            json!(null),
            json!("TRUE"),
            json!(" true"),
            json!("yes"),
            json!(""),
            json!({}),
            json!({"true": true}),
        ] {
            assert!(!verified(value.clone()), "{value}");
        }
        assert!(
            !SentToken::parse(&token(&needed()))
                .unwrap()
                .profile()
                .email_verified
        );
    }

    #[test]
    fn userinfo_is_of_the_same_subject() {
        let read = |body: &str| Profile::of_userinfo(body.as_bytes(), "ada");
        let told = read(
            r#"{"sub": "ada", "email": "ada@example.org", "email_verified": "true", "locale": 1}"#,
        );
        assert!(told.unwrap().email_verified);
        for (body, error) in [
            (r#"{"sub": "eve"}"#, ClaimError::Mismatch("sub")),
            (
                r#"{"email": "ada@example.org"}"#,
                ClaimError::Missing("sub"),
            ),
            (r#"{"sub": ["ada"]}"#, ClaimError::Type("sub", TEXT)),
            ("[]", ClaimError::NoObject),
            ("eyJh.eyJz.c2ln", ClaimError::NoObject),
        ] {
            assert_eq!(read(body).unwrap_err(), error, "{body}");
        }
    }
}
