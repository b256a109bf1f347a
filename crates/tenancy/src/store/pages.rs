//! Selects of a page for each of many parents, as each database reads it best.

use sea_orm::sea_query::{
    Asterisk, Expr, ExprTrait, Func, JoinType, Query, SelectStatement, WindowStatement,
};
use sea_orm::{ColumnTrait, DbErr, QueryFilter, QueryTrait, Select, Value};

use super::TenantScoped;
use super::select::ParentKey;
use crate::error::Result;

/// Names within the statements of [`ScopedSelect::pages_by`](super::ScopedSelect::pages_by).
const PARENTS: &str = "parents";
const PAGE: &str = "page_of_parent";
const ROW_NUMBER: &str = "row_number";
const PLACE: &str = "place_in_parent";
const RANKED: &str = "ranked";

/// The rows of a page for each parent, by a lateral join. The page has its order and its limit. The ids are bound as
/// one value, so that the text of the statement is the same for any number of parents, and is prepared once.
pub(super) fn each_page<E: TenantScoped, K: ParentKey>(
    page: Select<E>,
    parent: E::Column,
    parents: &[K],
) -> Result<SelectStatement> {
    let ids = parents.iter().map(|parent| match (*parent).into() {
        Value::Uuid(Some(id)) => Ok(id.to_string()),
        _ => Err(DbErr::Type("a parent has no UUID".into())),
    });
    let ids: Vec<String> = ids.collect::<std::result::Result<_, _>>()?;
    let ids = format!("{{{}}}", ids.join(","));
    let ids = Func::cust("unnest").arg(Expr::val(ids).cast_as("text").cast_as("uuid[]"));
    let of_parent = Expr::col(parent.as_column_ref()).equals((PARENTS, PARENTS));
    Ok(Query::select()
        .column((PAGE, Asterisk))
        .from_function(ids, PARENTS)
        .join_lateral(
            JoinType::InnerJoin,
            page.filter(of_parent).into_query(),
            PAGE,
            Expr::cust("TRUE"),
        )
        .take())
}

/// The first rows of each partition of a window.
pub(super) fn ranked_up_to<E: TenantScoped>(
    rows: Select<E>,
    window: WindowStatement,
    most: u64,
) -> SelectStatement {
    let ranked = rows
        .into_query()
        .expr_window_as(Func::cust(ROW_NUMBER), window, PLACE)
        .take();
    Query::select()
        .column(Asterisk)
        .from_subquery(ranked, RANKED)
        .and_where(Expr::col(PLACE).lte(i64::try_from(most).unwrap_or(i64::MAX)))
        .take()
}
