//! Tokens from the command line: their roles, and the errors that their holders get.

use nyxcore_tests::{TestDatabase, TestServer, on_both_databases};
use serde_json::{Value, json};

use super::{PATIENCE, nyxcore, viewer};

/// Creates the tenant `slug` with one owner.
fn tenant(db: &TestDatabase, slug: &str, owner: &str) {
    let create = ["tenant", "create", slug, "--name", slug, "--owner", owner];
    let made = nyxcore(db, &create);
    assert!(made.status.success(), "{}", made.err);
}

/// The first error of the server's response to an operation.
async fn refusal(url: &str, token: &str, operation: &str) -> Value {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let body = json!({ "query": operation });
    let answer = client.post(url).bearer_auth(token).json(&body);
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    answer["errors"][0].clone()
}

on_both_databases! {
    async fn a_token_has_its_members_role_unless_told(db: TestDatabase) {
        let server = TestServer::start(&db, &[]).await.unwrap();
        tenant(&db, "acme", "ada@example.org");
        let made = nyxcore(&db, &["token", "create", "--tenant", "acme", "--user", "ada@example.org"]);
        assert!(made.status.success() && made.err.contains("role OWNER"), "{}", made.err);
        let (_, answer) = viewer(&server.url("/graphql"), made.out.trim()).await;
        assert_eq!(answer["data"]["viewer"]["role"], "OWNER", "{answer}");
    }

    async fn a_token_for_who_is_no_member_names_both(db: TestDatabase) {
        tenant(&db, "acme", "ada@example.org");
        tenant(&db, "other", "bob@example.org");
        let refused = nyxcore(&db, &["token", "create", "--tenant", "other", "--user", "ada@example.org"]);
        assert_eq!((refused.code(), refused.out.as_str()), ("NOT_FOUND", ""), "{}", refused.err);
        assert!(refused.err.contains("ada@example.org is not a member of other"), "{}", refused.err);
    }

    async fn a_lesser_token_is_told_that_its_role_is_lower(db: TestDatabase) {
        let server = TestServer::start(&db, &[]).await.unwrap();
        tenant(&db, "acme", "ada@example.org");
        let create = ["token", "create", "--tenant", "acme", "--user", "ada@example.org", "--role", "member"];
        let token = nyxcore(&db, &create).out;
        let invite = r#"mutation { inviteMember(input: { email: "eve@example.org", role: MEMBER }) { secret } }"#;
        let error = refusal(&server.url("/graphql"), token.trim(), invite).await;
        assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{error}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.starts_with("this token's role is MEMBER; this needs "), "{error}");
    }
}
