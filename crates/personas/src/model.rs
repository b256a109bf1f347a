//! The domain model: personas.

use chrono::{DateTime, NaiveDate, Utc};
use nyxcore_model_catalog::TenantCatalog;
use nyxcore_tenancy::{UserId, typed_id};

typed_id!(
    /// A persona.
    PersonaId,
    "persona"
);

/// The experience points of one level. A product rule: level = XP / 100 + 1.
const LEVEL_XP: i64 = 100;

/// The experience points of one use, whether it succeeds or not. A product rule.
pub const USE_XP: i64 = 10;

/// A model that a persona names. It may have been shut down since; the catalog then says which model is called instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonaModel {
    /// The id of its provider: a vendor, or an endpoint of the tenant.
    pub provider: String,
    /// The model's id, as it was chosen.
    pub model: String,
}

/// The model that is called for a persona on a given day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonaModelStanding {
    /// The id of the model that is called: the chosen one, or its replacement; `None` where none can be called.
    pub called: Option<String>,
    /// Why another model is called than the chosen one, or why none can be.
    pub warning: Option<String>,
}

impl PersonaModel {
    /// The model that is called on `today`, by the tenant's catalog.
    #[must_use]
    pub fn standing(&self, catalog: &TenantCatalog, today: NaiveDate) -> PersonaModelStanding {
        match catalog.resolve_at(&self.provider, &self.model, today) {
            Ok(found) => match found.replacement {
                Some(replacement) => PersonaModelStanding {
                    called: Some(replacement.to),
                    warning: Some(replacement.text),
                },
                None => PersonaModelStanding {
                    called: Some(found.asked),
                    warning: None,
                },
            },
            Err(error) => PersonaModelStanding {
                called: None,
                warning: Some(error.to_string()),
            },
        }
    }
}

/// A role that a model takes on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other fields say it")]
pub struct Persona {
    pub id: PersonaId,
    pub name: String,
    /// What it is and does; its specializations are extracted from this text unless they were given.
    pub description: String,
    /// The instruction to a model; may be empty.
    pub system_prompt: String,
    /// Its traits, in a few words each.
    pub traits: Vec<String>,
    /// Names of [`specialization_domains`](crate::specialization_domains), the strongest first.
    pub specializations: Vec<String>,
    /// Whether the specializations come from the description.
    pub auto_specialized: bool,
    pub category: Option<String>,
    /// The model that is called where no other was chosen.
    pub default_model: Option<PersonaModel>,
    /// Experience points: [`USE_XP`] per use.
    pub xp: i64,
    /// How often it was used.
    pub usage_count: i64,
    /// How many of the uses succeeded.
    pub success_count: i64,
    /// Who created it. Written once; no permission depends on it.
    pub created_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Persona {
    /// The level by the experience points, from 1.
    #[must_use]
    pub fn level(&self) -> i64 {
        self.xp / LEVEL_XP + 1
    }

    /// The share of its uses that succeeded, from 0 to 1. `None` before the first.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        (self.usage_count > 0).then(|| self.success_count as f64 / self.usage_count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn persona(xp: i64, usage_count: i64, success_count: i64) -> Persona {
        Persona {
            id: PersonaId(Uuid::nil()),
            name: String::new(),
            description: String::new(),
            system_prompt: String::new(),
            traits: Vec::new(),
            specializations: Vec::new(),
            auto_specialized: false,
            category: None,
            default_model: None,
            xp,
            usage_count,
            success_count,
            created_by: None,
            created_at: DateTime::default(),
            updated_at: DateTime::default(),
        }
    }

    #[test]
    fn a_level_takes_a_hundred_points() {
        let levels = [0, 99, 100, 250].map(|xp| persona(xp, 0, 0).level());
        assert_eq!(levels, [1, 1, 2, 3]);
    }

    #[test]
    fn what_was_never_used_has_no_success_rate() {
        assert_eq!(persona(0, 0, 0).success_rate(), None);
        assert_eq!(persona(40, 4, 3).success_rate(), Some(0.75));
    }
}
