//! The `git` of this machine: its path, its limits, and how it starts `ssh`.

use std::{
    ffi::OsString,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// The `git` command of this machine, and its environment.
#[derive(Debug, Clone)]
pub struct GitOptions {
    /// The program: a name that is looked up in `search_path`, or an absolute path.
    pub program: PathBuf,
    /// `PATH` for git and its child processes (ssh, its own helpers).
    pub search_path: OsString,
    /// An empty or missing folder: git's home.
    pub home: PathBuf,
    /// Certificates to trust instead of the system's, for hosts with a private certificate authority.
    pub ca_file: Option<PathBuf>,
    /// The SSH key to sign in with. Without one, no key is offered: the keys of the account that runs the server are
    /// the operator's, not the tenants'.
    pub ssh_key_file: Option<PathBuf>,
    /// Known SSH hosts. Without the file a host is trusted on first use and remembered below the data directory.
    pub ssh_known_hosts_file: Option<PathBuf>,
    /// The most address space that git or one of its helpers may use, in bytes; 4 GiB by default. The memory that git
    /// uses is also limited by its configuration, see `MEMORY`. Only on Linux.
    pub memory_bytes_max: u64,
    /// The least free space on the mirrors' disk for starting a fetch, in bytes; 1 GiB by default.
    pub free_bytes_min: u64,
    /// The timeout of a query to a remote (such as its branches).
    pub query_timeout: Duration,
    /// Longest time for a fetch. A connection that stalls is given up after a minute, whatever this says.
    pub fetch_timeout: Duration,
}

impl GitOptions {
    /// The defaults: `git` from the usual places, a minute for questions, an hour for fetches.
    #[must_use]
    pub fn new(home: PathBuf) -> Self {
        Self {
            program: "git".into(),
            search_path: "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin".into(),
            home: std::path::absolute(&home).unwrap_or(home),
            ca_file: None,
            ssh_key_file: None,
            ssh_known_hosts_file: None,
            memory_bytes_max: 4 << 30,
            free_bytes_min: 1 << 30,
            query_timeout: Duration::from_secs(60),
            fetch_timeout: Duration::from_secs(60 * 60),
        }
    }

    /// For reading the user's current repository, without a data directory.
    #[must_use]
    pub fn without_home() -> Self {
        Self::new("/nonexistent/git-home".into())
    }

    /// The path of the program. If git were started by a name to look up in a `PATH` other than the server's own, the
    /// whole process would be copied first.
    pub(super) fn program_find(&self) -> PathBuf {
        if self.program.components().count() > 1 {
            return self.program.clone();
        }
        std::env::split_paths(&self.search_path)
            .map(|folder| folder.join(&self.program))
            .find(|path| path.is_file())
            .unwrap_or_else(|| self.program.clone())
    }

    /// The command by which git starts `ssh`: no user configuration, no agent, no prompt, no forwarding, and only the
    /// address that was checked.
    pub(super) fn ssh_command(&self, remote: &SshRemote) -> String {
        let (own_key, own_hosts) = remote.files.clone().unzip();
        let named_hosts = own_hosts.flatten().or(self.ssh_known_hosts_file.clone());
        let known_hosts = named_hosts
            .clone()
            .unwrap_or_else(|| self.home.with_file_name("known_hosts"));
        let checking = if named_hosts.is_some() {
            "yes"
        } else {
            "accept-new"
        };
        let key = match own_key.or(self.ssh_key_file.clone()) {
            Some(file) => shell_quote(&file),
            None => "/dev/null".to_owned(),
        };
        let mut pin = remote
            .address
            .map(|address| format!(" -o HostName={address}"))
            .unwrap_or_default();
        if let Some(name) = &remote.known_as {
            pin.push_str(&format!(
                " -o HostKeyAlias={}",
                shell_quote(Path::new(name))
            ));
        }
        format!(
            "ssh -F /dev/null -o BatchMode=yes -o ClearAllForwardings=yes -o ForwardAgent=no -o PermitLocalCommand=no \
             -o ProxyCommand=none -o IdentityAgent=none -o IdentitiesOnly=yes -o IdentityFile={key} -o StrictHostKeyChecking={checking} \
             -o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/etc/ssh/ssh_known_hosts -o ConnectTimeout=15 \
             -o ServerAliveInterval=15 -o ServerAliveCountMax=4{pin}",
            known = shell_quote(&known_hosts),
        )
    }
}

/// Quotes an operator's path for the command line that git passes to a shell.
fn shell_quote(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

/// Where ssh connects to, and with which key.
#[derive(Debug, Default)]
pub(crate) struct SshRemote {
    /// The address that was checked.
    pub address: Option<IpAddr>,
    /// The host name in `known_hosts`.
    pub known_as: Option<String>,
    /// The file of the source's own key, and its `known_hosts` file, if there is one.
    pub files: Option<(PathBuf, Option<PathBuf>)>,
}
