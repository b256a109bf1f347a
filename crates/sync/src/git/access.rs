//! The credentials for a remote: none, a user name with a token, or an SSH key. A token is passed to git in the
//! environment of one command, bound to one scheme, host and port. A key is stored in a private folder during the
//! fetch.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use nyxcore_tenancy::secret::Secret;
use zeroize::Zeroizing;

use super::{SourceUrl, url::Location};

/// The credentials for a remote. `Debug` shows no secret.
#[derive(Debug, Default)]
pub enum RemoteAccess {
    /// No credentials.
    #[default]
    Anonymous,
    /// A user name with a token or password, for `https://`.
    Token {
        /// The user name that the host requires; many accept any name with a token.
        username: String,
        /// The token or password.
        token: Secret,
    },
    /// A key, for `ssh://`.
    SshKey {
        /// The private key as OpenSSH or PEM text, without a passphrase.
        private_key: Secret,
        /// Lines of a `known_hosts` file; only these host keys are trusted then. Without them a host is trusted on
        /// first use.
        known_hosts: Option<String>,
    },
}

impl RemoteAccess {
    /// The git configuration that sends the token to the scheme, host and port of `url` and nowhere else. Redirects are
    /// not followed, and git compares all three before it sends the header.
    pub(crate) fn header(&self, url: &SourceUrl) -> Option<(String, Zeroizing<String>)> {
        let (Self::Token { username, token }, Location::Http { .. }) = (self, url.location())
        else {
            return None;
        };
        let origin = url.origin()?;
        let mut pair = Zeroizing::new(username.clone().into_bytes());
        pair.push(b':');
        pair.extend_from_slice(token.expose());
        let encoded = Zeroizing::new(STANDARD.encode(&pair));
        let header = Zeroizing::new(format!("Authorization: Basic {}", encoded.as_str()));
        Some((format!("http.{origin}/.extraHeader"), header))
    }
}

/// An SSH key on disk, for one fetch. The folder belongs to the mirror and is written under the mirror's lock. The next
/// holder of the lock removes what a killed process left.
#[derive(Debug)]
pub(crate) struct KeyFolder {
    path: PathBuf,
}

impl KeyFolder {
    /// Writes the key, if there is one, readable by this account only.
    pub fn write(path: PathBuf, access: &RemoteAccess) -> io::Result<Option<Self>> {
        key_folder_remove(&path)?;
        let RemoteAccess::SshKey {
            private_key,
            known_hosts,
        } = access
        else {
            return Ok(None);
        };
        DirBuilder::new().mode(0o700).create(&path)?;
        // From here on the folder is removed in every case.
        let folder = Self { path };
        let mut key = private_file(&folder.path.join(KEY))?;
        key.write_all(private_key.expose())?;
        // OpenSSH reads no key whose last line lacks a line end.
        if !private_key.expose().ends_with(b"\n") {
            key.write_all(b"\n")?;
        }
        if let Some(lines) = known_hosts {
            let mut file = private_file(&folder.path.join(KNOWN_HOSTS))?;
            file.write_all(lines.as_bytes())?;
            if !lines.ends_with('\n') {
                file.write_all(b"\n")?;
            }
        }
        Ok(Some(folder))
    }
}

impl Drop for KeyFolder {
    fn drop(&mut self) {
        if let Err(error) = key_folder_remove(&self.path) {
            tracing::error!(%error, "an SSH key could not be removed from the disk; the next sweep tries again");
        }
    }
}

const KEY: &str = "key";
const KNOWN_HOSTS: &str = "known_hosts";

/// The path of the key in a [`KeyFolder`], and of its `known_hosts` file, if there is one.
pub(crate) fn key_files(folder: &Path) -> Option<(PathBuf, Option<PathBuf>)> {
    let (key, hosts) = (folder.join(KEY), folder.join(KNOWN_HOSTS));
    key.exists().then(|| (key, hosts.exists().then_some(hosts)))
}

/// Removes a key's folder; a missing one is no error.
pub(crate) fn key_folder_remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::git::SourcePolicy;

    fn token() -> RemoteAccess {
        RemoteAccess::Token {
            username: "ada".into(),
            token: Secret::new("s3cret"),
        }
    }

    #[test]
    fn a_token_is_bound_to_its_https_origin() {
        let header = |url: &str| {
            let url = SourceUrl::parse(url, &SourcePolicy::default()).expect(url);
            token()
                .header(&url)
                .map(|(key, value)| (key, value.to_string()))
        };
        let value = "Authorization: Basic YWRhOnMzY3JldA==".to_owned();
        assert_eq!(
            header("https://git.example.org/a/b.git"),
            Some((
                "http.https://git.example.org:443/.extraHeader".into(),
                value.clone()
            ))
        );
        assert_eq!(
            header("https://git.example.org:8443/a"),
            Some((
                "http.https://git.example.org:8443/.extraHeader".into(),
                value
            ))
        );
        assert_eq!(header("ssh://git@git.example.org/a"), None);
        assert!(!format!("{:?}", token()).contains("s3cret"));
    }

    #[test]
    fn a_key_is_nobody_elses_to_read_and_goes_with_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.ssh");
        let access = RemoteAccess::SshKey {
            private_key: Secret::new("PRIVATE"),
            known_hosts: Some("git.example.org ssh-ed25519 AAAA".into()),
        };
        // A folder that a killed process left does not prevent a new one.
        fs::create_dir(&path).expect("a folder");
        fs::write(path.join(KEY), "old").expect("a file");
        let written = KeyFolder::write(path.clone(), &access).expect("written");
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        let (key, hosts) = key_files(&path).expect("a key");
        assert_eq!((mode(&path), mode(&key)), (0o700, 0o600));
        assert_eq!(fs::read_to_string(key).expect("readable"), "PRIVATE\n");
        let hosts = fs::read_to_string(hosts.expect("named")).expect("readable");
        assert_eq!(hosts, "git.example.org ssh-ed25519 AAAA\n");
        drop(written);
        assert!(!path.exists() && key_files(&path).is_none());
        assert!(
            KeyFolder::write(path.clone(), &token())
                .expect("nothing")
                .is_none()
        );
        assert!(!path.exists());
    }
}
