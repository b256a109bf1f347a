//! The command line: arguments and help texts.
//!
//! Longer than 450 lines: the whole command line is one declaration.

mod mcp;
mod models;
mod operations;

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use mcp::McpArgs;
pub use models::{AskArgs, EmbedArgs, ModelKeyCommand, ModelsCommand};
pub use operations::{BackupArgs, DeployCheckArgs, RestoreArgs};

use crate::build_info::long_version;
use crate::settings::{GlobalFlags, ServeFlags};

/// nyxcore keeps a team's repositories in sync, analyses how their code is written, and adds that knowledge to notes.
///
/// Try it in the folder of a repository: `nyxcore quickstart`. No account, no key and no service are needed.
#[derive(Parser)]
#[command(name = "nyxcore", version = env!("NYXCORE_VERSION"), long_version = long_version())]
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
  nyxcore setup postgres --output credentials           creates everything; credentials/owner.env and app.env have the URLs
  nyxcore setup postgres --database nyxcore_two         a second installation in the same cluster";

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Sync and analyse one repository, create and enrich a note about it, show the results, and serve them
    Quickstart(QuickstartArgs),
    /// Serve the GraphQL API, with the workers in the same process
    ///
    /// Settings come from flags, then from the environment (NYXCORE_LISTEN, NYXCORE_DATABASE_URL,
    /// NYXCORE_ALLOW_SOURCES, NYXCORE_WORKERS, NYXCORE_WORKER_LIMITS, NYXCORE_RUN_LOG_RETENTION_DAYS,
    /// NYXCORE_ANALYSIS_QUIET_PERIOD, NYXCORE_SIGN_UP, NYXCORE_PUBLIC_URL, NYXCORE_TRUSTED_PROXIES,
    /// NYXCORE_CONNECTIONS_MAX, NYXCORE_CONNECTIONS_PER_ADDRESS, NYXCORE_STREAMS_PER_USER ...), then from nyxcore.toml.
    /// Without NYXCORE_DATABASE_URL everything is stored in the data directory.
    ///
    /// The first start creates the first tenant and its owner from NYXCORE_INIT_TENANT, NYXCORE_INIT_OWNER_EMAIL and
    /// NYXCORE_INIT_OWNER_PASSWORD (or NYXCORE_INIT_OWNER_PASSWORD_FILE). If a tenant already exists, they have no
    /// effect.
    Serve(ServeFlags),
    /// Execute runs without serving the API (PostgreSQL)
    ///
    /// Any number of workers, on any machines, share the runs of one database: NYXCORE_DATABASE_URL. On SIGTERM or
    /// Ctrl-C a worker hands its runs back to others; a crashed worker is detected after 45 seconds. Further settings
    /// are those of `serve`: NYXCORE_WORKERS, NYXCORE_WORKER_LIMITS, NYXCORE_ALLOW_SOURCES,
    /// NYXCORE_RUN_LOG_RETENTION_DAYS ...
    Worker(WorkerArgs),
    /// Create the database and its roles, once, as an administrator of the database server
    #[command(subcommand)]
    Setup(SetupCommand),
    /// Migrate the database schema
    ///
    /// On PostgreSQL, NYXCORE_DATABASE_URL names the role that owns the tables, as created by `nyxcore setup
    /// postgres`. It needs the right to create tables in the schema public, and nothing else. Missing rights are
    /// reported before any change. SQLite is migrated by any command that opens it.
    Migrate(MigrateArgs),
    /// Write a backup: the database, the master key and the facts about models, as one file
    ///
    /// Works beside running servers and is one snapshot. On PostgreSQL it runs `pg_dump` as the role of
    /// NYXCORE_BACKUP_URL, or of NYXCORE_DATABASE_URL, which must see every row: row-level security hides them from
    /// the owner of the tables and from the serving role. Mirrors are left out: they are fetched again.
    Backup(BackupArgs),
    /// Restore a backup into an empty database
    ///
    /// On SQLite the data directory must have no database. On PostgreSQL the database must have no row, and
    /// NYXCORE_DATABASE_URL names the role that is to own the tables, as for `nyxcore migrate`. A backup of an older
    /// version is migrated. Nothing is restored unless every checksum and the number of rows of every table are right.
    Restore(RestoreArgs),
    /// Compare the commit of a running server with the local one and its upstream
    ///
    /// Prints what a deployment would ship, and exits with 1 if something would not be: changes that are not committed,
    /// commits that are not pushed, and commits that only the server or the upstream has. NYXCORE_TOKEN is a token of
    /// the server.
    DeployCheck(DeployCheckArgs),
    /// Analyse a folder or a commit, without a database: stack, commands, conventions with evidence, hotspots, cycles,
    /// duplicates
    ///
    /// Files that .gitignore and .nyxcoreignore name are ignored; of those that git tracks, only .nyxcoreignore's.
    /// Vendored, generated and minified files are skipped, and the report lists them by rule. Rules of your own in
    /// .nyxcore/rules (ast-grep's format) are matched too.
    #[command(after_long_help = ANALYZE_EXAMPLES)]
    Analyze(AnalyzeArgs),
    /// Measure search on the history of a repository
    ///
    /// The message of a commit is the question, the files that it changed are the answer, and the index stands at its
    /// parent. The table compares the search with plain BM25 over unsplit text. It needs no labels and changes nothing
    /// in the repository. Without NYXCORE_DATABASE_URL it uses a temporary SQLite database.
    Eval(EvalArgs),
    /// Compare the changes in a folder with the project's own habits
    ///
    /// A deviation is a place that does not follow a habit which held at the base commit, and that was not there
    /// before. No model is involved: the same trees give the same answer.
    Check(CheckArgs),
    /// Serve coding agents over the Model Context Protocol, on standard input and output
    ///
    /// Agents search, read code, ask which conventions apply to a file, check their change, and write down what they
    /// learned. Answers are cited and stay within a token budget. An agent starts this command by itself. It answers
    /// from the database that `serve` and `quickstart` use, also beside a running server, or passes everything on to a
    /// server (--server). The log goes to standard error.
    #[command(after_long_help = mcp::EXAMPLES)]
    Mcp(McpArgs),
    /// Manage tenants
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Manage API tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Audit what a team has learned, and import memory entries
    #[command(subcommand)]
    Knowledge(KnowledgeCommand),
    /// Read the audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Manage the encrypted secrets, such as keys of model providers
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// List models, update the facts about them, and manage the operator's keys
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Ask a model one question; the answer is streamed to the terminal, followed by its cost
    ///
    /// The call uses the tenant's or the operator's key, and is subject to budgets and the ledger like all others.
    Ask(AskArgs),
    /// Manage user accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Print the GraphQL schema
    Schema,
    /// Check that everything nyxcore needs is present and safe
    Doctor,
}

/// The arguments of `quickstart`.
#[derive(Args)]
pub struct QuickstartArgs {
    /// A folder in a Git repository, or the URL of one
    #[arg(value_name = "PATH|URL", default_value = ".")]
    pub target: String,
    /// The branch to use, as committed; by default the checked-out branch
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// The folder within the repository to use
    #[arg(long, value_name = "FOLDER", default_value = "")]
    pub scan_path: String,
    /// End after the summary, without serving
    #[arg(long)]
    pub exit: bool,
    /// The text of the note; its first line is the title
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    #[command(flatten)]
    pub serve: ServeFlags,
}

/// The arguments of `worker`.
#[derive(Args)]
pub struct WorkerArgs {
    /// Serve metrics for Prometheus at this address, at /metrics [env: NYXCORE_METRICS]
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<String>,
    /// Number of concurrent runs [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
    /// Maximum per kind of run, such as `sync=2,code_analysis=1`
    #[arg(long, value_name = "KIND=N,...")]
    pub worker_limits: Option<String>,
    /// Additional sources of repositories: `local` (paths on this machine), `private` (private addresses, also for the
    /// base URLs of model providers)
    #[arg(long, value_name = "KINDS")]
    pub allow_sources: Option<String>,
    /// Serve even with a database role that bypasses row-level security
    #[arg(long)]
    pub allow_privileged_role: bool,
}

/// The setups.
#[derive(Subcommand)]
pub enum SetupCommand {
    /// Create two roles, a database and its schema on a PostgreSQL server; if run again, create what is missing
    ///
    /// One role owns the schema and migrates it (`nyxcore migrate`), the other serves (`nyxcore serve`,
    /// `nyxcore worker`) and owns nothing. Neither needs CREATEROLE or any other attribute than LOGIN. They are named
    /// after the database: choose another --database for a second installation in the same cluster.
    ///
    /// Their passwords are generated, or read from NYXCORE_OWNER_PASSWORD and NYXCORE_APP_PASSWORD or files. The server
    /// receives only verifiers, so that no password is in its log. The two URLs are printed, or written to files that
    /// only you can read (--output).
    ///
    /// The administrator is a superuser, or a role with CREATEROLE and CREATEDB: NYXCORE_ADMIN_URL.
    #[command(after_long_help = SETUP_EXAMPLES)]
    Postgres(SetupPostgresArgs),
}

/// The arguments of `setup postgres`.
#[derive(Args)]
pub struct SetupPostgresArgs {
    /// The administrator's URL. Other accounts can see a command line, so put a password into NYXCORE_ADMIN_URL,
    /// PGPASSWORD or ~/.pgpass [env: NYXCORE_ADMIN_URL]
    #[arg(long, value_name = "URL")]
    pub admin_url: Option<String>,
    /// The database
    #[arg(long, value_name = "NAME", default_value = "nyxcore")]
    pub database: String,
    /// The role that owns the schema [default: the database's name and _owner]
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// The serving role [default: the database's name and _app]
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// A file with the owner's password
    #[arg(long, value_name = "FILE")]
    pub owner_password_file: Option<PathBuf>,
    /// A file with the password of the serving role
    #[arg(long, value_name = "FILE")]
    pub app_password_file: Option<PathBuf>,
    /// Set new passwords for existing roles; otherwise they keep theirs
    #[arg(long)]
    pub new_passwords: bool,
    /// Write the URLs to owner.env and app.env in a folder instead of printing them
    #[arg(long, short, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Print the SQL and change nothing; without an administrator's URL, all of it
    #[arg(long)]
    pub dry_run: bool,
}

/// The arguments of `migrate`.
#[derive(Args)]
pub struct MigrateArgs {
    /// Grant the serving role what it needs
    #[arg(long, value_name = "NAME")]
    pub app_role: Option<String>,
}

/// The arguments of `analyze`.
#[derive(Args)]
pub struct AnalyzeArgs {
    /// The folder; with --rev, a repository or a folder in one
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// `table` for people, `json` for programs, `sarif` for code-scanning pages and editors, `agents` for a section of
    /// AGENTS.md; with -o, an earlier section in the file is replaced and the rest of it stays
    #[arg(long, value_enum, default_value_t = AnalyzeFormat::Table, hide_possible_values = true)]
    pub format: AnalyzeFormat,
    /// Analyse a commit instead of the folder: a branch, a tag, a commit id, HEAD~3. Nothing is checked out
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Number of parser threads, at most one per core; 0 means one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
    /// A folder to cache the results of each file, so that the next run parses only changed files; it may be deleted
    /// at any time
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print the repository map instead: the declarations that most of the project refers to, as many as fit into this
    /// number of tokens
    #[arg(long, value_name = "TOKENS", conflicts_with_all = ["format", "files"])]
    pub map: Option<usize>,
    /// Words of names or parts of paths that the map begins with, separated by commas (--map)
    #[arg(long, value_name = "WORDS", value_delimiter = ',', requires = "map")]
    pub focus: Vec<String>,
    /// List every file with its lines and functions (json)
    #[arg(long)]
    pub files: bool,
    /// Add the definitions that may be unused, with the reasons why they may be in use (table)
    #[arg(long)]
    pub unused: bool,
    /// Fail if there is a finding of this level or a graver one; with --baseline, a new one
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOn>,
    /// An earlier report in SARIF: its findings are marked as unchanged, all others as new (sarif, --fail-on)
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Omit the history, and with it hotspots, co-changes and ownership
    #[arg(long)]
    pub no_history: bool,
}

/// The output formats of `analyze`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnalyzeFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For code-scanning pages and editors.
    Sarif,
    /// For coding agents.
    Agents,
}

/// The level from which on a finding fails the command.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Any finding.
    Note,
    /// Warnings and errors.
    Warning,
    /// Errors.
    Error,
}

/// The arguments of `check`.
#[derive(Args)]
pub struct CheckArgs {
    /// The folder: a repository or a folder in one
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// The commit to compare the folder with: a branch, a tag, a commit id, HEAD~3
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub base: String,
    /// `table` for people, `json` for programs, `sarif` for code-scanning pages, `github` for annotations in a workflow
    #[arg(long, value_enum, default_value_t = CheckFormat::Table, hide_possible_values = true)]
    pub format: CheckFormat,
    /// Fail if the change deviates from a habit of at least this confidence, 0 to 1; 2 never fails
    #[arg(long, value_name = "CONFIDENCE", default_value_t = 0.9)]
    pub fail_from: f64,
    /// Number of parser threads, at most one per core; 0 means one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
}

/// The output formats of `check`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For code-scanning pages and editors.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
}

/// The arguments of `eval`.
#[derive(Args)]
pub struct EvalArgs {
    /// A folder in a Git repository with its history
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// The number of commits to ask about, the newest
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub questions: usize,
    /// Ask each question once more with vectors of the local model, which `nyxcore models pull` brings
    #[arg(long)]
    pub local_embeddings: bool,
    /// `table` for people, `json` for programs, with every question
    #[arg(long, value_enum, default_value_t = EvalFormat::Table, hide_possible_values = true)]
    pub format: EvalFormat,
}

/// The output formats of `eval`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EvalFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// The commands for knowledge.
#[derive(Subcommand)]
pub enum KnowledgeCommand {
    /// List what is there twice, never cited, stale (its files are gone), secret, or contradicts itself
    ///
    /// Nothing is changed. Each finding names what to look at, and never quotes a secret.
    Audit {
        /// The tenant's short name
        #[arg(long)]
        tenant: String,
        /// The project's short name; without it, all knowledge of the tenant
        #[arg(long)]
        project: Option<String>,
        /// `text` for people, `json` for programs: one object a line
        #[arg(long, value_enum, default_value_t = AuditFormat::Text, hide_possible_values = true)]
        format: AuditFormat,
    },
    /// Import memory entries from Markdown (.md) and JSON (.json, .jsonl) files into a project
    ///
    /// The same files imported again update their entries in place.
    Import {
        /// The tenant's short name
        #[arg(long)]
        tenant: String,
        /// The project's short name
        #[arg(long)]
        project: String,
        /// The files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Find what several projects share, and keep it as consolidation patterns with quotations
    ///
    /// It counts, and calls a model only where one is asked for. Run again, it updates the same patterns.
    Consolidate {
        /// The tenant's short name
        #[arg(long)]
        tenant: String,
        /// The model that phrases and extends what was counted
        #[arg(long, value_name = "ID")]
        model: Option<String>,
        /// Use the tenant's default model
        #[arg(long)]
        with_model: bool,
        /// The projects' short names, at least two
        #[arg(value_name = "PROJECT", required = true, num_args = 2..)]
        projects: Vec<String>,
    },
}

/// The output formats of `knowledge audit`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The commands for tenants.
#[derive(Subcommand)]
pub enum TenantCommand {
    /// Create a tenant with its owner; works beside a running server
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
        /// Create an API token for the owner and print only the token on standard output
        #[arg(long)]
        print_token: bool,
    },
    /// Print every tenant: short name, name, id and time of creation
    List,
}

/// The commands for accounts.
#[derive(Subcommand)]
pub enum UserCommand {
    /// Set a user's password, read as one line from standard input, and end the user's sessions
    SetPassword {
        /// The user's email address
        #[arg(value_name = "EMAIL")]
        email: String,
    },
    /// Print every account: email address, name, id, and the role in each tenant
    List {
        /// Only members of the tenant with this short name
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
    },
}

/// The commands for tokens.
#[derive(Subcommand)]
pub enum TokenCommand {
    /// Create an API token and print only the token on standard output; it is not stored and cannot be shown again
    Create {
        /// The tenant's short name
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// The member who owns the token
        #[arg(long, value_name = "EMAIL")]
        user: String,
        /// What it may do at the most; the member's own role without it
        #[arg(long, value_name = "ROLE", value_enum, ignore_case = true)]
        role: Option<TokenRole>,
        /// What to call it
        #[arg(long, value_name = "NAME", default_value = "command line")]
        name: String,
    },
    /// Print a tenant's tokens, newest first, without their secrets
    List {
        /// The tenant's short name
        #[arg(long, value_name = "SLUG")]
        tenant: String,
    },
    /// Revoke a token, also on open streams; works beside running servers
    Revoke {
        /// The id of the token as printed by `token list`, or the token itself
        #[arg(value_name = "ID")]
        token: String,
        /// The tenant's short name
        #[arg(long, value_name = "SLUG")]
        tenant: String,
    },
}

/// The commands for the audit log.
#[derive(Subcommand)]
pub enum AuditCommand {
    /// Print the log as JSON lines: a tenant's log, newest first, or the log of system work, oldest first
    Export {
        /// The tenant's short name; without it, the log of system work
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
        /// Entries from then on, as in 2026-01-31T12:00:00Z, or from a day on (UTC), as in 2026-01-31
        #[arg(long, value_name = "TIME", value_parser = time_read)]
        since: Option<DateTime<Utc>>,
    },
}

/// The commands for secrets.
#[derive(Subcommand)]
pub enum SecretsCommand {
    /// Re-encrypt every secret with another master key; works beside running servers, and continues after an
    /// interruption
    ///
    /// With the key file in the data directory this creates the new key, and removes the old one from the file when no
    /// secret uses it. With NYXCORE_MASTER_KEY, set it to the new key and NYXCORE_MASTER_KEY_PREVIOUS to the old one,
    /// on every server first and then here.
    Rotate,
    /// Print the ids of the master keys, with the number of secrets of each
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
