//! Objects, lists and interfaces with failing fields, nullable and non-null.

use async_graphql::{EmptyMutation, Interface, Object, Result, Schema, SimpleObject, Subscription};
use futures::StreamExt;
use serde_json::{Value as Json, json};

use crate::extension::GatewayExtension;
use crate::limits::Limits;

fn failure<T>() -> Result<T> {
    Err(nyxcore_tenancy::Error::NotFound("thing").into())
}

struct Thing;

#[Object]
impl Thing {
    async fn good(&self) -> i32 {
        1
    }
    async fn maybe(&self) -> Result<Option<i32>> {
        failure()
    }
    async fn bad(&self) -> Result<i32> {
        failure()
    }
    async fn thing(&self) -> Thing {
        Thing
    }
    async fn maybe_thing(&self) -> Option<Thing> {
        Some(Thing)
    }
    async fn things(&self) -> Vec<Thing> {
        vec![Thing, Thing]
    }
    async fn maybe_things(&self) -> Option<Vec<Thing>> {
        Some(vec![Thing])
    }
    async fn loose(&self) -> Vec<Option<Thing>> {
        vec![None, Some(Thing)]
    }
    async fn nested(&self) -> Vec<Option<Vec<Thing>>> {
        vec![Some(vec![Thing]), None]
    }
    async fn shape(&self) -> Option<Shape> {
        Some(Shape::Square(Square { side: 2 }))
    }
}

#[derive(Interface)]
#[graphql(field(name = "area", ty = "i32"))]
enum Shape {
    Square(Square),
}

#[derive(SimpleObject)]
#[graphql(complex)]
struct Square {
    side: i32,
}

#[async_graphql::ComplexObject]
impl Square {
    async fn area(&self) -> Result<i32> {
        failure()
    }
}

struct Events;

#[Subscription]
impl Events {
    async fn thing(&self) -> impl futures::Stream<Item = Thing> {
        futures::stream::iter([Thing, Thing])
    }
    async fn maybe(&self) -> impl futures::Stream<Item = Option<Thing>> {
        futures::stream::iter([Some(Thing)])
    }
    async fn refused(&self) -> Result<futures::stream::Empty<i32>> {
        failure()
    }
}

fn schema() -> Schema<Thing, EmptyMutation, Events> {
    Schema::build(Thing, EmptyMutation, Events)
        .extension(GatewayExtension::of_limits(&Limits::default()))
        .finish()
}

async fn data(query: &str) -> Json {
    serde_json::to_value(schema().execute(query).await.data).unwrap()
}

#[tokio::test]
async fn null_rises_to_where_it_may_stand() {
    for (query, expected) in [
        ("{ good maybe }", json!({"good": 1, "maybe": null})),
        ("{ maybe }", json!({"maybe": null})),
        ("{ good bad }", Json::Null),
        ("{ good thing { bad } }", Json::Null),
        (
            "{ good maybeThing { good bad } }",
            json!({"good": 1, "maybeThing": null}),
        ),
        (
            "{ maybeThing { thing { thing { bad } } } }",
            json!({"maybeThing": null}),
        ),
        (
            "{ maybeThing { maybe } }",
            json!({"maybeThing": {"maybe": null}}),
        ),
        ("{ things { good bad } }", Json::Null),
        (
            "{ things { maybe } }",
            json!({"things": [{"maybe": null}, {"maybe": null}]}),
        ),
        (
            "{ good maybeThings { bad } }",
            json!({"good": 1, "maybeThings": null}),
        ),
        ("{ loose { good bad } }", json!({"loose": [null, null]})),
        (
            "{ loose { good maybe } }",
            json!({"loose": [null, {"good": 1, "maybe": null}]}),
        ),
        ("{ nested { bad } }", json!({"nested": [null, null]})),
        ("{ shape { area } }", json!({"shape": null})),
        (
            "{ good shape { ... on Square { side area } } }",
            json!({"good": 1, "shape": null}),
        ),
        (
            "{ maybeThing { ...F } } fragment F on Thing { x: bad }",
            json!({"maybeThing": null}),
        ),
        (
            "{ maybeThing { good } maybeThing { maybe } }",
            json!({"maybeThing": {"good": 1, "maybe": null}}),
        ),
    ] {
        assert_eq!(data(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn keys_stand_in_the_order_of_the_document() {
    let answer = schema()
        .execute("{ maybe good x: maybe maybeThing { bad } }")
        .await;
    let expected = r#"{"maybe":null,"good":1,"x":null,"maybeThing":null}"#;
    assert_eq!(serde_json::to_string(&answer.data).unwrap(), expected);
}

#[tokio::test]
async fn an_object_of_which_nothing_is_selected_is_empty() {
    for (query, expected) in [
        ("{ good @skip(if: true) }", json!({})),
        (
            "{ thing { ... @include(if: false) { good } } }",
            json!({"thing": {}}),
        ),
        (
            "{ shape { ...F @skip(if: true) } } fragment F on Square { side }",
            json!({"shape": {}}),
        ),
        (
            "{ things { ... on Thing { good } } }",
            json!({"things": [{"good": 1}, {"good": 1}]}),
        ),
    ] {
        assert_eq!(data(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn errors_of_every_field_have_their_path() {
    for (query, path) in [
        ("{ shape { area } }", json!(["shape", "area"])),
        ("{ things { x: bad } }", json!(["things", 0, "x"])),
    ] {
        let errors = serde_json::to_value(schema().execute(query).await.errors).unwrap();
        assert_eq!(errors[0]["path"], path, "{query}");
    }
}

#[tokio::test]
async fn null_rises_in_every_event() {
    for (query, expected) in [
        (
            "subscription { thing { good bad } }",
            vec![Json::Null, Json::Null],
        ),
        (
            "subscription { thing { maybe } }",
            vec![json!({"thing": {"maybe": null}}); 2],
        ),
        (
            "subscription { maybe { good bad } }",
            vec![json!({"maybe": null})],
        ),
        ("subscription { refused }", vec![Json::Null]),
    ] {
        let answers: Vec<_> = schema().execute_stream(query).collect().await;
        let data: Vec<Json> = answers
            .iter()
            .map(|answer| serde_json::to_value(&answer.data).unwrap())
            .collect();
        assert_eq!(data, expected, "{query}");
    }
}
