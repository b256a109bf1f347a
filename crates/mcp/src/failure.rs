//! The failure of a tool: a stable code, a message, and advice.

use std::borrow::Cow;

use nyxcore_tenancy::{Error, IdError};

/// Why a call failed, for the model that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolFailure {
    /// A stable code. It is the one of the GraphQL API, where that has the same failure.
    pub code: Cow<'static, str>,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What to do about it, as a sentence without a full stop.
    pub advice: Cow<'static, str>,
}

impl ToolFailure {
    pub(crate) fn new(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        advice: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            advice: advice.into(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("INVALID_INPUT", message, CORRECT)
    }

    /// The failure as a text for the model.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "error[{}]: {}. {}.",
            self.code,
            self.message,
            sentence(&self.advice)
        )
    }
}

const CORRECT: &str = "correct the arguments and call again";

/// The text with its first letter in upper case.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

impl From<Error> for ToolFailure {
    fn from(error: Error) -> Self {
        let code = error.code();
        match &error {
            Error::Database(source) => tracing::error!(?source, "the database failed"),
            Error::Unreachable(source) => tracing::warn!(?source, "the database cannot be reached"),
            _ => {}
        }
        if code == "INTERNAL" {
            return Self::new(
                code,
                "something went wrong on the server",
                "do not repeat the call; its cause is in the server's log",
            );
        }
        let advice = match &error {
            Error::NotFound(_) => "list what there is with `projects` or `search`",
            Error::Conflict(_) => "it is written already: find it with `search`",
            Error::Forbidden(_) | Error::TokenForbidden { .. } | Error::SessionNeeded => {
                "ask the user for a token of a higher role"
            }
            Error::ReadTooLarge => "ask for less: name a path, a kind or a project",
            error if error.is_passing() => "wait a second and call again",
            Error::Invalid(_) | Error::InvalidCursor => CORRECT,
            _ => "tell the user: only an operator can change this",
        };
        Self::new(code, error.to_string(), advice)
    }
}

impl From<IdError> for ToolFailure {
    fn from(error: IdError) -> Self {
        let advice = format!(
            "an id looks like {}_01h455vb4pex5vsknk084sn02q",
            error.expected
        );
        Self::new("INVALID_ID", error.to_string(), advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_reads_as_code_cause_and_advice() {
        let failure = ToolFailure::from(Error::NotFound("project"));
        assert_eq!(
            failure.text(),
            "error[NOT_FOUND]: no such project. List what there is with `projects` or `search`."
        );
    }

    #[test]
    fn what_is_wrong_inside_is_not_told() {
        let failure = ToolFailure::from(Error::NotBound);
        assert_eq!(failure.code, "INTERNAL");
        assert!(!failure.text().contains("bound"), "{failure:?}");
    }
}
