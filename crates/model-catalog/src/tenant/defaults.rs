//! The default models where nobody chose one: the member's, the tenant's, or else those of the product.

use std::collections::{HashMap, HashSet};

use nyxcore_tenancy::{Access, Action, Error, ReadWrite, Result, Scoped, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition};

use super::own_model::model_id_check;
use super::resolve::ResolvedModel;
use super::settings_changed;
use super::view::TenantCatalog;
use crate::entity::{member_default, tenant_default};
use crate::error::ModelError;
use crate::model::{Capability, Mode};
use crate::named::named;
use crate::registration::{MODEL_SETTINGS, OWN_MODEL_DEFAULT};

named!(
    /// The purpose of a default.
    DefaultPurpose {
        /// Everything without a purpose of its own.
        Default = "default",
        /// Short, frequent calls.
        Fast = "fast",
        /// Vectors.
        Embedding = "embedding",
        /// Reviews of code and text.
        Review = "review",
    }
);

impl DefaultPurpose {
    /// The mode that a model for this purpose must have.
    #[must_use]
    pub const fn mode(self) -> Mode {
        match self {
            Self::Embedding => Mode::Embedding,
            Self::Default | Self::Fast | Self::Review => Mode::Chat,
        }
    }

    /// The capability that a model for this purpose must have.
    #[must_use]
    pub const fn capability(self) -> Capability {
        match self {
            Self::Embedding => Capability::Embedding,
            Self::Default | Self::Fast | Self::Review => Capability::Chat,
        }
    }
}

/// Sets the tenant's default for a purpose; `None` goes back to the rules of the product.
///
/// # Errors
/// As [`member_default_set`].
pub async fn tenant_default_set(
    scoped: &Scoped<ReadWrite>,
    purpose: DefaultPurpose,
    model: Option<&str>,
) -> Result<(), ModelError> {
    scoped.permit(Action::Update, MODEL_SETTINGS, None)?;
    scoped.audit_detail(serde_json::json!({"purpose": purpose.as_str(), "model": model}));
    use tenant_default::{ActiveModel, Column, Entity};
    let Some(model) = model else {
        let which = Column::Purpose.eq(purpose.as_str());
        scoped.delete::<Entity>(which).await?;
        return Ok(settings_changed(scoped).await?);
    };
    model_check(scoped, purpose, model).await?;
    let row = ActiveModel {
        purpose: Set(purpose.as_str().to_owned()),
        model_id: Set(model.to_owned()),
        ..Default::default()
    };
    scoped
        .upsert_all(vec![row], &[Column::Purpose], &[Column::ModelId])
        .await?;
    Ok(settings_changed(scoped).await?)
}

/// Sets a member's own default for a purpose; `None` goes back to the tenant's.
///
/// # Errors
/// [`ModelError::Unknown`] and [`ModelError::Unfit`] for a model that cannot be a default; [`Error::NotFound`] for a
/// user who is not a member.
pub async fn member_default_set(
    scoped: &Scoped<ReadWrite>,
    user: UserId,
    purpose: DefaultPurpose,
    model: Option<&str>,
) -> Result<(), ModelError> {
    scoped.permit(Action::Update, OWN_MODEL_DEFAULT, user.0)?;
    // A member sets only their own defaults.
    if scoped.caller().is_some_and(|caller| caller.user != user) {
        return Err(Error::NotFound("member").into());
    }
    scoped.audit_detail(serde_json::json!({"purpose": purpose.as_str(), "model": model}));
    use member_default::{ActiveModel, Column, Entity};
    let Some(model) = model else {
        let which = Condition::all()
            .add(Column::UserId.eq(user))
            .add(Column::Purpose.eq(purpose.as_str()));
        scoped.delete::<Entity>(which).await?;
        return Ok(());
    };
    model_check(scoped, purpose, model).await?;
    let row = ActiveModel {
        user_id: Set(user),
        purpose: Set(purpose.as_str().to_owned()),
        model_id: Set(model.to_owned()),
        ..Default::default()
    };
    let key = [Column::UserId, Column::Purpose];
    scoped
        .upsert_all(vec![row], &key, &[Column::ModelId])
        .await?;
    Ok(())
}

/// Checks a default: it must be known, visible and of the purpose's mode; it may be retiring.
async fn model_check<A: Access>(
    scoped: &Scoped<A>,
    purpose: DefaultPurpose,
    model: &str,
) -> Result<(), ModelError> {
    let catalog = TenantCatalog::load(scoped, HashSet::new()).await?;
    let today = scoped.env().now().date_naive();
    mode_check(&catalog.resolve(model, today)?, purpose)
}

/// Resolves the model that somebody chooses for a purpose, to be stored and called later. It must be known, visible and
/// of the purpose's mode. It may be retiring, or be shut down where it has a replacement. With a `provider` it must be
/// that provider's.
///
/// # Errors
/// [`Error::Invalid`] for a malformed id; [`ModelError::Unknown`], also for another provider's model;
/// [`ModelError::Hidden`], [`ModelError::ShutDown`], [`ModelError::Unfit`].
pub async fn model_choose<A: Access>(
    scoped: &Scoped<A>,
    purpose: DefaultPurpose,
    provider: Option<&str>,
    model: &str,
) -> Result<ResolvedModel, ModelError> {
    let model = model_id_check("the model's id", model.trim())?;
    let provider = provider
        .map(|provider| model_id_check("the provider", provider.trim()))
        .transpose()?;
    let catalog = TenantCatalog::load(scoped, HashSet::new()).await?;
    let today = scoped.env().now().date_naive();
    let resolved = match provider {
        Some(provider) => catalog.resolve_at(&provider, &model, today)?,
        None => catalog.resolve(&model, today)?,
    };
    mode_check(&resolved, purpose)?;
    Ok(resolved)
}

fn mode_check(resolved: &ResolvedModel, purpose: DefaultPurpose) -> Result<(), ModelError> {
    if resolved.model.mode == purpose.mode() {
        return Ok(());
    }
    Err(ModelError::Unfit {
        model: resolved.asked.clone(),
        reason: match purpose.mode() {
            Mode::Embedding => "it makes no vectors",
            Mode::Chat => "it answers no messages",
        },
    })
}

pub(super) async fn defaults_of_tenant<A: Access>(
    scoped: &Scoped<A>,
) -> Result<HashMap<DefaultPurpose, String>> {
    let rows = scoped.find::<tenant_default::Entity>().all().await?;
    let pair =
        |row: tenant_default::Model| Some((DefaultPurpose::parse(&row.purpose)?, row.model_id));
    Ok(rows.into_iter().filter_map(pair).collect())
}

/// The model that the tenant set for a purpose; `None` where the rules of the product decide.
///
/// # Errors
/// The database fails.
pub async fn tenant_default_get<A: Access>(
    scoped: &Scoped<A>,
    purpose: DefaultPurpose,
) -> Result<Option<String>> {
    let row = scoped.find::<tenant_default::Entity>();
    let row = row.filter(tenant_default::Column::Purpose.eq(purpose.as_str()));
    Ok(row.one().await?.map(|row| row.model_id))
}

/// A member's own defaults.
///
/// # Errors
/// The database fails.
pub async fn member_defaults<A: Access>(
    scoped: &Scoped<A>,
    user: UserId,
) -> Result<HashMap<DefaultPurpose, String>> {
    scoped.permit(Action::Read, OWN_MODEL_DEFAULT, user.0)?;
    let rows = scoped.find::<member_default::Entity>();
    let rows = rows.filter(member_default::Column::UserId.eq(user));
    let pair =
        |row: member_default::Model| Some((DefaultPurpose::parse(&row.purpose)?, row.model_id));
    Ok(rows.all().await?.into_iter().filter_map(pair).collect())
}
