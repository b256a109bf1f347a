//! The terms of a tenant's glossary: the public record, and the operations. Each operation checks the policy first.

use nyxcore_tenancy::{Access, Action, Error, Page, PageRequest, ReadWrite, Repository, Resource};
use nyxcore_tenancy::{Result, Scoped, TypedId, repository, text, typed_id};
use sea_orm::ActiveValue::Set;
use sea_orm::Condition;

use crate::row;

/// Terms of the glossary, in the policy and the audit log.
pub const TERM: Resource = Resource::new("glossary_term");

typed_id!(
    /// A term's id.
    TermId,
    "glossary_term"
);

/// A word and what it means to the team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub id: TermId,
    pub word: String,
    pub meaning: String,
    pub is_reviewed: bool,
}

impl From<row::Model> for Term {
    fn from(row: row::Model) -> Self {
        Self {
            id: row.id,
            word: row.word,
            meaning: row.meaning,
            is_reviewed: row.is_reviewed,
        }
    }
}

repository! {
    /// The terms of a tenant.
    pub Terms: row => Term, Id = id: TermId
}

/// Adds a term.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::Invalid`] for an empty or too long text; [`Error::Conflict`] for a word that is
/// there.
pub async fn term_create(scoped: &Scoped<ReadWrite>, word: &str, meaning: &str) -> Result<Term> {
    let id = TermId(scoped.env().id());
    scoped.permit(Action::Create, TERM, id.uuid())?;
    let row = row::ActiveModel {
        id: Set(id),
        word: Set(text::name("the word", word)?),
        meaning: Set(text::body_filled("the meaning", meaning)?),
        is_reviewed: Set(false),
        ..Default::default()
    };
    let made = Terms::insert(scoped, row).await;
    made.map_err(|error: Error| error.conflict_as("this word"))
}

/// A page of the terms, newest first.
///
/// # Errors
/// The database fails.
pub async fn term_list<A: Access>(scoped: &Scoped<A>, page: &PageRequest) -> Result<Page<Term>> {
    Terms::list(scoped, Condition::all(), page).await
}
