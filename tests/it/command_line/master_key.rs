//! A machine without the master key of the stored secrets reports this at once, and creates no second key.

use std::fs;

use nyxcore_tests::{TestDatabase, nyxcore_command, nyxcore_command_in, on_both_databases};
use sea_orm::DbBackend;

use super::{CommandOutput, Running, said};

/// Stores the operator's key for a vendor.
fn key_set(db: &TestDatabase, vendor: &str) -> CommandOutput {
    let mut command = nyxcore_command(db).unwrap();
    command.args(["models", "key", "set", vendor, "--env", "PROVIDER_KEY"]);
    said(command.env("PROVIDER_KEY", "sk-of-a-provider"))
}

on_both_databases! {
    async fn a_missing_master_key_is_told_and_not_made_anew(db: TestDatabase) {
        let kept = key_set(&db, "anthropic");
        assert!(kept.status.success(), "{}", kept.err);
        let file = db.folder().join("data/master.key");
        let aside = db.folder().join("aside.key");
        fs::rename(&file, &aside).unwrap();

        for refused in [
            key_set(&db, "openai"),
            said(nyxcore_command(&db).unwrap().args(["secrets", "rotate"])),
        ] {
            assert_eq!(refused.code(), "MASTER_KEY_UNUSABLE", "{}", refused.err);
            assert!(refused.err.contains("master.key is missing, and 1 secrets"), "{}", refused.err);
        }
        let mut command = nyxcore_command(&db).unwrap();
        let running = Running::start(command.args(["serve", "--listen", "127.0.0.1:0"]), false);
        running.after("master.key is missing, and 1 secrets");
        running.after("nyxcore listens at ");
        assert!(running.end("TERM").success());
        assert!(!file.exists(), "a second key was made");

        fs::rename(&aside, &file).unwrap();
        let kept = key_set(&db, "openai");
        assert!(kept.status.success() && !kept.err.contains("missing"), "{}", kept.err);
    }

    async fn a_worker_with_another_key_says_so_at_its_start(db: TestDatabase) {
        if db.backend() != DbBackend::Postgres {
            return;
        }
        assert!(key_set(&db, "anthropic").status.success());
        let elsewhere = db.folder().join("elsewhere");
        let mut command = nyxcore_command_in(&db, &elsewhere).unwrap();
        let worker = Running::start(command.arg("worker"), false);
        worker.after("set NYXCORE_MASTER_KEY as it is on the other machines");
        worker.after("nyxcore waits for runs");
        assert!(worker.end("TERM").success() && !elsewhere.join("master.key").exists());
    }
}
