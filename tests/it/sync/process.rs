//! The real program on the test database.

use std::process::{Child, Stdio};

use nyxcore_tests::{TestDatabase, nyxcore_command};
use sea_orm::DbBackend;

/// `serve` on SQLite and `worker` on PostgreSQL. It is killed on drop.
pub struct Process(Child);

impl Process {
    /// Starts the process, with those kinds of sources allowed.
    pub fn start(db: &TestDatabase, sources: &str) -> Self {
        let mut command = nyxcore_command(db).unwrap();
        match db.backend() {
            DbBackend::Postgres => command.arg("worker"),
            _ => command.env("NYXCORE_DATABASE_URL", db.app_url()).args([
                "serve",
                "--listen",
                "127.0.0.1:0",
            ]),
        };
        command.args(["--allow-sources", sources]);
        let log = std::fs::File::create(db.folder().join("process.log")).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
