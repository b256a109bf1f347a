//! Settings. The order of precedence is: flags, environment (`NYXCORE_*`), `nyxcore.toml`, defaults.

mod flags;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use nyxcore_gateway::{ConnectionLimits, Limits, OidcProvider, TrustedProxies};
use nyxcore_sync::git::SourcePolicy;
use nyxcore_tenancy::StoreOptions;
use nyxcore_tenancy::secret::Secret;
use nyxcore_tenancy::sign_in::SignUp;
use serde::{Deserialize, Serialize};
use url::Url;

pub use flags::{GlobalFlags, LogFormat, ServeFlags};

use crate::error::{Error, Result};

/// The settings with an environment variable: the name of the variable after `NYXCORE_` in lower case, and the name of
/// the setting.
const VARIABLES: &[(&str, &str)] = &[
    ("data_dir", "data_dir"),
    ("log", "log"),
    ("log_format", "log_format"),
    ("listen", "listen"),
    ("metrics", "metrics"),
    ("metrics_token", "metrics_token"),
    ("slow_operation_ms", "slow_operation_ms"),
    ("otlp_endpoint", "otlp_endpoint"),
    ("database_url", "database_url"),
    ("backup_url", "backup_url"),
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
    ("points_per_minute", "points_per_minute"),
    ("oidc_id", "oidc_variables.id"),
    ("oidc_name", "oidc_variables.name"),
    ("oidc_issuer", "oidc_variables.issuer"),
    ("oidc_client_id", "oidc_variables.client_id"),
    ("oidc_client_secret", "oidc_variables.client_secret"),
];

/// Settings that can be set only in the environment, because other accounts may be able to read a settings file.
const NOT_IN_A_FILE: &[&str] = &[
    "backup_url",
    "master_key",
    "master_key_previous",
    "metrics_token",
    "oidc_variables",
];

/// The default settings file.
const FILE: &str = "nyxcore.toml";

/// Which settings file is read by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultFile {
    /// `nyxcore.toml` in the current folder, if it exists.
    Read,
    /// None: the current folder is the repository to analyse, and its files must not change settings.
    Ignore,
}

/// The operator's settings. They are never printed, because the database URL may contain a password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The data directory.
    pub data_dir: PathBuf,
    /// The log filter; the default depends on the command.
    pub log: Option<String>,
    /// The log format.
    pub log_format: LogFormat,
    /// The address to listen on.
    pub listen: String,
    /// The address of the metrics; without one they are not served.
    pub metrics: Option<String>,
    /// The token for the metrics; without one they are served on loopback only.
    pub metrics_token: Option<String>,
    /// The URL of the OpenTelemetry collector that servers export their spans to.
    pub otlp_endpoint: Option<String>,
    /// After how many milliseconds an operation is logged as slow.
    pub slow_operation_ms: u32,
    /// How many points the requests of one tenant may cost in a minute; 0 for no limit.
    pub points_per_minute: u64,
    /// `postgres://...` or `sqlite://...`; without one, SQLite in the data directory.
    pub database_url: Option<String>,
    /// The database URL of a role that sees every row, for `backup`; without it, `database_url`.
    pub backup_url: Option<String>,
    /// The settings of database connections.
    pub database: DatabaseSettings,
    /// Additional sources of repositories besides public hosts.
    #[serde(deserialize_with = "values::sources_read")]
    pub allow_sources: AllowedSources,
    /// The number of concurrent runs; with 0 this process executes no runs.
    pub workers: u16,
    /// The maximum number of concurrent runs per kind.
    #[serde(deserialize_with = "values::limits_read")]
    pub worker_limits: BTreeMap<String, u16>,
    /// The maximum size of one fetch, in bytes.
    pub fetch_bytes_max: u64,
    /// Whether a role that bypasses row-level security may serve.
    pub allow_privileged_role: bool,
    /// The settings of the code analysis.
    pub analysis: AnalysisSettings,
    /// The settings of the audit log.
    pub audit: AuditSettings,
    /// The settings of runs.
    pub runs: RunSettings,
    /// The settings of connections.
    pub connections: ConnectionSettings,
    /// The sign-in providers.
    pub oidc: Vec<OidcSettings>,
    /// One more sign-in provider, from the environment.
    pub oidc_variables: OidcSettings,
    /// The master key in base64; without it, the key file in the data directory.
    pub master_key: Option<String>,
    /// Previous master keys, separated by commas.
    pub master_key_previous: Option<String>,
    /// Who may create an account.
    pub sign_up: SignUp,
    /// The public URL of the server, if it differs from the listening address.
    #[serde(deserialize_with = "values::public_url_read")]
    pub public_url: Option<Url>,
    /// Proxies whose information about the client is trusted.
    #[serde(deserialize_with = "values::proxies_read")]
    pub trusted_proxies: TrustedProxies,
}

/// The settings of database connections.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// The maximum number of connections per process.
    pub connections: NonZeroU32,
    /// The lock timeout of a statement of a request or a migration, in seconds, on PostgreSQL.
    pub lock_timeout: NonZeroU32,
    /// The timeout of a statement of a request, in seconds, on PostgreSQL.
    pub statement_timeout: NonZeroU32,
}

/// The settings of the audit log.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSettings {
    /// The retention of entries in days; at least 7.
    pub retention_days: u16,
}

/// The settings of runs.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// The retention of logs after the end of a run, in days.
    pub log_retention_days: u16,
}

/// The settings of connections.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionSettings {
    /// The maximum number of open connections of the server.
    #[serde(deserialize_with = "values::count_read")]
    pub max: usize,
    /// The maximum number of open connections from one address.
    #[serde(deserialize_with = "values::count_read")]
    pub per_address: usize,
    /// The maximum number of WebSockets and event streams of one user.
    #[serde(deserialize_with = "values::count_read")]
    pub streams_per_user: usize,
}

/// A sign-in provider.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// The id in URLs.
    pub id: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// The issuer: `https://login.example.org`.
    pub issuer: Option<String>,
    /// The client id.
    pub client_id: Option<String>,
    /// The client secret.
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

/// The settings of analyses.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisSettings {
    /// The time after an analysis during which no other starts in the project, in seconds.
    pub quiet_period: u32,
}

/// Additional sources of repositories besides public hosts.
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
            // A delay that users notice; the statement time-out is 30 s.
            "slow_operation_ms": 2_000,
            "points_per_minute": Limits::default().points_per_minute,
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
            // The period that most auditors ask for.
            "audit": { "retention_days": 365 },
            // Long enough to investigate a failure. The outcome of each run is kept without a limit.
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
                    "the settings file {} does not exist",
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
                    "the setting {setting:?} is not allowed in a file: set NYXCORE_{} in the environment",
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

    /// The policy for sources.
    pub fn source_policy(&self) -> SourcePolicy {
        SourcePolicy {
            allow_local: self.allow_sources.local,
            local_roots: Vec::new(),
            allow_private: self.allow_sources.private,
            data_dir: Some(self.data_dir.clone()),
        }
    }

    /// The retention of the audit log.
    pub fn audit_retention(&self) -> chrono::TimeDelta {
        chrono::TimeDelta::days(i64::from(self.audit.retention_days))
    }

    /// The retention of the log of a run after its end.
    pub fn run_log_retention(&self) -> chrono::TimeDelta {
        chrono::TimeDelta::days(i64::from(self.runs.log_retention_days))
    }

    /// The sign-in providers: those of the settings file, then the one of the environment.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] for an incomplete provider, and for two with the same id.
    pub fn oidc_providers(&self) -> Result<Vec<OidcProvider>> {
        let of_environment = &self.oidc_variables;
        let of_environment = of_environment.issuer.as_ref().map(|_| of_environment);
        let all = self.oidc.iter().chain(of_environment);
        let providers: Vec<OidcProvider> =
            all.map(OidcSettings::provider).collect::<Result<_>>()?;
        let ids: BTreeSet<&str> = providers.iter().map(|provider| &*provider.id).collect();
        if ids.len() < providers.len() {
            bail!(Error::SettingInvalid(
                "two providers in the setting \"oidc\" have the same id".into(),
            ));
        }
        Ok(providers)
    }

    /// The time after an analysis during which no other starts in the project.
    pub fn quiet_period(&self) -> chrono::TimeDelta {
        chrono::TimeDelta::seconds(i64::from(self.analysis.quiet_period))
    }
}

fn environment() -> Env {
    let names: Vec<&str> = VARIABLES.iter().map(|(variable, _)| *variable).collect();
    Env::prefixed("NYXCORE_").only(&names).map(|variable| {
        let setting = VARIABLES.iter().find(|(name, _)| variable == *name);
        // The environment variable's name is in capitals, but the comparison ignores case. `only` lets no other
        // variable through.
        setting.map_or("", |(_, setting)| setting).into()
    })
}

/// The first error of figment on one line. The value is omitted, because it may be a secret.
fn setting_invalid(error: &figment::Error) -> Error {
    let Some(first) = error.clone().into_iter().next() else {
        return Error::SettingInvalid("the settings cannot be read".into());
    };
    // Only a file is named as the source: a flag's source would be this program's own code.
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
                "unknown setting {name:?}; the settings are {}",
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
