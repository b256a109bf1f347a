//! The statements of a setup: derived from the state of the server, printed by `--dry-run`, executed in order.

use anyhow::bail;
use nyxcore_migrations::is_plain_name;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, TransactionTrait};

use super::credentials::{RolePassword, random};
use super::scram::verifier;
use super::server::{Role, Server};
use crate::cli::SetupPostgresArgs;
use crate::error::{Error, Result};

/// The names of an installation's database and roles. Roles belong to the whole cluster, so by default their names
/// begin with the database's name.
pub struct Names {
    /// The database.
    pub database: String,
    /// The role that owns the schema.
    pub owner: String,
    /// The role that serves the API.
    pub app: String,
}

impl Names {
    /// Reads the names from the command line.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] for a name that is not plain, and for equal names of the two roles.
    pub fn of(args: &SetupPostgresArgs) -> Result<Self> {
        let or = |name: &Option<String>, suffix: &str| {
            name.clone()
                .unwrap_or_else(|| format!("{}_{suffix}", args.database))
        };
        let names = Self {
            database: args.database.clone(),
            owner: or(&args.owner, "owner"),
            app: or(&args.app, "app"),
        };
        for name in [&names.database, &names.owner, &names.app] {
            if !is_plain_name(name) {
                bail!(Error::SettingInvalid(format!(
                    "a database or role name must have 1 to 63 letters, digits and underscores: {name:?}"
                )));
            }
            if name.starts_with("pg_") {
                bail!(Error::SettingInvalid(format!(
                    "names that begin with pg_ are reserved by PostgreSQL: {name:?}"
                )));
            }
        }
        if names.owner == names.app {
            bail!(Error::SettingInvalid(
                "--owner and --app must be different roles: the serving role must own nothing"
                    .into(),
            ));
        }
        Ok(names)
    }
}

/// A statement and its purpose.
struct Step {
    purpose: String,
    sql: String,
    /// Whether the setup continues if the statement fails.
    is_optional: bool,
}

impl Step {
    fn new(purpose: impl Into<String>, sql: String) -> Self {
        Self {
            purpose: purpose.into(),
            sql,
            is_optional: false,
        }
    }

    async fn run(&self, db: &impl ConnectionTrait) -> Result<()> {
        match db.execute_unprepared(&self.sql).await {
            Ok(_) => Ok(()),
            Err(error) if self.is_optional => {
                tracing::warn!(%error, "{} was refused: set-up continues without it", self.purpose);
                Ok(())
            }
            Err(error) => Err(refused(&self.purpose, &error).into()),
        }
    }
}

fn refused(step: &str, error: &DbErr) -> Error {
    Error::SetupRefused {
        step: step.to_owned(),
        reason: error.to_string(),
    }
}

/// The attributes of a new role: it may log in, and has no other right in the cluster.
const PLAIN: &str = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS";
/// The placeholder for a secret in a printed statement.
const HIDDEN: &str = "...";

/// The statements in the order of execution.
pub struct Plan {
    roles: Vec<Step>,
    database: Vec<Step>,
    schema: Vec<Step>,
    passwords: [Option<RolePassword>; 2],
}

impl Plan {
    /// Plans the missing steps for this server.
    ///
    /// # Errors
    /// [`Error::SetupRefused`] where the administrator lacks rights, or an existing object of the same name is
    /// unsuitable. Nothing is changed then.
    pub fn new(
        names: &Names,
        server: &Server,
        given: [Option<RolePassword>; 2],
        new_passwords: bool,
    ) -> Result<Self> {
        server_check(names, server)?;
        let mut passwords = [None, None];
        let mut roles = Vec::new();
        let existing = [(&names.owner, &server.owner), (&names.app, &server.app)];
        for (((name, found), given), kept) in existing.into_iter().zip(given).zip(&mut passwords) {
            let password = match (given, found) {
                (None, Some(_)) if !new_passwords => continue,
                (None, _) => RolePassword::generate()?,
                (Some(given), _) => given,
            };
            let hash = verifier(password.expose(), random()?)?;
            roles.push(match found {
                None => role_create(name, &hash),
                Some(_) => Step::new(
                    format!("giving the role {name} a password"),
                    format!("ALTER ROLE \"{name}\" PASSWORD '{hash}'"),
                ),
            });
            *kept = Some(password);
        }
        if !server.is_superuser {
            roles.push(Step::new(
                format!("making {} a member of {}", server.admin, names.owner),
                format!("GRANT \"{}\" TO CURRENT_USER", names.owner),
            ));
        }
        Ok(Self {
            roles,
            database: database_steps(names, server.database.is_none()),
            schema: schema_steps(names, server.has_vector),
            passwords,
        })
    }

    /// Plans all steps, as for a server where nothing exists yet. The passwords are placeholders.
    pub fn fresh(names: &Names) -> Self {
        let roles = [&names.owner, &names.app].map(|name| role_create(name, HIDDEN));
        Self {
            roles: roles.into(),
            database: database_steps(names, true),
            schema: schema_steps(names, true),
            passwords: [None, None],
        }
    }

    /// The statements as text for a person or for `psql`. The password verifiers are left out.
    pub fn text(&self, names: &Names) -> String {
        let mut text = String::from("-- as the administrator\n");
        for step in self.roles.iter().chain(&self.database) {
            text.push_str(&line(step));
        }
        text.push_str(&format!(
            "\n-- in the database {0}\n\\connect {0}\n",
            names.database
        ));
        for step in &self.schema {
            text.push_str(&line(step));
        }
        text.push_str(&format!(
            "\n-- then, as {}: nyxcore migrate --app-role {}\n",
            names.owner, names.app
        ));
        text
    }

    /// The owner's password, if it was given or generated.
    pub fn owner_password(&self) -> Option<&RolePassword> {
        self.passwords[0].as_ref()
    }

    /// The serving role's password, if it was given or generated.
    pub fn app_password(&self) -> Option<&RolePassword> {
        self.passwords[1].as_ref()
    }

    /// Creates the roles: both, or none.
    ///
    /// # Errors
    /// [`Error::SetupRefused`].
    pub async fn roles_make(&self, server: &DatabaseConnection) -> Result<()> {
        let begin = |error: DbErr| refused("making the roles", &error);
        let transaction = server.begin().await.map_err(begin)?;
        for step in &self.roles {
            step.run(&transaction).await?;
        }
        Ok(transaction.commit().await.map_err(begin)?)
    }

    /// Creates the database, and grants the right to connect to it.
    ///
    /// # Errors
    /// [`Error::SetupRefused`].
    pub async fn database_make(&self, server: &DatabaseConnection) -> Result<()> {
        steps_run(&self.database, server).await
    }

    /// Prepares the schema, in the database itself.
    ///
    /// # Errors
    /// [`Error::SetupRefused`].
    pub async fn schema_prepare(&self, database: &DatabaseConnection) -> Result<()> {
        steps_run(&self.schema, database).await
    }
}

async fn steps_run(steps: &[Step], db: &DatabaseConnection) -> Result<()> {
    for step in steps {
        step.run(db).await?;
    }
    Ok(())
}

fn line(step: &Step) -> String {
    let sql = match step.sql.split_once("PASSWORD '") {
        Some((before, _)) => format!("{before}PASSWORD '{HIDDEN}'"),
        None => step.sql.clone(),
    };
    format!("{sql};\n")
}

fn server_check(names: &Names, server: &Server) -> Result<()> {
    let refuse = |reason: String| {
        Err(Error::SetupRefused {
            step: "nothing was changed".into(),
            reason,
        }
        .into())
    };
    if !server.admin_lacks.is_empty() {
        return refuse(format!(
            "the administrator {} needs {}: use another role, such as postgres",
            server.admin,
            server.admin_lacks.join(" and ")
        ));
    }
    for (name, role) in [(&names.owner, &server.owner), (&names.app, &server.app)] {
        if *name == server.admin {
            return refuse(format!(
                "the administrator {name} cannot be the owner or serving role: choose another role"
            ));
        }
        let Some(Role {
            may_log_in,
            attributes,
        }) = role
        else {
            continue;
        };
        if let [first, ..] = attributes.as_slice() {
            return refuse(format!(
                "the role {name} exists and has {}: ALTER ROLE \"{name}\" NO{first}, or name another role",
                attributes.join(" and ")
            ));
        }
        if !may_log_in {
            return refuse(format!(
                "the role {name} exists and may not log in: ALTER ROLE \"{name}\" LOGIN, or name another role"
            ));
        }
    }
    match &server.database {
        Some(database) if database.encoding != "UTF8" => refuse(format!(
            "the database {} exists with the encoding {}: choose another one with --database; it must be UTF8",
            names.database, database.encoding
        )),
        _ => Ok(()),
    }
}

fn role_create(name: &str, hash: &str) -> Step {
    Step::new(
        format!("making the role {name}"),
        format!("CREATE ROLE \"{name}\" {PLAIN} PASSWORD '{hash}'"),
    )
}

/// The statements for the database. A new database is closed to all other roles: roles of another installation in the
/// cluster need no access to it. An existing one keeps its rights.
fn database_steps(names: &Names, is_new: bool) -> Vec<Step> {
    let Names {
        database,
        owner,
        app,
    } = names;
    let mut steps = Vec::new();
    if is_new {
        steps.push(Step::new(
            format!("making the database {database}"),
            format!("CREATE DATABASE \"{database}\" OWNER \"{owner}\" TEMPLATE template0 ENCODING 'UTF8'"),
        ));
        steps.push(Step::new(
            format!("closing the database {database} to other roles"),
            format!("REVOKE CONNECT, TEMPORARY ON DATABASE \"{database}\" FROM PUBLIC"),
        ));
    }
    steps.push(Step::new(
        format!("letting the roles connect to {database}"),
        format!("GRANT CONNECT ON DATABASE \"{database}\" TO \"{owner}\", \"{app}\""),
    ));
    steps
}

fn schema_steps(names: &Names, has_vector: bool) -> Vec<Step> {
    let mut steps = vec![
        Step::new(
            format!("letting {} make tables", names.owner),
            format!(
                "GRANT USAGE, CREATE ON SCHEMA public TO \"{}\"",
                names.owner
            ),
        ),
        Step::new(
            format!("letting {} use the schema", names.app),
            format!("GRANT USAGE ON SCHEMA public TO \"{}\"", names.app),
        ),
        Step::new(
            "keeping others from making tables",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC".into(),
        ),
    ];
    if has_vector {
        steps.push(Step {
            is_optional: true,
            ..Step::new(
                "installing the extension vector",
                "CREATE EXTENSION IF NOT EXISTS vector".into(),
            )
        });
    }
    steps
}
