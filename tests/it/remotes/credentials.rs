//! Private repositories: the credential is sealed, sent only to its own host, and found nowhere else.

use nyxcore_projects::{SourceChanges, SourceId, Sources};
use nyxcore_runs::RunStatus;
use nyxcore_sync::connection::GitConnectionId;
use nyxcore_sync::git::SourcePolicy;
use nyxcore_sync::git::testing::{GitHttpOptions, GitHttpServer};
use nyxcore_sync::{
    SourceCredential, SourceCredentialKind, Sync, source_credential_remove, source_credential_set,
    source_remove, source_update, sync_settings_of,
};
use nyxcore_tenancy::Repository;
use nyxcore_tenancy::secret::{Keyring, MasterKey, MasterKeys, Secret, secret_names, secret_put};
use nyxcore_tests::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use super::{ask, source_of, sql};
use crate::gateway_transport::client::{code, serve};
use crate::support::{store, tenant};
use crate::sync::world::{SyncWorld, repository};

const TOKEN: &str = "ghp_a_token_of_acme";

/// A world that may access this machine's addresses, and can decrypt secrets.
async fn world(db: &TestDatabase) -> SyncWorld {
    let mut world = SyncWorld::new(db, &store(db).await, "acme").await;
    world.options.policy.allow_private = true;
    world.options.keyring = Some(keyring());
    world
}

fn keyring() -> Keyring {
    Keyring::new(MasterKeys::one(MasterKey::generate().unwrap()))
}

/// A server that requires a password for every request.
async fn private_server(db: &TestDatabase) -> GitHttpServer {
    let options = GitHttpOptions {
        filter: true,
        credentials: Some(("ada".into(), TOKEN.into())),
        ..GitHttpOptions::default()
    };
    GitHttpServer::start(&db.folder().join("remotes"), options).await
}

fn token(token: &str) -> SourceCredential {
    SourceCredential::Token {
        username: "ada".into(),
        token: token.into(),
    }
}

async fn set(world: &SyncWorld, source: SourceId, credential: SourceCredential) {
    let scoped = world.write().await;
    let keyring = world.options.keyring.as_ref().unwrap();
    source_credential_set(&scoped, keyring, source, credential)
        .await
        .unwrap();
    scoped.commit().await.unwrap();
}

async fn kind(world: &SyncWorld, source: SourceId) -> SourceCredentialKind {
    let scoped = world.read().await;
    let settings = sync_settings_of(&scoped, &[source]).await.unwrap();
    settings
        .get(&source)
        .map(|settings| settings.credential())
        .unwrap_or_default()
}

fn end(sync: &Sync) -> (RunStatus, Option<&str>) {
    (
        sync.run.status,
        sync.run.error.as_ref().map(|error| error.code.as_str()),
    )
}

const REFUSED: (RunStatus, Option<&str>) = (RunStatus::Failed, Some("AUTHENTICATION_FAILED"));
const GOOD: (RunStatus, Option<&str>) = (RunStatus::Succeeded, None);

on_both_databases! {
    async fn a_private_repository_needs_its_token(db: TestDatabase) {
        let world = world(&db).await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        let server = private_server(&db).await;
        let source = world.source_at(&server.url("atlas/.git"), None, "").await;
        assert_eq!(end(&world.synced(source).await), REFUSED);
        set(&world, source, token("ghp_another")).await;
        assert_eq!(end(&world.synced(source).await), REFUSED);
        set(&world, source, token(TOKEN)).await;
        assert_eq!(kind(&world, source).await, SourceCredentialKind::Token);
        assert_eq!(end(&world.synced(source).await), GOOD);
        assert_eq!(world.paths(source).await, ["a.rs"]);

        // A worker that cannot decrypt the credential reports it, and does not try without.
        let mut blind = world.options.clone();
        blind.keyring = Some(keyring());
        let before = server.requests().len();
        let run = world.start(source).await;
        let sync = world.work(run, nyxcore_sync::SyncHandler::new(blind)).await;
        assert_eq!(end(&sync), (RunStatus::Failed, Some("SECRET_UNREADABLE")));
        assert_eq!(server.requests().len(), before);

        for _ in 0..2 {
            let scoped = world.write().await;
            source_credential_remove(&scoped, source).await.unwrap();
            scoped.commit().await.unwrap();
        }
        assert_eq!(kind(&world, source).await, SourceCredentialKind::None);
        assert_eq!(end(&world.synced(source).await), REFUSED);
    }

    /// A user who may change a source must not be able to have its token sent to another host.
    async fn a_credential_does_not_follow_its_source_to_another_host(db: TestDatabase) {
        let world = world(&db).await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        // For credentials, another port is another host. Both servers would accept the token.
        let (good, evil) = (private_server(&db).await, private_server(&db).await);
        let source = world.source_at(&good.url("atlas/.git"), None, "").await;
        set(&world, source, token(TOKEN)).await;
        let moved = async |url: String| {
            let had = kind(&world, source).await;
            let policy = SourcePolicy { allow_private: true, ..SourcePolicy::default() };
            let scoped = world.write().await;
            let changes = SourceChanges { url: Some(url), ..SourceChanges::default() };
            source_update(&scoped, &policy, source, changes).await.unwrap();
            scoped.commit().await.unwrap();
            had != kind(&world, source).await
        };
        // Another repository on the host counts as the same host.
        assert!(!moved(good.url("atlas/.git/")).await);
        assert_eq!(end(&world.synced(source).await), GOOD);
        assert!(moved(evil.url("atlas/.git")).await);
        assert_eq!(kind(&world, source).await, SourceCredentialKind::None);
        assert_eq!(end(&world.synced(source).await), REFUSED);
        assert!(!moved(good.url("atlas/.git")).await);
        assert_eq!(kind(&world, source).await, SourceCredentialKind::None);

        // And if the credential was not removed: the sealed value names the host that it is for.
        set(&world, source, token(TOKEN)).await;
        sql(&db, &format!("UPDATE sources SET url = '{}'", evil.url("atlas/.git"))).await;
        assert_eq!(kind(&world, source).await, SourceCredentialKind::Token);
        assert_eq!(end(&world.synced(source).await), REFUSED);
        sql(&db, &format!("UPDATE sources SET url = '{}'", good.url("atlas/.git"))).await;
        assert_eq!(end(&world.synced(source).await), GOOD);
    }

    /// A source that was imported has no credential of its own: it is fetched with the connection's token.
    async fn a_source_of_a_connection_is_fetched_with_its_token(db: TestDatabase) {
        let world = world(&db).await;
        let mut repository = repository(&db, "atlas");
        repository.write("a.rs", "fn a() {}\n");
        repository.commit("one");
        let options = GitHttpOptions {
            filter: true,
            credentials: Some(("x-access-token".into(), TOKEN.into())),
            ..GitHttpOptions::default()
        };
        let server = GitHttpServer::start(&db.folder().join("remotes"), options).await;
        let source = world.source_at(&server.url("atlas/.git"), None, "").await;
        let id = GitConnectionId(world.store.env().id());
        let scoped = world.write().await;
        let now: sea_orm::Value = scoped.env().now().into();
        let base = "INSERT INTO git_connections (tenant_id, id, name, base_url, created_at, updated_at)
            VALUES ($1, $2, 'ours', 'http://127.0.0.1:1/api/v3', $3, $3)";
        scoped.sql_execute(base, [id.0.into(), now]).await.unwrap();
        let used = "INSERT INTO sync_settings (tenant_id, source_id, connection_id) VALUES ($1, $2, $3)";
        scoped.sql_execute(used, [source.0.into(), id.0.into()]).await.unwrap();
        let keyring = world.options.keyring.as_ref().unwrap();
        secret_put(&scoped, keyring, "git_connection", &id.to_string(), &Secret::new(TOKEN)).await.unwrap();
        scoped.commit().await.unwrap();
        assert_eq!(kind(&world, source).await, SourceCredentialKind::Connection);
        assert_eq!(end(&world.synced(source).await), GOOD);
        // The connection now belongs to another server, so its token is not used.
        sql(&db, "UPDATE git_connections SET base_url = 'http://127.0.0.2:1/api/v3'").await;
        assert_eq!(end(&world.synced(source).await), REFUSED);
        sql(&db, "UPDATE git_connections SET base_url = 'http://127.0.0.1:1/api/v3'").await;
        // The source's own credential takes precedence.
        set(&world, source, token("ghp_another")).await;
        assert_eq!(end(&world.synced(source).await), REFUSED);
    }

    async fn a_removed_source_leaves_no_secret(db: TestDatabase) {
        let world = world(&db).await;
        let source = world.source_at("https://git.example.org/atlas.git", None, "").await;
        set(&world, source, token(TOKEN)).await;
        let names = async || {
            let scoped = world.read().await;
            secret_names(&scoped, "source_credential").await.unwrap()
        };
        assert_eq!(names().await, [source.to_string()]);
        let scoped = world.write().await;
        source_remove(&scoped, source).await.unwrap();
        scoped.commit().await.unwrap();
        assert!(names().await.is_empty());
    }

    async fn the_api_takes_a_credential_and_shows_only_what_kind_it_is(db: TestDatabase) {
        const SET: &str = "mutation ($input: SetSourceCredentialInput!) { setSourceCredential(input: $input) { source { credential } } }";
        const REMOVE: &str = "mutation ($input: RemoveSourceCredentialInput!) { removeSourceCredential(input: $input) { source { credential } } }";
        const UPDATE: &str = "mutation ($input: UpdateSourceInput!) { updateSource(input: $input) { source { credential url } } }";
        let served = serve(&db, nyxcore_gateway::Limits::default()).await;
        let https = source_of(&served.store, served.tenant, "https://git.example.org/atlas.git", None).await;
        let ssh = {
            let scoped = served.store.read(served.tenant).await.unwrap();
            let project = Sources::require(&scoped, https).await.unwrap().project_id;
            drop(scoped);
            let scoped = served.store.write(served.tenant).await.unwrap();
            let new = nyxcore_projects::NewSource { project_id: project, url: "ssh://git@git.example.org/atlas.git".into(), branch: None, scan_path: String::new() };
            let id = nyxcore_projects::source_add(&scoped, new).await.unwrap().id;
            scoped.commit().await.unwrap();
            id
        };
        let key = "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0IGtleQ==\n-----END RSA PRIVATE KEY-----\n";
        let hosts = "git.example.org ssh-ed25519 AAAA";
        for (input, kind) in [
            (json!({"sourceId": https, "token": {"username": "ada", "token": TOKEN}}), "TOKEN"),
            (json!({"sourceId": https, "token": {"token": TOKEN}}), "TOKEN"),
            (json!({"sourceId": ssh, "sshKey": {"privateKey": key}}), "SSH_KEY"),
            (json!({"sourceId": ssh, "sshKey": {"privateKey": key, "knownHosts": hosts}}), "SSH_KEY"),
        ] {
            let answer = ask(&served, SET, input).await;
            assert_eq!(answer["data"]["setSourceCredential"]["source"]["credential"], kind, "{answer}");
        }
        for input in [
            json!({"sourceId": https}),
            json!({"sourceId": https, "token": {"token": "s3cret"}, "sshKey": {"privateKey": key}}),
            json!({"sourceId": https, "sshKey": {"privateKey": key}}),
            json!({"sourceId": ssh, "token": {"token": "s3cret"}}),
            json!({"sourceId": https, "token": {"token": "s3cret\nX-Evil: 1"}}),
            json!({"sourceId": https, "token": {"username": "a:b", "token": "s3cret"}}),
            json!({"sourceId": ssh, "sshKey": {"privateKey": "s3cret"}}),
            json!({"sourceId": ssh, "sshKey": {"privateKey": key, "knownHosts": "s3cret"}}),
        ] {
            let answer = ask(&served, SET, input).await;
            assert_eq!(code(&answer), "INVALID_INPUT");
            assert!(!answer.to_string().contains("s3cret"), "{answer}");
        }
        let (other, _) = tenant(&served.store, "other").await;
        let theirs = source_of(&served.store, other.id, "https://git.example.org/b.git", None).await;
        let answer = ask(&served, SET, json!({"sourceId": theirs, "token": {"token": TOKEN}})).await;
        assert_eq!(code(&answer), "NOT_FOUND");

        let updated = async |input: Value| {
            let answer = ask(&served, UPDATE, input).await;
            answer["data"]["updateSource"]["source"]["credential"].clone()
        };
        assert_eq!(updated(json!({"sourceId": https, "branch": "next"})).await, "TOKEN");
        assert_eq!(updated(json!({"sourceId": https, "url": "https://git.example.org/elsewhere.git"})).await, "TOKEN");
        assert_eq!(updated(json!({"sourceId": https, "url": "https://git.example.net/atlas.git"})).await, "NONE");
        let answer = ask(&served, REMOVE, json!({"sourceId": ssh})).await;
        assert_eq!(answer["data"]["removeSourceCredential"]["source"]["credential"], "NONE", "{answer}");
    }
}
