//! Measures how often the extractor is right, on descriptions of personas that people labelled with their domains.
//!
//! The vocabulary is tuned on one half of them (`labelled/tuned.toml`). The other half (`labelled/held_out.toml`) is
//! only measured, and nobody tunes by it. A description may have one domain, several, or none:
//!
//! - the **first** is right where it is one of the description's domains, or where neither side has any;
//! - the **top 3** are right where all of the description's domains are among them, or where neither side has any.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::*;

/// The least share of descriptions whose first domain is right. A product rule.
const FIRST_MIN: f64 = 0.85;
/// The least share of descriptions whose top three are right. A product rule.
const TOP_MIN: f64 = 0.95;
/// The least number of descriptions in both halves together. A product rule.
const DESCRIPTIONS_MIN: usize = 150;

#[derive(Deserialize)]
struct Labelled {
    description: Vec<Description>,
}

#[derive(Deserialize)]
struct Description {
    domains: Vec<String>,
    text: String,
}

/// The results of a half, or of a part of it.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    of: usize,
    first: usize,
    top: usize,
}

impl Score {
    fn add(&mut self, first: bool, top: bool) {
        self.of += 1;
        self.first += usize::from(first);
        self.top += usize::from(top);
    }

    fn shares(self) -> (f64, f64) {
        let share = |right: usize| right as f64 / self.of as f64;
        (share(self.first), share(self.top))
    }

    fn text(self, name: &str) -> String {
        let (first, top) = self.shares();
        let (of, first_percent, top_percent) = (self.of, first * 100.0, top * 100.0);
        format!(
            "{name}: {of} descriptions, first right {first_percent:.1} %, top 3 right {top_percent:.1} %"
        )
    }
}

fn halves() -> [(&'static str, Vec<Description>); 2] {
    let read = |text: &str| toml::from_str::<Labelled>(text).unwrap().description;
    [
        ("tuned", read(include_str!("../../labelled/tuned.toml"))),
        (
            "held out",
            read(include_str!("../../labelled/held_out.toml")),
        ),
    ]
}

fn top_of(description: &Description) -> Vec<&'static str> {
    let found = specializations_top(&description.text);
    found.into_iter().map(|found| found.domain).collect()
}

fn first_is_right(description: &Description, top: &[&str]) -> bool {
    match top.first() {
        Some(first) => description.domains.iter().any(|domain| domain == first),
        None => description.domains.is_empty(),
    }
}

fn top_is_right(description: &Description, top: &[&str]) -> bool {
    let all = description
        .domains
        .iter()
        .all(|domain| top.contains(&domain.as_str()));
    all && (top.is_empty() || !description.domains.is_empty())
}

/// The confusion matrix: a row per expected domain, a column per first domain that was found. A description with
/// several domains counts in the row of the one that was found, or of its first.
fn confusion(descriptions: &[Description]) -> String {
    const NONE: &str = "none";
    let names: Vec<&str> = DOMAINS
        .iter()
        .map(|domain| domain.name)
        .chain([NONE])
        .collect();
    let mut cells: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for description in descriptions {
        let found = top_of(description).first().copied().unwrap_or(NONE);
        let expected = match description
            .domains
            .iter()
            .position(|domain| domain == found)
        {
            Some(_) => found,
            None => description.domains.first().map_or(NONE, String::as_str),
        };
        let row = names
            .iter()
            .copied()
            .find(|name| *name == expected)
            .unwrap();
        *cells.entry((row, found)).or_default() += 1;
    }
    let mut table = format!("{:>18}", "");
    for name in &names {
        write!(table, " {:>4}", &name[..4]).unwrap();
    }
    for row in &names {
        write!(table, "\n{row:>18}").unwrap();
        for column in &names {
            match cells.get(&(*row, *column)) {
                Some(count) => write!(table, " {count:>4}").unwrap(),
                None => write!(table, " {:>4}", ".").unwrap(),
            }
        }
    }
    table
}

#[test]
fn the_domains_of_labelled_descriptions_are_found() {
    let (mut report, mut count) = (String::new(), 0);
    for (name, descriptions) in halves() {
        count += descriptions.len();
        let mut score = Score::default();
        for description in &descriptions {
            let top = top_of(description);
            score.add(
                first_is_right(description, &top),
                top_is_right(description, &top),
            );
        }
        let line = score.text(name);
        let (first, top) = score.shares();
        assert!(first >= FIRST_MIN && top >= TOP_MIN, "{line}");
        write!(report, "{line}\n\n{}\n\n", confusion(&descriptions)).unwrap();
    }
    assert!(count >= DESCRIPTIONS_MIN, "{count} descriptions");
    println!("{report}");
    insta::assert_snapshot!(report.trim_end());
}

#[test]
fn a_description_without_a_domain_gets_none() {
    for (name, descriptions) in halves() {
        let found = descriptions
            .iter()
            .filter(|one| one.domains.is_empty() && !top_of(one).is_empty());
        assert_eq!(found.count(), 0, "{name}");
    }
}

#[test]
fn every_domain_is_in_both_halves_and_each_description_in_one() {
    let mut texts = std::collections::HashSet::new();
    for (name, descriptions) in halves() {
        for domain in DOMAINS.iter().map(|domain| domain.name) {
            let labelled = descriptions.iter().filter(|one| one.domains == [domain]);
            assert!(labelled.count() >= 5, "{domain} in the half {name}");
        }
        for description in descriptions {
            let known = description
                .domains
                .iter()
                .all(|one| DOMAINS.iter().any(|domain| domain.name == one));
            assert!(known, "{:?}", description.domains);
            assert!(
                texts.insert(description.text.clone()),
                "{}",
                description.text
            );
        }
    }
}
