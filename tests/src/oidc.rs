//! A real OpenID Connect provider for a test: the npm package `oidc-provider`, started on loopback by node.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, ensure};

/// The program, and its packages with pinned versions and digests.
const PROGRAM: &str = include_str!("../oidc/provider.mjs");
const PACKAGE: &str = include_str!("../oidc/package.json");
const LOCK: &str = include_str!("../oidc/package-lock.json");
/// The version in [`PACKAGE`], which is the name of its folder.
const VERSION: &str = "9.13.3";

/// The parameters of the provider.
pub struct OidcSetup<'s> {
    /// The address to which it may redirect browsers.
    pub redirect_uri: &'s str,
    /// Whether the signed token contains the e-mail address. Otherwise only a request with the access token returns it.
    pub claims_in_id_token: bool,
}

/// A running provider. It ends when this is dropped, and also when the test is killed.
pub struct OidcProcess {
    issuer: String,
    child: Child,
    /// Held open while the provider must run.
    _input: ChildStdin,
    /// Held open too: node ends if it cannot write its output.
    _output: BufReader<ChildStdout>,
}

impl OidcProcess {
    /// The client id of the server under test.
    pub const CLIENT_ID: &str = "nyxcore";
    /// The client secret of the server under test.
    pub const CLIENT_SECRET: &str = "client-secret-of-the-tests";

    /// Starts a provider and waits until it listens.
    ///
    /// # Errors
    /// Node or npm is missing, or the package cannot be downloaded; the message says what to do.
    pub fn start(setup: &OidcSetup<'_>) -> anyhow::Result<Self> {
        let home = installed()?;
        let program = home.join("provider.mjs");
        let setup = format!(
            r#"{{"redirectUri":"{}","claimsInIdToken":{}}}"#,
            setup.redirect_uri, setup.claims_in_id_token
        );
        let mut child = command("node")
            .arg(&program)
            .arg(&home)
            .arg(setup)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("the tests of OpenID Connect need node (20 or later): install it")?;
        let input = child.stdin.take().context("node has no input")?;
        let output = child.stdout.take().context("node has no output")?;
        let mut output = BufReader::new(output);
        let mut issuer = String::new();
        output.read_line(&mut issuer)?;
        let issuer = issuer.trim().to_owned();
        ensure!(
            issuer.starts_with("http://127.0.0.1:"),
            "the OpenID Connect provider did not start: run `node {} {} ...` to see why",
            program.display(),
            home.display()
        );
        Ok(Self {
            issuer,
            child,
            _input: input,
            _output: output,
        })
    }

    /// Its issuer, which is also its address.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

impl Drop for OidcProcess {
    fn drop(&mut self) {
        // It may have ended already, which is fine.
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The folder with the program and its packages, which npm downloads once.
fn installed() -> anyhow::Result<PathBuf> {
    let cache = cache_folder()?.join("oidc-provider");
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    // One test downloads, and the others wait for it.
    let lock = fs::File::create(cache.join("lock"))?;
    lock.lock()?;
    let home = cache.join(VERSION);
    if !home.join("node_modules").is_dir() {
        fetch(&cache, &home)?;
    }
    // The program of this checkout replaces that of another one.
    let program = home.join("provider.mjs");
    if fs::read_to_string(&program).ok().as_deref() != Some(PROGRAM) {
        fs::write(program, PROGRAM)?;
    }
    Ok(home)
}

fn fetch(cache: &Path, home: &Path) -> anyhow::Result<()> {
    // Into a temporary folder first: an interrupted download leaves nothing incomplete.
    let scratch = tempfile::Builder::new()
        .prefix("fetch-")
        .tempdir_in(cache)?;
    let target = scratch.path().join("package");
    fs::create_dir(&target)?;
    fs::write(target.join("package.json"), PACKAGE)?;
    fs::write(target.join("package-lock.json"), LOCK)?;
    let output = command("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&target)
        .stdin(Stdio::null())
        .output()
        .context("the tests of OpenID Connect need npm: install node with it")?;
    ensure!(
        output.status.success(),
        "npm could not fetch oidc-provider {VERSION}: let it reach its registry once. It said: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    fs::rename(&target, home).with_context(|| format!("cannot keep {}", home.display()))
}

fn cache_folder() -> anyhow::Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|base| !base.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(base.join("nyxcore"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the provider is a program; it is no part of nyxcore"
)]
fn command(program: &str) -> Command {
    Command::new(program)
}
