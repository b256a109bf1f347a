//! The form in which a client gets an error: a message and a code.

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
use nyxcore_graphql::Operations;

struct Query;

#[Object]
impl Query {
    async fn missing(&self) -> async_graphql::Result<i32> {
        Err(nyxcore_tenancy::Error::NotFound("project").into())
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the mistake that this test is about"
    )]
    async fn careless(&self, n: Option<i32>) -> async_graphql::Result<i32> {
        n.ok_or_else(|| async_graphql::Error::new("postgres://user:password@host"))
    }
    async fn secret(&self) -> async_graphql::Result<i32> {
        Err(std::io::Error::other("postgres://user:password@host").into())
    }
}

#[tokio::test]
async fn an_error_without_a_source_is_internal() {
    let error = &answer("{ careless }").await["errors"][0];
    assert_eq!(error["message"], "something went wrong on the server");
    assert_eq!(error["extensions"]["code"], "INTERNAL");
}

#[tokio::test]
async fn an_argument_of_another_type_is_a_validation_error() {
    let error = &answer("{ careless(n: 3000000000) }").await["errors"][0];
    assert_eq!(error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
}

async fn answer(query: &str) -> serde_json::Value {
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
        .extension(Operations)
        .finish();
    serde_json::to_value(schema.execute(query).await).unwrap()
}

#[tokio::test]
async fn a_domains_error_keeps_its_message_and_code() {
    let error = &answer("{ missing }").await["errors"][0];
    assert_eq!(error["message"], "no such project");
    assert_eq!(error["extensions"]["code"], "NOT_FOUND");
}

#[tokio::test]
async fn an_error_that_nobody_mapped_tells_nothing_of_itself() {
    let error = &answer("{ secret }").await["errors"][0];
    assert_eq!(error["message"], "something went wrong on the server");
    assert_eq!(error["extensions"]["code"], "INTERNAL");
}

#[tokio::test]
async fn a_field_that_is_not_there_is_a_validation_error() {
    let error = &answer("{ nothing }").await["errors"][0];
    assert_eq!(error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
}
