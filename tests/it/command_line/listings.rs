//! Lists and revocations on the command line, without a browser.

use nyxcore_tests::{TestDatabase, TestServer, nyxcore_command, on_both_databases};
use sea_orm::DbBackend;

use super::{PATIENCE, Running, nyxcore, viewer};

fn tenant_make(db: &TestDatabase, slug: &str, owner: &str) -> String {
    let create = [
        "tenant",
        "create",
        slug,
        "--name",
        slug,
        "--owner",
        owner,
        "--print-token",
    ];
    let made = nyxcore(db, &create);
    assert!(made.status.success(), "{}", made.err);
    made.out.trim().to_owned()
}

/// The first word of each line, without the header.
fn first_words(text: &str) -> Vec<String> {
    let words = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next());
    words.map(str::to_owned).collect()
}

on_both_databases! {
    async fn tenants_and_people_are_listed(db: TestDatabase) {
        tenant_make(&db, "acme", "ada@example.org");
        tenant_make(&db, "other", "bob@example.org");
        tenant_make(&db, "third", "ada@example.org");
        assert_eq!(first_words(&nyxcore(&db, &["tenant", "list"]).out), ["acme", "other", "third"]);
        let people = nyxcore(&db, &["user", "list"]).out;
        assert_eq!(first_words(&people), ["ada@example.org", "bob@example.org"]);
        assert!(people.contains("acme=OWNER,third=OWNER"), "{people}");
        let of_other = nyxcore(&db, &["user", "list", "--tenant", "other"]).out;
        assert_eq!(first_words(&of_other), ["bob@example.org"]);
        for arguments in [&["user", "list", "--tenant", "nowhere"][..], &["token", "list", "--tenant", "nowhere"]] {
            let refused = nyxcore(&db, arguments);
            assert_eq!(refused.code(), "NOT_FOUND", "{}", refused.err);
            assert!(refused.err.contains("\"nowhere\"") && refused.err.contains("tenant list"), "{}", refused.err);
        }
    }

    async fn a_revoked_token_is_refused_by_a_running_server(db: TestDatabase) {
        let token = tenant_make(&db, "acme", "ada@example.org");
        tenant_make(&db, "other", "bob@example.org");
        let server = TestServer::start(&db, &[]).await.unwrap();
        let url = server.url("/graphql");
        assert_eq!(viewer(&url, &token).await.0, 200);
        let listed = nyxcore(&db, &["token", "list", "--tenant", "acme"]).out;
        let id = first_words(&listed).remove(0);
        assert!(listed.contains("ada@example.org") && listed.contains("valid") && !listed.contains(&token), "{listed}");

        let revoke = |id: &str, tenant: &str| nyxcore(&db, &["token", "revoke", id, "--tenant", tenant]);
        assert_eq!(revoke(&id, "other").code(), "NOT_FOUND");
        assert_eq!(revoke("nyx_short", "acme").code(), "INVALID_INPUT");
        assert_eq!(viewer(&url, &token).await.0, 200);
        let done = revoke(&id, "acme");
        assert!(done.status.success() && done.err.contains(&id), "{}", done.err);
        let has_bound = db.backend() == DbBackend::Sqlite;
        assert_eq!(done.err.contains("at most 1 s more"), has_bound, "{}", done.err);
        let begun = std::time::Instant::now();
        while viewer(&url, &token).await.0 != 401 {
            assert!(begun.elapsed() < PATIENCE, "the token is still taken");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let listed = nyxcore(&db, &["token", "list", "--tenant", "acme"]).out;
        assert!(listed.contains("revoked 20"), "{listed}");
    }

    async fn a_token_is_revoked_by_its_own_text(db: TestDatabase) {
        let token = tenant_make(&db, "acme", "ada@example.org");
        let done = nyxcore(&db, &["token", "revoke", &token, "--tenant", "acme"]);
        assert!(done.status.success() && !done.err.contains(&token), "{}", done.err);
        let listed = nyxcore(&db, &["token", "list", "--tenant", "acme"]).out;
        assert!(listed.contains("revoked 20"), "{listed}");
    }

    async fn a_server_without_a_tenant_says_how_to_make_one(db: TestDatabase) {
        let hint = "there is no tenant yet";
        let serve = || {
            let mut command = nyxcore_command(&db).unwrap();
            command.args(["serve", "--listen", "127.0.0.1:0"]);
            Running::start(&mut command, false)
        };
        let running = serve();
        assert!(running.after(hint).contains("nyxcore tenant create"));
        drop(running);
        tenant_make(&db, "acme", "ada@example.org");
        let running = serve();
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line: &String| !line.contains("listens at")) {
            lines.push(running.lines.recv_timeout(PATIENCE).unwrap());
        }
        assert!(!lines.iter().any(|line| line.contains(hint)), "{lines:?}");
    }
}
