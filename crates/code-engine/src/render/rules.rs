//! Renders the project's own rules with their matches.

use super::super::rules::{RuleReport, RuleSeverity};
use super::page::{Page, Paint, counted, path_fit, shown, thousands};

const RULES_SHOWN: usize = 8;
const ERRORS_SHOWN: usize = 3;

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
