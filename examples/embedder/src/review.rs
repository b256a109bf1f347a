//! The glossary's kind of run: a review goes through the terms, marks each as reviewed, and warns of those that only
//! repeat their word.

use chrono::TimeDelta;
use futures::FutureExt;
use futures::future::BoxFuture;
use nyxcore_runs::{
    Level, NewRun, Priority, RunContext, RunFailure, RunHandler, RunKind, Start, run_start,
};
use nyxcore_tenancy::{Action, PageRequest, ReadWrite, Repository, Resource, Result, Scoped};
use sea_orm::ActiveValue::Set;

use crate::row::ActiveModel;
use crate::term::{Terms, term_list};

/// Reviews of a glossary, in the policy and the audit log.
pub const REVIEW: Resource = Resource::new("glossary_review");
/// The runs that are reviews.
pub const REVIEW_RUN: RunKind = RunKind::new("GLOSSARY_REVIEW");

/// Queues a review of the tenant's glossary; one at a time, and none within a minute after the last.
///
/// # Errors
/// [`nyxcore_tenancy::Error::Forbidden`]; the database fails.
pub async fn review_start(scoped: &Scoped<ReadWrite>) -> Result<Start> {
    scoped.permit(Action::Start, REVIEW, None)?;
    let new = NewRun {
        kind: REVIEW_RUN,
        subject: "glossary".into(),
        project_id: None,
        started_by: scoped.caller().map(|caller| caller.user),
        input: serde_json::Value::Null,
        quiet_period: Some(TimeDelta::minutes(1)),
        max_attempts: 3,
        priority: Priority::Interactive,
        not_before: None,
    };
    let start = run_start(scoped, new).await?;
    scoped.audit_subject(start.run().id.0);
    Ok(start)
}

/// Carries the reviews out.
pub struct ReviewHandler;

impl RunHandler for ReviewHandler {
    fn kind(&self) -> RunKind {
        REVIEW_RUN
    }

    fn run<'a>(&'a self, context: &'a RunContext) -> BoxFuture<'a, Result<(), RunFailure>> {
        review(context).boxed()
    }
}

async fn review(context: &RunContext) -> Result<(), RunFailure> {
    let terms = {
        let scoped = context.read().await?;
        term_list(&scoped, &PageRequest::first(200))
            .await?
            .into_items()
    };
    context
        .phase("review", i64::try_from(terms.len()).ok(), Some("terms"))
        .await?;
    for (number, term) in (1..).zip(terms) {
        context.check()?;
        if term.word.eq_ignore_ascii_case(&term.meaning) {
            let text = format!("the meaning of \"{}\" is the word itself", term.word);
            context.message(Level::Warning, text).await?;
        }
        // Passes only while this worker holds the run.
        let scoped = context.write().await?;
        let reviewed = ActiveModel {
            is_reviewed: Set(true),
            ..Default::default()
        };
        Terms::update(&scoped, term.id, reviewed).await?;
        scoped.commit().await?;
        context.progress(number, None).await?;
    }
    Ok(())
}
