//! The repository of personas, and their list.

use nyxcore_tenancy::{Access, Backend, Page, PageRequest, Repository, Result, Scoped};
use sea_orm::Condition;
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};

use crate::entity::persona;
use crate::model::{Persona, PersonaId};

/// Personas of a tenant.
pub struct Personas;

impl Repository for Personas {
    type Entity = persona::Entity;
    type Row = persona::ActiveModel;
    type Record = Persona;
    type Id = PersonaId;
    const KEY: persona::Column = persona::Column::Id;
    fn id_of(record: &Persona) -> PersonaId {
        record.id
    }
}

/// One page of the personas whose name or description contains the query, in any case; of all of them where there is none. Newest
/// first.
///
/// # Errors
/// The database fails.
pub async fn persona_list<A: Access>(
    scoped: &Scoped<A>,
    query: Option<&str>,
    page: &PageRequest,
) -> Result<Page<Persona>> {
    Personas::list(scoped, matching(scoped, query), page).await
}

/// How many personas [`persona_list`] has in all.
///
/// # Errors
/// The database fails.
pub async fn persona_count<A: Access>(scoped: &Scoped<A>, query: Option<&str>) -> Result<u64> {
    Personas::count(scoped, matching(scoped, query)).await
}

/// Both databases fold the case of ASCII alone here (SQLite can do no more), so other letters are looked for in both cases.
fn matching<A: Access>(scoped: &Scoped<A>, query: Option<&str>) -> Condition {
    let Some(query) = query.map(str::trim).filter(|query| !query.is_empty()) else {
        return Condition::all();
    };
    let (name, description) = match scoped.backend() {
        Backend::Postgres => (
            r#"lower("personas"."name" COLLATE "C")"#,
            r#"lower("personas"."description" COLLATE "C")"#,
        ),
        _ => (
            r#"lower("personas"."name")"#,
            r#"lower("personas"."description")"#,
        ),
    };
    let spellings =
        [query, &query.to_lowercase(), &query.to_uppercase()].map(str::to_ascii_lowercase);
    spellings
        .iter()
        .map(|spelling| {
            let pattern = LikeExpr::new(format!("%{}%", like_escape(spelling))).escape('\\');
            Condition::any()
                .add(Expr::cust(name).like(pattern.clone()))
                .add(Expr::cust(description).like(pattern))
        })
        .fold(Condition::any(), Condition::add)
}

fn like_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
