//! Settings: flags before the environment (`NYXCORE_*`) before `nyxcore.toml` before the defaults.

mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use clap::{Args, ValueEnum};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use nyxcore_gateway::{ConnectionLimits, OidcProvider, TrustedProxies};
use nyxcore_sync::git::SourcePolicy;
use nyxcore_tenancy::StoreOptions;
use nyxcore_tenancy::secret::Secret;
use nyxcore_tenancy::sign_in::SignUp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::{Error, Result};

/// The settings that have a variable in the environment: the variable's name after `NYXCORE_` in lower case, and the setting's.
const VARIABLES: &[(&str, &str)] = &[
    ("data_dir", "data_dir"),
    ("log", "log"),
    ("log_format", "log_format"),
    ("listen", "listen"),
    ("database_url", "database_url"),
    ("allow_sources", "allow_sources"),
    ("workers", "workers"),
    ("worker_limits", "worker_limits"),
    ("run_log_retention_days", "runs.log_retention_days"),
    ("fetch_bytes_max", "fetch_bytes_max"),
    ("database_connections", "database.connections"),
    ("database_lock_timeout", "database.lock_timeout"),
    ("database_statement_timeout", "database.statement_timeout"),
    ("allow_privileged_role", "allow_privileged_role"),
    ("analysis_quiet_period", "analysis.quiet_period"),
    ("audit_retention_days", "audit.retention_days"),
    ("master_key", "master_key"),
    ("master_key_previous", "master_key_previous"),
    ("sign_up", "sign_up"),
    ("public_url", "public_url"),
    ("trusted_proxies", "trusted_proxies"),
    ("connections_max", "connections.max"),
    ("connections_per_address", "connections.per_address"),
    ("streams_per_user", "connections.streams_per_user"),
    ("oidc_id", "oidc_variables.id"),
    ("oidc_name", "oidc_variables.name"),
    ("oidc_issuer", "oidc_variables.issuer"),
    ("oidc_client_id", "oidc_variables.client_id"),
    ("oidc_client_secret", "oidc_variables.client_secret"),
];

/// Settings that are taken from the environment only: a settings file may be read by others.
const NOT_IN_A_FILE: &[&str] = &["master_key", "master_key_previous", "oidc_variables"];

/// The settings file that is read where none is named.
const FILE: &str = "nyxcore.toml";

/// Where the help lists the options of every command.
const EVERYWHERE: &str = "Options of every command";

/// Options that stand before the command, or behind it.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct GlobalFlags {
    /// Where everything is kept: the SQLite file and the mirrors [env: NYXCORE_DATA_DIR] [default: ./nyxcore-data]
    #[arg(long, value_name = "DIR", global = true, help_heading = EVERYWHERE)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// A settings file [env: NYXCORE_CONFIG] [default: ./nyxcore.toml, if it is there]
    #[arg(
        long,
        value_name = "FILE",
        env = "NYXCORE_CONFIG",
        hide_env = true,
        global = true, help_heading = EVERYWHERE)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// What to log, on standard error: `warn`, `info`, `nyxcore_runs=debug` ... [env: NYXCORE_LOG]
    #[arg(long, value_name = "FILTER", global = true, help_heading = EVERYWHERE)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// How to write the log, `text` or `json` [env: NYXCORE_LOG_FORMAT] [default: text]
    #[arg(long, value_name = "FORMAT", value_enum, hide_possible_values = true, global = true, help_heading = EVERYWHERE)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,
}

/// Options of what serves.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct ServeFlags {
    /// Where to listen [default: 127.0.0.1:4600]
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Where repositories may come from besides public hosts: `local` (paths on this machine), `private` (private addresses), or both
    #[arg(long, value_name = "KINDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_sources: Option<String>,
    /// How many runs to carry out at once; 0 leaves them all to `nyxcore worker` [default: 2]
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<u16>,
    /// How many of them may be of one kind, as in `sync=2,code_analysis=1`
    #[arg(long, value_name = "KIND=N,...")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_limits: Option<String>,
    /// Serve even as a database role that row-level security does not bind
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_privileged_role: bool,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which settings file is read where none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultFile {
    /// `nyxcore.toml` in the current folder, if it is there.
    Read,
    /// None: the current folder is a repository that is looked at, and what lies in it decides nothing.
    Ignore,
}

/// What the operator decides. It is never printed: the database's URL may hold a password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// What to log; the command decides where this is not set.
    pub log: Option<String>,
    /// How to log.
    pub log_format: LogFormat,
    /// Where to listen.
    pub listen: String,
    /// `postgres://...` or `sqlite://...`; without one, SQLite in the data directory.
    pub database_url: Option<String>,
    /// Of the store's connections to the database.
    pub database: DatabaseSettings,
    /// Where repositories may come from besides public hosts.
    #[serde(deserialize_with = "values::sources_read")]
    pub allow_sources: AllowedSources,
    /// Runs carried out at once; none in this process where it is 0.
    pub workers: u16,
    /// Runs of one kind carried out at once.
    #[serde(deserialize_with = "values::limits_read")]
    pub worker_limits: BTreeMap<String, u16>,
    /// The most bytes that one fetch of a repository may bring.
    pub fetch_bytes_max: u64,
    /// Whether a role that row-level security does not bind may serve.
    pub allow_privileged_role: bool,
    /// Of the code analysis.
    pub analysis: AnalysisSettings,
    /// Of the audit log.
    pub audit: AuditSettings,
    /// Of runs.
    pub runs: RunSettings,
    /// Of connections.
    pub connections: ConnectionSettings,
    /// The services that people sign in with.
    pub oidc: Vec<OidcSettings>,
    /// One more, of the environment.
    pub oidc_variables: OidcSettings,
    /// What secrets are sealed with, in base64; without one, the key file in the data directory.
    pub master_key: Option<String>,
    /// What they may still be sealed with, separated by commas.
    pub master_key_previous: Option<String>,
    /// Who may make an account by themselves.
    pub sign_up: SignUp,
    /// Where browsers reach the server, where that is not where it listens.
    #[serde(deserialize_with = "values::public_url_read")]
    pub public_url: Option<Url>,
    /// Proxies whose word about the client counts.
    #[serde(deserialize_with = "values::proxies_read")]
    pub trusted_proxies: TrustedProxies,
}

/// What the operator decides about the store's connections to the database.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Connections that one process holds at the most.
    pub connections: NonZeroU32,
    /// Seconds that a statement of a request or a migration waits for a lock, on PostgreSQL.
    pub lock_timeout: NonZeroU32,
    /// Seconds that a statement of a request may take, on PostgreSQL.
    pub statement_timeout: NonZeroU32,
}

/// What the operator decides about the audit log.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSettings {
    /// How many days entries are kept; 7 at least.
    pub retention_days: u16,
}

/// What the operator decides about runs.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// How many days after a run's end its log is kept.
    pub log_retention_days: u16,
}

/// What the operator decides about connections.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionSettings {
    /// Open connections of the whole server.
    #[serde(deserialize_with = "values::count_read")]
    pub max: usize,
    /// Open connections from one address.
    #[serde(deserialize_with = "values::count_read")]
    pub per_address: usize,
    /// WebSockets and event streams of one person.
    #[serde(deserialize_with = "values::count_read")]
    pub streams_per_user: usize,
}

/// A service that people sign in with.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// Its name in addresses.
    pub id: Option<String>,
    /// Its name for people.
    pub name: Option<String>,
    /// Its issuer: `https://login.example.org`.
    pub issuer: Option<String>,
    /// What it knows this server as.
    pub client_id: Option<String>,
    /// What this server proves that with.
    pub client_secret: Option<String>,
}

impl OidcSettings {
    fn provider(&self) -> Result<OidcProvider> {
        let text = |field: &Option<String>| field.as_deref().unwrap_or_default().trim().to_owned();
        let or = |given: String, default: &str| {
            if given.is_empty() {
                default.to_owned()
            } else {
                given
            }
        };
        let id = or(text(&self.id), "oidc");
        let provider = OidcProvider {
            name: or(text(&self.name), &id),
            id,
            issuer: text(&self.issuer),
            client_id: text(&self.client_id),
            client_secret: Arc::new(Secret::new(text(&self.client_secret))),
        };
        provider.check().map_err(Error::SettingInvalid)?;
        Ok(provider)
    }
}

/// What the operator decides about analyses.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisSettings {
    /// How long after an analysis the next one of the project is refused, in seconds.
    pub quiet_period: u32,
}

/// Where repositories may come from besides public hosts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AllowedSources {
    /// Paths on this machine.
    pub local: bool,
    /// Loopback and private addresses.
    pub private: bool,
}

impl Settings {
    /// Reads the settings for a command with those flags.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] names the setting.
    pub fn load(global: &GlobalFlags, flags: impl Serialize, file: DefaultFile) -> Result<Self> {
        let connection = ConnectionLimits::default();
        let store = StoreOptions::new("");
        let mut figment = Figment::new().merge(Serialized::defaults(serde_json::json!({
            "data_dir": "nyxcore-data",
            "log_format": "text",
            "listen": "127.0.0.1:4600",
            "allow_sources": "",
            "workers": 2,
            "worker_limits": "",
            "fetch_bytes_max": nyxcore_sync::FETCH_BYTES_MAX,
            "allow_privileged_role": false,
            "database": {
                "connections": store.max_connections,
                "lock_timeout": store.lock_timeout.as_secs(),
                "statement_timeout": store.statement_timeout.as_secs(),
            },
            "sign_up": "closed",
            "public_url": null,
            "trusted_proxies": "",
            "oidc": [],
            // As long as most auditors ask back.
            "audit": { "retention_days": 365 },
            // Long enough to ask what went wrong; how each run ended is kept for good.
            "runs": { "log_retention_days": 30 },
            "connections": {
                "max": connection.connections,
                "per_address": connection.per_address,
                "streams_per_user": connection.streams_per_user,
            },
            // A rule of the product: 3 minutes.
            "analysis": { "quiet_period": nyxcore_code_analysis::QUIET_PERIOD.num_seconds() },
        })));
        match (&global.config, file) {
            (Some(named), _) if !named.is_file() => {
                bail!(Error::SettingInvalid(format!(
                    "the settings file {} is not there",
                    named.display()
                )));
            }
            (Some(named), _) => figment = figment.merge(Toml::file_exact(named)),
            (None, DefaultFile::Read) if Path::new(FILE).is_file() => {
                figment = figment.merge(Toml::file_exact(FILE));
            }
            (None, _) => {}
        }
        for setting in NOT_IN_A_FILE {
            if figment.contains(setting) {
                bail!(Error::SettingInvalid(format!(
                    "the setting {setting:?} does not belong in a file: set NYXCORE_{} in the environment",
                    setting.to_uppercase()
                )));
            }
        }
        let settings = figment
            .merge(Serialized::default("oidc_variables", serde_json::json!({})))
            .merge(environment())
            .merge(Serialized::defaults(global))
            .merge(Serialized::defaults(flags))
            .extract();
        Ok(settings.map_err(|error| setting_invalid(&error))?)
    }

    /// What sources may be, for the server.
    pub fn source_policy(&self) -> SourcePolicy {
        SourcePolicy {
            allow_local: self.allow_sources.local,
            local_roots: Vec::new(),
            allow_private: self.allow_sources.private,
            data_dir: Some(self.data_dir.clone()),
        }
    }

    /// How long the audit log is kept.
    pub fn audit_retention(&self) -> chrono::TimeDelta {
        chrono::TimeDelta::days(i64::from(self.audit.retention_days))
    }

    /// How long the log of a run is kept after its end.
    pub fn run_log_retention(&self) -> chrono::TimeDelta {
        chrono::TimeDelta::days(i64::from(self.runs.log_retention_days))
    }

    /// The services that people sign in with: those of the settings file, then the one of the environment.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] for one that is not complete, and for two of one name.
    pub fn oidc_providers(&self) -> Result<Vec<OidcProvider>> {
        let of_environment = &self.oidc_variables;
        let of_environment = of_environment.issuer.as_ref().map(|_| of_environment);
        let all = self.oidc.iter().chain(of_environment);
        let providers: Vec<OidcProvider> =
            all.map(OidcSettings::provider).collect::<Result<_>>()?;
        let ids: BTreeSet<&str> = providers.iter().map(|provider| &*provider.id).collect();
        if ids.len() < providers.len() {
            bail!(Error::SettingInvalid(
                "two services of the setting \"oidc\" have the same id".into(),
            ));
        }
        Ok(providers)
    }

    /// How long after an analysis the next one of the project is refused.
    pub fn quiet_period(&self) -> chrono::TimeDelta {
        chrono::TimeDelta::seconds(i64::from(self.analysis.quiet_period))
    }
}

fn environment() -> Env {
    let names: Vec<&str> = VARIABLES.iter().map(|(variable, _)| *variable).collect();
    Env::prefixed("NYXCORE_").only(&names).map(|variable| {
        let setting = VARIABLES.iter().find(|(name, _)| variable == *name);
        // The name comes as it stands in the environment, in capitals: the comparison has no case. `only` lets no other through.
        setting.map_or("", |(_, setting)| setting).into()
    })
}

/// The first of what figment found, on one line; the value itself is left out, because it may be a secret.
fn setting_invalid(error: &figment::Error) -> Error {
    let Some(first) = error.clone().into_iter().next() else {
        return Error::SettingInvalid("the settings cannot be read".into());
    };
    // A flag comes from this program's own code, which is nobody's place to look.
    let source = first
        .metadata
        .as_ref()
        .and_then(|from| from.source.as_ref());
    let place = match source.and_then(|source| source.file_path()) {
        Some(file) => format!(" in {}", file.display()),
        None => String::new(),
    };
    let what = match &first.kind {
        figment::error::Kind::UnknownField(name, known) => {
            format!(
                "there is no setting {name:?}; there are {}",
                known.join(", ")
            )
        }
        figment::error::Kind::InvalidType(_, expected)
        | figment::error::Kind::InvalidValue(_, expected) => {
            format!("the setting {:?} must be {expected}", first.path.join("."))
        }
        other => match first.path.as_slice() {
            [] => other.to_string(),
            path => format!("the setting {:?}: {other}", path.join(".")),
        },
    };
    Error::SettingInvalid(format!("{what}{place}"))
}

#[cfg(test)]
mod tests;
