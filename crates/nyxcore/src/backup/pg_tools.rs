//! `pg_dump` and `pg_restore`, which come with PostgreSQL. They are found on the path, checked for their version, and
//! run without a secret in their arguments.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Output, Stdio};

use anyhow::{Context, bail};
use url::Url;

use crate::error::{Error, Result};

/// The parameters of a database URL that the tools know. Others belong to the driver.
const PARAMETERS: &[&str] = &[
    "host",
    "port",
    "user",
    "dbname",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "options",
];
/// The maximum number of lines of a tool's output that an error repeats.
const LINES_MAX: usize = 5;

/// A command-line tool of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `pg_dump`, which writes a dump.
    Dump,
    /// `pg_restore`, which reads a dump.
    Restore,
}

impl Tool {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dump => "pg_dump",
            Self::Restore => "pg_restore",
        }
    }

    /// Its major version.
    ///
    /// # Errors
    /// [`Error::ToolMissing`]; the tool does not print a version.
    pub async fn major(self) -> Result<u32> {
        let said = self.run(&["--version".into()], None).await?;
        let major = version_major(&said);
        major.with_context(|| format!("{} does not say its version: {said:?}", self.name()))
    }

    /// Refuses a tool that is older than the required major version.
    ///
    /// # Errors
    /// [`Error::ToolMissing`], which says which version is needed.
    pub async fn require(self, least: u32, because: &str) -> Result<()> {
        let found = self.major().await?;
        if found >= least {
            return Ok(());
        }
        Err(Error::ToolMissing(format!(
            "{} {found} is too old: {because}, so put the programs of PostgreSQL {least} or newer on the PATH \
             (Debian has them in /usr/lib/postgresql/{least}/bin)",
            self.name()
        ))
        .into())
    }

    /// Runs it and returns its standard output. The password of the database is passed in the environment, which other
    /// accounts cannot read, unlike the arguments.
    ///
    /// # Errors
    /// [`Error::ToolMissing`]; [`Error::ToolFailed`] with its output.
    pub async fn run(self, arguments: &[OsString], place: Option<&Connection>) -> Result<String> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a dump is made and read by PostgreSQL's own programs; what users wrote is not among the arguments"
        )]
        let mut command = tokio::process::Command::new(self.name());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("NYXCORE_") {
                command.env_remove(name);
            }
        }
        if let Some(place) = place {
            command.arg("--dbname").arg(&place.url);
            if let Some(password) = &place.password {
                command.env("PGPASSWORD", password);
            }
        }
        let output = command
            .args(arguments)
            // The output is parsed below, so it must be in English.
            .env("LC_ALL", "C")
            .env("PGAPPNAME", "nyxcore")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        match output {
            Ok(output) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(output) => Err(self.failed(&output).into()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!(Error::ToolMissing(format!(
                    "{} was not found on the PATH: install the client programs of PostgreSQL \
                     (apt-get install postgresql-client)",
                    self.name()
                )))
            }
            Err(error) => Err(error).with_context(|| format!("{} cannot be run", self.name())),
        }
    }

    fn failed(self, output: &Output) -> Error {
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .take(LINES_MAX)
            .collect();
        Error::ToolFailed {
            tool: self.name(),
            reason: match lines.is_empty() {
                true => output.status.to_string(),
                false => lines.join("; "),
            },
        }
    }
}

/// 18 of `pg_dump (PostgreSQL) 18.6`.
fn version_major(said: &str) -> Option<u32> {
    let version = said.split_once("(PostgreSQL) ")?.1;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The connection of the tools to a database.
#[derive(Debug)]
pub struct Connection {
    url: String,
    password: Option<String>,
}

impl Connection {
    /// Splits a URL of the driver into an argument and a secret.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] for a text that is not a URL.
    pub fn of(url: &str) -> Result<Self> {
        // The error does not repeat the URL, which may contain a password.
        let invalid = || Error::SettingInvalid("the database's URL cannot be read".into());
        let mut parsed = Url::parse(url).map_err(|_| invalid())?;
        let mut password = parsed
            .password()
            .map(|password| percent_decode(password).unwrap_or_else(|| password.to_owned()));
        parsed.set_password(None).map_err(|()| invalid())?;
        let mut kept = Vec::new();
        for (name, value) in parsed.query_pairs() {
            match &*name {
                "password" => password = Some(value.into_owned()),
                // The driver accepts two spellings.
                "ssl-mode" => kept.push(("sslmode".to_owned(), value.into_owned())),
                "ssl-root-cert" | "ssl-ca" => {
                    kept.push(("sslrootcert".to_owned(), value.into_owned()));
                }
                known if PARAMETERS.contains(&known) => {
                    kept.push((known.to_owned(), value.into_owned()));
                }
                _ => {}
            }
        }
        // The tools do not decode `+` as a space.
        let query: Vec<String> = kept
            .iter()
            .map(|(name, value)| format!("{name}={}", percent_encode(value)))
            .collect();
        parsed.set_query((!query.is_empty()).then(|| query.join("&")).as_deref());
        Ok(Self {
            url: parsed.into(),
            password,
        })
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| *first == b'%');
        let byte = pair
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match byte {
            Some(byte) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

fn percent_encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    text.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// An option with a file: `--file=/path`.
pub fn with_path(option: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(option);
    argument.push("=");
    argument.push(path);
    argument
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_the_programs_say() {
        let debian = "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(version_major(debian), Some(15));
        assert_eq!(version_major("pg_restore (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(version_major("something else"), None);
    }

    #[test]
    fn the_password_is_no_part_of_the_argument() {
        let url = "postgres://nyx:p%40ss%2Fword@db.example.org:5433/nyx?ssl-mode=require&statement-cache-capacity=5";
        let place = Connection::of(url).unwrap();
        assert_eq!(place.password.as_deref(), Some("p@ss/word"));
        assert_eq!(
            place.url,
            "postgres://nyx@db.example.org:5433/nyx?sslmode=require"
        );
    }

    #[test]
    fn a_folder_of_sockets_stays_in_the_url() {
        let place =
            Connection::of("postgres://nyx@localhost/nyx?host=/var/run/postgresql").unwrap();
        assert_eq!(
            place.url,
            "postgres://nyx@localhost/nyx?host=/var/run/postgresql"
        );
        assert_eq!(place.password, None);
    }
}
