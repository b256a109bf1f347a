//! A summary of an analysis that a person reads in a terminal.

use std::fmt::Write as _;

use owo_colors::{OwoColorize, Style};

use super::patterns::Pattern;
use super::project::stack::TechnologyKind;
use super::project::{Hotspot, LanguageShare, ProjectAnalysis, ProjectMetrics};
use super::tree::TreeReport;

/// The narrowest page that is written for; below it lines simply run over.
const NARROWEST: usize = 40;
/// Lines longer than this are tiring to read.
const WIDEST: usize = 100;
/// How many of each are shown.
const LANGUAGES_SHOWN: usize = 6;
const PATTERNS_SHOWN: usize = 10;
const HOTSPOTS_SHOWN: usize = 5;

/// The summary of a folder's analysis: that of [`project_table`], and what was skipped.
#[must_use]
pub fn report_table(report: &TreeReport, width: usize, colour: bool) -> String {
    let mut text = project_table(&report.project, width, colour);
    if !report.skipped.is_empty() {
        let page = Page::new(width, colour);
        let all: u32 = report.skipped.iter().map(|one| one.files).sum();
        let reasons: Vec<String> = report
            .skipped
            .iter()
            .map(|one| format!("{} {}", thousands(one.files), one.reason))
            .collect();
        let line = format!("Skipped {}: {}", counted(all, "file"), reasons.join(", "));
        page.wrapped(&mut text, "", &line, page.faint);
    }
    text
}

/// The summary of a project: its stack, languages, surest patterns with their evidence, and hotspots. `width` is in
/// columns; with `colour`, ANSI escapes are used. The text ends with a line break.
#[must_use]
pub fn project_table(project: &ProjectAnalysis, width: usize, colour: bool) -> String {
    let page = Page::new(width, colour);
    let mut text = String::new();
    page.stack(&mut text, project);
    page.metrics(&mut text, &project.metrics);
    page.languages(&mut text, &project.metrics);
    page.patterns(&mut text, &project.patterns);
    page.hotspots(&mut text, &project.hotspots);
    text
}

struct Page {
    width: usize,
    heading: Style,
    strong: Style,
    faint: Style,
    bar: Style,
    hot: Style,
}

impl Page {
    fn new(width: usize, colour: bool) -> Page {
        let width = width.clamp(NARROWEST, WIDEST);
        let plain = Style::new();
        if !colour {
            return Page {
                width,
                heading: plain,
                strong: plain,
                faint: plain,
                bar: plain,
                hot: plain,
            };
        }
        Page {
            width,
            heading: Style::new().bold().cyan(),
            strong: Style::new().bold(),
            faint: Style::new().dimmed(),
            bar: Style::new().blue(),
            hot: Style::new().red(),
        }
    }

    fn heading(&self, text: &mut String, title: &str) {
        let _ = writeln!(text, "{}", title.style(self.heading));
    }

    /// Writes words after an indent, broken at the page's width; further lines stand under the first.
    fn wrapped(&self, text: &mut String, indent: &str, words: &str, style: Style) {
        for line in wrap(words, self.width.saturating_sub(indent.len())) {
            let _ = writeln!(text, "{indent}{}", line.style(style));
        }
    }

    fn stack(&self, text: &mut String, project: &ProjectAnalysis) {
        if project.stack.is_empty() {
            return;
        }
        self.heading(text, "Stack");
        // One line a language, with its frameworks.
        let mut lines: Vec<Vec<&str>> = Vec::new();
        for one in &project.stack {
            match (one.kind, lines.last_mut()) {
                (TechnologyKind::Framework, Some(line)) => line.push(&one.name),
                _ => lines.push(vec![&one.name]),
            }
        }
        for line in lines {
            let (language, frameworks) = (line[0], line[1..].join(" · "));
            let mut first = format!("  {:<12}", language).style(self.strong).to_string();
            for part in wrap(&frameworks, self.width - 14) {
                let _ = writeln!(text, "{}", format!("{first}{part}").trim_end());
                first = " ".repeat(14);
            }
            if frameworks.is_empty() {
                let _ = writeln!(text, "  {}", language.style(self.strong));
            }
        }
        text.push('\n');
    }

    fn metrics(&self, text: &mut String, metrics: &ProjectMetrics) {
        let mut parts = vec![
            counted(metrics.files, "file"),
            format!("{} of code", counted(metrics.lines_of_code, "line")),
            counted(metrics.functions, "function"),
        ];
        if metrics.duplicated_lines > 0 {
            parts.push(format!(
                "{} duplicated",
                counted(metrics.duplicated_lines, "line")
            ));
        }
        if metrics.todos > 0 {
            parts.push(format!("{} to do", thousands(metrics.todos)));
        }
        self.wrapped(text, "", &parts.join(" · "), self.strong);
        text.push('\n');
    }

    fn languages(&self, text: &mut String, metrics: &ProjectMetrics) {
        if metrics.languages.is_empty() {
            return;
        }
        self.heading(text, "Languages");
        let bar_width = self.width.saturating_sub(40).clamp(8, 40);
        for share in metrics.languages.iter().take(LANGUAGES_SHOWN) {
            let percent = percent(share, metrics);
            let _ = writeln!(
                text,
                "  {:<16} {} {:>5.1} %  {:>9} {}",
                share.language.title(),
                bar(percent, bar_width).style(self.bar),
                percent,
                thousands(share.lines_of_code),
                if share.lines_of_code == 1 {
                    "line"
                } else {
                    "lines"
                },
            );
        }
        let rest = metrics.languages.len().saturating_sub(LANGUAGES_SHOWN);
        if rest > 0 {
            let _ = writeln!(text, "  {}", format!("and {rest} more").style(self.faint));
        }
        text.push('\n');
    }

    fn patterns(&self, text: &mut String, patterns: &[Pattern]) {
        if patterns.is_empty() {
            return;
        }
        let title = format!(
            "Patterns ({} of {})",
            patterns.len().min(PATTERNS_SHOWN),
            patterns.len()
        );
        self.heading(text, &title);
        for pattern in varied(patterns) {
            let evidence = format!(
                "{} of {}",
                thousands(pattern.support),
                thousands(pattern.cases)
            );
            let mut place = pattern.stack.clone().unwrap_or_default();
            if let Some(scope) = &pattern.scope {
                let _ = write!(place, " in {scope}/");
            }
            for (index, line) in wrap(&pattern.title, self.width - 2).into_iter().enumerate() {
                let mark = if index == 0 { "•" } else { " " };
                let _ = writeln!(text, "{mark} {}", line.style(self.strong));
            }
            let _ = writeln!(
                text,
                "  {}",
                format!("{evidence} · {place}").style(self.faint)
            );
            if let Some(example) = pattern.exemplars.first() {
                let _ = writeln!(
                    text,
                    "  {}",
                    format!("see  {}:{}", example.path, example.start_line).style(self.faint)
                );
            }
            if let Some(example) = pattern.counter_examples.first() {
                let _ = writeln!(
                    text,
                    "  {}",
                    format!("not  {}:{}", example.path, example.start_line).style(self.faint)
                );
            }
        }
        text.push('\n');
    }

    fn hotspots(&self, text: &mut String, hotspots: &[Hotspot]) {
        if hotspots.is_empty() {
            return;
        }
        self.heading(text, "Hotspots (changed often and complex)");
        for hotspot in hotspots.iter().take(HOTSPOTS_SHOWN) {
            let _ = writeln!(
                text,
                "  {} {}  {}",
                bar(hotspot.score * 100.0, 10).style(self.hot),
                hotspot.path,
                format!(
                    "{} · complexity {}",
                    counted(hotspot.commits, "commit"),
                    thousands(hotspot.complexity)
                )
                .style(self.faint),
            );
        }
        text.push('\n');
    }
}

/// The patterns to show: the surest of each kind in turn, so that one kind does not fill the page.
fn varied(patterns: &[Pattern]) -> Vec<&Pattern> {
    let mut rounds: Vec<(usize, usize, &Pattern)> = Vec::new();
    let mut seen: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    for (place, pattern) in patterns.iter().enumerate() {
        let round = seen.entry(&pattern.kind).or_default();
        rounds.push((*round, place, pattern));
        *round += 1;
    }
    rounds.sort_by_key(|(round, place, _)| (*round, *place));
    rounds
        .into_iter()
        .take(PATTERNS_SHOWN)
        .map(|(_, _, pattern)| pattern)
        .collect()
}

fn percent(share: &LanguageShare, metrics: &ProjectMetrics) -> f64 {
    f64::from(share.lines_of_code) * 100.0 / f64::from(metrics.lines_of_code.max(1))
}

/// A bar of `width` columns, in steps of an eighth.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few hundred eighths"
)]
fn bar(percent: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (percent.clamp(0.0, 100.0) / 100.0 * (width * 8) as f64).round() as usize;
    // What is there at all is seen.
    let eighths = if percent > 0.0 {
        eighths.max(1)
    } else {
        eighths
    };
    let mut text = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        text.push(EIGHTHS[eighths % 8]);
    }
    let columns = eighths.div_ceil(8);
    text.push_str(&" ".repeat(width - columns.min(width)));
    text
}

/// `12 files`, `1 file`.
fn counted(count: u32, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", thousands(count))
}

/// `1,234,567`.
fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Breaks words into lines of at most `width` characters; a longer word has a line of its own.
fn wrap(words: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
