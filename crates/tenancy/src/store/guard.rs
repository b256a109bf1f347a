//! Checks that hand-written statements are bound to their tenant.
//!
//! The statements are `'static` text, so the check sees what a programmer wrote. It does not prove that a statement
//! reaches the rows of one tenant only; row-level security ensures that on PostgreSQL. It checks that the tenant
//! condition exists and is not in a part of the statement that something else can bypass.

/// Whether the text binds the tenant: as `tenant_id = $1` in a `WHERE` or `ON`, ANDed with the other terms, or as the
/// first value of every inserted row.
pub(super) fn is_bound(sql: &str) -> bool {
    let tokens = tokens(sql);
    let bound = (0..tokens.len()).filter(|at| is_tenant(&tokens, *at));
    let mut terms = bound.map(|at| is_conjunct(&tokens, at)).peekable();
    // Each occurrence must be valid: `… AND tenant_id = $1 OR …` elsewhere is a mistake as well.
    if terms.peek().is_some() {
        return terms.all(|holds| holds);
    }
    inserts_tenant(&tokens)
}

/// Words, placeholders and signs, in lower case. Comments are dropped, and each literal is reduced to a quote.
fn tokens(sql: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            _ if c.is_whitespace() => {}
            '\'' | '"' => {
                while rest.next().is_some_and(|next| next != c) {}
                tokens.push(c.to_string());
            }
            '-' if rest.peek() == Some(&'-') => {
                while rest.next().is_some_and(|next| next != '\n') {}
            }
            '/' if rest.peek() == Some(&'*') => {
                let mut before = ' ';
                for next in rest.by_ref() {
                    if (before, next) == ('*', '/') {
                        break;
                    }
                    before = next;
                }
            }
            _ if is_word(c) => {
                let mut word = c.to_lowercase().to_string();
                while let Some(next) = rest.next_if(|next| is_word(*next)) {
                    word.extend(next.to_lowercase());
                }
                tokens.push(word);
            }
            _ => tokens.push(c.to_string()),
        }
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '.')
}

/// `tenant_id = $1`, of any table.
fn is_tenant(tokens: &[String], at: usize) -> bool {
    let column = |token: &String| token == "tenant_id" || token.ends_with(".tenant_id");
    let [first, second, third] = [0, 1, 2].map(|step| tokens.get(at + step));
    first.is_some_and(column)
        && second.is_some_and(|token| token == "=")
        && third.is_some_and(|token| token == "$1")
}

/// Whether the term at that place is ANDed: it follows the beginning of a condition or `AND`, and its condition
/// contains, on the same level of parentheses, neither `OR` nor a preceding `NOT`.
fn is_conjunct(tokens: &[String], at: usize) -> bool {
    let begins = |token: &str| matches!(token, "where" | "on" | "having");
    let mut depth = 0;
    let mut before = tokens[..at].iter().rev();
    let begun = loop {
        let Some(token) = before.next() else {
            break false;
        };
        match token.as_str() {
            ")" => depth += 1,
            "(" if depth == 0 => break false,
            "(" => depth -= 1,
            _ if depth > 0 => {}
            "or" | "not" | "case" | "set" => break false,
            word if begins(word) => break true,
            _ => {}
        }
    };
    let joined = at.checked_sub(1).and_then(|before| tokens.get(before));
    let joined = joined.is_some_and(|token| token == "and" || begins(token));
    begun && joined && {
        let mut depth = 0;
        let mut after = tokens[at + 3..].iter();
        let next = tokens.get(at + 3).map(String::as_str);
        let ends = |token: &str| {
            matches!(
                token,
                ")" | ";"
                    | "group"
                    | "order"
                    | "limit"
                    | "returning"
                    | "union"
                    | "join"
                    | "left"
                    | "where"
                    | "for"
                    | "on"
                    | "inner"
                    | "having"
            )
        };
        next.is_none_or(|token| token == "and" || ends(token))
            && loop {
                let Some(token) = after.next() else {
                    break true;
                };
                match token.as_str() {
                    "(" => depth += 1,
                    ")" if depth == 0 => break true,
                    ")" => depth -= 1,
                    _ if depth > 0 => {}
                    "or" => break false,
                    word if ends(word) => break true,
                    _ => {}
                }
            }
    }
}

/// `INSERT … (tenant_id, …) VALUES ($1, …), ($1, …)`, or the call of a function with the tenant as its first value.
fn inserts_tenant(tokens: &[String]) -> bool {
    let Some(values) = tokens.iter().position(|token| token == "values") else {
        return false;
    };
    let columns = tokens[..values].iter().position(|token| token == "(");
    let first = columns.and_then(|open| tokens.get(open + 1));
    if first.is_none_or(|column| column != "tenant_id") {
        return false;
    }
    let mut depth = 0;
    let mut rows = tokens[values + 1..].iter().peekable();
    let mut some = false;
    while let Some(token) = rows.next() {
        match token.as_str() {
            "(" => {
                depth += 1;
                if depth == 1 {
                    some = true;
                    if rows.peek().is_none_or(|value| *value != "$1") {
                        return false;
                    }
                }
            }
            ")" => depth -= 1,
            "on" | "returning" if depth == 0 => break,
            _ => {}
        }
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_that_restricts_the_statement_is_bound() {
        for sql in [
            "SELECT 1 FROM memberships WHERE tenant_id = $1",
            "SELECT a FROM b WHERE tenant_id = $1 AND (c = $2 OR d IN (SELECT 1)) ORDER BY c",
            "SELECT a FROM b x JOIN c ON c.tenant_id = x.tenant_id WHERE x.tenant_id = $1 GROUP BY a",
            "SELECT a FROM b WHERE e = 'OR' AND tenant_id = $1 -- OR\n LIMIT 1",
            "UPDATE t SET name = $2 WHERE id IN (SELECT m.tenant_id FROM m WHERE m.tenant_id = $1)",
            "DELETE FROM a WHERE (b OR c) AND tenant_id = $1 AND d < $3",
            "SELECT a FROM (SELECT DISTINCT tenant_id FROM m WHERE tenant_id = $1) m ON t.id = m.tenant_id",
            "INSERT INTO a (tenant_id, b) VALUES ($1, $2), ($1, coalesce($3, ($4))) ON CONFLICT DO NOTHING",
        ] {
            assert!(is_bound(sql), "{sql}");
        }
    }

    #[test]
    fn a_tenant_that_can_be_bypassed_is_not_bound() {
        for sql in [
            "SELECT 1",
            "SELECT a FROM b WHERE tenant_id = $1 OR TRUE",
            "SELECT a FROM b WHERE c = $2 OR tenant_id = $1",
            "SELECT a FROM b WHERE tenant_id = $1 AND c = $2 OR d = $3",
            "SELECT a FROM b WHERE NOT tenant_id = $1",
            "SELECT a FROM b WHERE (tenant_id = $1) OR c",
            "SELECT a FROM b WHERE (tenant_id = $1 OR c)",
            "SELECT a FROM b WHERE tenant_id = $10",
            "SELECT a, 'tenant_id = $1' FROM b",
            "SELECT a FROM b -- WHERE tenant_id = $1",
            "SELECT a FROM b /* WHERE tenant_id = $1 */",
            "SELECT tenant_id = $1 FROM b",
            "UPDATE b SET tenant_id = $1",
            "SELECT a FROM b WHERE tenant_id = $1 IS NOT NULL",
            "SELECT a FROM b WHERE other_tenant_id = $1",
            "INSERT INTO a (b, tenant_id) VALUES ($1, $2)",
            "INSERT INTO a (tenant_id) VALUES ($1), ($2)",
        ] {
            assert!(!is_bound(sql), "{sql}");
        }
    }
}
