//! The runs of a tenant, by id, by project and by subject.

use std::collections::HashSet;
use std::hash::Hash;

use nyxcore_tenancy::{
    Access, Page, PageRequest, Repository, Result, Scoped, repository, root_list,
};
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use crate::entity::run;
use crate::model::{Run, RunId, RunKind, RunStatus};

repository! {
    /// Runs of a tenant.
    pub Runs: run => Run, Id = id: RunId
}

/// A filter of runs. An empty field does not filter.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct RunFilter {
    pub project_id: Option<Uuid>,
    pub kinds: Vec<RunKind>,
    pub statuses: Vec<RunStatus>,
    pub subject: Option<String>,
}

impl RunFilter {
    fn condition(&self) -> Condition {
        Condition::all()
            .add_option(self.project_id.map(|id| run::Column::ProjectId.eq(id)))
            .add_option(
                (!self.kinds.is_empty())
                    .then(|| run::Column::Kind.is_in(distinct(&self.kinds).cloned())),
            )
            .add_option(
                (!self.statuses.is_empty())
                    .then(|| run::Column::Status.is_in(distinct(&self.statuses).copied())),
            )
            .add_option(
                self.subject
                    .as_ref()
                    .map(|s| run::Column::Subject.eq(s.as_str())),
            )
    }
}

/// The values without duplicates: a client may name a value more often than a statement can bind values.
fn distinct<T: Eq + Hash>(values: &[T]) -> impl Iterator<Item = &T> {
    values.iter().collect::<HashSet<&T>>().into_iter()
}

root_list! { RunFilter => Run: run_list, run_count, |filter| filter }

/// One page of runs, newest first.
///
/// # Errors
/// The database fails.
pub async fn run_list<A: Access>(
    scoped: &Scoped<A>,
    filter: &RunFilter,
    page: &PageRequest,
) -> Result<Page<Run>> {
    Runs::list(scoped, filter.condition(), page).await
}

/// How many runs there are.
///
/// # Errors
/// The database fails.
pub async fn run_count<A: Access>(scoped: &Scoped<A>, filter: &RunFilter) -> Result<u64> {
    Runs::count(scoped, filter.condition()).await
}

/// The newest run of a subject, if there is one.
///
/// # Errors
/// The database fails.
pub async fn run_latest<A: Access>(
    scoped: &Scoped<A>,
    kind: RunKind,
    subject: &str,
) -> Result<Option<Run>> {
    let filter = RunFilter {
        kinds: vec![kind],
        subject: Some(subject.to_owned()),
        ..RunFilter::default()
    };
    let page = run_list(scoped, &filter, &PageRequest::first(1)).await?;
    Ok(page.into_items().into_iter().next())
}
