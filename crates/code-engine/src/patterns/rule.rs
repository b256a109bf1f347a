//! Patterns from the project's own rules. They were requested explicitly, so one match is enough and there is no least
//! share. If `metadata.counter` names another rule, the matches of that rule are the counter-examples.

use super::super::rules::RuleFinding;
use super::question::{EXAMPLES, key};
use super::{CodeLocation, Context, Pattern, wilson_lower_bound};
use crate::evidence::round4;

pub(super) const KIND: &str = "rule";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let rules = context.known.rules.map_or(&[][..], |report| &report.rules);
    rules
        .iter()
        .filter(|rule| rule.matches > 0)
        .map(pattern)
        .collect()
}

fn pattern(rule: &RuleFinding) -> Pattern {
    let stack = rule.language.stack().as_str();
    let cases = rule.matches.saturating_add(rule.counter_matches);
    Pattern {
        key: key(&format!("{KIND}/{stack}/{}", rule.id)),
        kind: KIND.to_owned(),
        title: rule.title.clone(),
        statement: rule.statement.clone(),
        stack: Some(stack.to_owned()),
        scope: None,
        support: rule.matches,
        cases,
        confidence: round4(wilson_lower_bound(rule.matches, cases)),
        exemplars: first(&rule.places),
        counter_examples: first(&rule.counter_places),
        deviations: rule.counter_places.clone(),
    }
}

/// The first places, from different files if possible.
fn first(places: &[CodeLocation]) -> Vec<CodeLocation> {
    let mut chosen: Vec<&CodeLocation> = Vec::new();
    for place in places {
        if chosen.len() < EXAMPLES && chosen.iter().all(|one| one.path != place.path) {
            chosen.push(place);
        }
    }
    for place in places {
        if chosen.len() < EXAMPLES && !chosen.contains(&place) {
            chosen.push(place);
        }
    }
    chosen.sort();
    chosen.into_iter().cloned().collect()
}

#[cfg(test)]
#[cfg(feature = "rules")]
mod tests {
    use super::super::AnalysisInput;
    use super::super::fixture::found_in;
    use crate::language::Language;
    use crate::patterns::Pattern;
    use crate::rules::{RuleFile, RuleSet, RuleTally};

    fn found(rules: &str, sources: &[(&str, &str)]) -> Vec<Pattern> {
        let rules = RuleFile {
            path: ".nyxcore/rules/a.yml".to_owned(),
            text: rules.to_owned(),
        };
        let (set, errors) = RuleSet::parse(&[rules]).unwrap();
        let mut tally = RuleTally::new(&set);
        for (path, source) in sources {
            let language = Language::detect(path).unwrap();
            tally.add(path, "blob", &set.matches(language, source).unwrap());
        }
        let known = AnalysisInput {
            rules: Some(&tally.finish(errors)),
            ..AnalysisInput::default()
        };
        found_in(super::KIND, known)
    }

    #[test]
    fn every_rule_with_a_match_is_a_pattern() {
        let rules = "id: no-print\nlanguage: Python\nmessage: Do not print\nnote: Log instead.\nrule: { pattern: print($A) }\n\
                     ---\nid: never\nlanguage: Python\nrule: { pattern: exec($A) }\n";
        let patterns = found(
            rules,
            &[("a.py", "print(1)\nprint(2)\n"), ("b.py", "print(3)\n")],
        );
        assert_eq!(patterns.len(), 1);
        let one = &patterns[0];
        assert_eq!(
            (
                one.key.as_str(),
                one.title.as_str(),
                one.statement.as_str(),
                one.support,
                one.cases
            ),
            ("rule/python/no-print", "Do not print", "Log instead.", 3, 3)
        );
        let places: Vec<(&str, u32)> = one
            .exemplars
            .iter()
            .map(|place| (place.path.as_str(), place.start_line))
            .collect();
        assert_eq!(places, [("a.py", 1), ("a.py", 2), ("b.py", 1)]);
    }

    #[test]
    fn the_matches_of_a_counter_rule_are_cases_that_do_not_follow() {
        let rules = "id: through-client\nlanguage: Go\nmetadata: { counter: direct }\nrule: { pattern: x := client($$$) }\n\
                     ---\nid: direct\nlanguage: Go\nrule: { pattern: x := http($$$) }\n";
        let source = "package a\nfunc f() { x := client() }\nfunc g() { x := client(1) }\nfunc h() { x := http() }\n";
        let patterns = found(rules, &[("a.go", source)]);
        assert_eq!(patterns.len(), 1);
        assert_eq!((patterns[0].support, patterns[0].cases), (2, 3));
        assert_eq!(patterns[0].counter_examples[0].start_line, 4);
        assert_eq!(patterns[0].deviations.len(), 1);
    }
}
