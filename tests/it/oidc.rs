//! Sign-in with a real OpenID Connect provider: complete login flows of a browser, and invalid ones.

pub(crate) mod browser;

use std::sync::Arc;

use chrono::TimeDelta;
use nyxcore_gateway::{Gateway, GatewayOptions, Limits, OidcProvider, ServerInfo, SignInOptions};
use nyxcore_outbound::OutboundPolicy;
use nyxcore_sync::git::SourcePolicy;
use nyxcore_tenancy::people::{NewInvitation, invitation_create};
use nyxcore_tenancy::secret::Secret;
use nyxcore_tenancy::sign_in::{FLOW_LIFE, FLOWS_PER_ADDRESS, SignUp};
use nyxcore_tenancy::{Clock, Env, ManualClock, RandomIds, Role, Store, SystemClock};
use nyxcore_tests::{OidcProcess, OidcSetup, TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::{self, has_world, keyring, models, options};
use browser::Browser;

/// A server with sign-in by a real provider, and a tenant `acme` with its owner.
struct OidcWorld {
    world: support::World,
    base: String,
    clock: Arc<ManualClock>,
    provider: Option<OidcProcess>,
    database: TestDatabase,
}

has_world!(OidcWorld);

impl OidcWorld {
    async fn new(db: &TestDatabase, sign_up: SignUp, claims_in_id_token: bool) -> Self {
        // The provider uses the machine's clock, so the test's clock starts at the same time.
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let env = Env::new(clock.clone(), Arc::new(RandomIds::default()));
        let options = options(db.app_url());
        let store = Store::connect(&options, env).await.unwrap();
        let world = support::World::new(store, "acme").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let setup = OidcSetup {
            redirect_uri: &format!("{base}/auth/oidc/test/callback"),
            claims_in_id_token,
        };
        let provider = OidcProcess::start(&setup).unwrap_or_else(|error| panic!("{error:#}"));
        let oidc = OidcProvider {
            id: "test".into(),
            name: "The provider of the tests".into(),
            issuer: provider.issuer().into(),
            client_id: OidcProcess::CLIENT_ID.into(),
            client_secret: Arc::new(Secret::new(OidcProcess::CLIENT_SECRET)),
        };
        let keyring = keyring();
        let gateway = Gateway::new(GatewayOptions {
            store: world.store.clone(),
            source_policy: SourcePolicy::default(),
            analysis_quiet_period: TimeDelta::minutes(3),
            server: ServerInfo {
                version: "0.0.0".into(),
                ..ServerInfo::default()
            },
            limits: Limits::default(),
            models: models(&world.store, &keyring, OutboundPolicy::default()),
            keyring,
            sign_in: SignInOptions {
                sign_up,
                oidc: vec![oidc],
                ..SignInOptions::new().unwrap()
            },
        });
        tokio::spawn(nyxcore_gateway::serve(
            gateway,
            listener,
            std::future::pending(),
        ));
        Self {
            world,
            base,
            clock,
            provider: Some(provider),
            database: db.clone(),
        }
    }

    fn browser(&self) -> Browser {
        Browser::new(&self.base)
    }

    /// A number from the database, read past row-level security.
    async fn count(&self, sql: &str) -> i64 {
        let connection = self.database.superuser_connection().await.unwrap();
        let sql = format!("SELECT count(*) AS n FROM {sql}");
        let statement = Statement::from_string(self.database.backend(), sql);
        let row = connection.query_one_raw(statement).await.unwrap();
        row.unwrap().try_get("", "n").unwrap()
    }

    async fn invite(&self, email: &str) {
        let scoped = self.write().await;
        let new = NewInvitation {
            email: email.to_owned(),
            role: Role::Member,
        };
        invitation_create(&scoped, new).await.unwrap();
        scoped.commit().await.unwrap();
    }
}

/// The address of a step in the login flow, with one parameter changed.
fn with(address: &str, name: &str, value: &str) -> String {
    let mut url = url::Url::parse(address).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert!(
        pairs.iter().any(|(found, _)| found == name),
        "{name} is not in {address}"
    );
    url.query_pairs_mut().clear().extend_pairs(
        pairs
            .iter()
            .map(|(found, old)| (found, if found == name { value } else { old })),
    );
    url.to_string()
}

/// Checks that nobody was signed in.
fn refused(answer: &browser::Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code()),
        (status, code),
        "{}",
        answer.body
    );
    assert!(
        !answer
            .cookies
            .iter()
            .any(|(name, value)| name == "nyxcore_session" && !value.is_empty()),
        "{:?}",
        answer.cookies
    );
}

/// Users with unusual claims, or with "true" as a string, can sign in.
async fn odd_claims(world: &OidcWorld) {
    for (person, email, name) in [
        ("texty", "texty@elsewhere.example", "Tessa Texty"),
        ("odd", "odd@elsewhere.example", "odd"),
        ("named", "named@elsewhere.example", "Ada Lovelace"),
    ] {
        let mut browser = world.browser();
        let arrived = browser.sign_in(person, "/auth/oidc/test").await;
        assert_eq!(arrived.status, 303, "{person}: {}", arrived.body);
        let user = browser.get("/auth/session").await.json()["user"].clone();
        assert_eq!(
            (&user["email"], &user["name"]),
            (&email.into(), &name.into())
        );
    }
}

/// Only `true` verifies an address, and the error names the wrong claim.
async fn unconfirmed(world: &OidcWorld) {
    for person in [
        "unverified",
        "no_text",
        "one_text",
        "one",
        "list",
        "nothing",
        "absent",
        "shouted",
    ] {
        let answer = world.browser().sign_in(person, "/auth/oidc/test").await;
        refused(&answer, 403, "SIGN_IN_REFUSED");
        assert!(
            answer.body.contains("email_verified"),
            "{person}: {}",
            answer.body
        );
    }
    let nameless = world.browser().sign_in("nameless", "/auth/oidc/test").await;
    assert!(nameless.body.contains("`email`"), "{}", nameless.body);
    let made = (
        world.count("identities").await,
        world.count("sessions").await,
    );
    assert_eq!(made, (0, 0));
}

on_both_databases! {
    async fn a_member_signs_in_with_a_linked_provider(db: TestDatabase) {
        let world = OidcWorld::new(&db, SignUp::Closed, true).await;
        let mut browser = world.browser();
        let methods = browser.get("/auth/methods").await;
        assert_eq!(methods.json()["oidc"][0]["id"], "test", "{}", methods.body);

        let arrived = browser.sign_in("owner", "/auth/oidc/test?return_to=/projects%3Ftab%3D1").await;
        assert_eq!((arrived.status, arrived.location.as_deref()), (303, Some("/projects?tab=1")), "{}", arrived.body);
        let session = browser.get("/auth/session").await;
        assert_eq!(session.json()["user"]["email"], "owner@acme.example", "{}", session.body);
        assert_eq!(session.json()["tenant"], "acme");
        // The flow's own cookie is deleted, and the database contains nothing of the flow.
        assert!(!browser.cookies().iter().any(|name| name.starts_with("nyxcore_oidc_")), "{:?}", browser.cookies());
        assert_eq!(world.count("sign_in_flows").await, 0);
        assert_eq!(world.count("identities").await, 1);

        // The address changes here: only the identity counts.
        let connection = db.superuser_connection().await.unwrap();
        connection.execute_unprepared("UPDATE users SET email = 'olive@acme.example'").await.unwrap();
        let mut again = world.browser();
        assert_eq!(again.sign_in("owner", "/auth/oidc/test").await.location.as_deref(), Some("/"));
        let session = again.get("/auth/session").await.json();
        assert_eq!(session["user"]["id"], serde_json::to_value(world.owner.id).unwrap());
        assert_eq!((world.count("identities").await, world.count("users").await), (1, 1));
        assert_eq!(world.count("audit_entries WHERE action = 'sign_in' AND outcome = 'OK'").await, 2);
    }

    async fn an_address_that_only_the_access_token_opens_counts_as_well(db: TestDatabase) {
        let world = OidcWorld::new(&db, SignUp::Closed, false).await;
        let mut browser = world.browser();
        let arrived = browser.sign_in("owner", "/auth/oidc/test").await;
        assert_eq!(arrived.status, 303, "{}", arrived.body);
        refused(&world.browser().sign_in("unverified", "/auth/oidc/test").await, 403, "SIGN_IN_REFUSED");
    }

    async fn a_stranger_needs_an_invitation_or_open_sign_up(db: TestDatabase) {
        let world = OidcWorld::new(&db, SignUp::Closed, true).await;
        // The address is the owner's, but the provider has not verified it.
        for person in ["stranger", "unverified", "nameless", "invited"] {
            let answer = world.browser().sign_in(person, "/auth/oidc/test").await;
            refused(&answer, 403, "SIGN_IN_REFUSED");
        }
        assert_eq!((world.count("users").await, world.count("identities").await, world.count("sessions").await), (1, 0, 0));
        assert_eq!(world.count("system_entries WHERE outcome = 'SIGN_IN_REFUSED'").await, 4);

        world.invite("invited@elsewhere.example").await;
        let mut invited = world.browser();
        assert_eq!(invited.sign_in("invited", "/auth/oidc/test").await.status, 303);
        let session = invited.get("/auth/session").await.json();
        // The account exists; the tenant is joined by the invitation's own link.
        assert_eq!((&session["user"]["name"], &session["tenant"]), (&"Ida Invited".into(), &Value::Null), "{session}");
        refused(&world.browser().sign_in("stranger", "/auth/oidc/test").await, 403, "SIGN_IN_REFUSED");
    }

    async fn open_sign_up_requires_a_confirmed_address(db: TestDatabase) {
        let world = OidcWorld::new(&db, SignUp::Open, true).await;
        let mut stranger = world.browser();
        assert_eq!(stranger.sign_in("stranger", "/auth/oidc/test").await.status, 303);
        let session = stranger.get("/auth/session").await.json();
        assert_eq!(session["user"]["email"], "stranger@elsewhere.example");
        refused(&world.browser().sign_in("nameless", "/auth/oidc/test").await, 403, "SIGN_IN_REFUSED");
        refused(&world.browser().sign_in("unverified", "/auth/oidc/test").await, 403, "SIGN_IN_REFUSED");
    }

    async fn odd_claims_of_an_id_token_keep_nobody_out(db: TestDatabase) {
        odd_claims(&OidcWorld::new(&db, SignUp::Open, true).await).await;
    }

    async fn odd_claims_of_userinfo_keep_nobody_out(db: TestDatabase) {
        odd_claims(&OidcWorld::new(&db, SignUp::Open, false).await).await;
    }

    async fn an_unconfirmed_address_of_an_id_token_is_named(db: TestDatabase) {
        unconfirmed(&OidcWorld::new(&db, SignUp::Open, true).await).await;
    }

    async fn an_unconfirmed_address_of_userinfo_is_named(db: TestDatabase) {
        unconfirmed(&OidcWorld::new(&db, SignUp::Open, false).await).await;
    }

    async fn a_tampered_login_flow_signs_nobody_in(db: TestDatabase) {
        let world = OidcWorld::new(&db, SignUp::Closed, true).await;
        const INVALID: &str = "SIGN_IN_FLOW_INVALID";

        // A wrong state is refused. The right one still works afterwards.
        let mut browser = world.browser();
        let back = browser.travel("owner", "/auth/oidc/test").await;
        refused(&browser.get(&with(&back, "state", "forged")).await, 400, INVALID);
        let arrived = browser.get(&back).await;
        assert_eq!(arrived.status, 303, "{}", arrived.body);
        // The same request again: the flow has ended, even if the browser has kept its cookie.
        refused(&browser.get(&back).await, 400, INVALID);

        // Another browser without a cookie, and one with its own cookie: a login cannot be forced on another user.
        let mut attacker = world.browser();
        let back = attacker.travel("owner", "/auth/oidc/test").await;
        let mut victim = world.browser();
        refused(&victim.get(&back).await, 400, INVALID);
        victim.travel("owner", "/auth/oidc/test").await;
        refused(&victim.get(&back).await, 400, INVALID);
        victim.cookie_forge(&attacker, "not-what-it-was-given");
        refused(&victim.get(&back).await, 400, INVALID);
        // The attempt has ended the flow for every browser.
        refused(&attacker.get(&back).await, 400, INVALID);

        // A flow expires after ten minutes.
        let mut slow = world.browser();
        let back = slow.travel("owner", "/auth/oidc/test").await;
        world.clock.advance(FLOW_LIFE);
        refused(&slow.get(&back).await, 400, INVALID);

        // A replayed code with a new state and a new cookie.
        let mut replay = world.browser();
        let used = replay.travel("owner", "/auth/oidc/test").await;
        assert_eq!(replay.get(&used).await.status, 303);
        let (_, code) = url::Url::parse(&used).unwrap().query_pairs().into_owned().find(|(name, _)| name == "code").unwrap();
        let mut replay = world.browser();
        let fresh = replay.travel("owner", "/auth/oidc/test").await;
        refused(&replay.get(&with(&fresh, "code", &code)).await, 403, "SIGN_IN_REFUSED");

        // The signed nonce belongs to another flow.
        let mut nonce = world.browser();
        let out = nonce.get("/auth/oidc/test").await.location.unwrap();
        let back = nonce.travel_from("owner", &with(&out, "nonce", "of-another-journey")).await;
        refused(&nonce.get(&back).await, 403, "SIGN_IN_REFUSED");

        // The code was requested for another verifier.
        let mut pkce = world.browser();
        let out = pkce.get("/auth/oidc/test").await.location.unwrap();
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let back = pkce.travel_from("owner", &with(&out, "code_challenge", challenge)).await;
        refused(&pkce.get(&back).await, 403, "SIGN_IN_REFUSED");

        // The provider refuses, or another provider answers.
        let mut denied = world.browser();
        let back = denied.travel("owner", "/auth/oidc/test").await;
        let state = url::Url::parse(&back).unwrap().query_pairs().into_owned().find(|(name, _)| name == "state").unwrap().1;
        let no = format!("/auth/oidc/test/callback?state={state}&error=access_denied&error_description=%3Cscript%3E");
        let answer = denied.get(&no).await;
        refused(&answer, 403, "SIGN_IN_REFUSED");
        assert!(!answer.body.contains("script"));
        let mut mixed = world.browser();
        let back = mixed.travel("owner", "/auth/oidc/test").await;
        refused(&mixed.get(&with(&back, "iss", "https://elsewhere.example")).await, 403, "SIGN_IN_REFUSED");

        for nothing in ["", "?code=a", "?state=", "?state=a&state=b&code=c", "?state=%ff&code=a"] {
            refused(&world.browser().get(&format!("/auth/oidc/test/callback{nothing}")).await, 400, INVALID);
        }
        assert_eq!(world.count("sessions").await, 2);
    }

    async fn redirects_go_to_own_paths_and_known_providers_only(db: TestDatabase) {
        let mut world = OidcWorld::new(&db, SignUp::Closed, true).await;
        for path in ["//evil.example", "/%5Cevil.example", "https://evil.example", "/%09/evil.example", "projects", ""] {
            let answer = world.browser().get(&format!("/auth/oidc/test?return_to={path}")).await;
            refused(&answer, 400, "BAD_REQUEST");
            assert_eq!(answer.location, None);
        }
        refused(&world.browser().get("/auth/oidc/another").await, 404, "NOT_FOUND");
        refused(&world.browser().get("/auth/oidc/another/callback?state=a&code=b").await, 404, "NOT_FOUND");
        let out = world.browser().get("/auth/oidc/test").await;
        let cookie = out.set_cookie.iter().find(|cookie| cookie.starts_with("nyxcore_oidc_")).unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Max-Age=600"), "{cookie}");
        let url = url::Url::parse(&out.location.unwrap()).unwrap();
        let asked = |name: &str| url.query_pairs().into_owned().find(|(found, _)| found == name).unwrap().1;
        assert_eq!((&*asked("code_challenge_method"), &*asked("response_type")), ("S256", "code"));
        assert!(asked("state").len() >= 22 && asked("nonce").len() >= 22);

        // One network address cannot fill the table.
        for _ in 1..FLOWS_PER_ADDRESS {
            assert_eq!(world.browser().get("/auth/oidc/test").await.status, 303);
        }
        refused(&world.browser().get("/auth/oidc/test").await, 429, "TOO_MANY_ATTEMPTS");
        world.clock.advance(FLOW_LIFE);
        // The provider's metadata is requested again, and the provider has ended.
        world.provider = None;
        refused(&world.browser().get("/auth/oidc/test").await, 502, "IDENTITY_PROVIDER_UNREACHABLE");
    }
}
