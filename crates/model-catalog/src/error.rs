//! The errors of parsing a catalogue, and the reasons why a model is not called.

/// Why a catalogue file was refused.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file is not JSON, or not JSON of the expected shape.
    #[error("the model catalogue is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Two entries carry the same id.
    #[error("the model catalogue lists {id} twice")]
    DuplicateModel {
        /// The id that occurs twice.
        id: String,
    },
    /// A replacement points outside the catalogue, at another provider, at another mode, or back at itself.
    #[error("the model catalogue replaces {id} by {replacement}, which cannot stand in for it")]
    BadReplacement {
        /// The model that is replaced.
        id: String,
        /// What the file names as its replacement.
        replacement: String,
    },
}

impl CatalogError {
    /// A stable code for clients and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "MODEL_CATALOG_MALFORMED",
            Self::DuplicateModel { .. } => "MODEL_CATALOG_DUPLICATE",
            Self::BadReplacement { .. } => "MODEL_CATALOG_BAD_REPLACEMENT",
        }
    }
}

#[cfg(feature = "service")]
pub use service::ModelError;

#[cfg(feature = "service")]
mod service {
    use chrono::{DateTime, Utc};
    use nyxcore_llm::{LlmError, RetryAfter, VendorErrorKind};

    use crate::money::Nanousd;
    use crate::tenant::DefaultPurpose;

    /// Why a model is not called, or did not answer. No message contains a key.
    #[derive(Debug, thiserror::Error)]
    pub enum ModelError {
        /// The store returned an error.
        #[error(transparent)]
        Store(#[from] nyxcore_tenancy::Error),
        /// The wire client refused or failed.
        #[error(transparent)]
        Call(#[from] LlmError),
        /// The id is neither that of a known model nor of the tenant's own.
        #[error("there is no model \"{0}\" in the catalog")]
        Unknown(String),
        /// The tenant hides it.
        #[error("the model \"{0}\" is hidden in this tenant")]
        Hidden(String),
        /// It was shut down and no model can replace it.
        #[error("the model \"{0}\" was shut down, and no other can stand in for it")]
        ShutDown(String),
        /// No configured provider has a model for the purpose.
        #[error(
            "no model is chosen for \"{}\", and no provider with a key has one: set a key with `setProviderKey`, or one for \
             all tenants with `nyxcore models key set PROVIDER`",
            .0.as_str()
        )]
        NotChosen(DefaultPurpose),
        /// The model cannot do what the request needs.
        #[error("the model \"{model}\" cannot do this: {reason}")]
        Unfit {
            /// The model.
            model: String,
            /// What it lacks.
            reason: &'static str,
        },
        /// There is no key for the provider.
        #[error(
            "there is no key for the provider \"{0}\": set one with `setProviderKey`, or one for all tenants with \
             `nyxcore models key set {0}`"
        )]
        ProviderUnconfigured(String),
        /// The prompt does not fit. Nothing was sent.
        #[error(
            "the prompt is too long for {model}: up to {tokens} tokens ({bytes} bytes at 2.5 a token), and it takes {window}"
        )]
        ContextTooLong {
            /// The model.
            model: String,
            /// The upper bound of the prompt, in tokens.
            tokens: u64,
            /// Its size in bytes.
            bytes: u64,
            /// The context window of the model, in tokens.
            window: u64,
        },
        /// A budget does not cover the highest possible cost of the call. Nothing was sent.
        #[error(
            "the budget of {limit} for the {period} ({scope}) has {left} left, and the call may cost {needed}"
        )]
        BudgetExceeded {
            /// What the budget is for: `tenant`, `project`, `member` or `purpose`.
            scope: &'static str,
            /// Its period: `day` or `month`.
            period: &'static str,
            /// Its limit.
            limit: Nanousd,
            /// What is neither spent nor reserved.
            left: Nanousd,
            /// The highest possible cost of the call.
            needed: Nanousd,
        },
        /// The run's own budget does not cover the call. It can be raised to go on.
        #[error("the run's budget of {limit} has {left} left, and the call may cost {needed}")]
        RunBudgetExceeded {
            /// Its limit.
            limit: Nanousd,
            /// What is neither spent nor reserved.
            left: Nanousd,
            /// The highest possible cost of the call.
            needed: Nanousd,
        },
        /// The context that the caller gave is invalid.
        #[error("{0}")]
        ContextInvalid(&'static str),
        /// The program is shutting down, or more calls are under way than the queue of settlements holds.
        #[error("the server accepts no more model calls at the moment: try again later")]
        Closed,
    }

    impl ModelError {
        /// The stable code.
        #[must_use]
        pub fn code(&self) -> &'static str {
            match self {
                Self::Store(error) => error.code(),
                // These two codes would read as if the caller's own credentials were wrong.
                Self::Call(LlmError::Vendor(error)) => match error.kind {
                    VendorErrorKind::Unauthenticated => "PROVIDER_KEY_INVALID",
                    VendorErrorKind::Forbidden => "PROVIDER_FORBIDDEN",
                    kind => kind.code(),
                },
                Self::Call(error) => error.code(),
                Self::Unknown(_) => "MODEL_UNKNOWN",
                Self::Hidden(_) => "MODEL_HIDDEN",
                Self::ShutDown(_) => "MODEL_SHUT_DOWN",
                Self::NotChosen(_) => "MODEL_NOT_CHOSEN",
                Self::Unfit { .. } => "MODEL_UNFIT",
                Self::ProviderUnconfigured(_) => "PROVIDER_UNCONFIGURED",
                Self::ContextTooLong { .. } => "CONTEXT_TOO_LONG",
                Self::BudgetExceeded { .. } => "BUDGET_EXCEEDED",
                Self::RunBudgetExceeded { .. } => "RUN_BUDGET_EXCEEDED",
                Self::ContextInvalid(_) => "INVALID_INPUT",
                Self::Closed => "MODEL_SERVICE_CLOSED",
            }
        }

        /// Whether the same call may succeed later, for a run that can wait.
        #[must_use]
        pub fn is_retryable(&self) -> bool {
            match self {
                Self::Store(error) => error.is_passing(),
                Self::Call(error) => error.is_retryable(),
                Self::Closed => true,
                _ => false,
            }
        }

        /// When the vendor asks to be called again, where it said so.
        #[must_use]
        pub fn retry_after(&self, now: DateTime<Utc>) -> Option<std::time::Duration> {
            match self {
                Self::Call(error) => error.retry_after().map(|after: RetryAfter| after.wait(now)),
                _ => None,
            }
        }
    }
}
