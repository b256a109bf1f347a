//! The mutation root, one module a subject. Each field is one transaction: what it answers is committed, or nothing was done. An import is one for
//! each repository, and tells what became of it.

mod budget;
mod git_connection;
mod model;
mod note;
mod people;
mod persona;
mod post;
mod project;
mod provider_key;
mod remote;
mod run;
mod token;

use async_graphql::{Enum, MergedObject};
use nyxcore_runs::Start;

pub(crate) use budget::BudgetMutation;
pub(crate) use git_connection::GitConnectionMutation;
pub(crate) use model::ModelMutation;
pub(crate) use note::NoteMutation;
pub(crate) use people::PeopleMutation;
pub(crate) use persona::PersonaMutation;
pub(crate) use post::BlogPostMutation;
pub(crate) use project::ProjectMutation;
pub(crate) use provider_key::ProviderKeyMutation;
pub(crate) use remote::RemoteMutation;
pub(crate) use run::RunMutation;
pub(crate) use token::TokenMutation;

/// What can be changed.
#[derive(MergedObject, Default)]
pub struct Mutation(
    ProjectMutation,
    RunMutation,
    NoteMutation,
    PersonaMutation,
    TokenMutation,
    PeopleMutation,
    BlogPostMutation,
    ProviderKeyMutation,
    ModelMutation,
    BudgetMutation,
    RemoteMutation,
    GitConnectionMutation,
);

/// What became of a request to start something.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartOutcome {
    /// It was queued now.
    Started,
    /// One was active already: it is the one in the answer.
    AlreadyActive,
    /// One ended a moment ago: it is the one in the answer.
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
