//! Sign-in over HTTP as by a browser, and refused requests.

use chrono::TimeDelta;
use nyxcore_gateway::{SignInOptions, TrustedProxies};
use nyxcore_tenancy::directory::{NewApiToken, TOPIC_CREDENTIAL, api_token_create, tenant_create};
use nyxcore_tenancy::sign_in::{ACCOUNT_FAILURES, SignUp, WINDOW, password_reset, session_list};
use nyxcore_tenancy::{Role, Store, TenantId, User};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::browser::{Browser, Site};
use super::{GOOD, password};
use crate::support::{store, store_at_rest, tenant};

const VIEWER: &str = "{ viewer { role user { email } tenant { slug } } }";
const PROJECT: &str =
    r#"mutation { createProject(input: {name: "Made in a browser"}) { project { slug } } }"#;
const FOLLOW: &str = "subscription { tenantActivity { seq } }";

fn options() -> SignInOptions {
    SignInOptions::new().unwrap()
}

/// A tenant whose owner has the good password.
async fn owner(store: &Store, slug: &str) -> (TenantId, User) {
    let (tenant, owner) = tenant(store, slug).await;
    password_reset(store, &options().hasher, &owner.email, &password(GOOD))
        .await
        .unwrap();
    (tenant.id, owner)
}

async fn token(store: &Store, tenant: TenantId, user: &User, role: Role) -> String {
    let scoped = store.write(tenant).await.unwrap();
    let new = NewApiToken {
        user: user.id,
        name: "test".into(),
        role,
        expires_at: None,
    };
    let (_, text) = api_token_create(&scoped, new).await.unwrap();
    scoped.commit().await.unwrap();
    text
}

/// The browser of a site's owner, signed in at `acme`.
async fn signed_in<'s>(site: &'s Site, user: &User) -> Browser<'s> {
    let mut browser = site.browser();
    assert_eq!(browser.sign_in(&user.email, GOOD).await.status, 200);
    browser
}

on_both_databases! {
    async fn a_person_signs_in_works_moves_between_tenants_and_signs_out(db: TestDatabase) {
        let store = store(&db).await;
        let (_, ada) = owner(&store, "acme").await;
        tenant_create(&store, "second", "Second", &ada.email).await.unwrap();
        let site = Site::start(&store, options()).await;
        let mut browser = site.browser();
        let methods = browser.get("/auth/methods").await;
        assert_eq!((methods.status, &methods.body["password"], &methods.body["signUp"]), (200, &json!(true), &json!("closed")));
        assert_eq!(browser.get("/auth/session").await.told(), (401, "UNAUTHENTICATED"));
        assert_eq!(browser.graphql(VIEWER).await.told(), (401, "UNAUTHENTICATED"));
        assert_eq!(browser.sign_in(&ada.email, "a wrong password").await.told(), (401, "SIGN_IN_REFUSED"));
        assert!(browser.cookies.is_empty());

        let answer = browser.with("user-agent", "A Browser/1.0").sign_in(&ada.email, GOOD).await;
        assert_eq!((answer.status, &answer.body["user"]["email"], &answer.body["tenant"]), (200, &json!(ada.email), &json!("acme")));
        for cookie in answer.cookies_set() {
            assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000"), "{cookie}");
        }
        assert!(!answer.body.to_string().contains("nyxs_"));
        let mut browser = signed_in(&site, &ada).await;
        let answer = browser.graphql(VIEWER).await;
        assert_eq!(answer.body["data"]["viewer"], json!({"role": "OWNER", "user": {"email": ada.email}, "tenant": {"slug": "acme"}}));
        assert_eq!(browser.graphql(PROJECT).await.body["data"]["createProject"]["project"]["slug"], "made-in-a-browser");
        // A query by GET, as from an address bar or a script.
        let asked = browser.get("/graphql?query=%7Bviewer%7Brole%7D%7D").await;
        assert_eq!(asked.body["data"]["viewer"]["role"], "OWNER");

        assert_eq!(browser.post("/auth/tenant", json!({"slug": "second"})).await.body["tenant"], "second");
        assert_eq!(browser.graphql(VIEWER).await.body["data"]["viewer"]["tenant"]["slug"], "second");
        assert_eq!(browser.graphql("{ projects { totalCount } }").await.body["data"]["projects"]["totalCount"], 0);
        // Signing in again keeps the chosen tenant, and ends the previous session.
        let before = browser.clone();
        assert_eq!(browser.sign_in(&ada.email, GOOD).await.body["tenant"], "second");
        assert_eq!(before.clone().get("/auth/session").await.told(), (401, "UNAUTHENTICATED"));

        let sessions = browser.get("/auth/sessions").await.body["sessions"].as_array().unwrap().clone();
        let told: Vec<_> = sessions.iter().map(|session| (session["current"].as_bool().unwrap(), session["userAgent"].as_str(), session["address"].as_str())).collect();
        assert_eq!(told, [(true, None, Some("127.0.0.1")), (false, Some("A Browser/1.0"), Some("127.0.0.1"))]);
        assert_eq!(browser.post("/auth/sessions/end", json!({"id": sessions[1]["id"]})).await.status, 204);
        assert_eq!(browser.post("/auth/sessions/end", json!({"id": sessions[1]["id"]})).await.told(), (404, "NOT_FOUND"));
        let out = browser.clone();
        assert_eq!(browser.send("POST", "/auth/sign-out", Some(String::new())).await.status, 204);
        assert!(browser.cookies.is_empty());
        assert_eq!(out.clone().graphql(VIEWER).await.told(), (401, "UNAUTHENTICATED"));
        // A second call has no effect.
        assert_eq!(out.clone().post("/auth/sign-out", json!({})).await.status, 204);
        assert!(session_list(&store, ada.id).await.unwrap().is_empty());
    }

    async fn sign_out_everywhere_and_new_passwords_end_other_sessions(db: TestDatabase) {
        let store = store(&db).await;
        let (_, ada) = owner(&store, "acme").await;
        let site = Site::start(&store, options()).await;
        let (mut here, mut there) = (signed_in(&site, &ada).await, signed_in(&site, &ada).await);
        const NEW: &str = "quite another password";
        let change = async |browser: &mut Browser, current: &str, new: &str| {
            let answer = browser.post("/auth/password", json!({"current": current, "new": new})).await;
            let (status, code) = answer.told();
            (status, code.to_owned())
        };
        assert_eq!(change(&mut here, "a wrong password", NEW).await, (401, "SIGN_IN_REFUSED".into()));
        assert_eq!(change(&mut here, GOOD, "short").await, (400, "INVALID_INPUT".into()));
        assert_eq!(there.get("/auth/session").await.status, 200);
        assert_eq!(change(&mut here, GOOD, NEW).await, (204, String::new()));
        assert_eq!((here.get("/auth/session").await.status, there.get("/auth/session").await.status), (200, 401));
        assert_eq!(there.sign_in(&ada.email, GOOD).await.status, 401);
        assert_eq!(there.sign_in(&ada.email, NEW).await.status, 200);
        let answer = here.post("/auth/sign-out-everywhere", json!({})).await;
        assert_eq!((answer.status, &answer.body["ended"]), (200, &json!(2)));
        assert!(here.cookies.is_empty());
        assert_eq!(there.get("/auth/session").await.status, 401);
    }

    async fn conflicting_tenants_in_header_and_cookie_are_refused(db: TestDatabase) {
        let store = store(&db).await;
        let (_, ada) = owner(&store, "acme").await;
        tenant_create(&store, "second", "Second", &ada.email).await.unwrap();
        owner(&store, "other").await;
        let site = Site::start(&store, options()).await;
        let mut browser = signed_in(&site, &ada).await;
        assert_eq!(browser.with("nyxcore-tenant", "acme").graphql(VIEWER).await.told(), (200, ""));
        assert_eq!(browser.with("nyxcore-tenant", "second").graphql(VIEWER).await.told(), (400, "TENANT_MISMATCH"));
        // Without the cookie the header selects the tenant. An unknown tenant and another user's tenant get the same
        // error.
        browser.cookies.remove("nyxcore_tenant");
        let answer = browser.with("nyxcore-tenant", "second").graphql(VIEWER).await;
        assert_eq!(answer.body["data"]["viewer"]["tenant"]["slug"], "second");
        let told = async |slug: &str| {
            let answer = browser.with("nyxcore-tenant", slug).graphql(VIEWER).await;
            (answer.status, answer.body)
        };
        let other = told("other").await;
        assert_eq!(other, told("nobody").await);
        assert_eq!((other.0, &other.1["errors"][0]["extensions"]["code"]), (403, &json!("TENANT_MISMATCH")));
        for slug in ["other", "nobody"] {
            assert_eq!(browser.post("/auth/tenant", json!({"slug": slug})).await.told(), (404, "NOT_FOUND"));
        }
        // On a WebSocket the first message may name the tenant.
        let mut socket = browser.socket(json!({"Nyxcore-Tenant": "second"})).await.unwrap();
        assert_eq!(socket.hear().await.unwrap()["type"], "connection_ack");
        assert_eq!(socket.ask(VIEWER).await["data"]["viewer"]["tenant"]["slug"], "second");
        for (browser, named) in [(browser.clone(), "other"), (browser.with("nyxcore-tenant", "acme"), "second")] {
            let mut socket = browser.socket(json!({"Nyxcore-Tenant": named})).await.unwrap();
            assert_eq!(socket.hear().await.unwrap_err(), 4403);
        }
    }

    async fn token_and_session_must_belong_to_the_same_user(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = owner(&store, "acme").await;
        let (other, eve) = owner(&store, "other").await;
        let mine = token(&store, acme, &ada, Role::Viewer).await;
        let theirs = token(&store, other, &eve, Role::Owner).await;
        let site = Site::start(&store, options()).await;
        let browser = signed_in(&site, &ada).await;
        let bearer = |token: &str| browser.with("authorization", format!("Bearer {token}"));
        assert_eq!(bearer(&mine).graphql(VIEWER).await.body["data"]["viewer"]["role"], "VIEWER");
        assert_eq!(bearer(&mine).graphql(PROJECT).await.told(), (200, "FORBIDDEN"));
        assert_eq!(bearer(&theirs).graphql(VIEWER).await.told(), (400, "CREDENTIALS_AMBIGUOUS"));
        let mut socket = browser.socket(json!({"token": theirs})).await.unwrap();
        assert_eq!(socket.hear().await.unwrap_err(), 4403);
        let mut socket = browser.socket(json!({"token": mine})).await.unwrap();
        assert_eq!(socket.hear().await.unwrap()["type"], "connection_ack");
        assert_eq!(socket.ask(VIEWER).await["data"]["viewer"]["role"], "VIEWER");
        // A session does not make an invalid token valid, and an ended session does not invalidate a token.
        assert_eq!(bearer("nyx_nonsense").graphql(VIEWER).await.told(), (401, "UNAUTHENTICATED"));
        let ended = browser.clone();
        assert_eq!(browser.clone().post("/auth/sign-out", json!({})).await.status, 204);
        let mut with_token = ended.with("authorization", format!("Bearer {theirs}"));
        assert_eq!(with_token.graphql(VIEWER).await.body["data"]["viewer"]["role"], "OWNER");
        // A session's secret is not a token, and a token is not a session.
        let secret = &ended.cookies["nyxcore_session"];
        assert_eq!(site.browser().with("authorization", format!("Bearer {secret}")).graphql(VIEWER).await.told(), (401, "UNAUTHENTICATED"));
        assert_eq!(site.browser().with("cookie", format!("nyxcore_session={mine}")).graphql(VIEWER).await.told(), (401, "UNAUTHENTICATED"));
    }

    async fn malformed_or_large_cookies_and_headers_are_refused(db: TestDatabase) {
        let store = store(&db).await;
        let (_, ada) = owner(&store, "acme").await;
        let site = Site::start(&store, options()).await;
        let browser = signed_in(&site, &ada).await;
        let good = browser.cookies["nyxcore_session"].clone();
        let long = "x".repeat(600);
        for (cookie, expected) in [
            (format!("nyxcore_session={good}"), (200, "")),
            (format!("a=b; nyxcore_session={good}; =; ;;"), (200, "")),
            ("nyxcore_session=".into(), (401, "UNAUTHENTICATED")),
            ("nyxcore_session=nyxs_x_y".into(), (401, "UNAUTHENTICATED")),
            (format!("nyxcore_session={good}0"), (401, "UNAUTHENTICATED")),
            (format!("__Host-nyxcore_session={good}"), (401, "UNAUTHENTICATED")),
            (format!("nyxcore_session={long}"), (400, "COOKIE_MALFORMED")),
            (format!("nyxcore_session={good}; nyxcore_session={good}"), (400, "COOKIE_MALFORMED")),
            (format!("nyxcore_session={good}; nyxcore_tenant=a b"), (400, "COOKIE_MALFORMED")),
            (format!("nyxcore_session={good}; nyxcore_tenant={long}"), (400, "COOKIE_MALFORMED")),
            (format!("nyxcore_session={good}; nyxcore_tenant=../../x"), (400, "COOKIE_MALFORMED")),
            (format!("nyxcore_session={good}; pad={}", "x".repeat(40_000)), (431, "HEADERS_TOO_LARGE")),
        ] {
            let mut asking = browser.with("cookie", cookie.clone());
            assert_eq!(asking.graphql(VIEWER).await.told(), expected, "{cookie}");
            assert_eq!(asking.get("/auth/session").await.told(), expected, "{cookie}");
        }
        let mut wordy = browser.with("nyxcore-tenant", "x".repeat(5_000));
        assert_eq!(wordy.graphql(VIEWER).await.told(), (400, "TENANT_MISMATCH"));
        // Malformed sign-in requests are refused too; no response repeats what was sent.
        let mut nobody = site.browser();
        for (body, expected) in [
            (String::new(), (400, "BAD_REQUEST")),
            ("{".into(), (400, "BAD_REQUEST")),
            ("[]".into(), (400, "BAD_REQUEST")),
            (json!({"email": "a@b.example", "password": 12345678}).to_string(), (400, "BAD_REQUEST")),
            (json!({"email": "a@b.example", "password": GOOD, "otp": "1"}).to_string(), (400, "BAD_REQUEST")),
            (json!({"email": "no address", "password": GOOD}).to_string(), (400, "INVALID_INPUT")),
            (json!({"email": "a@b.example", "password": "x".repeat(20_000)}).to_string(), (413, "BODY_TOO_LARGE")),
            (json!({"email": "a@b.example", "password": "x".repeat(10_000)}).to_string(), (401, "SIGN_IN_REFUSED")),
        ] {
            let answer = nobody.send("POST", "/auth/sign-in", Some(body.clone())).await;
            assert_eq!(answer.told(), expected, "{body}");
            assert!(!answer.body.to_string().contains(GOOD) && !answer.body.to_string().contains("12345678"));
        }
        assert_eq!(nobody.get("/auth/sign-in").await.told(), (405, "METHOD_NOT_ALLOWED"));
        assert_eq!(nobody.get("/auth/nothing").await.told(), (404, "NOT_FOUND"));
    }

    async fn a_secret_in_an_address_is_refused_even_beside_a_good_session(db: TestDatabase) {
        let store = store(&db).await;
        let (_, ada) = owner(&store, "acme").await;
        let site = Site::start(&store, options()).await;
        let mut browser = signed_in(&site, &ada).await;
        let secret = browser.cookies["nyxcore_session"].clone();
        for path in ["/graphql?query=%7Bviewer%7Brole%7D%7D&", "/auth/session?", "/auth/sessions?"] {
            for pair in [format!("x={secret}"), "access_token=x".into(), "t=nyxinv_01h_ab".into()] {
                let answer = browser.get(&format!("{path}{pair}")).await;
                assert_eq!(answer.told(), (401, "UNAUTHENTICATED"), "{path}{pair}");
            }
        }
    }

    async fn another_sites_page_can_do_nothing_in_a_persons_name(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = owner(&store, "acme").await;
        let api_token = token(&store, acme, &ada, Role::Owner).await;
        let site = Site::start(&store, options()).await;
        let browser = signed_in(&site, &ada).await;
        let old = browser.without("sec-fetch-site");
        let elsewhere = [
            browser.with("sec-fetch-site", "cross-site"),
            browser.with("sec-fetch-site", "same-site"),
            old.with("origin", "https://evil.example"),
            old.with("origin", "null"),
            old.with("origin", format!("http://{}.evil.example", site.address)),
        ];
        for other in elsewhere {
            assert_eq!(other.clone().graphql(PROJECT).await.told(), (403, "CROSS_ORIGIN"));
            for path in ["sign-in", "sign-up", "sign-out", "sign-out-everywhere", "password", "tenant", "sessions/end"] {
                assert_eq!(other.clone().post(&format!("/auth/{path}"), json!({})).await.told(), (403, "CROSS_ORIGIN"), "{path}");
            }
            assert_eq!(other.socket(json!({})).await.err().unwrap(), (403, "CROSS_ORIGIN".into()));
            // A form cannot send JSON, and a link can only read.
            assert_eq!(other.clone().get("/graphql?query=mutation%7BleaveTenant%7Bid%7D%7D").await.status, 405);
            // A token is sent by a program and not by another site's page, so the origin does not matter.
            let mut program = other.with("authorization", format!("Bearer {api_token}"));
            assert_eq!(program.graphql(VIEWER).await.told(), (200, ""));
        }
        for form in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let mut page = browser.with("content-type", form);
            for path in ["/graphql", "/auth/sign-out", "/auth/sign-in"] {
                assert_eq!(page.post(path, json!({"query": PROJECT})).await.told(), (415, "UNSUPPORTED_MEDIA_TYPE"));
            }
        }
        // Pages of this server are allowed, also in browsers that send no Sec-Fetch-Site, and so are programs without
        // an origin.
        for own in [browser.clone(), old.with("origin", format!("http://{}", site.address)), old.clone()] {
            assert_eq!(own.clone().graphql(VIEWER).await.told(), (200, ""));
            let mut socket = own.socket(json!({})).await.unwrap();
            assert_eq!(socket.hear().await.unwrap()["type"], "connection_ack");
        }
        assert_eq!(session_list(&store, ada.id).await.unwrap().len(), 1);
    }

    async fn guessing_is_answered_with_when_to_come_back(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let (_, ada) = owner(&store, "acme").await;
        let site = Site::start(&store, options()).await;
        let mut browser = site.browser();
        for email in [ada.email.as_str(), "nobody@example.org"] {
            let mut answers = Vec::new();
            for _ in 0..ACCOUNT_FAILURES {
                let answer = browser.sign_in(email, "a wrong password").await;
                answers.push((answer.status, answer.body));
            }
            answers.dedup();
            assert_eq!(answers, [(401, json!({"code": "SIGN_IN_REFUSED", "message": "wrong e-mail address or password"}))]);
            clock.advance(TimeDelta::minutes(1));
            let answer = browser.sign_in(email, GOOD).await;
            assert_eq!(answer.told(), (429, "TOO_MANY_ATTEMPTS"));
            let again = (WINDOW - TimeDelta::minutes(1)).num_seconds() + 1;
            assert_eq!(answer.headers["retry-after"], again.to_string().as_str());
        }
        clock.advance(WINDOW);
        assert_eq!(browser.sign_in(&ada.email, GOOD).await.status, 200);
    }

    async fn signing_up_is_closed_unless_the_operator_opens_it(db: TestDatabase) {
        let store = store(&db).await;
        let closed = Site::start(&store, options()).await;
        let body = json!({"email": "eve@example.org", "password": GOOD, "name": "Eve"});
        assert_eq!(closed.browser().post("/auth/sign-up", body.clone()).await.told(), (403, "SIGN_UP_CLOSED"));
        let open = Site::start(&store, SignInOptions { sign_up: SignUp::Open, ..options() }).await;
        let mut eve = open.browser();
        assert_eq!(eve.get("/auth/methods").await.body["signUp"], "open");
        assert_eq!(eve.post("/auth/sign-up", json!({"email": "eve@example.org", "password": "short"})).await.told(), (400, "INVALID_INPUT"));
        let answer = eve.post("/auth/sign-up", body.clone()).await;
        assert_eq!((answer.status, &answer.body["user"]["name"], &answer.body["tenant"]), (201, &json!("Eve"), &json!(null)));
        assert_eq!(eve.graphql(VIEWER).await.told(), (403, "NO_TENANT"));
        assert_eq!(open.browser().post("/auth/sign-up", body).await.told(), (409, "CONFLICT"));
        assert_eq!(open.browser().sign_in("eve@example.org", GOOD).await.status, 200);
    }

    async fn an_open_stream_ends_with_its_session_or_role(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, ada) = owner(&store, "acme").await;
        let site = Site::start(&store, options()).await;
        let open = async |browser: &Browser| {
            let mut socket = browser.socket(json!({})).await.unwrap();
            assert_eq!(socket.hear().await.unwrap()["type"], "connection_ack");
            socket.say(json!({"type": "subscribe", "id": "1", "payload": {"query": FOLLOW}})).await;
            (socket, browser.stream(FOLLOW).await)
        };
        let (mut here, there) = (signed_in(&site, &ada).await, signed_in(&site, &ada).await);
        let (mut socket, stream) = open(&here).await;
        let (mut other_socket, other_stream) = open(&there).await;
        assert_eq!(here.post("/auth/sign-out", json!({})).await.status, 204);
        assert_eq!(socket.hear().await.unwrap_err(), 4403);
        assert!(!stream.await.contains("complete"));
        // The other browser's socket stays open until the role changes.
        other_socket.say(json!({"type": "ping"})).await;
        assert_eq!(other_socket.hear().await.unwrap()["type"], "pong");
        let plain = db.superuser_connection().await.unwrap();
        plain.execute_unprepared("UPDATE memberships SET role = 'VIEWER'").await.unwrap();
        let scoped = store.write(acme).await.unwrap();
        scoped.announce(TOPIC_CREDENTIAL, ada.id.0).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(other_socket.hear().await.unwrap_err(), 4403);
        assert!(!other_stream.await.contains("complete"));
        assert_eq!(there.clone().graphql(VIEWER).await.body["data"]["viewer"]["role"], "VIEWER");
        assert_eq!(there.clone().graphql(PROJECT).await.told(), (200, "FORBIDDEN"));
        // After the removal from the tenant the session is still valid, but has access to nothing.
        plain.execute_unprepared("DELETE FROM memberships").await.unwrap();
        let scoped = store.write(acme).await.unwrap();
        scoped.announce(TOPIC_CREDENTIAL, ada.id.0).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(there.clone().graphql(VIEWER).await.told(), (403, "TENANT_MISMATCH"));
        let known = there.clone().get("/auth/session").await;
        assert_eq!((known.status, &known.body["tenant"]), (200, &json!(null)));
    }

    async fn a_session_ended_after_the_handshake_serves_nothing(db: TestDatabase) {
        let store = store(&db).await;
        let (_, ada) = owner(&store, "acme").await;
        let site = Site::start(&store, options()).await;
        let mut browser = signed_in(&site, &ada).await;
        let mut socket = browser.socket(Value::Null).await.unwrap();
        assert_eq!(browser.post("/auth/sign-out", json!({})).await.status, 204);
        socket.say(json!({"type": "connection_init"})).await;
        let mut heard = socket.hear().await;
        if let Ok(message) = &heard {
            assert_eq!(message["type"], "connection_ack");
            heard = socket.hear().await;
        }
        assert_eq!(heard.unwrap_err(), 4403);
    }

    async fn a_trusted_proxy_names_the_client(db: TestDatabase) {
        let store = store(&db).await;
        let (_, ada) = owner(&store, "acme").await;
        let public_url = Some("https://nyx.example.org".parse().unwrap());
        let trusted_proxies = TrustedProxies::parse("127.0.0.1").unwrap();
        let behind = Site::start(&store, SignInOptions { trusted_proxies, public_url, ..options() }).await;
        let alone = Site::start(&store, options()).await;
        let mut browser = behind.browser().with("x-forwarded-for", "1.1.1.1, 198.51.100.7");
        let answer = browser.sign_in(&ada.email, GOOD).await;
        assert_eq!(answer.body["session"]["address"], "198.51.100.7");
        for cookie in answer.cookies_set() {
            assert!(cookie.starts_with("__Host-nyxcore_") && cookie.contains("; Secure; Path=/;"), "{cookie}");
        }
        assert_eq!(browser.graphql(VIEWER).await.told(), (200, ""));
        // Pages of the public address belong to this server, whatever host the proxy requests.
        let old = browser.without("sec-fetch-site");
        assert_eq!(old.with("origin", "https://nyx.example.org").graphql(VIEWER).await.told(), (200, ""));
        assert_eq!(old.with("origin", "https://evil.example").graphql(VIEWER).await.told(), (403, "CROSS_ORIGIN"));
        // The headers of other clients are ignored.
        let mut liar = alone.browser().with("x-forwarded-for", "198.51.100.7").with("x-forwarded-proto", "https");
        let answer = liar.sign_in(&ada.email, GOOD).await;
        assert_eq!(answer.body["session"]["address"], "127.0.0.1");
        assert!(answer.cookies_set().iter().all(|cookie| !cookie.contains("Secure")));
    }
}
