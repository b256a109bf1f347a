//! A temporary installation on the test server: a database and roles with unique names, removed on drop.

use std::process::Command;

use nyxcore_tests::{TestDatabase, nyxcore_command, postgres_superuser_url};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use uuid::Uuid;

/// A database and its roles, whose names have a common prefix.
pub struct Installation {
    /// The name of the database, and the prefix of the roles' names.
    pub name: String,
    /// The superuser's URL.
    pub admin: String,
}

impl Installation {
    /// Chooses names that do not exist on the server; creates nothing.
    pub fn new(word: &str) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the name must be new on a server that other runs use too"
        )]
        let id = Uuid::now_v7().simple().to_string();
        Self {
            name: format!("nyx_{word}_{}", &id[20..]),
            admin: postgres_superuser_url().unwrap().into(),
        }
    }

    /// The program, with the superuser as the administrator.
    pub fn nyxcore(&self, db: &TestDatabase) -> Command {
        let mut command = nyxcore_command(db).unwrap();
        command.env("NYXCORE_ADMIN_URL", &self.admin);
        command
    }

    /// A shell with the program on its `PATH`, and without an administrator.
    pub fn shell(&self, db: &TestDatabase, script: &str) -> Command {
        let nyxcore = nyxcore_command(db).unwrap();
        let folder = std::path::Path::new(nyxcore.get_program())
            .parent()
            .unwrap();
        let path = std::env::var("PATH").unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "what a person types is run as a person would"
        )]
        let mut command = Command::new("/bin/sh");
        command
            .args(["-euc", script])
            .env("PATH", format!("{}:{path}", folder.display()))
            .env_remove("NYXCORE_TEST_DATABASE_URL")
            .current_dir(db.folder());
        command
    }

    /// Creates another administrator with these rights, and returns its URL.
    pub async fn administrator(&self, rights: &str) -> String {
        let name = format!("{}_admin", self.name);
        self.run(&format!("CREATE ROLE {name} LOGIN {rights} PASSWORD 'pw'"))
            .await;
        let mut url = url::Url::parse(&self.admin).unwrap();
        url.set_username(&name).unwrap();
        url.set_password(Some("pw")).unwrap();
        url.into()
    }

    /// Runs a statement as the superuser.
    pub async fn run(&self, sql: &str) {
        let server = connect(&self.admin).await;
        let done = server.execute_unprepared(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        server.close().await.unwrap();
    }

    /// The number that a query returns.
    pub async fn number(&self, sql: &str) -> i64 {
        let server = connect(&self.admin).await;
        let statement = Statement::from_string(server.get_database_backend(), sql);
        let row = server.query_one_raw(statement).await.unwrap().unwrap();
        server.close().await.unwrap();
        row.try_get_by_index(0).unwrap()
    }

    /// The number of roles with this prefix.
    pub async fn roles(&self) -> i64 {
        let sql = format!(
            "SELECT count(*) FROM pg_roles WHERE rolname LIKE '{}%'",
            self.name
        );
        self.number(&sql).await
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let (name, admin) = (self.name.clone(), self.admin.clone());
        // Removed whatever the result of the test. In a separate thread, because this one may be running futures.
        let removed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let server = connect(&admin).await;
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                server.execute_unprepared(&drop).await.unwrap();
                // Roles that are members of others are dropped after the roles in which they granted memberships.
                for role in ["app", "owner", "group", "admin"] {
                    let drop = format!(
                        "DO $$ BEGIN IF to_regrole('{name}_{role}') IS NOT NULL THEN DROP OWNED BY {name}_{role} CASCADE; DROP ROLE {name}_{role}; END IF; END $$"
                    );
                    server.execute_unprepared(&drop).await.unwrap();
                }
                server.close().await.unwrap();
            });
        });
        let removed = removed.join();
        if !std::thread::panicking() {
            removed.expect("the installation can be removed");
        }
    }
}

/// The URL that a set-up wrote into the installation's folder.
pub fn url_of(db: &TestDatabase, folder: &str, file: &str) -> String {
    let file = db.folder().join(folder).join(file);
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let url = text
        .strip_prefix("NYXCORE_DATABASE_URL='")
        .and_then(|rest| rest.strip_suffix("'\n"));
    url.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "what the program made is looked at without the program"
)]
pub async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}
