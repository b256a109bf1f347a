//! `nyxcore secrets` with the real program: interrupted and resumed, beside a running server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use nyxcore_tenancy::secret::{Keyring, MasterKey, MasterKeys};
use nyxcore_tenancy::{Env, Store, StoreOptions, Tenant};
use nyxcore_tests::{TestDatabase, TestServer, nyxcore_command, on_both_databases, run_on_sqlite};
use sea_orm::DbBackend;
use serde_json::json;

use super::{get, put, secret_key_uses};
use crate::support::{options, registry, tenant};

/// Enough secrets that the interruption comes before the end.
const SECRETS: usize = 1200;

/// The database that the program uses, which on SQLite is in its data directory.
pub(super) async fn program_store(db: &TestDatabase) -> Store {
    let options = match db.backend() {
        DbBackend::Sqlite => {
            // The program creates and migrates it.
            let made = command(db, &["migrate"]);
            assert!(made.status.success(), "{made:?}");
            StoreOptions::sqlite(&db.folder().join("data/nyxcore.sqlite")).with_registry(registry())
        }
        _ => options(db.app_url()),
    };
    Store::connect(&options, Env::default()).await.unwrap()
}

fn command(db: &TestDatabase, arguments: &[&str]) -> Output {
    output(nyxcore_command(db).unwrap().args(arguments))
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(String::from_utf8_lossy)
        .concat()
}

fn key_file(db: &TestDatabase) -> PathBuf {
    db.folder().join("data/master.key")
}

fn keys_in_file(db: &TestDatabase) -> Vec<MasterKey> {
    let text = fs::read_to_string(key_file(db)).unwrap();
    text.lines()
        .map(|line| MasterKey::parse(line).unwrap())
        .collect()
}

/// Writes a key file into the data directory, as a server does when it first needs a key.
fn key_file_make(db: &TestDatabase) -> MasterKey {
    let key = MasterKey::generate().unwrap();
    fs::create_dir_all(db.folder().join("data")).unwrap();
    fs::write(key_file(db), key.to_base64().as_bytes()).unwrap();
    fs::set_permissions(key_file(db), fs::Permissions::from_mode(0o600)).unwrap();
    key
}

async fn sealed_with(store: &Store, tenant: &Tenant) -> Vec<String> {
    let scoped = store.read(tenant.id).await.unwrap();
    let uses = secret_key_uses(&scoped).await.unwrap();
    uses.into_iter().map(|key| key.key_id).collect()
}

on_both_databases! {
    async fn a_rotation_killed_in_the_middle_is_finished_by_the_next_one(db: TestDatabase) {
        let store = program_store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (rival, _) = tenant(&store, "rival").await;
        let old = key_file_make(&db);
        let before = Keyring::new(MasterKeys::one(old.clone()));
        for n in 0..SECRETS {
            put(&store, acme.id, &before, &format!("s{n}"), &format!("value {n}")).await;
        }
        put(&store, rival.id, &before, "one", "of rival").await;

        let mut child = nyxcore_command(&db)
            .unwrap()
            .args(["secrets", "rotate"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = lines.find(|line| line.as_ref().unwrap().contains("re-encrypted"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(first.is_some(), "no batch was told");

        // In the middle of the rotation both keys are in the file, and all secrets can be decrypted.
        let keys = keys_in_file(&db);
        assert_eq!(keys.len(), 2);
        assert!(keys[1] == old && keys[0] != old);
        let during = Keyring::new(MasterKeys { current: keys[0].clone(), previous: vec![old.clone()] });
        assert_eq!(sealed_with(&store, &acme).await.len(), 2, "it was over before it was killed");
        for n in [0, SECRETS / 2, SECRETS - 1] {
            assert_eq!(get(&store, acme.id, &during, &format!("s{n}")).await, Ok(Some(format!("value {n}"))));
        }

        let finished = command(&db, &["secrets", "rotate"]);
        assert!(finished.status.success(), "{}", said(&finished));
        let left = keys_in_file(&db);
        assert_eq!(left, keys[..1], "no third key, and the old one is gone");
        let mode = fs::metadata(key_file(&db)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let after = Keyring::new(MasterKeys::one(left[0].clone()));
        for n in 0..SECRETS {
            assert_eq!(get(&store, acme.id, &after, &format!("s{n}")).await, Ok(Some(format!("value {n}"))));
        }
        assert_eq!(get(&store, rival.id, &after, "one").await, Ok(Some("of rival".into())));
        assert_eq!(sealed_with(&store, &acme).await, [left[0].id()]);

        // The rotation is recorded, and another call after the end is a new rotation.
        let log = nyxcore_tenancy::audit::system_entry_list(&store, Default::default()).await.unwrap();
        let rotated = log.iter().find(|entry| entry.purpose == "secret_rotate" && entry.detail.is_some());
        let detail = rotated.and_then(|entry| entry.detail.as_ref()).unwrap();
        assert_eq!((&detail["keyId"], &detail["unreadable"]), (&json!(left[0].id()), &json!(0)));
        let again = command(&db, &["secrets", "rotate"]);
        assert!(again.status.success(), "{}", said(&again));
        assert!(keys_in_file(&db).len() == 1 && keys_in_file(&db) != left);
    }

    async fn a_running_server_seals_with_the_rotated_key(db: TestDatabase) {
        let store = program_store(&db).await;
        let token = String::from_utf8(command(&db, &["tenant", "create", "acme", "--name", "Acme", "--owner", "ada@acme.example", "--print-token"]).stdout).unwrap();
        let server = TestServer::start(&db, &[]).await.unwrap();
        assert!(!key_file(&db).exists(), "a key is made when it is needed");
        let set = async |provider: &str| {
            let query = "mutation ($input: SetProviderKeyInput!) { setProviderKey(input: $input) { provider { configured } } }";
            let body = json!({"query": query, "variables": {"input": {"provider": provider, "apiKey": "sk-of-acme"}}});
            let request = reqwest::Client::builder().build().unwrap().post(server.url("/graphql"));
            let answer = request.bearer_auth(token.trim()).header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
            let answer = answer.text().await.unwrap();
            assert!(answer.contains("\"configured\":true"), "{answer}");
        };
        set("openai").await;
        let old = keys_in_file(&db);
        let acme = nyxcore_tenancy::directory::tenant_by_slug(&store, "acme").await.unwrap().unwrap();
        assert_eq!(sealed_with(&store, &acme).await, [old[0].id()]);
        let rotated = command(&db, &["secrets", "rotate"]);
        assert!(rotated.status.success(), "{}", said(&rotated));
        set("google").await;
        let new = keys_in_file(&db);
        assert_ne!(new, old);
        assert_eq!(sealed_with(&store, &acme).await, [new[0].id()]);
        let status = command(&db, &["secrets", "status"]);
        assert_eq!(String::from_utf8(status.stdout).unwrap(), format!("{}  current   2 secrets\n", new[0].id()));
        for told in [said(&rotated), server.log()] {
            for key in old.iter().chain(&new) {
                assert!(!told.contains(&**key.to_base64()), "{told}");
            }
        }
    }

    async fn secrets_move_from_the_previous_to_the_current_key(db: TestDatabase) {
        let store = program_store(&db).await;
        let (acme, _) = tenant(&store, "acme").await;
        let (old, new) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
        put(&store, acme.id, &Keyring::new(MasterKeys::one(old.clone())), "one", "of acme").await;
        let run = |arguments: &[&str], previous: Option<&MasterKey>| {
            let mut command = nyxcore_command(&db).unwrap();
            command.args(arguments).env("NYXCORE_MASTER_KEY", &*new.to_base64());
            if let Some(key) = previous {
                command.env("NYXCORE_MASTER_KEY_PREVIOUS", format!(" , {}", *key.to_base64()));
            }
            output(&mut command)
        };
        // Without the old key nothing is lost, and the operator gets an error.
        let refused = run(&["secrets", "rotate"], None);
        assert!(!refused.status.success() && said(&refused).contains("error[SECRET_UNREADABLE]"), "{}", said(&refused));
        let status = said(&run(&["secrets", "status"], None));
        assert!(status.contains(&format!("{}  missing   1 secrets", old.id())), "{status}");
        let moved = run(&["secrets", "rotate"], Some(&old));
        assert!(moved.status.success(), "{}", said(&moved));
        assert_eq!(get(&store, acme.id, &Keyring::new(MasterKeys::one(new.clone())), "one").await, Ok(Some("of acme".into())));
        assert!(!key_file(&db).exists());
    }
}

#[test]
fn an_unsafe_or_invalid_key_stops_the_server() {
    run_on_sqlite(|db| async move {
        let key = key_file_make(&db);
        let serve = |variable: Option<&str>| {
            let mut command = nyxcore_command(&db).unwrap();
            command.args(["serve", "--listen", "127.0.0.1:0"]);
            command.envs(variable.map(|key| ("NYXCORE_MASTER_KEY", key)));
            let output = output(&mut command);
            assert_eq!(output.status.code(), Some(1));
            said(&output)
        };
        fs::set_permissions(key_file(&db), fs::Permissions::from_mode(0o644)).unwrap();
        let told = serve(None);
        assert!(
            told.contains("error[MASTER_KEY_UNUSABLE]") && told.contains("chmod 600"),
            "{told}"
        );
        assert!(!told.contains(&**key.to_base64()), "{told}");
        let told = serve(Some("not-the-right-length"));
        assert!(told.contains("error[SETTING_INVALID]"), "{told}");
        assert!(!told.contains("not-the-right-length"), "{told}");
        let file = db.folder().join("nyxcore.toml");
        let text = format!("master_key = '{}'\n", *key.to_base64());
        fs::write(file, text).unwrap();
        let told = serve(None);
        assert!(told.contains("error[SETTING_INVALID]"), "{told}");
        assert!(!told.contains(&**key.to_base64()), "{told}");
    });
}
