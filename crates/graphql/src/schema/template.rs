//! Templates: the texts from which prompts for models are rendered, as the tenant uses them.

use async_graphql::{Object, SimpleObject};
use chrono::{DateTime, Utc};
use nyxcore_context::{Template, VARIABLES};

/// A template of the texts that models are given.
pub(crate) struct TemplateNode(pub(crate) Template);

#[Object(name = "Template")]
impl TemplateNode {
    /// The name.
    async fn name(&self) -> &str {
        self.0.built_in.name
    }

    /// What the template is for.
    async fn description(&self) -> &str {
        self.0.built_in.description
    }

    /// The text that is used: the tenant's own, otherwise the built-in one.
    async fn text(&self) -> &str {
        self.0.text()
    }

    /// Whether the tenant uses its own text.
    async fn is_overridden(&self) -> bool {
        self.0.own.is_some()
    }

    /// Whether the tenant may use its own text.
    async fn can_be_overridden(&self) -> bool {
        self.0.built_in.can_be_overridden
    }

    /// The number of the tenant's last change. Null if the built-in text is used.
    async fn version(&self) -> Option<i64> {
        self.0.own.as_ref().map(|own| own.version)
    }

    /// The time of the tenant's last change. Null if the built-in text is used.
    async fn updated_at(&self) -> Option<DateTime<Utc>> {
        self.0.own.as_ref().map(|own| own.updated_at)
    }

    /// The built-in text.
    async fn built_in_text(&self) -> &str {
        self.0.built_in.text
    }

    /// The version of the built-in text.
    async fn built_in_version(&self) -> i64 {
        self.0.built_in.version
    }

    /// Whether the built-in text changed after the tenant's own was written.
    async fn is_outdated(&self) -> bool {
        self.0.is_outdated()
    }

    /// The variables that the template can use.
    async fn variables(&self) -> Vec<TemplateVariableNode> {
        let variables = VARIABLES.iter();
        variables
            .map(|variable| TemplateVariableNode {
                name: variable.name,
                description: variable.description,
            })
            .collect()
    }
}

/// A variable of the templates.
#[derive(SimpleObject)]
#[graphql(name = "TemplateVariable")]
pub(crate) struct TemplateVariableNode {
    /// The name, such as `project.wisdom`.
    name: &'static str,
    /// What it contains.
    description: &'static str,
}
