//! The limits, each with a document just within it and one just past it.

use std::fmt::Write as _;

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

use super::*;

struct Query;

#[Object]
impl Query {
    async fn one(&self, _n: Option<Vec<i32>>) -> i32 {
        1
    }
    async fn again(&self) -> Query {
        Query
    }
    #[graphql(complexity = "500 * child_complexity")]
    async fn dear(&self) -> Query {
        Query
    }
}

/// The code of the first error, or what was answered.
async fn outcome(query: &str) -> String {
    outcome_under(&Limits::default(), query).await
}

async fn outcome_under(limits: &Limits, query: &str) -> String {
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
        .extension(QueryGuard::new(limits))
        .finish();
    let response = schema.execute(query).await;
    match response.errors.first() {
        None => "ok".into(),
        Some(error) => {
            let extensions = error.extensions.as_ref();
            match extensions.and_then(|e| e.get("code")) {
                Some(async_graphql::Value::String(code)) => code.clone(),
                _ => format!("no code: {}", error.message),
            }
        }
    }
}

fn nested(levels: usize) -> String {
    format!(
        "{}one{}",
        "{again".repeat(levels - 1) + "{",
        "}".repeat(levels)
    )
}

#[tokio::test]
async fn fifteen_levels_of_fields_pass_and_sixteen_do_not() {
    assert_eq!(outcome(&nested(15)).await, "ok");
    assert_eq!(outcome(&nested(16)).await, "QUERY_TOO_DEEP");
}

#[tokio::test]
async fn levels_count_through_fragments() {
    let query = format!("{{again{{...F}}}} fragment F on Query {}", nested(15));
    assert_eq!(outcome(&query).await, "QUERY_TOO_DEEP");
}

#[tokio::test]
async fn thirty_aliases_pass_and_one_more_does_not_also_when_fragments_multiply_them() {
    let aliases = |n: usize| {
        (0..n).fold(String::new(), |mut s, i| {
            let _ = write!(s, "a{i}:one ");
            s
        })
    };
    assert_eq!(outcome(&format!("{{{}}}", aliases(30))).await, "ok");
    assert_eq!(
        outcome(&format!("{{{}}}", aliases(31))).await,
        "QUERY_TOO_MANY_ALIASES"
    );
    let spread = format!(
        "{{again{{...F}} x:again{{...F}}}} fragment F on Query {{{}}}",
        aliases(15)
    );
    assert_eq!(outcome(&spread).await, "QUERY_TOO_MANY_ALIASES");
}

#[tokio::test]
async fn ten_directives_pass_and_eleven_do_not() {
    let skips = |n: usize| format!("{{{}}}", "... @include(if: true) {one} ".repeat(n));
    assert_eq!(outcome(&skips(10)).await, "ok");
    assert_eq!(outcome(&skips(11)).await, "QUERY_TOO_MANY_DIRECTIVES");
}

#[tokio::test]
async fn two_thousand_tokens_pass_and_one_more_does_not() {
    assert_eq!(
        outcome(&format!("{{{}}}", "one ".repeat(1_998))).await,
        "ok"
    );
    assert_eq!(
        outcome(&format!("{{{}}}", "one ".repeat(1_999))).await,
        "QUERY_TOO_MANY_TOKENS"
    );
}

#[tokio::test]
async fn what_the_schema_calls_dear_counts_as_much() {
    assert_eq!(outcome("{dear{a:one b:one c:one d:one}}").await, "ok");
    assert_eq!(
        outcome("{dear{a:one b:one c:one d:one e:one}}").await,
        "QUERY_TOO_COMPLEX"
    );
}

/// Unweighed, this document is 2^40 selections.
#[tokio::test]
async fn fragments_that_double_each_other_are_refused_at_once() {
    let mut query = String::from("{...F0}");
    for i in 0..40 {
        let _ = write!(
            query,
            "fragment F{i} on Query{{...F{n} ...F{n}}}",
            n = i + 1
        );
    }
    query += "fragment F40 on Query{one}";
    assert_eq!(outcome(&query).await, "QUERY_TOO_DEEP");
    let shallow: String = (0..14).fold("{...F0}fragment F14 on Query{one}".into(), |mut s, i| {
        let _ = write!(s, "fragment F{i} on Query{{...F{n} ...F{n}}}", n = i + 1);
        s
    });
    assert_eq!(outcome(&shallow).await, "QUERY_TOO_COMPLEX");
}

#[tokio::test]
async fn a_fragment_that_spreads_itself_is_refused_at_once() {
    let query = "{...A} fragment A on Query{...B ...B} fragment B on Query{...A ...A}";
    assert_eq!(outcome(query).await, "GRAPHQL_VALIDATION_FAILED");
    let unused = "{one} fragment A on Query{...A ...A}";
    assert_eq!(outcome(unused).await, "GRAPHQL_VALIDATION_FAILED");
}

/// The parser recurses: on a thread's stack, brackets without a bound would end the process.
#[tokio::test]
async fn brackets_within_brackets_are_refused_before_the_parser_sees_them() {
    for deep in [
        "{".repeat(100_000),
        format!("{{one(n:{}", "[".repeat(100_000)),
        format!("query($a:{}", "[".repeat(900)),
    ] {
        assert_eq!(outcome(&deep).await, "QUERY_TOO_DEEP");
    }
    // As deep as is let through, on a small stack.
    for (open, close) in [("[", "]"), ("{a:", "}")] {
        let query = format!("{{one(n:{}1{})}}", open.repeat(62), close.repeat(62));
        let answer = std::thread::Builder::new()
            .stack_size(1024 * 1024)
            .spawn(move || {
                let mut request = Request::new(query);
                document_check(&mut request, &Limits::default())
                    .map(|_| ())
                    .map_err(|e| e.message)
            });
        assert_eq!(answer.unwrap().join().unwrap(), Ok(()));
    }
}

#[tokio::test]
async fn text_within_strings_and_comments_is_no_token() {
    let limits = Limits {
        tokens: 6,
        ..Limits::default()
    };
    for (query, fits) in [
        (r#"{a(b:"x { ( [ \" y")"#, false), // six tokens and the string
        ("{one # a b c d e f { { {\n}", true),
        ("{one,,,,\u{feff}  }", true),
        ("{a(b:-1.5e+3)", false),
        ("{a b c d e}", false),
    ] {
        assert_eq!(source_check(query, &limits).is_ok(), fits, "{query}");
    }
    let block = r#"{a(b:"""one \""" two "three" { { { """) }"#;
    assert_eq!(
        source_check(
            block,
            &Limits {
                tokens: 8,
                ..Limits::default()
            }
        ),
        Ok(())
    );
    assert!(
        source_check(
            block,
            &Limits {
                tokens: 7,
                ..Limits::default()
            }
        )
        .is_err()
    );
}

#[tokio::test]
async fn a_document_that_does_not_parse_or_names_no_operation_says_so() {
    assert_eq!(outcome("{").await, "GRAPHQL_PARSE_FAILED");
    assert_eq!(outcome("").await, "GRAPHQL_PARSE_FAILED");
    assert_eq!(
        outcome("query A{one} query B{one}").await,
        "OPERATION_RESOLUTION_FAILED"
    );
    let mut named = Request::new("query A{one} mutation B{one}").operation_name("B");
    assert_eq!(
        document_check(&mut named, &Limits::default()),
        Ok(OperationType::Mutation)
    );
    let mut missing = Request::new("query A{one}").operation_name("C");
    assert!(document_check(&mut missing, &Limits::default()).is_err());
}

#[tokio::test]
async fn the_introspection_query_of_graphql_js_passes() {
    assert_eq!(outcome(INTROSPECTION).await, "ok");
}

const INTROSPECTION: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind }
    subscriptionType { name kind } types { ...FullType } directives { name description isRepeatable locations
      args(includeDeprecated: true) { ...InputValue } } } }
  fragment FullType on __Type { kind name description specifiedByURL
    fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
    inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";
