//! Queries meet the real SQLite: whatever a person writes, FTS5 takes it for words.

use std::cell::RefCell;

use nyxcore_retrieval::{fts5_query, query_terms, split_identifiers};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::{Connection, SqliteConnection};

/// An index in memory that holds the documents, split.
async fn index(documents: &[&str]) -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:")
        .await
        .expect("SQLite opens in memory");
    sqlx::query("CREATE VIRTUAL TABLE documents USING fts5(body)")
        .execute(&mut connection)
        .await
        .expect("this SQLite has FTS5");
    for document in documents {
        sqlx::query("INSERT INTO documents (body) VALUES (?)")
            .bind(split_identifiers(document))
            .execute(&mut connection)
            .await
            .expect("the document is inserted");
    }
    connection
}

async fn search(connection: &mut SqliteConnection, query: &str) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT rowid FROM documents WHERE documents MATCH ? ORDER BY bm25(documents)",
    )
    .bind(query.to_owned())
    .fetch_all(connection)
    .await
}

#[tokio::test]
async fn a_question_in_words_finds_the_identifier() {
    let mut connection = index(&[
        "fn renewLease() {}",
        "fn parseHTTPResponse(user_id: Id) {}",
        "struct Page;",
    ])
    .await;
    for question in [
        "how is the HTTP response parsed?",
        "parse_response",
        "user_id",
        "the user's id",
        "parsehttpresponse",
    ] {
        let query = fts5_query(&query_terms(question)).expect("the question has words");
        let found = search(&mut connection, &query)
            .await
            .expect("the query is accepted");
        assert_eq!(found, [2], "{question}: {query}");
    }
}

#[tokio::test]
async fn operators_in_a_question_are_words() {
    let mut connection = index(&["fn lease() {}", "fn worker() {}"]).await;
    for question in [
        "lease NOT worker",
        "lease AND worker",
        "NEAR(lease worker)",
        "body:lease* ^worker",
        "\"lease worker\"",
    ] {
        let query = fts5_query(&query_terms(question)).expect("the question has words");
        let mut found = search(&mut connection, &query)
            .await
            .expect("the query is accepted");
        found.sort_unstable();
        assert_eq!(found, [1, 2], "{question}: {query}");
    }
}

#[test]
fn fts5_accepts_a_query_made_of_anything() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let connection = RefCell::new(runtime.block_on(index(&["fn lease() {}"])));
    let text = prop_oneof![
        "[a-c'\"\\\\ |&!:*()^+{}\\x00-]{0,30}",
        "(NOT|AND|OR|NEAR|[a-z\"(): ]){0,20}",
        any::<String>()
    ];
    let mut runner = TestRunner::new(Config::default());
    runner
        .run(
            &(text, proptest::collection::vec(any::<String>(), 0..80)),
            |(text, raw)| {
                // Both what a person wrote, and terms that came some other way.
                let queries = [
                    fts5_query(&query_terms(&text)),
                    fts5_query(&[text]),
                    fts5_query(&raw),
                ];
                for query in queries.into_iter().flatten() {
                    let answer = runtime.block_on(search(&mut connection.borrow_mut(), &query));
                    prop_assert!(answer.is_ok(), "{query:?}: {answer:?}");
                }
                Ok(())
            },
        )
        .expect("every query is accepted");
}
