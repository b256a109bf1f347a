//! The sources and destinations of passwords and URLs. None of these secrets appears in an argument, a statement or a
//! log.

use std::env::var;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use zeroize::Zeroizing;

use crate::commands::first_start::variable_read;
use crate::error::{Error, Result};

/// The variable with the administrator's URL.
const ADMIN_URL: &str = "NYXCORE_ADMIN_URL";
/// The file with the URL of the role that migrates.
pub const OWNER_FILE: &str = "owner.env";
/// The file with the URL of the role that serves.
pub const APP_FILE: &str = "app.env";
/// The random bytes of a generated password: enough that it cannot be guessed. In hexadecimal digits it needs no
/// escapes anywhere.
const PASSWORD_BYTES: usize = 24;
/// The minimum length of a password, in characters, as for accounts.
const PASSWORD_MIN: usize = 12;
/// The parameters of the administrator's URL that the other roles' URLs share: how to reach the server, not who
/// connects.
const SHARED_PARAMETERS: &[&str] = &[
    "host",
    "hostaddr",
    "port",
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
];

/// A role's password.
pub struct RolePassword(SecretString);

impl RolePassword {
    /// Reads the password that an operator gives in a variable or a file; `None` where there is neither.
    ///
    /// # Errors
    /// [`Error::SettingInvalid`] for both at once, for a file that cannot be read and for an invalid password.
    pub fn read(variable: &'static str, file: Option<&Path>) -> Result<Option<Self>> {
        let text = match (variable_read(variable)?, file) {
            (Some(_), Some(_)) => {
                bail!(Error::SettingInvalid(format!(
                    "set either {variable} or the option for a file"
                )));
            }
            (Some(text), None) => text,
            (None, Some(file)) => fs::read_to_string(file).map_err(|error| {
                Error::SettingInvalid(format!("{} cannot be read: {error}", file.display()))
            })?,
            (None, None) => return Ok(None),
        };
        let text = Zeroizing::new(text);
        let password = text.trim_end_matches(['\r', '\n']);
        let is_plain = password.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if !is_plain || password.len() < PASSWORD_MIN {
            bail!(Error::SettingInvalid(format!(
                "{variable} or its file must have at least {PASSWORD_MIN} characters, all of them printable ASCII"
            )));
        }
        Ok(Some(Self(password.into())))
    }

    /// Generates a new password.
    ///
    /// # Errors
    /// The random number generator of the system fails.
    pub fn generate() -> Result<Self> {
        let bytes = random::<PASSWORD_BYTES>()?;
        Ok(Self(hex::encode(bytes).into()))
    }

    /// The text of the password, for immediate use.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Random bytes of the system.
///
/// # Errors
/// The random number generator of the system fails.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("making a password failed")?;
    Ok(bytes)
}

/// The administrator's URL, from the command line or the environment.
///
/// # Errors
/// [`Error::SettingInvalid`] for a text that is not the URL of a PostgreSQL server.
pub fn admin_url(flag: Option<String>) -> Result<Option<Url>> {
    let Some(text) = flag.or_else(|| var(ADMIN_URL).ok().filter(|text| !text.is_empty())) else {
        return Ok(None);
    };
    // The errors do not repeat the URL: it may contain a password.
    let invalid = |what: &str| Error::SettingInvalid(format!("the administrator's URL {what}"));
    let mut url = Url::parse(&text).map_err(|_| invalid("is not a URL"))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        bail!(invalid("must begin with postgres://"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        bail!(invalid(
            "must name the host; a folder of sockets is written as postgres://postgres@%2Fvar%2Frun%2Fpostgresql/postgres",
        ));
    }
    if url.username().is_empty() {
        bail!(invalid(
            "must name the role, such as postgres://postgres@host/postgres",
        ));
    }
    if url.path().trim_matches('/').is_empty() {
        url.set_path("postgres");
    }
    Ok(Some(url))
}

/// The URL of a role on the administrator's server.
///
/// # Errors
/// None in practice: the administrator's URL has a host.
pub fn role_url(
    admin: &Url,
    role: &str,
    password: &RolePassword,
    database: &str,
) -> Result<Zeroizing<String>> {
    let mut url = admin.clone();
    let named = url
        .set_username(role)
        .and_then(|()| url.set_password(Some(password.expose())));
    named.map_err(|()| Error::SettingInvalid("the administrator's URL names no host".into()))?;
    url.set_path(database);
    let shared: Vec<(String, String)> = admin
        .query_pairs()
        .filter(|(name, _)| SHARED_PARAMETERS.contains(&&**name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !shared.is_empty() {
        url.query_pairs_mut().extend_pairs(shared);
    }
    Ok(Zeroizing::new(url.into()))
}

/// Two files of environment variables for a shell or a service manager, one for each role. The server does not need the
/// owner's file.
pub struct CredentialFiles {
    owner: (PathBuf, File),
    app: (PathBuf, File),
}

impl CredentialFiles {
    /// Opens them in a folder, which is created if it does not exist. Only the user can read them.
    ///
    /// # Errors
    /// [`Error::OutputRefused`].
    pub fn open(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(|error| refused(&folder, &error))?;
        let open = |name: &str| -> Result<(PathBuf, File)> {
            let path = folder.join(name);
            let mut options = File::options();
            let file = options
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path);
            let file = file.map_err(|error| refused(&path, &error))?;
            file.set_permissions(fs::Permissions::from_mode(0o600))
                .map_err(|error| refused(&path, &error))?;
            Ok((path, file))
        };
        Ok(Self {
            owner: open(OWNER_FILE)?,
            app: open(APP_FILE)?,
        })
    }

    /// The file with the URL of the serving role.
    pub fn app_path(&self) -> &Path {
        &self.app.0
    }

    /// Writes the URL of one of the two roles, and replaces an older one. Returns the path of the file.
    ///
    /// # Errors
    /// [`Error::OutputRefused`].
    pub fn write(&self, is_owner: bool, url: &str) -> Result<&Path> {
        let (path, mut file) = match is_owner {
            true => (&self.owner.0, &self.owner.1),
            false => (&self.app.0, &self.app.1),
        };
        let written = file.set_len(0).and_then(|()| {
            file.write_all(
                format!("NYXCORE_DATABASE_URL='{}'\n", url.replace('\'', "%27")).as_bytes(),
            )
        });
        let written = written.and_then(|()| file.sync_all());
        written.map_err(|error| refused(path, &error))?;
        Ok(path.as_path())
    }
}

/// Whether an earlier run wrote the file.
pub fn is_filled(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.len() > 0)
}

fn refused(path: &Path, error: &std::io::Error) -> Error {
    Error::OutputRefused {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roles_url_keeps_the_server_and_not_the_admin() {
        let admin =
            "postgres://root:pw-secret@%2Frun%2Fpg:5433?sslmode=require&options[role]=x&sslkey=k";
        let admin = admin_url(Some(admin.into())).unwrap().unwrap();
        let password = RolePassword("a b/c@d".into());
        let url = role_url(&admin, "nyx", &password, "db").unwrap();
        assert_eq!(
            url.as_str(),
            "postgres://nyx:a%20b%2Fc%40d@%2Frun%2Fpg:5433/db?sslmode=require"
        );
    }

    #[test]
    fn an_admin_url_that_says_too_little_is_refused() {
        for (text, said) in [
            ("mysql://a@b/c", "postgres://"),
            ("postgres:///nyxcore", "host"),
            ("postgres://host/x", "role"),
            ("pw-secret", "not a URL"),
        ] {
            let error = admin_url(Some(text.into())).unwrap_err().to_string();
            assert!(
                error.contains(said) && !error.contains("pw-secret"),
                "{error}"
            );
        }
    }

    #[test]
    fn passwords_are_never_alike_and_need_no_escape() {
        let [a, b] = [
            RolePassword::generate().unwrap(),
            RolePassword::generate().unwrap(),
        ];
        assert_ne!(a.expose(), b.expose());
        assert!(a.expose().len() == 48 && a.expose().chars().all(|c| c.is_ascii_hexdigit()));
    }
}
