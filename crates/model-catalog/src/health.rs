//! The health of a tenant's provider: whether its key works and its server answers.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use nyxcore_llm::{LlmError, VendorErrorKind};
use nyxcore_tenancy::{Access, ReadWrite, Result, Scoped};
use sea_orm::ActiveValue::Set;

use crate::entity::provider_state;
use crate::named::named;

named!(
    /// The state of a provider.
    ProviderState {
        /// There is no key. It is never stored: it follows from the keys.
        Unconfigured = "UNCONFIGURED",
        /// There is a key that was not tried yet.
        Unverified = "UNVERIFIED",
        /// It answers.
        Ok = "OK",
        /// It refuses the key.
        InvalidKey = "INVALID_KEY",
        /// The account is not paid or its quota is used up.
        QuotaExceeded = "QUOTA_EXCEEDED",
        /// Too many requests for now.
        RateLimited = "RATE_LIMITED",
        /// It does not answer, or not by its API.
        Unreachable = "UNREACHABLE",
    }
);

/// The health of a provider, and since when it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderHealth {
    /// How it stands.
    pub state: ProviderState,
    /// When it was found out; `None` where the provider was never called.
    pub checked_at: Option<DateTime<Utc>>,
    /// Details: the vendor's message where it refused.
    pub message: Option<String>,
}

/// What a call showed of the health of its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HealthReport {
    pub(crate) state: ProviderState,
    pub(crate) message: Option<String>,
}

impl HealthReport {
    /// The provider answered.
    pub(crate) fn ok() -> Self {
        Self {
            state: ProviderState::Ok,
            message: None,
        }
    }

    /// The health that an error shows; `None` where the error is about the request and not about the provider.
    pub(crate) fn of(error: &LlmError) -> Option<Self> {
        let state = match error {
            LlmError::KeyInvalid(_) => ProviderState::InvalidKey,
            LlmError::Vendor(vendor) => match vendor.kind {
                VendorErrorKind::Unauthenticated | VendorErrorKind::Forbidden => {
                    ProviderState::InvalidKey
                }
                VendorErrorKind::QuotaExceeded => ProviderState::QuotaExceeded,
                VendorErrorKind::RateLimited => ProviderState::RateLimited,
                VendorErrorKind::Overloaded
                | VendorErrorKind::Timeout
                | VendorErrorKind::Failed => ProviderState::Unreachable,
                _ => return None,
            },
            LlmError::AddressRefused
            | LlmError::Unreachable
            | LlmError::CertificateInvalid
            | LlmError::ConnectionReset
            | LlmError::FirstByteTimeout(_)
            | LlmError::Redirected(_)
            | LlmError::AnswerNotApi => ProviderState::Unreachable,
            _ => return None,
        };
        // The vendor's message is limited in length and contains no key.
        let message = match error {
            LlmError::Vendor(vendor) => vendor.message.clone(),
            other => other.to_string(),
        };
        Some(Self {
            state,
            message: Some(message),
        })
    }
}

/// Stores the health of a provider.
pub(crate) async fn health_set(
    scoped: &Scoped<ReadWrite>,
    provider: &str,
    report: &HealthReport,
) -> Result<()> {
    use provider_state::Column;
    let row = provider_state::ActiveModel {
        provider: Set(provider.to_owned()),
        state: Set(report.state),
        message: Set(report.message.clone()),
        checked_at: Set(scoped.env().now()),
        ..Default::default()
    };
    let changed = [Column::State, Column::Message, Column::CheckedAt];
    scoped
        .upsert_all(vec![row], &[Column::Provider], &changed)
        .await
}

/// The stored health of the tenant's providers, by provider.
pub(crate) async fn health_all<A: Access>(
    scoped: &Scoped<A>,
) -> Result<HashMap<String, ProviderHealth>> {
    let rows = scoped.find::<provider_state::Entity>().all().await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let health = ProviderHealth {
                state: row.state,
                checked_at: Some(row.checked_at),
                message: row.message,
            };
            (row.provider, health)
        })
        .collect())
}
