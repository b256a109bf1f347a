//! `check`: compares the changes in a folder with the project's own patterns.

use std::collections::BTreeMap;
use std::path::Path;

use nyxcore_code_engine::check::{CheckReport, deviations_new};
use nyxcore_code_engine::listing::SIZE_CAP;
use nyxcore_code_engine::render::check_sarif;
use nyxcore_code_engine::tree::{
    FileTree as _, TreeError, TreeFile, TreeOptions, files_analyze, tree_analyze,
};

use super::analyze::revision::Revision;
use super::analyze::{jobs_bounded, json, place_find};
use crate::cli::{CheckArgs, CheckFormat};
use crate::error::{Error, Result};
use crate::output;
use crate::progress::Screen;

/// Compares the folder with the base commit and prints the deviations.
///
/// # Errors
/// `NOT_A_FOLDER`, `NOT_A_REPOSITORY`, `REVISION_NOT_FOUND`; `FINDINGS` where the change deviates from a pattern with
/// enough confidence.
pub async fn run(args: CheckArgs, screen: &Screen) -> Result<()> {
    let step = screen.step("check");
    let jobs = jobs_bounded(args.jobs, screen);
    let report = folder_check(&args.path, &args.base, jobs, |phase| step.phase(phase)).await?;
    let count = report.deviations.len();
    step.done(&format!("{count} deviations"));
    let text = match args.format {
        CheckFormat::Table => report.text(),
        CheckFormat::Json => json(&report)?,
        CheckFormat::Sarif => json(&check_sarif(&report))?,
        CheckFormat::Github => report.github(),
    };
    output::write(&text)?;
    match report.count_from(args.fail_from) {
        0 => Ok(()),
        sure => {
            let message = format!(
                "{sure} deviations from habits of confidence {} and more",
                args.fail_from
            );
            Err(Error::Findings(message).into())
        }
    }
}

/// Compares a folder with a commit. `phase` receives the name of each phase; `jobs` are parser threads, 0 for one per
/// core.
///
/// # Errors
/// `NOT_A_FOLDER`, `NOT_A_REPOSITORY`, `REVISION_NOT_FOUND`.
pub(super) async fn folder_check(
    path: &Path,
    base: &str,
    jobs: usize,
    phase: impl Fn(&str),
) -> Result<CheckReport> {
    if !path.is_dir() {
        let path = path.to_owned();
        return Err(TreeError::NotAFolder { path }.into());
    }
    phase("base");
    let place = place_find(path).await?;
    let place = place.ok_or_else(|| Error::NotARepository(path.to_owned()))?;
    let base = place.reader.commit_resolve(base).await?;
    let git_dir = &place.repository.git_dir;
    let revision = Revision::open(&place.reader, git_dir, &base, &place.below).await?;
    let options = TreeOptions {
        jobs,
        ..TreeOptions::default()
    };
    let root = path.to_owned();
    phase("files");
    let work = tokio::task::spawn_blocking(move || {
        let before = files_analyze(&revision, &options, |_progress| {})?;
        let after = tree_analyze(&root, &options, |_progress| {})?;
        let files: BTreeMap<String, TreeFile> = revision
            .list()?
            .into_iter()
            .map(|file| (file.path.clone(), file))
            .collect();
        let base_text = |path: &str| {
            let bytes = revision.read(files.get(path)?, SIZE_CAP as u64).ok()?;
            String::from_utf8(bytes).ok()
        };
        Ok::<_, TreeError>(deviations_new(
            &before.project.patterns,
            &after.project.patterns,
            base_text,
            |path| folder_read(&root, path),
        ))
    });
    let deviations = match work.await {
        Ok(found) => found?,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    Ok(CheckReport::new(&base, deviations))
}

/// Reads the text of a file that the folder's listing contained.
fn folder_read(root: &Path, path: &str) -> Option<String> {
    let path = root.join(path);
    let is_file = path.symlink_metadata().ok()?.is_file();
    is_file
        .then(|| std::fs::read_to_string(path).ok())
        .flatten()
}
