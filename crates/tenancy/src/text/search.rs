//! Substring search in stored texts, with the same result on both databases.

use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};
use sea_orm::{Condition, DbBackend};

use super::limit::SEARCH;
use crate::error::Result;

/// A search text, within the limits of both databases. `%`, `_` and `\` are searched literally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(String);

impl SearchText {
    /// Validates a search text; `None` for a blank one.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for more characters than `SEARCH` allows (1,000), and for control
    /// characters.
    pub fn parse(text: Option<&str>) -> Result<Option<Self>> {
        let text = SEARCH.check_optional("the search text", text)?;
        Ok(text.map(Self))
    }

    /// Rows with the text in one of `columns`, in any case. A column is written as in SQL: `"projects"."name"`.
    pub fn within(&self, backend: DbBackend, columns: &[&'static str]) -> Condition {
        // `contains` folds only ASCII letters; other letters are searched as given, in lower and in upper case.
        let spellings = [self.0.clone(), self.0.to_lowercase(), self.0.to_uppercase()];
        let mut condition = Condition::any();
        for spelling in &spellings {
            for column in columns {
                condition = condition.add(contains(backend, column, spelling));
            }
        }
        condition
    }
}

/// Rows with `part` in `column`, in any case of ASCII letters: SQLite cannot fold others. A column is written as in
/// SQL: `"projects"."name"`.
pub fn contains(backend: DbBackend, column: &'static str, part: &str) -> Condition {
    let folded = match backend {
        DbBackend::Postgres => format!(r#"lower({column} COLLATE "C")"#),
        _ => format!("lower({column})"),
    };
    let pattern = format!("%{}%", like_escape(&part.to_ascii_lowercase()));
    Condition::all().add(Expr::cust(folded).like(LikeExpr::new(pattern).escape('\\')))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_search_text_is_none() {
        assert_eq!(SearchText::parse(None).unwrap(), None);
        assert_eq!(SearchText::parse(Some(" ")).unwrap(), None);
        let found = SearchText::parse(Some(" atlas ")).unwrap();
        assert_eq!(found, Some(SearchText("atlas".into())));
    }

    #[test]
    fn a_search_text_is_bounded() {
        assert!(SearchText::parse(Some(&"ä".repeat(SEARCH.max))).is_ok());
        for text in [&*"ä".repeat(SEARCH.max + 1), "a\0b", "a\nb"] {
            let error = SearchText::parse(Some(text)).unwrap_err();
            assert_eq!(error.code(), "INVALID_INPUT");
        }
    }

    #[test]
    fn signs_of_patterns_stand_for_themselves() {
        assert_eq!(like_escape(r"100%_a\b"), r"100\%\_a\\b");
    }
}
