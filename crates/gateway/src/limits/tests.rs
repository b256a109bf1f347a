//! Each limit, with a document just within it and one just beyond it.

use std::fmt::Write as _;

use async_graphql::parser::types::OperationType;
use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

use super::*;
use crate::extension::GatewayExtension;

struct Query;

#[Object]
impl Query {
    async fn one(&self, _n: Option<Vec<i32>>) -> i32 {
        1
    }
    async fn again(&self) -> Query {
        Query
    }
    async fn numbers(&self, first: i32) -> Vec<i32> {
        (0..first).collect()
    }
    async fn texts(&self, first: i32) -> Vec<String> {
        (0..first).map(|_| "x".repeat(100)).collect()
    }
    async fn rows(&self, first: i32) -> Vec<Query> {
        (0..first).map(|_| Query).collect()
    }
    /// Never resolves.
    async fn forever(&self) -> i32 {
        std::future::pending().await
    }
    async fn large(&self) -> i64 {
        1 << 31
    }
}

/// The code of the first error, or what was answered.
async fn outcome(query: &str) -> String {
    outcome_under(&Limits::default(), query).await
}

fn schema(limits: &Limits) -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .extension(GatewayExtension::of_limits(limits))
        .finish()
}

fn documents() -> Documents {
    Documents::new(&Arc::default())
}

async fn outcome_under(limits: &Limits, query: &str) -> String {
    let response = schema(limits).execute(query).await;
    code(&response)
}

fn code(response: &Response) -> String {
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
async fn the_alias_limit_counts_fragments() {
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
async fn rows_multiply_what_is_selected_from_them() {
    let limits = Limits {
        complexity: 2 * 200 + 2,
        ..Limits::default()
    };
    let rows = |inner: &str| format!("{{rows(first: 200) {{ {inner} }} again {{ one }} }}");
    // One for the list, two for each row, two for the fields beside the list.
    assert_eq!(
        outcome_under(&limits, "{rows(first: 200) { a: one b: one } one}").await,
        "ok"
    );
    assert_eq!(
        outcome_under(&limits, &rows("a: one b: one")).await,
        "QUERY_TOO_COMPLEX"
    );
    let spread = rows("...F") + "fragment F on Query { a: one b: one }";
    assert_eq!(outcome_under(&limits, &spread).await, "QUERY_TOO_COMPLEX");
    assert_eq!(
        outcome_under(&limits, "{rows(first: 20) { rows(first: 20) { one } } }").await,
        "QUERY_TOO_COMPLEX"
    );
    assert_eq!(
        outcome_under(
            &limits,
            "query($n: Int! = 401) {numbers(first: $n) again { one }}"
        )
        .await,
        "QUERY_TOO_COMPLEX"
    );
    let mut given = Request::new("query($n: Int!) {numbers(first: $n) again { one }}");
    given = given.variables(async_graphql::Variables::from_json(
        serde_json::json!({"n": 401}),
    ));
    let refused = schema(&limits).execute(given).await;
    assert_eq!(code(&refused), "QUERY_TOO_COMPLEX");
}

#[tokio::test]
async fn every_value_of_an_answer_counts() {
    let limits = Limits {
        answer_values: 101,
        ..Limits::default()
    };
    assert_eq!(outcome_under(&limits, "{numbers(first: 100)}").await, "ok");
    assert_eq!(
        outcome_under(&limits, "{numbers(first: 101)}").await,
        "ANSWER_TOO_LARGE"
    );
    let duplicates = "again{one} ".repeat(100);
    assert_eq!(
        outcome_under(&limits, &format!("{{{duplicates}}}")).await,
        "ANSWER_TOO_LARGE"
    );
}

#[tokio::test]
async fn every_byte_of_an_answer_counts() {
    let limits = Limits {
        answer_bytes: 100 * 120,
        ..Limits::default()
    };
    assert_eq!(outcome_under(&limits, "{texts(first: 90)}").await, "ok");
    assert_eq!(
        outcome_under(&limits, "{texts(first: 130)}").await,
        "ANSWER_TOO_LARGE"
    );
}

#[tokio::test]
async fn an_operation_ends_with_its_time() {
    let limits = Limits {
        execution: Duration::from_millis(1),
        ..Limits::default()
    };
    assert_eq!(
        outcome_under(&limits, "{forever}").await,
        "EXECUTION_TIMEOUT"
    );
}

/// On one thread: a task that never yields could be neither stopped nor dropped.
#[tokio::test]
async fn an_answer_that_nobody_waits_for_is_dropped() {
    let limits = Limits {
        complexity: usize::MAX,
        answer_values: usize::MAX,
        ..Limits::default()
    };
    let answer = async move {
        schema(&limits)
            .execute("{rows(first: 500){rows(first: 500){one}}}")
            .await
    };
    let task = tokio::spawn(answer);
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    assert!(!task.is_finished(), "the answer was made in one go");
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn an_int_has_thirty_two_bits() {
    assert_eq!(outcome("{large}").await, "INT_OUT_OF_RANGE");
}

#[tokio::test]
async fn introspection_lists_nest_twice() {
    assert_eq!(
        outcome("{__schema{types{fields{type{fields{name}}}}}}").await,
        "ok"
    );
    assert_eq!(
        outcome("{__schema{types{fields{type{fields{type{fields{name}}}}}}}}").await,
        "INTROSPECTION_TOO_DEEP"
    );
    let mixed = "{__schema{types{interfaces{possibleTypes{inputFields{name}}}}}}";
    assert_eq!(outcome(mixed).await, "INTROSPECTION_TOO_DEEP");
    let spread = "{__type(name:\"Query\"){...A}} fragment A on __Type{possibleTypes{...B}}
        fragment B on __Type{interfaces{...C}} fragment C on __Type{inputFields{name}}";
    assert_eq!(outcome(spread).await, "INTROSPECTION_TOO_DEEP");
}

/// Every list of the schema has a declared size, and every declaration is of a list.
#[test]
fn every_list_field_has_a_declared_size() {
    let schema = nyxcore_graphql::schema_builder().finish();
    let sdl = async_graphql::parser::parse_schema(schema.sdl()).unwrap();
    let mut undeclared = Vec::new();
    let mut declared: Vec<&str> = sizes::LIST_SIZES
        .iter()
        .chain(sizes::FIELD_COSTS)
        .map(|(name, _)| *name)
        .collect();
    for definition in sdl.definitions {
        let async_graphql::parser::types::TypeSystemDefinition::Type(definition) = definition
        else {
            continue;
        };
        let parent = definition.node.name.node.to_string();
        use async_graphql::parser::types::TypeKind::{Interface, Object};
        let fields = match definition.node.kind {
            Object(object) => object.fields,
            Interface(interface) => interface.fields,
            _ => continue,
        };
        for field in fields.iter().map(|field| &field.node) {
            let name = format!("{parent}.{}", field.name.node);
            declared.retain(|of| *of != name);
            let asked = field
                .arguments
                .iter()
                .any(|argument| ["first", "ids"].contains(&argument.node.name.node.as_str()));
            let page = nyxcore_graphql::is_connection(&parent)
                && ["nodes", "edges"].contains(&field.name.node.as_str());
            let size = sizes::of_field(sizes::LIST_SIZES, &parent, &field.name.node);
            if cost::is_list(&field.ty.node.to_string()) && !asked && !page && size.is_none() {
                undeclared.push(name);
            }
        }
    }
    assert_eq!(
        undeclared,
        Vec::<String>::new(),
        "declare their sizes in limits/sizes.rs"
    );
    assert_eq!(declared, Vec::<&str>::new(), "no fields of the schema");
}

/// Without the limit, this document expands to 2^40 selections.
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

/// The parser recurses: unbounded brackets would overflow a thread's stack and end the process.
#[tokio::test]
async fn deep_nesting_is_refused_before_parsing() {
    for deep in [
        "{".repeat(100_000),
        format!("{{one(n:{}", "[".repeat(100_000)),
        format!("query($a:{}", "[".repeat(900)),
    ] {
        assert_eq!(outcome(&deep).await, "QUERY_TOO_DEEP");
    }
    // The maximum accepted depth, on a small stack.
    for (open, close) in [("[", "]"), ("{a:", "}")] {
        let query = format!("{{one(n:{}1{})}}", open.repeat(62), close.repeat(62));
        let answer = std::thread::Builder::new()
            .stack_size(1024 * 1024)
            .spawn(move || {
                let mut request = Request::new(query);
                documents()
                    .check(&mut request)
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
        assert_eq!(
            source::source_check(query, &limits).is_ok(),
            fits,
            "{query}"
        );
    }
    let block = r#"{a(b:"""one \""" two "three" { { { """) }"#;
    assert_eq!(
        source::source_check(
            block,
            &Limits {
                tokens: 8,
                ..Limits::default()
            }
        ),
        Ok(())
    );
    assert!(
        source::source_check(
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
    let checked = documents().check(&mut named).unwrap();
    assert_eq!(checked.kind, OperationType::Mutation);
    let mut missing = Request::new("query A{one}").operation_name("C");
    assert!(documents().check(&mut missing).is_err());
}

#[tokio::test]
async fn an_operation_describes_the_schema_once() {
    assert_eq!(
        outcome("{a:__schema{types{name}} b:__schema{types{name}}}").await,
        "QUERY_TOO_COMPLEX"
    );
    let spread = "{...A ...on Query{...A}} fragment A on Query{__schema{types{name}}}";
    assert_eq!(outcome(spread).await, "QUERY_TOO_COMPLEX");
    assert_eq!(
        outcome(
            "{__schema{types{name}} a:__type(name:\"Run\"){name} b:__type(name:\"Note\"){name}}"
        )
        .await,
        "ok"
    );
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
