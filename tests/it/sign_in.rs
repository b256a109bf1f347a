//! Sign-in: passwords, sessions, rate limits, and the first owner, tested in the crate and over HTTP.

mod accounts;
mod browser;
mod http;
mod invitations;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use nyxcore_tenancy::audit::{AuditFilter, audit_list};
use nyxcore_tenancy::directory::{
    TOPIC_CREDENTIAL, credential_uses_flush, tenant_create, user_memberships,
};
use nyxcore_tenancy::sign_in::{
    ACCOUNT_FAILURES, ADDRESS_FAILURES, Client, FirstOwner, NewAccount, NewSession, Password,
    PasswordHasher, SESSION_IDLE, SESSION_LIFE, SignUp, WINDOW, account_address_proven,
    account_create, account_sign_up, first_owner_create, password_change, password_reset,
    password_sign_in, session_authenticate, session_list, session_look, session_revoke,
    sign_in_sweep, sign_out_everywhere,
};
use nyxcore_tenancy::{Credential, Env, Error, PageRequest, Role, Signal, Store, User, purpose};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, Statement};

use crate::support::{options, second_store, store, store_at_rest, tenant};

const GOOD: &str = "correct horse battery staple";
/// The good password, hashed with the smallest memory that argon2 allows.
const OLD_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$f569/ew1qjLamzhpJKYuwg$5AX86gtDqp9Ms0iC/9RVpWOJ+nC6hquD9oWJvauKlcw";

fn password(text: &str) -> Password {
    Password::new(text)
}

fn from(address: &str) -> Client {
    let mut client = Client::default();
    client.origin.address = Some(address.parse::<IpAddr>().unwrap());
    client
}

/// A tenant whose owner `owner@<slug>.example` has the good password.
async fn owner(store: &Store, hasher: &PasswordHasher, slug: &str) -> User {
    let (_, owner) = tenant(store, slug).await;
    password_reset(store, hasher, &owner.email, &password(GOOD))
        .await
        .unwrap()
}

async fn sign_in(
    store: &Store,
    hasher: &PasswordHasher,
    user: &User,
    text: &str,
) -> Result<NewSession, Error> {
    let client = from("192.0.2.1");
    password_sign_in(store, hasher, &user.email, &password(text), &client).await
}

async fn number(db: &TestDatabase, sql: &str) -> i64 {
    let plain = db.superuser_connection().await.unwrap();
    let statement = Statement::from_string(plain.get_database_backend(), sql);
    let row = plain.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

on_both_databases! {
    async fn a_session_works_in_each_tenant_of_the_user(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "b-team").await;
        tenant_create(&store, "a-team", "A", &ada.email).await.unwrap();
        tenant(&store, "other").await;
        let new = password_sign_in(&store, &hasher, " Owner@B-Team.example ", &password(GOOD), &from("192.0.2.1")).await.unwrap();
        assert!(new.secret.starts_with("nyxs_"));

        let known = session_authenticate(&store, &new.secret, Some("b-team")).await.unwrap().unwrap();
        assert_eq!((known.user.id, known.session.id), (ada.id, new.session.id));
        let slugs: Vec<&str> = known.tenants.iter().map(|(tenant, _)| tenant.slug.as_str()).collect();
        assert_eq!(slugs, ["a-team", "b-team"]);
        let caller = known.caller.unwrap();
        assert_eq!((caller.tenant, caller.role), (known.tenants[1].0.id, Role::Owner));
        assert_eq!(caller.credential, Credential::Session(new.session.id));
        // Without a requested tenant it is the first one. In a tenant where the user is no member there is no caller.
        let first = session_authenticate(&store, &new.secret, None).await.unwrap().unwrap();
        assert_eq!(first.caller.unwrap().tenant, known.tenants[0].0.id);
        for wanted in ["other", "nobody", ""] {
            let known = session_authenticate(&store, &new.secret, Some(wanted)).await.unwrap().unwrap();
            assert_eq!(known.caller, None);
        }
    }

    async fn passwords_and_session_secrets_are_not_stored(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        let new = sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        let plain = db.superuser_connection().await.unwrap();
        let mut all = String::new();
        for sql in ["SELECT hash FROM passwords", "SELECT CAST(detail AS text) FROM system_entries WHERE detail IS NOT NULL"] {
            let rows = plain.query_all_raw(Statement::from_string(plain.get_database_backend(), sql)).await.unwrap();
            assert!(!rows.is_empty());
            rows.iter().for_each(|row| all.push_str(&row.try_get_by_index::<String>(0).unwrap()));
        }
        let hashes = plain.query_all_raw(Statement::from_string(plain.get_database_backend(), "SELECT secret_hash FROM sessions")).await.unwrap();
        assert_eq!(hashes[0].try_get_by_index::<Vec<u8>>(0).unwrap().len(), 32);
        let (_, secret) = new.secret.rsplit_once('_').unwrap();
        assert!(!all.contains(GOOD) && !all.contains(secret), "{all}");
    }

    async fn failed_sign_ins_are_indistinguishable(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        let (_, without) = tenant(&store, "other").await;
        for email in [ada.email.as_str(), "nobody@example.org", &without.email] {
            let before = hasher.computed();
            let refused = password_sign_in(&store, &hasher, email, &password("wrong password"), &from("192.0.2.1")).await.unwrap_err();
            assert_eq!((refused.code(), refused.to_string().as_str()), ("SIGN_IN_REFUSED", "wrong e-mail address or password"));
            assert_eq!(hasher.computed() - before, 1, "{email}");
        }
    }

    async fn a_refused_sign_in_takes_the_same_statements_whoever_is_named(db: TestDatabase) {
        let hasher = PasswordHasher::new().unwrap();
        let plain = store(&db).await;
        let ada = owner(&plain, &hasher, "acme").await;
        tenant_create(&plain, "second", "Second", &ada.email).await.unwrap();
        let (_, without) = tenant(&plain, "other").await;
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut options = options(db.app_url());
        let listener = heard.clone();
        options.statement_listener = Some(Arc::new(move |sql: &str, _| listener.lock().unwrap().push(sql.to_owned())));
        let store = Store::connect(&options, Env::default()).await.unwrap();
        let mut all = Vec::new();
        for email in [ada.email.as_str(), "nobody@example.org", &without.email] {
            heard.lock().unwrap().clear();
            password_sign_in(&store, &hasher, email, &password("a wrong password"), &from("192.0.2.1")).await.unwrap_err();
            all.push(std::mem::take(&mut *heard.lock().unwrap()));
        }
        assert!(all[0].len() > 4, "{all:?}");
        assert_eq!(all[0], all[1]);
        assert_eq!(all[0], all[2]);
    }

    async fn wrong_passwords_hash_no_more_than_the_limit(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        let before = hasher.computed();
        let mut tasks = Vec::new();
        // Ten concurrent tasks guess, each from its own addresses, at an existing account and at an unknown one.
        for worker in 0..10u8 {
            let (store, hasher, ada) = (store.clone(), hasher.clone(), ada.clone());
            tasks.push(tokio::spawn(async move {
                let mut codes = std::collections::BTreeMap::<&str, u32>::new();
                for guess in 0..1000u32 {
                    let client = from(&format!("10.{worker}.{}.{}", guess / 250, guess % 250));
                    let email = if guess % 2 == 0 { ada.email.as_str() } else { "nobody@example.org" };
                    let refused = password_sign_in(&store, &hasher, email, &password("a wrong password"), &client).await.unwrap_err();
                    *codes.entry(refused.code()).or_default() += 1;
                }
                codes
            }));
        }
        let mut codes = std::collections::BTreeMap::<&str, u32>::new();
        for task in tasks {
            for (code, times) in task.await.unwrap() {
                *codes.entry(code).or_default() += times;
            }
        }
        let allowed = 2 * u32::try_from(ACCOUNT_FAILURES).unwrap();
        assert_eq!(codes, [("SIGN_IN_REFUSED", allowed), ("TOO_MANY_ATTEMPTS", 10_000 - allowed)].into());
        assert_eq!(hasher.computed() - before, u64::from(allowed));
        // Now even the right password is refused, until the window has passed.
        let Err(Error::Throttled(seconds)) = sign_in(&store, &hasher, &ada, GOOD).await else {
            panic!("the account is not throttled");
        };
        assert_eq!(seconds, WINDOW.num_seconds() + 1);
        clock.advance(WINDOW);
        sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        // Guessing does not fill the log: it has each refused password, and one entry per account for too many
        // attempts.
        let refusals = number(&db, "SELECT count(*) FROM system_entries WHERE purpose = 'sign_in' AND outcome <> 'OK'").await;
        assert_eq!(refusals, i64::from(allowed) + 2);
    }

    async fn failures_throttle_the_whole_network(db: TestDatabase) {
        let (store, _clock) = store_at_rest(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        let before = hasher.computed();
        for guess in 0..ADDRESS_FAILURES + 5 {
            let email = format!("user{guess}@example.org");
            let client = from(&format!("2001:db8:1:2::{guess:x}"));
            let refused = password_sign_in(&store, &hasher, &email, &password("a wrong password"), &client).await.unwrap_err();
            assert_eq!(refused.code(), if guess < ADDRESS_FAILURES { "SIGN_IN_REFUSED" } else { "TOO_MANY_ATTEMPTS" }, "{guess}");
        }
        assert_eq!(hasher.computed() - before, u64::try_from(ADDRESS_FAILURES).unwrap());
        let there = from("2001:db8:1:2:ffff::1");
        assert_eq!(password_sign_in(&store, &hasher, &ada.email, &password(GOOD), &there).await.unwrap_err().code(), "TOO_MANY_ATTEMPTS");
        let elsewhere = from("2001:db8:1:3::1");
        password_sign_in(&store, &hasher, &ada.email, &password(GOOD), &elsewhere).await.unwrap();
    }

    async fn success_resets_the_failures_of_the_account(db: TestDatabase) {
        let (store, _clock) = store_at_rest(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        for _ in 0..2 {
            for _ in 1..ACCOUNT_FAILURES {
                sign_in(&store, &hasher, &ada, "a wrong password").await.unwrap_err();
            }
            sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        }
        let counted = "SELECT failures FROM sign_in_attempts";
        assert_eq!(number(&db, "SELECT count(*) FROM sign_in_attempts").await, 1);
        assert_eq!(number(&db, counted).await, 2 * (ACCOUNT_FAILURES - 1));
    }

    async fn a_session_ends_by_its_age_and_by_not_being_used(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        let idle = sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        let used = sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        let good = async |new: &NewSession| {
            let good = session_authenticate(&store, &new.secret, None).await.unwrap().is_some();
            credential_uses_flush(&store).await.unwrap();
            good
        };
        for _ in 0..6 {
            clock.advance(TimeDelta::days(1));
            assert!(good(&used).await);
        }
        // A check, as for an open stream, does not count as a use.
        assert!(session_look(&store, &idle.secret).await.unwrap().is_some());
        clock.advance(SESSION_IDLE - TimeDelta::days(6));
        assert!(!good(&idle).await && good(&used).await);
        assert_eq!(session_list(&store, ada.id).await.unwrap().len(), 1);
        for _ in 7..SESSION_LIFE.num_days() - 1 {
            clock.advance(TimeDelta::days(1));
            assert!(good(&used).await);
        }
        clock.advance(TimeDelta::days(1));
        assert!(!good(&used).await);
        assert!(sign_in_sweep(&store).await.unwrap() >= 2);
        assert_eq!(number(&db, "SELECT count(*) FROM sessions").await, 0);
        assert_eq!(number(&db, "SELECT count(*) FROM sign_in_attempts").await, 0);
    }

    async fn a_session_in_steady_use_is_written_once_a_minute(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        let new = sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        let seen = async || session_list(&store, ada.id).await.unwrap()[0].last_seen_at;
        clock.advance(TimeDelta::seconds(59));
        session_authenticate(&store, &new.secret, None).await.unwrap();
        credential_uses_flush(&store).await.unwrap();
        assert_eq!(seen().await, new.session.created_at);
        clock.advance(TimeDelta::seconds(1));
        session_authenticate(&store, &new.secret, None).await.unwrap();
        credential_uses_flush(&store).await.unwrap();
        assert_eq!(seen().await, store.env().now());
    }

    async fn forged_sessions_are_refused(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        let new = sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        let other = sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        let (id, _) = new.secret.rsplit_once('_').unwrap();
        let (_, secret) = other.secret.rsplit_once('_').unwrap();
        for forged in [String::new(), "nyxs_".into(), format!("{id}_{secret}"), new.secret.to_uppercase(), new.secret.replacen("nyxs", "nyx", 1), format!("{}0", new.secret), "x".repeat(100_000)] {
            assert_eq!(session_authenticate(&store, &forged, None).await.unwrap(), None);
        }
    }

    async fn signing_out_everywhere_ends_all_other_sessions(db: TestDatabase) {
        let (store, clock) = store_at_rest(&db).await;
        let replica = second_store(&db, &clock).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        let bob = owner(&store, &hasher, "other").await;
        let mut sessions = Vec::new();
        for user in [&ada, &ada, &ada, &bob] {
            sessions.push(sign_in(&store, &hasher, user, GOOD).await.unwrap());
        }
        let mut heard = if db.backend() == sea_orm::DbBackend::Postgres { replica.signals() } else { store.signals() };
        let client = Client::default();
        assert_eq!(session_revoke(&store, bob.id, sessions[0].session.id, &client).await.unwrap_err().code(), "NOT_FOUND");
        session_revoke(&store, ada.id, sessions[0].session.id, &client).await.unwrap();
        assert_eq!(session_revoke(&store, ada.id, sessions[0].session.id, &client).await.unwrap_err().code(), "NOT_FOUND");
        assert_eq!(sign_out_everywhere(&store, ada.id, Some(sessions[1].session.id), &client).await.unwrap(), 1);
        let mut good = Vec::new();
        for session in &sessions {
            good.push(session_authenticate(&replica, &session.secret, None).await.unwrap().is_some());
        }
        assert_eq!(good, [false, true, false, true]);
        for expected in [sessions[0].session.id.0, ada.id.0] {
            let Signal::Changed { topic, subject, .. } = heard.recv().await else { panic!("a signal with content") };
            assert_eq!((topic.as_str(), subject), (TOPIC_CREDENTIAL, expected));
        }
    }

    async fn a_password_change_needs_the_old_one_and_ends_sessions(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        let mine = sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        let other = sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        let client = from("192.0.2.1");
        let change = async |old: &str, new: &str| {
            let who = (&ada, mine.session.id);
            password_change(&store, &hasher, who, &password(old), &password(new), &client).await.map_err(|error| error.code())
        };
        const NEW: &str = "quite another password";
        assert_eq!(change("a wrong password", NEW).await, Err("SIGN_IN_REFUSED"));
        assert_eq!(change(GOOD, "too short").await, Err("INVALID_INPUT"));
        assert_eq!(change(GOOD, &ada.email).await, Err("INVALID_INPUT"));
        assert!(session_look(&store, &other.secret).await.unwrap().is_some());
        assert_eq!(change(GOOD, NEW).await, Ok(()));
        assert!(session_look(&store, &mine.secret).await.unwrap().is_some());
        assert!(session_look(&store, &other.secret).await.unwrap().is_none());
        sign_in(&store, &hasher, &ada, GOOD).await.unwrap_err();
        sign_in(&store, &hasher, &ada, NEW).await.unwrap();
        // Trying old passwords with an open session counts as guessing.
        for _ in 0..ACCOUNT_FAILURES {
            change("a wrong password", NEW).await.unwrap_err();
        }
        assert_eq!(change(NEW, GOOD).await, Err("TOO_MANY_ATTEMPTS"));
    }

    async fn a_hash_of_older_parameters_is_made_anew_at_the_next_sign_in(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        let plain = db.superuser_connection().await.unwrap();
        plain.execute_unprepared(&format!("UPDATE passwords SET hash = '{OLD_HASH}'")).await.unwrap();
        sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        let current = "SELECT count(*) FROM passwords WHERE hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'";
        assert_eq!(number(&db, current).await, 1);
        sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
    }

    async fn signing_up_is_closed_unless_opened_and_gives_no_tenant(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let client = from("192.0.2.1");
        let sign_up = async |allowed, email: &str, text: &str| {
            account_sign_up(&store, &hasher, allowed, (email, "Eve"), &password(text), &client).await
        };
        assert_eq!(sign_up(SignUp::Closed, "eve@example.org", GOOD).await.unwrap_err().code(), "SIGN_UP_CLOSED");
        assert_eq!(sign_up(SignUp::Open, "eve@example.org", "short").await.unwrap_err().code(), "INVALID_INPUT");
        assert_eq!(sign_up(SignUp::Open, "no address", GOOD).await.unwrap_err().code(), "INVALID_INPUT");
        let (eve, new) = sign_up(SignUp::Open, "Eve@example.org", GOOD).await.unwrap();
        assert_eq!((eve.email.as_str(), eve.name.as_str()), ("eve@example.org", "Eve"));
        let known = session_authenticate(&store, &new.secret, None).await.unwrap().unwrap();
        assert_eq!((known.tenants.len(), known.caller), (0, None));
        assert_eq!(sign_up(SignUp::Open, "eve@EXAMPLE.org", GOOD).await.unwrap_err().code(), "CONFLICT");
    }

    async fn the_owner_of_an_address_takes_its_account_over(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let client = from("192.0.2.1");
        let (user, squatter) = account_sign_up(&store, &hasher, SignUp::Open, ("ada@example.org", ""), &password(GOOD), &client).await.unwrap();
        let system = store.system(purpose::SIGN_IN).await.unwrap();
        account_address_proven(&system, user.id).await.unwrap();
        system.commit().await.unwrap();
        assert!(session_look(&store, &squatter.secret).await.unwrap().is_none());
        sign_in(&store, &hasher, &user, GOOD).await.unwrap_err();
        // A user who had verified the address before keeps the password and the sessions.
        let system = store.system(purpose::INVITATION_ACCEPT).await.unwrap();
        let hash = hasher.hash(&password(GOOD)).await.unwrap();
        let new = NewAccount { email: "bob@example.org".into(), name: "Bob".into(), password: Some(hash), address_proven: true };
        let bob = account_create(&system, new).await.unwrap();
        account_address_proven(&system, bob.id).await.unwrap();
        system.commit().await.unwrap();
        sign_in(&store, &hasher, &bob, GOOD).await.unwrap();
    }

    async fn the_first_owner_is_made_once_however_many_replicas_start(db: TestDatabase) {
        let one = store(&db).await;
        let two = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let first = FirstOwner { tenant: "acme".into(), name: None, email: "Ada@example.org".into(), password: password(GOOD) };
        let weak = FirstOwner { password: password("short"), ..first.clone() };
        assert_eq!(first_owner_create(&one, &hasher, &weak).await.unwrap_err().code(), "INVALID_INPUT");
        let (a, b) = tokio::join!(first_owner_create(&one, &hasher, &first), first_owner_create(&two, &hasher, &first));
        let made: Vec<_> = [a.unwrap(), b.unwrap()].into_iter().flatten().collect();
        assert_eq!(made.len(), 1);
        let (tenant, ada) = &made[0];
        assert_eq!((tenant.slug.as_str(), ada.email.as_str()), ("acme", "ada@example.org"));
        assert_eq!(user_memberships(&one, ada.id).await.unwrap()[0].1.role, Role::Owner);
        sign_in(&one, &hasher, ada, GOOD).await.unwrap();
        let other = FirstOwner { tenant: "other".into(), name: None, email: "eve@example.org".into(), password: password(GOOD) };
        assert!(first_owner_create(&one, &hasher, &other).await.unwrap().is_none());
    }

    async fn sign_ins_are_audited_in_the_users_tenants_only(db: TestDatabase) {
        let store = store(&db).await;
        let hasher = PasswordHasher::new().unwrap();
        let ada = owner(&store, &hasher, "acme").await;
        owner(&store, &hasher, "other").await;
        sign_in(&store, &hasher, &ada, "a wrong password").await.unwrap_err();
        let new = sign_in(&store, &hasher, &ada, GOOD).await.unwrap();
        session_revoke(&store, ada.id, new.session.id, &Client::default()).await.unwrap();
        let known: Vec<_> = user_memberships(&store, ada.id).await.unwrap();
        let scoped = store.read(known[0].0.id).await.unwrap();
        let entries = audit_list(&scoped, &AuditFilter::default(), &PageRequest::first(10)).await.unwrap().into_items();
        let told: Vec<_> = entries.iter().rev().map(|e| (e.actor.as_str(), e.action.as_str(), e.outcome.as_str(), e.address.as_deref(), e.session_id.is_some())).collect();
        assert_eq!(told, [
            ("SYSTEM", "tenant.create", "OK", None, false),
            ("OPERATOR", "password_reset", "OK", None, false),
            ("USER", "sign_in", "SIGN_IN_REFUSED", Some("192.0.2.1"), false),
            ("USER", "sign_in", "OK", Some("192.0.2.1"), true),
            ("USER", "sign_out", "OK", None, true),
        ]);
        assert!(entries.iter().all(|entry| entry.user_id == Some(ada.id)));
    }
}
