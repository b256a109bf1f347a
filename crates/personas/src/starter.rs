//! The starter personas of a tenant: the people of a software team, each with its instruction to a model.

use std::collections::HashSet;
use std::sync::LazyLock;

use nyxcore_tenancy::{Action, ReadWrite, Repository, Result, Scoped, UserId};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;

use crate::entity::persona::{Column, Entity};
use crate::model::{Persona, PersonaId};
use crate::registration::PERSONA;
use crate::repository::Personas;
use crate::service::{NewPersona, persona_row};

/// A persona of the starter set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StarterPersona {
    /// The key that identifies it permanently, even if it is renamed: `technical-writer`.
    pub key: String,
    /// The name it is installed with.
    pub name: String,
    /// Its category.
    pub category: String,
    /// Its traits, in a few words each.
    pub traits: Vec<String>,
    /// What it is and does. Its specializations are extracted from this text.
    pub description: String,
    /// The instruction to a model.
    pub system_prompt: String,
}

#[derive(Deserialize)]
struct File {
    persona: Vec<StarterPersona>,
}

static STARTER: LazyLock<Vec<StarterPersona>> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("../data/starter.toml"))
        .expect("the embedded file is checked by the tests");
    file.persona
});

/// The starter set, in the order in which it is installed.
#[must_use]
pub fn starter_personas() -> &'static [StarterPersona] {
    &STARTER
}

/// The result of installing the starter set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarterInstallation {
    /// The personas that were added, in the order of the set.
    pub installed: Vec<Persona>,
    /// The names of those that were not added: the tenant already has the starter persona, perhaps renamed, or another
    /// persona has its name.
    pub skipped: Vec<String>,
}

/// Adds the personas of the starter set that the tenant does not have. Existing personas stay unchanged. If two calls
/// run at the same time, only one of them adds a given persona.
///
/// # Errors
/// The database fails.
pub async fn starter_personas_install(
    scoped: &Scoped<ReadWrite>,
    created_by: Option<UserId>,
) -> Result<StarterInstallation> {
    scoped.permit(Action::Create, PERSONA, None)?;
    let taken = names_taken(scoped).await?;
    let mut rows = Vec::new();
    let mut ids = Vec::new();
    for starter in starter_personas() {
        if taken.contains(&starter.name) {
            continue;
        }
        let id = PersonaId(scoped.env().id());
        let mut row = persona_row(scoped, id, starter.to_new(created_by), None)?;
        row.starter = Set(Some(starter.key.clone()));
        rows.push(row);
        ids.push(id);
    }
    // The unique key decides which are inserted, also against a concurrent installation.
    scoped.upsert_all(rows, &[Column::Starter], &[]).await?;
    let mut added = Personas::get_many(scoped, &ids).await?;
    let installed: Vec<Persona> = ids.iter().filter_map(|id| added.remove(id)).collect();
    let names: HashSet<&str> = installed
        .iter()
        .map(|persona| persona.name.as_str())
        .collect();
    let all = starter_personas().iter().map(|starter| &starter.name);
    let skipped = all
        .filter(|name| !names.contains(name.as_str()))
        .cloned()
        .collect();
    scoped.audit_detail(serde_json::json!({ "starter": true, "installed": installed.len() }));
    Ok(StarterInstallation { installed, skipped })
}

/// The names of the set that existing personas already have.
async fn names_taken(scoped: &Scoped<ReadWrite>) -> Result<HashSet<String>> {
    let names = starter_personas()
        .iter()
        .map(|starter| starter.name.as_str());
    let rows: Vec<(String,)> = scoped
        .find_in::<Entity, _>(Column::Name, names)
        .columns([Column::Name])
        .await?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

impl StarterPersona {
    fn to_new(&self, created_by: Option<UserId>) -> NewPersona {
        NewPersona {
            name: self.name.clone(),
            description: self.description.clone(),
            system_prompt: Some(self.system_prompt.clone()),
            traits: self.traits.clone(),
            category: Some(self.category.clone()),
            created_by,
            ..NewPersona::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specialization::specializations_top;

    #[test]
    fn a_software_teams_personas_are_in_the_set() {
        let keys: HashSet<&str> = starter_personas()
            .iter()
            .map(|one| one.key.as_str())
            .collect();
        let names: HashSet<&str> = starter_personas()
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        let count = starter_personas().len();
        assert!((8..=12).contains(&count), "{count}");
        assert_eq!((keys.len(), names.len()), (count, count));
    }

    #[test]
    fn each_persona_has_a_domain_and_a_full_prompt() {
        let firsts: Vec<(&str, &str)> = starter_personas()
            .iter()
            .map(|one| {
                assert!(one.system_prompt.chars().count() > 600, "{}", one.key);
                assert!(one.traits.len() >= 3, "{}", one.key);
                let top = specializations_top(&one.description);
                (
                    one.key.as_str(),
                    top.first().map_or("none", |found| found.domain),
                )
            })
            .collect();
        assert_eq!(
            firsts,
            [
                ("frontend-engineer", "frontend"),
                ("backend-engineer", "backend"),
                ("mobile-engineer", "mobile"),
                ("database-specialist", "databases"),
                ("security-reviewer", "security"),
                ("test-engineer", "testing"),
                ("software-architect", "architecture"),
                ("site-reliability-engineer", "devops"),
                ("performance-engineer", "performance"),
                ("technical-writer", "documentation"),
                ("product-manager", "product"),
                ("ux-designer", "design"),
            ]
        );
    }
}
