//! Renders the technologies and commands of a project.

use super::super::language::Language;
use super::super::project::frameworks::{Standing, standing};
use super::super::project::stack::{CommandPurpose, ProjectCommand, Technology, TechnologyKind};
use super::super::project::{LanguageShare, ProjectMetrics};
use super::page::{Page, Paint, counted, padded, path_fit, thousands, widest};

const LANGUAGES_SHOWN: usize = 6;
/// Languages below this share of the code are only named, up to the maximum number.
const SHARE_TOLD: f64 = 0.05;
const LANGUAGES_NAMED: usize = 6;
/// The maximum number of shown frameworks per language.
const FRAMEWORKS_SHOWN: usize = 4;
/// The maximum number of shown commands per purpose.
const COMMANDS_SHOWN: usize = 3;

/// The size of the project and its languages, each with its version.
pub(super) fn metrics(page: &mut Page, metrics: &ProjectMetrics, stack: &[Technology]) {
    let mut parts = vec![
        counted(metrics.files, "file"),
        format!("{} of code", counted(metrics.lines_of_code, "line")),
        counted(metrics.functions, "function"),
    ];
    if metrics.todos > 0 {
        parts.push(format!("{} to do", thousands(metrics.todos)));
    }
    let told = languages_told(metrics);
    parts.extend(told.iter().map(|one| {
        let version = stack.iter().find(|of| is_language(of, one.language));
        let version = version.and_then(version_shown);
        let version = version.map_or(String::new(), |version| format!(" ({version})"));
        let share = share(metrics, one) * 100.0;
        format!("{} {share:.1} %{version}", one.language.title())
    }));
    let rest = &metrics.languages[told.len()..];
    let rest: Vec<&str> = rest.iter().map(|one| one.language.title()).collect();
    if !rest.is_empty() {
        let named = &rest[..rest.len().min(LANGUAGES_NAMED)];
        let more = match rest.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        parts.push(format!("a little {}{more}", named.join(", ")));
    }
    page.words("", &parts.join(" · "), Paint::Strong);
    page.gap();
}

/// The languages whose share is told, largest first. The first language is told even if a project has many.
fn languages_told(metrics: &ProjectMetrics) -> &[LanguageShare] {
    let all = &metrics.languages;
    let small = all
        .iter()
        .skip(1)
        .position(|one| share(metrics, one) < SHARE_TOLD);
    let told = small.map_or(all.len(), |small| small + 1);
    &all[..told.min(LANGUAGES_SHOWN)]
}

fn share(metrics: &ProjectMetrics, one: &LanguageShare) -> f64 {
    f64::from(one.lines_of_code) / f64::from(metrics.lines_of_code.max(1))
}

fn is_language(technology: &Technology, language: Language) -> bool {
    technology.kind == TechnologyKind::Language && technology.language == language
}

/// A required version may be a long range, which is not shown.
fn version_shown(technology: &Technology) -> Option<&str> {
    let version = technology.version.as_deref();
    version.filter(|version| version.len() <= 16)
}

pub(super) fn stack(page: &mut Page, metrics: &ProjectMetrics, stack: &[Technology]) {
    let told = languages_told(metrics);
    // One line per language, with its frameworks. The head of the page has the versions of the languages whose share is
    // told; such a language without frameworks has no line.
    let mut lines: Vec<(String, Vec<(Standing, String)>)> = Vec::new();
    for (at, one) in stack.iter().enumerate() {
        let is_told = told.iter().any(|share| is_language(one, share.language));
        let version = version_shown(one).filter(|_| !is_told);
        let is_framework = |one: &Technology| one.kind == TechnologyKind::Framework;
        let has_more = version.is_some() || stack.get(at + 1).is_some_and(is_framework);
        let name = match version {
            Some(version) => format!("{} {version}", one.name),
            None => one.name.clone(),
        };
        match (one.kind, lines.last_mut()) {
            (TechnologyKind::Framework, Some((_, frameworks))) => {
                frameworks.push((standing(&one.name), name));
            }
            _ if is_framework(one) || has_more => lines.push((name, Vec::new())),
            _ => {}
        }
    }
    if lines.is_empty() {
        return;
    }
    page.heading("Stack", "");
    let width = widest(lines.iter().map(|(name, _)| name.as_str()), 24).max(10);
    for (language, mut frameworks) in lines {
        // Stable: of equals, what most files import comes first.
        frameworks.sort_by_key(|(standing, _)| *standing);
        let more = frameworks.len().saturating_sub(FRAMEWORKS_SHOWN);
        frameworks.truncate(FRAMEWORKS_SHOWN);
        let mut frameworks: Vec<String> = frameworks.into_iter().map(|(_, name)| name).collect();
        if more > 0 {
            frameworks.push(format!("and {more} more"));
        }
        let indent = format!("  {}  ", padded(&language, width));
        if frameworks.is_empty() {
            page.line(&[(&indent, Paint::Plain)]);
        } else {
            page.words(&indent, &frameworks.join(" · "), Paint::Plain);
        }
    }
    page.gap();
}

pub(super) fn commands(page: &mut Page, commands: &[ProjectCommand]) {
    if commands.is_empty() {
        return;
    }
    page.heading("Commands", "");
    let mut last: Option<(CommandPurpose, usize)> = None;
    let most = page.width().saturating_sub(36).max(20);
    let width = widest(commands.iter().map(|one| one.command.as_str()), most);
    for one in commands {
        let number = match last {
            Some((purpose, number)) if purpose == one.purpose => number + 1,
            _ => 0,
        };
        last = Some((one.purpose, number));
        if number >= COMMANDS_SHOWN {
            continue;
        }
        let purpose = if number == 0 {
            purpose_name(one.purpose)
        } else {
            ""
        };
        let place = match one.line {
            Some(line) => format!("{}:{line}", one.path),
            None => one.path.clone(),
        };
        page.line(&[
            ("  ", Paint::Plain),
            (&padded(purpose, 9), Paint::Plain),
            (&padded(&one.command, width), Paint::Strong),
            ("  ", Paint::Plain),
            (
                &path_fit(&place, page.width().saturating_sub(width + 13).max(10)),
                Paint::Faint,
            ),
        ]);
    }
    page.gap();
}

const fn purpose_name(purpose: CommandPurpose) -> &'static str {
    match purpose {
        CommandPurpose::Install => "install",
        CommandPurpose::Build => "build",
        CommandPurpose::Test => "test",
        CommandPurpose::Lint => "lint",
        CommandPurpose::Format => "format",
        CommandPurpose::Run => "run",
    }
}
