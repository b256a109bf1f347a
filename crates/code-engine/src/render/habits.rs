//! Renders the conventions with their evidence, and the project's own rules.

use std::collections::HashMap;

use super::super::evidence::CodeLocation;
use super::super::patterns::Pattern;
use super::super::rules::{RuleReport, RuleSeverity};
use super::page::{Page, Paint, bar, counted, path_fit, shown, thousands};

const PATTERNS_SHOWN: usize = 12;
const RULES_SHOWN: usize = 8;
const ERRORS_SHOWN: usize = 3;

pub(super) fn patterns(page: &mut Page, patterns: &[Pattern]) {
    if patterns.is_empty() {
        return;
    }
    let remark = format!(
        "{}  how sure: the lower bound at 95 %",
        shown(patterns.len().min(PATTERNS_SHOWN), patterns.len())
    );
    page.heading("Habits", &remark);
    for pattern in varied(patterns) {
        let mark = format!(
            "  {} {:.2}  ",
            bar(pattern.confidence, 6),
            pattern.confidence
        );
        page.words(&mark, &pattern.title, Paint::Strong);
        let mut about = pattern.stack.clone().unwrap_or_default();
        if let Some(scope) = &pattern.scope {
            about = format!("{about} in {scope}/");
        }
        let held = format!(
            "{} of {}",
            thousands(pattern.support),
            thousands(pattern.cases)
        );
        let about = about.trim();
        let dot = if about.is_empty() { "" } else { " · " };
        page.line(&[
            (INDENT, Paint::Plain),
            (&format!("{held}{dot}{about}"), Paint::Faint),
        ]);
        for (word, places) in [
            ("see", &pattern.exemplars),
            ("not", &pattern.counter_examples),
        ] {
            if let Some(first) = places.first() {
                place(page, word, first);
            }
        }
    }
    page.gap();
}

const INDENT: &str = "               ";

fn place(page: &mut Page, word: &str, at: &CodeLocation) {
    let room = page.width().saturating_sub(INDENT.len() + 5);
    let at = path_fit(&format!("{}:{}", at.path, at.start_line), room);
    page.line(&[
        (INDENT, Paint::Plain),
        (&format!("{word}  {at}"), Paint::Faint),
    ]);
}

/// The patterns to show: the surest of each kind in turn, so that one kind does not fill the page.
fn varied(patterns: &[Pattern]) -> Vec<&Pattern> {
    let mut rounds: Vec<(usize, usize, &Pattern)> = Vec::new();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (place, pattern) in patterns.iter().enumerate() {
        let round = seen.entry(&pattern.kind).or_default();
        rounds.push((*round, place, pattern));
        *round += 1;
    }
    rounds.sort_by_key(|(round, place, _)| (*round, *place));
    let shown = rounds.into_iter().take(PATTERNS_SHOWN);
    shown.map(|(_, _, pattern)| pattern).collect()
}

pub(super) fn own_rules(page: &mut Page, found: &RuleReport) {
    if found.rules.is_empty() && found.errors.is_empty() {
        return;
    }
    let mut rules: Vec<_> = found.rules.iter().collect();
    rules.sort_by_key(|rule| {
        (
            std::cmp::Reverse(rule.severity),
            std::cmp::Reverse(rule.matches),
        )
    });
    let count = rules.len().min(RULES_SHOWN);
    page.heading(
        "Own rules",
        &format!("{}  .nyxcore/rules", shown(count, rules.len())),
    );
    for rule in rules.into_iter().take(RULES_SHOWN) {
        let paint = match rule.severity {
            RuleSeverity::Warning | RuleSeverity::Error if rule.matches > 0 => Paint::Hot,
            _ => Paint::Strong,
        };
        let matches = format!("{:>7}  ", thousands(rule.matches));
        page.line(&[
            ("  ", Paint::Plain),
            (&matches, paint),
            (&rule.title, Paint::Plain),
        ]);
        let counter = match rule.counter_matches {
            0 => String::new(),
            count => format!(" · {} otherwise", thousands(count)),
        };
        let about = format!("{}{counter} · {}", counted(rule.files, "file"), rule.id);
        page.line(&[("           ", Paint::Plain), (&about, Paint::Faint)]);
        if let Some(first) = rule.places.first() {
            let room = page.width().saturating_sub(16);
            let at = path_fit(&format!("{}:{}", first.path, first.start_line), room);
            page.line(&[
                ("           ", Paint::Plain),
                (&format!("see  {at}"), Paint::Faint),
            ]);
        }
    }
    for error in found.errors.iter().take(ERRORS_SHOWN) {
        let words = format!("not applied: {}: {}", error.path, error.reason);
        page.words("  ", &words, Paint::Hot);
    }
    page.gap();
}
