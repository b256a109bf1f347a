//! Secrets at rest: encrypted, bound to their place, re-encrypted while servers run, and absent from dumps and logs.

pub(crate) mod leaks;
mod rotation;

use nyxcore_model_catalog::provider_key_get;
use nyxcore_tenancy::audit::{AuditEntry, AuditFilter, audit_list};
use nyxcore_tenancy::directory::{NewApiToken, api_token_create};
use nyxcore_tenancy::secret::{
    Keyring, MasterKey, MasterKeys, Secret, secret_get, secret_key_uses, secret_names, secret_put,
    secret_remove, secrets_reseal,
};
use nyxcore_tenancy::{Error, PageRequest, ReadWrite, Role, Scoped, Store, TenantId, UserId};
use nyxcore_tests::{TestDatabase, on_both_databases};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::gateway_transport::client::serve;
use crate::support::{store, tenant};

/// A keyring with one key, which is in no file.
fn keyring() -> Keyring {
    Keyring::new(MasterKeys::one(MasterKey::generate().unwrap()))
}

/// Stores a secret as the program itself.
async fn put(store: &Store, tenant: TenantId, keyring: &Keyring, name: &str, value: &str) {
    let scoped = store.write(tenant).await.unwrap();
    let value = Secret::new(value);
    secret_put(&scoped, keyring, "test", name, &value)
        .await
        .unwrap();
    scoped.commit().await.unwrap();
}

/// The decrypted secret, or the code of the error.
async fn get(
    store: &Store,
    tenant: TenantId,
    keyring: &Keyring,
    name: &str,
) -> Result<Option<String>, &'static str> {
    let scoped = store.read(tenant).await.unwrap();
    let found = secret_get(&scoped, keyring, "test", name).await;
    let text = |secret: Secret| String::from_utf8(secret.expose().to_vec()).unwrap();
    found
        .map(|secret| secret.map(text))
        .map_err(|error| error.code())
}

on_both_databases! {
    async fn a_secret_is_kept_replaced_and_forgotten(db: TestDatabase) {
        let (store, keyring) = (store(&db).await, keyring());
        let (acme, _) = tenant(&store, "acme").await;
        let (rival, _) = tenant(&store, "rival").await;
        put(&store, acme.id, &keyring, "b", "first").await;
        put(&store, acme.id, &keyring, "b", "second").await;
        put(&store, acme.id, &keyring, "a", "").await;
        assert_eq!(get(&store, acme.id, &keyring, "b").await, Ok(Some("second".into())));
        assert_eq!(get(&store, acme.id, &keyring, "a").await, Ok(Some(String::new())));
        assert_eq!(get(&store, rival.id, &keyring, "b").await, Ok(None));
        let scoped = store.write(acme.id).await.unwrap();
        assert_eq!(secret_names(&scoped, "test").await.unwrap(), ["a", "b"]);
        assert!(secret_names(&scoped, "other").await.unwrap().is_empty());
        assert!(secret_remove(&scoped, "test", "b").await.unwrap());
        assert!(!secret_remove(&scoped, "test", "b").await.unwrap());
        let long = Secret::new(vec![b'x'; 64 * 1024 + 1]);
        let refused = secret_put(&scoped, &keyring, "test", "c", &long).await.unwrap_err();
        assert_eq!(refused.code(), "INVALID_INPUT");
        scoped.commit().await.unwrap();
        assert_eq!(get(&store, acme.id, &keyring, "b").await, Ok(None));
    }

    /// The possible changes by an attacker who can write to the database, but does not have the key.
    async fn a_row_that_was_moved_or_changed_does_not_open(db: TestDatabase) {
        let (store, keyring) = (store(&db).await, keyring());
        let (acme, _) = tenant(&store, "acme").await;
        let (rival, _) = tenant(&store, "rival").await;
        put(&store, acme.id, &keyring, "mine", "of acme").await;
        put(&store, rival.id, &keyring, "theirs", "of rival").await;
        put(&store, rival.id, &keyring, "another", "also of rival").await;
        let raw = db.superuser_connection().await.unwrap();
        let sql = async |sql: &str| raw.execute_unprepared(sql).await.unwrap();
        // Copied to another tenant, and to another name.
        sql("UPDATE sealed_secrets SET sealed = (SELECT sealed FROM sealed_secrets WHERE name = 'mine') WHERE name = 'theirs'").await;
        assert_eq!(get(&store, rival.id, &keyring, "theirs").await, Err("SECRET_UNREADABLE"));
        sql("UPDATE sealed_secrets SET name = 'renamed' WHERE name = 'another'").await;
        assert_eq!(get(&store, rival.id, &keyring, "renamed").await, Err("SECRET_UNREADABLE"));
        // With the id of a key that does not exist.
        sql("UPDATE sealed_secrets SET key_id = '0123456789abcdef' WHERE name = 'mine'").await;
        assert_eq!(get(&store, acme.id, &keyring, "mine").await, Err("SECRET_UNREADABLE"));
    }

    async fn a_resealing_that_was_cut_off_goes_on_where_it_stopped(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let old = MasterKey::generate().unwrap();
        let new = MasterKey::generate().unwrap();
        let before = Keyring::new(MasterKeys::one(old.clone()));
        for n in 0..5 {
            put(&store, acme.id, &before, &format!("s{n}"), &format!("value {n}")).await;
        }
        let during = Keyring::new(MasterKeys { current: new.clone(), previous: vec![old.clone()] });
        let reseal = async |commits: bool| {
            let scoped = store.write(acme.id).await.unwrap();
            let done = secrets_reseal(&scoped, &during, 2).await.unwrap();
            if commits {
                scoped.commit().await.unwrap();
            }
            (done.resealed, done.remaining, done.unreadable)
        };
        assert_eq!(reseal(true).await, (2, 3, 0));
        // This re-encryption is not committed.
        assert_eq!(reseal(false).await, (2, 1, 0));
        for n in 0..5 {
            assert_eq!(get(&store, acme.id, &during, &format!("s{n}")).await, Ok(Some(format!("value {n}"))));
        }
        assert_eq!(reseal(true).await, (2, 1, 0));
        assert_eq!(reseal(true).await, (1, 0, 0));
        assert_eq!(reseal(true).await, (0, 0, 0));
        let after = Keyring::new(MasterKeys::one(new.clone()));
        for n in 0..5 {
            assert_eq!(get(&store, acme.id, &after, &format!("s{n}")).await, Ok(Some(format!("value {n}"))));
            assert_eq!(get(&store, acme.id, &before, &format!("s{n}")).await, Err("SECRET_UNREADABLE"));
        }
        let uses = secret_key_uses(&store.read(acme.id).await.unwrap()).await.unwrap();
        assert_eq!(uses.iter().map(|key| (key.key_id.as_str(), key.secrets)).collect::<Vec<_>>(), [(new.id(), 5)]);
    }

    async fn what_no_key_opens_is_counted_and_holds_nothing_else_up(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let old = MasterKey::generate().unwrap();
        let (lost, before) = (keyring(), Keyring::new(MasterKeys::one(old.clone())));
        for n in 0..3 {
            put(&store, acme.id, &lost, &format!("a{n}"), "lost").await;
            put(&store, acme.id, &before, &format!("b{n}"), "kept").await;
        }
        let during = Keyring::new(MasterKeys { current: MasterKey::generate().unwrap(), previous: vec![old] });
        let scoped = store.write(acme.id).await.unwrap();
        let done = secrets_reseal(&scoped, &during, 2).await.unwrap();
        assert_eq!((done.resealed, done.remaining), (2, 4));
        let done = secrets_reseal(&scoped, &during, 2).await.unwrap();
        assert_eq!((done.resealed, done.remaining, done.unreadable), (1, 3, 3));
    }

    /// A concurrent encryption either uses the new key, or is committed before the re-encryption reads the secrets.
    async fn nothing_is_sealed_with_the_old_key_behind_a_resealing(db: TestDatabase) {
        let store = store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let old = MasterKey::generate().unwrap();
        let before = Keyring::new(MasterKeys::one(old.clone()));
        let during = Keyring::new(MasterKeys { current: MasterKey::generate().unwrap(), previous: vec![old] });
        // Encrypted with the old key, and not yet committed.
        let slow = store.write(acme.id).await.unwrap();
        secret_put(&slow, &before, "test", "slow", &Secret::new("slow")).await.unwrap();
        let resealing = tokio::spawn({
            let (store, during) = (store.clone(), during.clone());
            async move {
                let scoped = store.write(acme.id).await.unwrap();
                let done = secrets_reseal(&scoped, &during, 10).await.unwrap();
                scoped.commit().await.unwrap();
                (done.resealed, done.remaining)
            }
        });
        tokio::task::yield_now().await;
        slow.commit().await.unwrap();
        assert_eq!(resealing.await.unwrap(), (1, 0));
        assert_eq!(get(&store, acme.id, &during, "slow").await, Ok(Some("slow".into())));
    }

    async fn a_providers_key_goes_in_and_never_comes_out(db: TestDatabase) {
        let served = serve(&db, nyxcore_gateway::Limits::default()).await;
        let (rival, _) = tenant(&served.store, "rival").await;
        let (ask, tenant_id) = (Asker::of(&served), served.tenant);
        const STATE: &str = "{ modelCatalog { providers { id configured health { state } } } }";
        let set = "mutation ($input: SetProviderKeyInput!) { setProviderKey(input: $input) { provider { id configured health { state message } } } }";
        let remove = "mutation ($input: RemoveProviderKeyInput!) { removeProviderKey(input: $input) { provider { id configured } } }";
        let input = json!({"input": {"provider": "openai", "apiKey": "sk-proj-of-acme", "baseUrl": "https://llm.example.org/v1"}});
        let answer = ask.ask(&served.token, set, input).await;
        assert_eq!(answer["data"]["setProviderKey"]["provider"]["configured"], true, "{answer}");
        assert_eq!(answer["data"]["setProviderKey"]["provider"]["health"]["state"], "UNVERIFIED");
        let configured = async |token: &str| {
            let answer = ask.ask(token, STATE, Value::Null).await;
            let providers = answer["data"]["modelCatalog"]["providers"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
            providers.into_iter().filter(|one| one["configured"] == true).map(|one| one["id"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(configured(&served.token).await, ["openai"]);

        // Encrypted for this tenant, and unchanged.
        let key = {
            let scoped = served.store.read(tenant_id).await.unwrap();
            provider_key_get(&scoped, &served.keyring, "openai").await.unwrap().unwrap()
        };
        assert_eq!((key.api_key(), key.base_url()), ("sk-proj-of-acme", Some("https://llm.example.org/v1")));
        let scoped = served.store.read(rival.id).await.unwrap();
        assert!(provider_key_get(&scoped, &served.keyring, "openai").await.unwrap().is_none());
        drop(scoped);

        // A member sees that a key exists, but may not change it.
        let member = token_of_role(&served.store, tenant_id, served.user, Role::Member).await;
        assert_eq!(configured(&member).await, ["openai"]);
        for (query, input) in [
            (set, json!({"input": {"provider": "google", "apiKey": "x"}})),
            (remove, json!({"input": {"provider": "openai"}})),
        ] {
            assert_eq!(code(&ask.ask(&member, query, input).await), "FORBIDDEN");
        }

        // Invalid input, which no response repeats.
        let long = "k".repeat(8 * 1024 + 1);
        for (provider, key, base_url, expected) in [
            ("openai", "", None, "INVALID_INPUT"),
            ("openai", "sk secret-with-space", None, "INVALID_INPUT"),
            ("openai", "sk-secret\u{7}", None, "INVALID_INPUT"),
            ("openai", long.as_str(), None, "INVALID_INPUT"),
            ("openai", "sk-secret", Some("https://user:sk-secret@example.org"), "INVALID_INPUT"),
            ("openai", "sk-secret\r\nX-Injected: 1", None, "INVALID_INPUT"),
            ("openai", "sk-secret", Some("http://127.0.0.1"), "INVALID_INPUT"),
            ("openai", "sk-secret", Some("http://[::1]"), "INVALID_INPUT"),
            ("openai", "sk-secret", Some("https://10.0.0.1/v1"), "INVALID_INPUT"),
            ("openai", "sk-secret", Some("https://169.254.169.254"), "INVALID_INPUT"),
            ("openai", "sk-secret", Some("https://[::ffff:169.254.169.254]"), "INVALID_INPUT"),
            ("openai", "sk-secret", Some("https://localhost"), "INVALID_INPUT"),
            ("nobody", "sk-secret", None, "NOT_FOUND"),
        ] {
            let input = json!({"input": {"provider": provider, "apiKey": key, "baseUrl": base_url}});
            let answer = ask.ask(&served.token, set, input).await;
            assert_eq!(code(&answer), expected, "{provider}");
            assert!(!answer.to_string().contains("secret"), "{answer}");
        }
        assert_eq!(configured(&served.token).await, ["openai"]);

        for _ in 0..2 {
            let answer = ask.ask(&served.token, remove, json!({"input": {"provider": "openai"}})).await;
            assert_eq!(answer["data"]["removeProviderKey"]["provider"]["configured"], false, "{answer}");
        }
        // The action is in the audit log; the key is not.
        let scoped = served.store.read(tenant_id).await.unwrap();
        let log = audit_list(&scoped, &AuditFilter::default(), &PageRequest::first(50)).await.unwrap();
        let log: Vec<String> = log.into_items().iter().map(AuditEntry::json_line).collect();
        let log = log.join("\n");
        for entry in [
            "\"action\":\"provider_key.update\"",
            "\"action\":\"provider_key.delete\"",
            "\"provider\":\"openai\"",
            "\"outcome\":\"FORBIDDEN\"",
            "\"outcome\":\"INVALID_INPUT\"",
        ] {
            assert!(log.contains(entry), "{entry}\n{log}");
        }
        assert!(!log.contains("sk-") && !log.contains("example.org"), "{log}");
    }
}

/// A client of a gateway.
struct Asker {
    client: reqwest::Client,
    url: String,
}

impl Asker {
    fn of(served: &crate::gateway_transport::client::Served) -> Self {
        Self {
            client: served.client.clone(),
            url: served.url("/graphql"),
        }
    }

    async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        let request = self.client.post(&self.url).bearer_auth(token);
        let body = json!({"query": query, "variables": variables}).to_string();
        let answer = request
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_else(|| panic!("no error with a code: {answer}"))
}

async fn token_of_role(store: &Store, tenant: TenantId, user: UserId, role: Role) -> String {
    let scoped: Scoped<ReadWrite> = store.write(tenant).await.unwrap();
    let new = NewApiToken {
        user,
        name: "test".into(),
        role,
        expires_at: None,
    };
    let made: Result<_, Error> = api_token_create(&scoped, new).await;
    let (_, token) = made.unwrap();
    scoped.commit().await.unwrap();
    token
}
