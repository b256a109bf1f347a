//! Renders the conventions with their evidence, and the project's own rules.

use super::super::evidence::CodeLocation;
use super::super::patterns::Pattern;
use super::super::patterns::information::{Information, is_own};
use super::super::patterns::{co_change, commands, import_direction};
use super::super::rules::{RuleReport, RuleSeverity};
use super::page::{Page, Paint, bar, counted, path_fit, shown, thousands};

const PATTERNS_SHOWN: usize = 14;
const USUAL_SHOWN: usize = 8;
/// The bits that fill the bar.
const BITS_FULL: f64 = 6.0;
const RULES_SHOWN: usize = 8;
const ERRORS_SHOWN: usize = 3;

pub(super) fn patterns(page: &mut Page, patterns: &[Pattern]) {
    if patterns.is_empty() {
        return;
    }
    // What changes together has a table of its own, and so have commands.
    let elsewhere = [co_change::KIND, commands::KIND];
    let shown_here = patterns
        .iter()
        .filter(|one| !elsewhere.contains(&one.kind.as_str()));
    let known = shown_here.map(|one| (one, Information::of(one)));
    let (usual, telling): (Vec<_>, Vec<_>) =
        known.partition(|(_, information)| information.is_usual());
    // What imports a part is told once: the strongest case.
    let mut lower: Vec<&str> = Vec::new();
    let mut told: Vec<(&Pattern, Information)> = Vec::new();
    for (pattern, information) in telling {
        let part = lower_part(pattern);
        if part.is_none_or(|part| !lower.contains(&part)) {
            lower.extend(part);
            told.push((pattern, information));
        }
    }
    let remark = match told.len() {
        0 => String::new(),
        all => format!(
            "{}  what fewest other projects do first",
            shown(all.min(PATTERNS_SHOWN), all)
        ),
    };
    if usual.is_empty() && told.is_empty() {
        return;
    }
    page.heading("Habits", &remark);
    for (pattern, information) in told.into_iter().take(PATTERNS_SHOWN) {
        habit(page, pattern, information);
    }
    if !usual.is_empty() {
        let mut by_stack: Vec<(&str, Vec<&str>)> = Vec::new();
        for (one, _) in usual.iter().take(USUAL_SHOWN) {
            let stack = one.stack.as_deref().unwrap_or_default();
            let title = one.title.as_str();
            match by_stack.iter_mut().find(|(known, _)| *known == stack) {
                // Two folders may have one habit each.
                Some((_, titles)) if titles.contains(&title) => {}
                Some((_, titles)) => titles.push(title),
                None => by_stack.push((stack, vec![title])),
            }
        }
        let titles: Vec<String> = by_stack
            .into_iter()
            .map(|(stack, titles)| match stack {
                "" => titles.join(" · "),
                stack => format!("{stack}: {}", titles.join(" · ")),
            })
            .collect();
        let more = usual.len().saturating_sub(USUAL_SHOWN);
        let more = if more > 0 {
            format!(" · and {more} more")
        } else {
            String::new()
        };
        let words = format!(
            "{} as most projects have them: {}{more}",
            counted(usual.len() as u32, "habit"),
            titles.join("; ")
        );
        page.words("  ", &words, Paint::Faint);
    }
    page.gap();
}

/// Of a direction of imports, the part that imports nothing back.
fn lower_part(pattern: &Pattern) -> Option<&str> {
    let key = pattern.key.strip_prefix(import_direction::KIND)?;
    let (_, lower) = key.strip_suffix("/one-way")?.split_once('>')?;
    Some(lower)
}

fn habit(page: &mut Page, pattern: &Pattern, information: Information) {
    let mark = format!(
        "  {} {:.1} bits  ",
        bar(information.bits / BITS_FULL, 6),
        information.bits
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
    let others = match information.of {
        0 => String::new(),
        // Which file or word it is cannot be counted elsewhere, only whether there is any.
        of if is_own(pattern) => format!(
            " · {} of {of} other projects have any such",
            information.projects
        ),
        of => format!(" · {} of {of} other projects", information.projects),
    };
    let about = about.trim();
    let dot = if about.is_empty() { "" } else { " · " };
    page.line(&[
        (INDENT, Paint::Plain),
        (&format!("{held}{dot}{about}{others}"), Paint::Faint),
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

const INDENT: &str = "              ";

fn place(page: &mut Page, word: &str, at: &CodeLocation) {
    let room = page.width().saturating_sub(INDENT.len() + 5);
    let at = path_fit(&format!("{}:{}", at.path, at.start_line), room);
    page.line(&[
        (INDENT, Paint::Plain),
        (&format!("{word}  {at}"), Paint::Faint),
    ]);
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
