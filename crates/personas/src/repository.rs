//! The repository of personas, and their list.

use nyxcore_tenancy::text::SearchText;
use nyxcore_tenancy::{
    Access, Page, PageRequest, Repository, Result, Scoped, repository, root_list,
};
use sea_orm::Condition;

use crate::entity::persona;
use crate::model::{Persona, PersonaId};

repository! {
    /// Personas of a tenant.
    pub Personas: persona => Persona, Id = id: PersonaId
}

/// The personas whose name or description contains the query, as [`persona_list`] reads them.
#[derive(Debug, Clone, Default)]
pub struct PersonaList {
    /// `None` for all of them.
    pub query: Option<String>,
}

root_list! { PersonaList => Persona: persona_list, persona_count, |list| list.query.as_deref() }

/// One page of the personas whose name or description contains the query, in any case; of all of them where there is
/// none. Newest first.
///
/// # Errors
/// [`Error::Invalid`](nyxcore_tenancy::Error::Invalid) for a query out of bounds; the database fails.
pub async fn persona_list<A: Access>(
    scoped: &Scoped<A>,
    query: Option<&str>,
    page: &PageRequest,
) -> Result<Page<Persona>> {
    Personas::list(scoped, matching(scoped, query)?, page).await
}

/// How many personas [`persona_list`] has in all.
///
/// # Errors
/// [`Error::Invalid`](nyxcore_tenancy::Error::Invalid) for a query out of bounds; the database fails.
pub async fn persona_count<A: Access>(scoped: &Scoped<A>, query: Option<&str>) -> Result<u64> {
    Personas::count(scoped, matching(scoped, query)?).await
}

fn matching<A: Access>(scoped: &Scoped<A>, query: Option<&str>) -> Result<Condition> {
    let columns = [r#""personas"."name""#, r#""personas"."description""#];
    Ok(match SearchText::parse(query)? {
        Some(text) => text.within(scoped.backend(), &columns),
        None => Condition::all(),
    })
}
