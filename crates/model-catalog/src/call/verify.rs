//! Verifies a provider: lists its models, which costs nothing, and then asks its cheapest model for the shortest
//! answer, which also shows whether the account is paid.

use std::cmp::Reverse;

use nyxcore_llm::{EmbeddingPurpose, LlmError, ModelRequest, VendorErrorKind};
use nyxcore_tenancy::{Error, TenantId, UserId};

use super::EmbeddingInput;
use super::service::ModelService;
use crate::error::ModelError;
use crate::health::{HealthReport, ProviderHealth, ProviderState, health_set};
use crate::ledger::CallContext;
use crate::local::LOCAL_PROVIDER;
use crate::model::{Lifecycle, Mode};
use crate::tenant::{ModelChoice, TenantCatalog};

/// The purpose of such calls in the ledger.
const PURPOSE: &str = "verify";
/// The most tokens of the answer. OpenAI's Responses refuses less than 16.
const OUTPUT_TOKENS: u32 = 16;

impl ModelService {
    /// Verifies a provider and stores its health. The answer of the model is a call like any other: it is in the
    /// ledger, and a budget may refuse it, which says nothing of the provider.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a provider that is neither a vendor nor an endpoint; the database fails. An error of the
    /// provider is not an error here but its health.
    pub async fn verify_provider(
        &self,
        tenant: TenantId,
        user: Option<UserId>,
        provider: &str,
    ) -> Result<ProviderHealth, ModelError> {
        let inner = &self.0;
        let operator = inner.operator_keys().await?;
        let scoped = inner.store.read(tenant).await?;
        let cached = inner.tenant(&scoped, operator).await?;
        let info = cached
            .catalog
            .provider(provider)
            .ok_or(Error::NotFound("provider"))?;
        if !info.is_configured() {
            return Ok(info.health);
        }
        if info.is_local() {
            drop(scoped);
            let report = self.shortest_vector(tenant, user, &cached.catalog).await;
            let report = report.unwrap_or(HealthReport {
                state: info.health.state,
                message: info.health.message,
            });
            return self.health_save(tenant, provider, report).await;
        }
        let client = cached
            .client(&scoped, &inner.keyring, &inner.transports, &info)
            .await;
        let today = scoped.env().now().date_naive();
        drop(scoped);
        let listed = match client {
            Ok(client) => client.models().await.map(drop),
            Err(ModelError::Call(error)) => Err(error),
            Err(error) => return Err(error),
        };
        let mut report = match &listed {
            Ok(()) => Some(HealthReport::ok()),
            // A server that lists no models may still answer.
            Err(LlmError::Vendor(error)) if error.kind == VendorErrorKind::ModelNotFound => None,
            Err(error) => HealthReport::of(error),
        };
        let may_answer = report
            .as_ref()
            .is_none_or(|one| one.state == ProviderState::Ok);
        if may_answer && let Some(model) = cheapest(&cached.catalog, provider, today) {
            report = self.shortest_answer(tenant, user, model).await.or(report);
        }
        let report = report.unwrap_or(HealthReport {
            state: ProviderState::Unverified,
            message: Some("it lists no models, and there is none to try".to_owned()),
        });
        self.health_save(tenant, provider, report).await
    }

    /// Stores the health of a provider.
    async fn health_save(
        &self,
        tenant: TenantId,
        provider: &str,
        report: HealthReport,
    ) -> Result<ProviderHealth, ModelError> {
        let scoped = self.0.store.write(tenant).await?;
        health_set(&scoped, provider, &report).await?;
        let checked_at = Some(scoped.env().now());
        scoped.commit().await?;
        Ok(ProviderHealth {
            state: report.state,
            checked_at,
            message: report.message,
        })
    }

    /// The health of the local model, by the vector of one word; `None` where the tenant cannot call it, or a budget
    /// refuses.
    async fn shortest_vector(
        &self,
        tenant: TenantId,
        user: Option<UserId>,
        catalog: &TenantCatalog,
    ) -> Option<HealthReport> {
        let mut models = catalog.models().iter();
        let model = models.find(|model| model.provider == LOCAL_PROVIDER);
        let choice = ModelChoice::Model(format!("{LOCAL_PROVIDER}/{}", model?.id));
        let context = CallContext {
            user,
            ..CallContext::new(tenant, PURPOSE)
        };
        let input = EmbeddingInput {
            texts: vec!["ok".to_owned()],
            dimensions: None,
            purpose: Some(EmbeddingPurpose::Query),
        };
        match self.embed(context, choice, input).await {
            Ok(_) => Some(HealthReport::ok()),
            Err(ModelError::Call(error)) => HealthReport::of(&error),
            Err(_) => None,
        }
    }

    /// The health of a provider, by the shortest answer; `None` where that shows nothing.
    async fn shortest_answer(
        &self,
        tenant: TenantId,
        user: Option<UserId>,
        model: String,
    ) -> Option<HealthReport> {
        let context = CallContext {
            user,
            ..CallContext::new(tenant, PURPOSE)
        };
        let request = ModelRequest {
            max_output_tokens: Some(OUTPUT_TOKENS),
            ..ModelRequest::new("", "Say: ok")
        };
        match self.call(context, ModelChoice::Model(model), request).await {
            Ok(_) => Some(HealthReport::ok()),
            Err(ModelError::Call(error)) => HealthReport::of(&error),
            Err(_) => None,
        }
    }
}

/// The cheapest chat model of a provider that is neither hidden nor shut down; of equally cheap ones the newest.
fn cheapest(catalog: &TenantCatalog, provider: &str, today: chrono::NaiveDate) -> Option<String> {
    let models = catalog.models().iter().filter(|model| {
        model.provider == provider
            && model.mode == Mode::Chat
            && !model.is_hidden
            && model.lifecycle(today) != Lifecycle::ShutDown
    });
    let cheapest = models.min_by_key(|model| (model.prices.output, Reverse(model.id.clone())));
    cheapest.map(|model| model.id.clone())
}
