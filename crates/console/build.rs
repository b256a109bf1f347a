//! Bundles the pages in `web/` with Node, in a copy below the output directory, so that the source tree stays clean.
//!
//! Without Node, or where its packages cannot be fetched, the bundle is one notice page, and cargo prints a warning. A
//! published crate has the bundle in `prebuilt/`. `NYXCORE_CONSOLE=notice` leaves the bundle out on purpose.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script runs Node and npm with arguments that stand here; the server runs neither"
)]

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The source files of the bundle, without any generated files.
const SOURCES: &[&str] = &[
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
];
/// The minimum version of Node that Vite supports.
const NODE: (u32, u32) = (20, 19);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let (web, bundle) = (root.join("web"), out.join("bundle"));
    println!("cargo::rerun-if-env-changed=NYXCORE_CONSOLE");
    println!("cargo::rerun-if-changed=build.rs");
    for source in SOURCES {
        println!("cargo::rerun-if-changed=web/{source}");
    }
    let prebuilt = root.join("prebuilt");
    if prebuilt.is_dir() {
        println!("cargo::rerun-if-changed=prebuilt");
        return folder_replace(&prebuilt, &bundle);
    }
    if std::env::var_os("NYXCORE_CONSOLE").is_some_and(|wanted| wanted == "notice") {
        return notice(&bundle, "it was built with NYXCORE_CONSOLE=notice");
    }
    if !node_suffices() {
        let (major, minor) = NODE;
        return notice(
            &bundle,
            &format!("Node {major}.{minor} or later was not found"),
        );
    }
    let copy = out.join("web");
    fs::create_dir_all(&copy)?;
    for source in SOURCES {
        entry_replace(&web.join(source), &copy.join(source))?;
    }
    if let Err(error) = packages_install(&copy) {
        return notice(
            &bundle,
            &format!("the packages of npm could not be installed: {error}"),
        );
    }
    // An error in the pages fails the build: otherwise a server without its console could be taken for one with it.
    let vite = Path::new("node_modules")
        .join("vite")
        .join("bin")
        .join("vite.js");
    let arguments = [
        vite.as_os_str(),
        "build".as_ref(),
        "--emptyOutDir".as_ref(),
        "--outDir".as_ref(),
        bundle.as_os_str(),
    ];
    run(&copy, "node", &arguments)?;
    Ok(())
}

/// Whether Node is installed and new enough.
fn node_suffices() -> bool {
    let Ok(output) = Command::new("node").arg("--version").output() else {
        return false;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let mut parts = text
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= NODE,
        _ => false,
    }
}

/// Installs the packages of the lock file, if it changed since the last installation. Install scripts of packages are
/// not run.
fn packages_install(copy: &Path) -> Result<()> {
    let lock = fs::read(copy.join("package-lock.json"))?;
    let installed = copy.join("node_modules").join(".installed-lock.json");
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let arguments = [
        "ci",
        "--omit=dev",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ];
    run(copy, npm, &arguments)?;
    fs::write(installed, lock)?;
    Ok(())
}

fn run<A: AsRef<OsStr>>(folder: &Path, program: &str, arguments: &[A]) -> Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{program} failed: {}", String::from_utf8_lossy(&said)).into())
}

/// Writes one page that says why there is no console and how to get it.
fn notice(bundle: &Path, why: &str) -> Result<()> {
    let line = why.lines().next().unwrap_or_default();
    println!("cargo::warning=the console is left out: {line}");
    if bundle.exists() {
        fs::remove_dir_all(bundle)?;
    }
    fs::create_dir_all(bundle)?;
    let line = line.replace('&', "&amp;").replace('<', "&lt;");
    fs::write(
        bundle.join("index.html"),
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>nyxcore</title><h1>nyxcore</h1>\
             <p>This server was built without the console: {line}.</p>\
             <p>Install Node {}.{} or later and build the server again. The API is at <a href=\"/graphql\">/graphql</a>.</p>\n",
            NODE.0, NODE.1
        ),
    )?;
    Ok(())
}

fn entry_replace(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        return folder_replace(from, to);
    }
    fs::copy(from, to)?;
    Ok(())
}

fn folder_replace(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        entry_replace(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
