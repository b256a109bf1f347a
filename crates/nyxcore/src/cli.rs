//! The command line: what may be said, and the help that says so.

mod models;

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use models::{AskArgs, EmbedArgs, ModelKeyCommand, ModelsCommand};

use crate::settings::{GlobalFlags, ServeFlags};

/// nyxcore keeps a team's repositories in sync, works out how their code is really written, and puts that knowledge under its notes.
///
/// Try it on a repository of yours: `nyxcore quickstart`, in its folder. No account, no key and no service are needed.
#[derive(Parser)]
#[command(name = "nyxcore", version = env!("NYXCORE_VERSION"))]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalFlags,
    #[command(subcommand)]
    pub command: Command,
}

const ANALYZE_EXAMPLES: &str = "\
Examples:
  nyxcore analyze .                                     a summary to read
  nyxcore analyze . --rev v1.2.0                        the same of a release, without checking it out
  nyxcore analyze . --format json --files               everything, for a program (docs/schema/analysis-2.schema.json)
  nyxcore analyze . --format sarif -o nyxcore.sarif     for a code-scanning page
  nyxcore analyze . --map 2000                          the definitions that matter most, for a model's context
  nyxcore analyze . --cache ~/.cache/nyxcore            parses only what changed since the last time";

const SETUP_EXAMPLES: &str = "\
Examples:
  export NYXCORE_ADMIN_URL=postgres://postgres:...@db.example.org/postgres
  nyxcore setup postgres --dry-run                      the SQL, to read
  nyxcore setup postgres --output credentials           makes everything; credentials/owner.env and app.env hold the URLs
  nyxcore setup postgres --database nyxcore_two         a second installation in the same cluster";

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Sync and analyse one repository, write and enrich a note about it, show what was found, and serve it
    Quickstart(QuickstartArgs),
    /// Serve the GraphQL API, with the workers in the same process
    ///
    /// Settings come from flags, then from the environment (NYXCORE_LISTEN, NYXCORE_DATABASE_URL, NYXCORE_ALLOW_SOURCES, NYXCORE_WORKERS,
    /// NYXCORE_WORKER_LIMITS, NYXCORE_RUN_LOG_RETENTION_DAYS, NYXCORE_ANALYSIS_QUIET_PERIOD, NYXCORE_SIGN_UP, NYXCORE_PUBLIC_URL, NYXCORE_TRUSTED_PROXIES,
    /// NYXCORE_CONNECTIONS_MAX, NYXCORE_CONNECTIONS_PER_ADDRESS, NYXCORE_STREAMS_PER_USER ...), then from nyxcore.toml. Without
    /// NYXCORE_DATABASE_URL everything is kept in the data directory.
    ///
    /// The first start makes the first tenant and its owner from NYXCORE_INIT_TENANT, NYXCORE_INIT_OWNER_EMAIL and NYXCORE_INIT_OWNER_PASSWORD
    /// (or NYXCORE_INIT_OWNER_PASSWORD_FILE). Where there is a tenant already, they do nothing.
    Serve(ServeFlags),
    /// Carry out runs without serving the API (PostgreSQL)
    ///
    /// Any number of them, on any machines, share the runs of one database: NYXCORE_DATABASE_URL. Told to end by SIGTERM or Ctrl-C, a worker
    /// hands its runs back, and another goes on with them; one that dies is noticed after 45 seconds. Further settings are those of `serve`:
    /// NYXCORE_WORKERS, NYXCORE_WORKER_LIMITS, NYXCORE_ALLOW_SOURCES, NYXCORE_RUN_LOG_RETENTION_DAYS ...
    Worker(WorkerArgs),
    /// Make the database and its roles, once, as an administrator of the database server
    #[command(subcommand)]
    Setup(SetupCommand),
    /// Bring the database's schema up to date
    ///
    /// On PostgreSQL, NYXCORE_DATABASE_URL names the role that owns the tables, as `nyxcore setup postgres` made it; it needs to make tables in the
    /// schema public, and nothing else. What it lacks is told before anything is changed. SQLite is migrated by whatever command opens it.
    Migrate(MigrateArgs),
    /// Analyse a folder or a commit, with no database: stack, commands, habits with evidence, hotspots, cycles, duplicates
    ///
    /// What .gitignore and .nyxcoreignore name is left out, and so is what is vendored, generated or minified; the report says how much, and by which
    /// rule. Rules of your own in .nyxcore/rules (ast-grep's format) are matched too.
    #[command(after_long_help = ANALYZE_EXAMPLES)]
    Analyze(AnalyzeArgs),
    /// Manage tenants
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Manage API tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Read the audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Look after the secrets that are kept sealed, such as keys of model providers
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// List models, bring the facts about them up to date, and keep the operator's keys
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Ask a model one thing; the answer streams to the terminal, and what it cost follows
    ///
    /// It goes through the same door as everything else: the tenant's or the operator's key, its budgets, its ledger.
    Ask(AskArgs),
    /// Manage people's accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Print the GraphQL schema
    Schema,
    /// Check that everything nyxcore needs is there and safe
    Doctor,
}

/// What `quickstart` may be told.
#[derive(Args)]
pub struct QuickstartArgs {
    /// A folder in a Git repository, or the URL of one
    #[arg(value_name = "PATH|URL", default_value = ".")]
    pub target: String,
    /// The branch to look at, as committed; by default the one that is checked out
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// The folder within the repository to look at
    #[arg(long, value_name = "FOLDER", default_value = "")]
    pub scan_path: String,
    /// End after the summary, without serving
    #[arg(long)]
    pub exit: bool,
    /// What the note asks; its first line is the title
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    #[command(flatten)]
    pub serve: ServeFlags,
}

/// What `worker` may be told.
#[derive(Args)]
pub struct WorkerArgs {
    /// How many runs to carry out at once [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
    /// How many of them may be of one kind, as in `sync=2,code_analysis=1`
    #[arg(long, value_name = "KIND=N,...")]
    pub worker_limits: Option<String>,
    /// Where repositories may come from besides public hosts: `local` (paths on this machine), `private` (private addresses,
    /// also for the base URLs of model providers)
    #[arg(long, value_name = "KINDS")]
    pub allow_sources: Option<String>,
    /// Serve even as a database role that row-level security does not bind
    #[arg(long)]
    pub allow_privileged_role: bool,
}

/// What may be set up.
#[derive(Subcommand)]
pub enum SetupCommand {
    /// Make two roles, a database and its schema on a PostgreSQL server; run again, make what is missing
    ///
    /// One role owns the schema and migrates it (`nyxcore migrate`), the other serves (`nyxcore serve`, `nyxcore worker`) and owns nothing. Both
    /// only log in: neither needs CREATEROLE or any other attribute. They are named after the database, so that a second installation in
    /// the same cluster has roles of its own: choose another --database.
    ///
    /// Their passwords are made, or read from NYXCORE_OWNER_PASSWORD and NYXCORE_APP_PASSWORD or files. The server gets only what it keeps of
    /// them, so that no password is in its log. The two URLs are printed, or written to files that only you can read (--output).
    ///
    /// The administrator is a superuser, or a role with CREATEROLE and CREATEDB: NYXCORE_ADMIN_URL.
    #[command(after_long_help = SETUP_EXAMPLES)]
    Postgres(SetupPostgresArgs),
}

/// What `setup postgres` may be told.
#[derive(Args)]
pub struct SetupPostgresArgs {
    /// The administrator's URL. Other accounts see a command line: put a password into NYXCORE_ADMIN_URL, PGPASSWORD or ~/.pgpass [env: NYXCORE_ADMIN_URL]
    #[arg(long, value_name = "URL")]
    pub admin_url: Option<String>,
    /// The database
    #[arg(long, value_name = "NAME", default_value = "nyxcore")]
    pub database: String,
    /// The role that owns the schema [default: the database's name and _owner]
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// The role that serves [default: the database's name and _app]
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// A file with the owner's password
    #[arg(long, value_name = "FILE")]
    pub owner_password_file: Option<PathBuf>,
    /// A file with the password of the role that serves
    #[arg(long, value_name = "FILE")]
    pub app_password_file: Option<PathBuf>,
    /// Give roles that exist new passwords; without it they keep theirs
    #[arg(long)]
    pub new_passwords: bool,
    /// Write the URLs to owner.env and app.env in a folder instead of printing them
    #[arg(long, short, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Print the SQL and change nothing; without an administrator's URL, all of it
    #[arg(long)]
    pub dry_run: bool,
}

/// What `migrate` may be told.
#[derive(Args)]
pub struct MigrateArgs {
    /// Grant the role that serves what it needs
    #[arg(long, value_name = "NAME")]
    pub app_role: Option<String>,
}

/// What `analyze` may be told.
#[derive(Args)]
pub struct AnalyzeArgs {
    /// The folder; with --rev, a repository or a folder in one
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// `table` for a person, `json` for a program, `sarif` for code-scanning pages and editors
    #[arg(long, value_enum, default_value_t = AnalyzeFormat::Table, hide_possible_values = true)]
    pub format: AnalyzeFormat,
    /// Look at a commit instead of the folder as it is: a branch, a tag, a commit's id, HEAD~3. Nothing is checked out
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Threads to parse on, at most one for each core; 0 is one for each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
    /// A folder that keeps what was found in each file, so that the next time only changed files are read and parsed; it may be deleted at any time
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print the map of the project instead: its most leaned on definitions, as many as fit so many tokens of a language model
    #[arg(long, value_name = "TOKENS", conflicts_with_all = ["format", "files"])]
    pub map: Option<usize>,
    /// List every file with its lines and functions (json)
    #[arg(long)]
    pub files: bool,
    /// Leave out the history, and with it hotspots, files that change together, and ownership
    #[arg(long)]
    pub no_history: bool,
}

/// What `analyze` prints.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnalyzeFormat {
    /// For a person.
    Table,
    /// For a program.
    Json,
    /// For code-scanning pages and editors.
    Sarif,
}

/// What may be done with tenants.
#[derive(Subcommand)]
pub enum TenantCommand {
    /// Make a tenant with its owner; works beside a running server
    Create {
        /// Its short name: lower-case letters, digits and hyphens
        #[arg(value_name = "SLUG")]
        slug: String,
        /// Its name
        #[arg(long, value_name = "NAME")]
        name: String,
        /// The owner's e-mail address
        #[arg(long, value_name = "EMAIL")]
        owner: String,
        /// Make an API token for the owner and print it, alone, on standard output
        #[arg(long)]
        print_token: bool,
    },
    /// Print every tenant: short name, name, id, and when it was made
    List,
}

/// What may be done with accounts.
#[derive(Subcommand)]
pub enum UserCommand {
    /// Give a person a password, read as one line from standard input, and end the person's sessions
    SetPassword {
        /// The person's e-mail address
        #[arg(value_name = "EMAIL")]
        email: String,
    },
    /// Print every account: e-mail address, name, id, and the role in each tenant
    List {
        /// Only members of the tenant with this short name
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
    },
}

/// What may be done with tokens.
#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make an API token and print it, alone, on standard output; it is not kept and cannot be shown again
    Create {
        /// The tenant's short name
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// The member whose token it is
        #[arg(long, value_name = "EMAIL")]
        user: String,
        /// What it may do at the most; the member's own role without it
        #[arg(long, value_name = "ROLE", value_enum, ignore_case = true)]
        role: Option<TokenRole>,
        /// What to call it
        #[arg(long, value_name = "NAME", default_value = "command line")]
        name: String,
    },
    /// Print a tenant's tokens, newest first; their secrets are not kept
    List {
        /// The tenant's short name
        #[arg(long, value_name = "SLUG")]
        tenant: String,
    },
    /// Revoke a token, also on streams that are open; works beside running servers
    Revoke {
        /// The token's id as `token list` prints it, or the token itself
        #[arg(value_name = "ID")]
        token: String,
        /// The tenant's short name
        #[arg(long, value_name = "SLUG")]
        tenant: String,
    },
}

/// What may be done with the audit log.
#[derive(Subcommand)]
pub enum AuditCommand {
    /// Print the log as JSON lines: a tenant's, newest first, or what was done across tenants, oldest first
    Export {
        /// The tenant's short name; without it, what was done across tenants
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
        /// Entries from then on, as in 2026-01-31T12:00:00Z, or from a day on (UTC), as in 2026-01-31
        #[arg(long, value_name = "TIME", value_parser = time_read)]
        since: Option<DateTime<Utc>>,
    },
}

/// What may be done with the secrets.
#[derive(Subcommand)]
pub enum SecretsCommand {
    /// Seal every secret anew with another master key; works beside running servers, and goes on where it was interrupted
    ///
    /// With the key file in the data directory this makes the new key, and takes the old one out of the file once nothing is sealed with it.
    /// With NYXCORE_MASTER_KEY, set it to the new key and NYXCORE_MASTER_KEY_PREVIOUS to the old one, on every server first and then here.
    Rotate,
    /// Print which master keys the secrets are sealed with, by the keys' ids
    Status,
}

/// A time as RFC 3339 writes it, or a day, which begins at midnight in UTC.
fn time_read(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let day = || {
        Some(
            text.parse::<NaiveDate>()
                .ok()?
                .and_time(NaiveTime::MIN)
                .and_utc(),
        )
    };
    let time = text.parse::<DateTime<Utc>>().ok().or_else(day);
    time.ok_or("write a time as 2026-01-31T12:00:00Z, or a day as 2026-01-31")
}

/// The roles, as they are written on the command line; as in `Role`.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum TokenRole {
    Owner,
    Admin,
    Member,
    Viewer,
}

impl From<TokenRole> for nyxcore_tenancy::Role {
    fn from(role: TokenRole) -> Self {
        match role {
            TokenRole::Owner => Self::Owner,
            TokenRole::Admin => Self::Admin,
            TokenRole::Member => Self::Member,
            TokenRole::Viewer => Self::Viewer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_time_may_be_a_day_and_is_shown_by_example() {
        let read = |text: &str| time_read(text).map(|time| time.to_rfc3339());
        assert_eq!(read("2026-01-31").unwrap(), "2026-01-31T00:00:00+00:00");
        assert_eq!(
            read("2026-01-31T12:00:00+02:00").unwrap(),
            "2026-01-31T10:00:00+00:00"
        );
        assert!(read("yesterday").unwrap_err().contains("2026-01-31T12"));
    }

    #[test]
    fn an_option_in_disguise_is_no_repository() {
        let parsed = Cli::try_parse_from(["nyxcore", "quickstart", "--upload-pack=touch x"]);
        assert!(parsed.is_err());
    }
}
