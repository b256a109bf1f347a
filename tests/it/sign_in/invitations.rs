//! The link of an invitation in a browser: readable by anybody who has it, accepted with a new account or by a
//! signed-in user.

use nyxcore_gateway::SignInOptions;
use nyxcore_tenancy::audit::system_entry_list;
use nyxcore_tenancy::people::{invitation_look, member_remove, member_role_set};
use nyxcore_tenancy::sign_in::SignUp;
use nyxcore_tenancy::{Role, Store, Tenant, directory};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::GOOD;
use super::browser::{Answer, Browser, Site};
use crate::people::{invite, role_of};
use crate::support::{store, tenant};

const VIEWER: &str = "{ viewer { role user { email name } tenant { slug } } }";
const FOLLOW: &str = "subscription { tenantActivity { seq } }";

on_both_databases! {
    async fn a_link_becomes_an_account_that_is_signed_in_and_works(db: TestDatabase) {
        let (store, acme, site) = world(&db).await;
        let (_, secret) = invite(&store, &acme, "bob@example.org", Role::Member).await;
        let mut browser = site.browser();
        let seen = browser.post("/auth/invitations/look", json!({"secret": secret})).await;
        assert_eq!(seen.status, 200);
        assert_eq!(
            (&seen.body["tenantName"], &seen.body["email"], &seen.body["role"], &seen.body["inviter"]),
            (&json!("acme"), &json!("bob@example.org"), &json!("MEMBER"), &Value::Null)
        );
        assert!(browser.cookies.is_empty());

        let made = accept(&mut browser, &secret).await;
        assert_eq!((made.status, &made.body["user"]["email"], &made.body["tenant"]), (201, &json!("bob@example.org"), &json!("acme")));
        assert!(!made.body.to_string().contains("nyx"), "{}", made.body);
        let viewer = browser.graphql(VIEWER).await.body["data"]["viewer"].clone();
        assert_eq!(viewer, json!({"role": "MEMBER", "user": {"email": "bob@example.org", "name": "Bob"}, "tenant": {"slug": "acme"}}));
        let made = browser.graphql(r#"mutation { createProject(input: {name: "By Bob"}) { project { createdBy { name } } } }"#).await;
        assert_eq!(made.body["data"]["createProject"]["project"]["createdBy"]["name"], "Bob");

        // The account now has this password, and the link is used.
        assert_eq!(site.browser().sign_in("bob@example.org", GOOD).await.status, 200);
        for path in ["/auth/invitations/look", "/auth/invitations/accept"] {
            assert_eq!(browser.post(path, json!({"secret": secret})).await.told(), (404, "INVITATION_INVALID"));
        }
        assert_eq!(accept(&mut site.browser(), &secret).await.told(), (404, "INVITATION_INVALID"));
    }

    async fn a_user_accepts_only_invitations_for_their_address(db: TestDatabase) {
        let (store, acme, site) = world(&db).await;
        // An account without any tenant.
        let mut bob = site.browser();
        let body = json!({"email": "bob@example.org", "password": GOOD, "name": "Bob"});
        assert_eq!(bob.post("/auth/sign-up", body).await.status, 201);
        let (_, for_carol) = invite(&store, &acme, "carol@example.org", Role::Owner).await;
        let (bobs, for_bob) = invite(&store, &acme, "bob@example.org", Role::Viewer).await;
        let forged = bob.post("/auth/invitations/accept", json!({"secret": "nyxinv_x_y"})).await;
        let others = bob.post("/auth/invitations/accept", json!({"secret": for_carol})).await;
        assert_eq!(others.told(), (404, "INVITATION_INVALID"));
        assert_eq!((others.status, &others.body), (forged.status, &forged.body), "word for word the same");
        assert!(invitation_look(&store, &for_carol).await.is_ok(), "it is still Carol's");
        // An invitation cannot take over an account that has a password already.
        assert_eq!(accept(&mut site.browser(), &for_bob).await.told(), (409, "CONFLICT"));
        let log = system_entry_list(&store, chrono::DateTime::UNIX_EPOCH).await.unwrap();
        let tried = log.iter().filter(|entry| entry.outcome == "CONFLICT" && entry.subject_id == Some(bobs.id.0));
        assert_eq!(tried.count(), 1, "who looks for accounts this way leaves a trace");
        assert_eq!(site.browser().post("/auth/invitations/accept", json!({"secret": for_bob})).await.told(), (401, "UNAUTHENTICATED"));

        let joined = bob.post("/auth/invitations/accept", json!({"secret": for_bob})).await;
        assert_eq!((joined.status, &joined.body["tenant"], &joined.body["tenants"][0]["role"]), (200, &json!("acme"), &json!("VIEWER")));
        assert_eq!(bob.graphql(VIEWER).await.body["data"]["viewer"]["role"], "VIEWER");
    }

    async fn what_is_wrong_with_the_request_leaves_the_invitation_good(db: TestDatabase) {
        let (store, acme, site) = world(&db).await;
        let (_, secret) = invite(&store, &acme, "bob@example.org", Role::Member).await;
        let body = |name: &str, password: &str| json!({"secret": secret, "name": name, "password": password});
        for (body, told) in [
            (body("Bob", "short"), (400, "INVALID_INPUT")),
            (body("Bob", "bob@example.org"), (400, "INVALID_INPUT")),
            (body(" ", GOOD), (400, "INVALID_INPUT")),
            (body("a\nb", GOOD), (400, "INVALID_INPUT")),
            (body(&"a".repeat(201), GOOD), (400, "INVALID_INPUT")),
            (body("Bob", &"a".repeat(20_000)), (413, "BODY_TOO_LARGE")),
            (json!({"secret": secret, "name": "Bob"}), (400, "BAD_REQUEST")),
            (json!({"secret": secret, "password": GOOD}), (400, "BAD_REQUEST")),
            (json!({"secret": secret, "role": "OWNER", "name": "Bob", "password": GOOD}), (400, "BAD_REQUEST")),
            (json!({"secret": 1}), (400, "BAD_REQUEST")),
            (json!([]), (400, "BAD_REQUEST")),
            (json!({}), (400, "BAD_REQUEST")),
        ] {
            assert_eq!(site.browser().post("/auth/invitations/accept", body.clone()).await.told(), told, "{body:.200}");
        }
        let good = body("Bob", GOOD);
        for path in ["/auth/invitations/look", "/auth/invitations/accept"] {
            assert_eq!(site.browser().get(path).await.told(), (405, "METHOD_NOT_ALLOWED"));
            let cross = site.browser().with("sec-fetch-site", "cross-site").post(path, good.clone()).await;
            assert_eq!(cross.told(), (403, "CROSS_ORIGIN"));
            let form = site.browser().with("content-type", "text/plain").post(path, good.clone()).await;
            assert_eq!(form.told(), (415, "UNSUPPORTED_MEDIA_TYPE"));
            // URLs end up in logs: a secret in one is refused, so that nobody relies on it.
            let named = site.browser().post(&format!("{path}?secret={secret}"), good.clone()).await;
            assert_eq!(named.told(), (401, "UNAUTHENTICATED"));
        }
        assert_eq!(accept(&mut site.browser(), &secret).await.status, 201);
    }

    async fn many_who_accept_with_a_new_account_at_once_make_one(db: TestDatabase) {
        let (store, acme, site) = world(&db).await;
        let (_, secret) = invite(&store, &acme, "bob@example.org", Role::Member).await;
        let tries = (0..6).map(|_| {
            let (mut browser, secret) = (site.browser(), secret.clone());
            async move { accept(&mut browser, &secret).await.status }
        });
        let mut told = futures::future::join_all(tries).await;
        told.sort_unstable();
        assert_eq!(told, [201, 404, 404, 404, 404, 404]);
        let scoped = store.read(acme.id).await.unwrap();
        assert_eq!(directory::membership_count(&scoped).await.unwrap(), 2);
    }

    async fn streams_end_when_role_or_membership_changes(db: TestDatabase) {
        let (store, acme, site) = world(&db).await;
        let (_, secret) = invite(&store, &acme, "bob@example.org", Role::Admin).await;
        let mut bob = site.browser();
        assert_eq!(accept(&mut bob, &secret).await.status, 201);
        let user = directory::user_by_email(&store, "bob@example.org").await.unwrap().unwrap().id;

        let open = bob.stream(FOLLOW).await;
        let scoped = store.write(acme.id).await.unwrap();
        member_role_set(&scoped, user, Role::Viewer).await.unwrap();
        scoped.commit().await.unwrap();
        open.await;
        // After reconnecting it has the remaining rights.
        assert_eq!(bob.graphql(VIEWER).await.body["data"]["viewer"]["role"], "VIEWER");
        let open = bob.stream(FOLLOW).await;
        let scoped = store.write(acme.id).await.unwrap();
        member_remove(&scoped, user).await.unwrap();
        scoped.commit().await.unwrap();
        open.await;
        assert_eq!(role_of(&store, &acme, user).await, None);
        let refused = bob.graphql(VIEWER).await;
        assert!(refused.body["data"].is_null() && refused.status >= 400, "{} {}", refused.status, refused.body);
    }
}

/// A tenant, and a site with open sign-up.
async fn world(db: &TestDatabase) -> (Store, Tenant, Site) {
    let store = store(db).await;
    let (acme, _) = tenant(&store, "acme").await;
    let open = SignInOptions {
        sign_up: SignUp::Open,
        ..SignInOptions::new().unwrap()
    };
    let site = Site::start(&store, open).await;
    (store, acme, site)
}

/// Accepts the link with a new account and the good password.
async fn accept(browser: &mut Browser<'_>, secret: &str) -> Answer {
    let body = json!({"secret": secret, "name": "Bob", "password": GOOD});
    browser.post("/auth/invitations/accept", body).await
}
