//! The mutation root, one module per subject. Each mutation is one transaction: it is committed as a whole or changes
//! nothing. An import is one transaction per repository and reports each result.

mod budget;
mod git_connection;
mod knowledge;
mod model;
mod note;
mod people;
mod persona;
mod post;
mod project;
mod provider_key;
mod remote;
mod run;
mod template;
mod token;

use async_graphql::{Enum, MergedObject};
use nyxcore_runs::Start;

pub(crate) use budget::BudgetMutation;
pub(crate) use git_connection::GitConnectionMutation;
pub(crate) use knowledge::KnowledgeMutation;
pub(crate) use model::ModelMutation;
pub(crate) use note::NoteMutation;
pub(crate) use people::PeopleMutation;
pub(crate) use persona::PersonaMutation;
pub(crate) use post::BlogPostMutation;
pub(crate) use project::ProjectMutation;
pub(crate) use provider_key::ProviderKeyMutation;
pub(crate) use remote::RemoteMutation;
pub(crate) use run::RunMutation;
pub(crate) use template::TemplateMutation;
pub(crate) use token::TokenMutation;

/// The mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(
    ProjectMutation,
    RunMutation,
    NoteMutation,
    KnowledgeMutation,
    PersonaMutation,
    TokenMutation,
    PeopleMutation,
    BlogPostMutation,
    ProviderKeyMutation,
    ModelMutation,
    BudgetMutation,
    RemoteMutation,
    GitConnectionMutation,
    TemplateMutation,
);

/// The result of a request to start a run.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartOutcome {
    /// A new run was queued.
    Started,
    /// A run was already active. The payload contains that run.
    AlreadyActive,
    /// A run ended recently. The payload contains that run.
    RecentlyCompleted,
}

impl From<&Start> for StartOutcome {
    fn from(start: &Start) -> Self {
        match start {
            Start::Started(_) => Self::Started,
            Start::AlreadyActive(_) => Self::AlreadyActive,
            Start::RecentlyCompleted(_) => Self::RecentlyCompleted,
        }
    }
}
