//! Renders the summary of an analysis for a terminal. `page` writes the lines, keeps to the width and escapes control
//! characters; `project`, `habits`, `rules`, `structure`, `history` and `duplicates` write the sections.

mod agents;
mod duplicates;
mod habits;
mod history;
mod page;
mod project;
mod rules;
mod structure;

use self::page::{Page, Paint, counted, thousands};
use super::analysis::ProjectAnalysis;
use super::skipped::SkippedFiles;
use super::tree::TreeReport;

pub use self::agents::{
    AGENTS_BEGIN, AGENTS_END, agents_refresh, agents_section, agents_section_of,
};
pub use super::sarif::{FindingLevel, Sarif, check_sarif, report_sarif};

/// The summary of a tree's analysis: that of [`project_table`], skipped files, and complex functions.
#[must_use]
pub fn report_table(report: &TreeReport, width: usize, colour: bool) -> String {
    let mut page = Page::new(width, colour);
    project_sections(&mut page, &report.project, &report.skipped);
    structure::complex_functions(&mut page, &report.complex_functions);
    page.finish()
}

/// Renders the summary of a project: technologies, commands, conventions with their evidence, notable structure, and
/// history. `width` is in columns; with `colour`, ANSI escapes are used. The text ends with a line break.
#[must_use]
pub fn project_table(project: &ProjectAnalysis, width: usize, colour: bool) -> String {
    let mut page = Page::new(width, colour);
    project_sections(&mut page, project, &[]);
    page.finish()
}

/// Renders the definitions that may be unused, each with reasons why it may be used nevertheless. They are candidates
/// for a review and not part of the summary: a program may call definitions that its source never mentions.
#[must_use]
pub fn unused_table(project: &ProjectAnalysis, width: usize, colour: bool) -> String {
    let mut page = Page::new(width, colour);
    structure::dead_code(&mut page, &project.dead_code);
    page.finish()
}

fn project_sections(page: &mut Page, found: &ProjectAnalysis, files_skipped: &[SkippedFiles]) {
    project::metrics(page, &found.metrics, &found.stack);
    skipped(page, files_skipped);
    if let Some(window) = &found.window {
        let commit = window.commit.get(..12).unwrap_or(&window.commit);
        let line = format!("Commit {commit} of {}", window.until);
        page.words("", &line, Paint::Faint);
    }
    if found.window.is_some() || !files_skipped.is_empty() {
        page.gap();
    }
    project::stack(page, &found.metrics, &found.stack);
    project::commands(page, &found.commands);
    let commit = found.window.as_ref().map(|window| &*window.commit);
    let layers = &found.imports.layers;
    habits::patterns(page, &found.patterns, layers, &found.stack, commit);
    rules::own_rules(page, &found.rules);
    structure::map(page, &found.map, found.metrics.files);
    structure::layers(page, &found.imports);
    structure::cycles(page, &found.imports);
    let window = found.window.as_ref();
    history::hotspots(page, &found.hotspots, window);
    history::co_changes(page, &found.co_changes, window);
    history::ownership(page, &found.ownership, window);
    duplicates::duplicates(page, &found.duplicates, found.metrics.duplicated_lines);
    if !found.failed.is_empty() {
        let names: Vec<&str> = found.failed.iter().map(|step| step.as_str()).collect();
        let words = format!(
            "Missing here, by a fault of nyxcore's: {}",
            names.join(", ")
        );
        page.words("", &words, Paint::Hot);
        page.gap();
    }
}

fn skipped(page: &mut Page, skipped: &[SkippedFiles]) {
    if skipped.is_empty() {
        return;
    }
    let all: u32 = skipped.iter().map(|one| one.files).sum();
    let mut rules: Vec<_> = skipped.iter().collect();
    rules.sort_by_key(|one| std::cmp::Reverse(one.files));
    let rules: Vec<String> = rules
        .into_iter()
        .map(|one| format!("{} {}", thousands(one.files), one.rule))
        .collect();
    let line = format!("Skipped {}: {}", counted(all, "file"), rules.join(" · "));
    page.words("", &line, Paint::Faint);
}
