//! Many rows as one parameter, on PostgreSQL.
//!
//! A statement with a place for each value of each row is another statement for each number of rows: the server parses
//! and plans thousands of places, and the driver keeps a prepared statement for each number. Rows as one JSON text are
//! one statement, whatever their number. The server reads each value by the type of its column
//! (`json_populate_recordset`), as it would read the text of a literal.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue, DbBackend, EntityName, EntityTrait, IdenStatic, Iterable,
    Statement, Value,
};
use serde_json::Value as Json;

/// The statement that inserts the rows. `None` where a value has no form in JSON that the column reads as the same:
/// bytes, numbers that are not finite, U+0000, a JSON null in a column of JSON, and times before the year 1.
pub(super) fn insert_statement<M>(rows: &[M]) -> Option<Statement>
where
    M: ActiveModelTrait,
{
    type Column<M> = <<M as ActiveModelTrait>::Entity as EntityTrait>::Column;
    let first = rows.first()?;
    let is_set = |column: &Column<M>| !matches!(first.get(*column), ActiveValue::NotSet);
    let columns: Vec<Column<M>> = Column::<M>::iter().filter(is_set).collect();
    let record = |row: &M| {
        let field = |column: &Column<M>| match row.get(*column) {
            ActiveValue::Set(value) | ActiveValue::Unchanged(value) => {
                Some((column.as_str().to_owned(), json(value)?))
            }
            ActiveValue::NotSet => None,
        };
        columns
            .iter()
            .map(field)
            .collect::<Option<_>>()
            .map(Json::Object)
    };
    let records: Vec<Json> = rows.iter().map(record).collect::<Option<_>>()?;
    let text = serde_json::to_string(&records).ok()?;
    if text.contains(r"\u0000") {
        return None;
    }
    let table = M::Entity::default();
    let table = table.table_name();
    let names: Vec<String> = columns
        .iter()
        .map(|column| format!("\"{}\"", column.as_str()))
        .collect();
    let names = names.join(", ");
    let sql = format!(
        "INSERT INTO \"{table}\" ({names}) SELECT {names} FROM json_populate_recordset(NULL::\"{table}\", $1::json)"
    );
    Some(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        [text.into()],
    ))
}

/// A value as the column's type reads it from JSON.
fn json(value: Value) -> Option<Json> {
    let time = |time: DateTime<Utc>| {
        (time.year() > 0).then(|| Json::from(time.to_rfc3339_opts(SecondsFormat::Micros, true)))
    };
    Some(match value {
        Value::Bool(value) => value.into(),
        Value::TinyInt(value) => value.into(),
        Value::SmallInt(value) => value.into(),
        Value::Int(value) => value.into(),
        Value::BigInt(value) => value.into(),
        Value::Double(Some(value)) => Json::Number(serde_json::Number::from_f64(value)?),
        Value::Double(None) => Json::Null,
        Value::String(value) => value.into(),
        Value::Uuid(value) => value.map(|value| value.to_string()).into(),
        Value::ChronoDate(value) => value.map(|value| value.to_string()).into(),
        Value::ChronoDateTimeUtc(Some(value)) => time(value)?,
        Value::ChronoDateTimeUtc(None) => Json::Null,
        // SQL's NULL and JSON's would be the same.
        Value::Json(Some(value)) if value.is_null() => return None,
        Value::Json(Some(value)) => *value,
        Value::Json(None) => Json::Null,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_the_same_form_in_json_are_refused() {
        assert_eq!(json(Value::Bytes(Some(vec![1]))), None);
        assert_eq!(json(Value::Double(Some(f64::NAN))), None);
        assert_eq!(json(Value::Json(Some(Box::new(Json::Null)))), None);
        let before: DateTime<Utc> = "0000-12-31T23:59:59Z".parse().unwrap();
        assert_eq!(json(before.into()), None);
    }

    #[test]
    fn whole_numbers_keep_all_their_digits() {
        assert_eq!(
            json(i64::MIN.into()).unwrap().to_string(),
            i64::MIN.to_string()
        );
        assert_eq!(
            json(i64::MAX.into()).unwrap().to_string(),
            i64::MAX.to_string()
        );
    }

    #[test]
    fn rows_of_any_number_are_the_same_statement() {
        use crate::store::doc_entities::doc_entity::ActiveModel;
        let rows = |count: u128| -> Vec<ActiveModel> {
            let row = |number| ActiveModel {
                id: ActiveValue::Set(uuid::Uuid::from_u128(number)),
                tenant_id: ActiveValue::NotSet,
                text: ActiveValue::Set(format!("\"{number}\"")),
            };
            (0..count).map(row).collect()
        };
        let (two, nine) = (
            insert_statement(&rows(2)).unwrap(),
            insert_statement(&rows(9)).unwrap(),
        );
        assert_eq!(two.sql, nine.sql);
        assert_eq!(
            two.sql,
            "INSERT INTO \"note\" (\"id\", \"text\") SELECT \"id\", \"text\" \
             FROM json_populate_recordset(NULL::\"note\", $1::json)"
        );
        let mut with_nul = rows(2);
        with_nul[1].text = ActiveValue::Set("\0".to_owned());
        assert!(insert_statement(&with_nul).is_none());
    }
}
