//! A strict parser of the text format of [OpenMetrics 1.0](https://prometheus.io/docs/specs/om/open_metrics_spec/): it
//! panics at any violation of the format.

use std::collections::{BTreeMap, BTreeSet};

/// The supported types of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// The labels of a sample, sorted.
type Labels = BTreeMap<String, String>;

/// The parsed metrics of a server.
pub struct Exposition {
    families: BTreeMap<String, Kind>,
    samples: BTreeMap<(String, Labels), f64>,
}

impl Exposition {
    /// Parses a text.
    ///
    /// # Panics
    /// If the text violates the format.
    pub fn parse(text: &str) -> Self {
        let body = text
            .strip_suffix("# EOF\n")
            .expect("the text ends with # EOF");
        assert!(!body.contains("# EOF"), "# EOF stands once");
        let mut read = Self {
            families: BTreeMap::new(),
            samples: BTreeMap::new(),
        };
        let (mut current, mut described) = (String::new(), BTreeSet::new());
        for line in body.lines() {
            assert!(!line.is_empty() && line.trim() == line, "{line:?}");
            let Some(comment) = line.strip_prefix("# ") else {
                read.sample(&current, line);
                continue;
            };
            let mut words = comment.splitn(3, ' ');
            let (what, name) = (words.next().unwrap(), words.next().unwrap());
            let rest = words.next().unwrap_or_default();
            assert!(is_name(name), "{line}");
            assert!(
                described.insert((what.to_owned(), name.to_owned())),
                "twice: {line}"
            );
            if name != current {
                let closed = read.families.contains_key(name);
                assert!(!closed, "the samples of {name} stand apart");
                current = name.to_owned();
            }
            match what {
                "HELP" => assert!(!rest.is_empty(), "{line}"),
                "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                "TYPE" => {
                    read.families.insert(name.to_owned(), kind_of(rest));
                }
                _ => panic!("{line}"),
            }
        }
        read.histograms_check();
        read
    }

    /// The value of a sample with exactly these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        self.samples
            .get(&(name.to_owned(), labels.collect()))
            .copied()
    }

    /// The type of a metric.
    pub fn kind(&self, name: &str) -> Option<Kind> {
        self.families.get(name).copied()
    }

    fn sample(&mut self, family: &str, line: &str) {
        let name_end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
        let (name, rest) = line.split_at(name_end);
        let kind = *self
            .families
            .get(family)
            .unwrap_or_else(|| panic!("untyped: {line}"));
        let suffix = name
            .strip_prefix(family)
            .unwrap_or_else(|| panic!("of another: {line}"));
        let suffixes: &[&str] = match kind {
            Kind::Counter => &["_total"],
            Kind::Gauge => &[""],
            Kind::Histogram => &["_bucket", "_sum", "_count"],
        };
        assert!(is_name(name) && suffixes.contains(&suffix), "{line}");
        let (labels, value) = match rest.strip_prefix('{') {
            Some(rest) => labels_read(rest, line),
            None => (Labels::new(), rest),
        };
        let value = value.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(
            value.is_finite() && (kind == Kind::Gauge || value >= 0.0),
            "{line}"
        );
        assert_eq!(labels.contains_key("le"), suffix == "_bucket", "{line}");
        let former = self.samples.insert((name.to_owned(), labels), value);
        assert_eq!(former, None, "twice: {line}");
    }

    /// Checks that the buckets of a histogram are cumulative, and that the last one contains all samples.
    fn histograms_check(&self) {
        let mut buckets: BTreeMap<(String, Labels), Vec<(f64, f64)>> = BTreeMap::new();
        for ((name, labels), value) in &self.samples {
            let Some(family) = name.strip_suffix("_bucket") else {
                continue;
            };
            let mut labels = labels.clone();
            let bound = labels.remove("le").unwrap();
            let bound = if bound == "+Inf" {
                f64::INFINITY
            } else {
                bound.parse().unwrap()
            };
            let key = (family.to_owned(), labels);
            buckets.entry(key).or_default().push((bound, *value));
        }
        for ((family, labels), mut of_series) in buckets {
            of_series.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(
                of_series.is_sorted_by(|a, b| a.1 <= b.1),
                "{family} {labels:?}"
            );
            let last = of_series.last().unwrap();
            let count = self.samples[&(format!("{family}_count"), labels.clone())];
            assert_eq!(*last, (f64::INFINITY, count), "{family} {labels:?}");
            assert!(
                self.samples
                    .contains_key(&(format!("{family}_sum"), labels))
            );
        }
    }
}

fn kind_of(word: &str) -> Kind {
    match word {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "histogram" => Kind::Histogram,
        other => panic!("an unknown type: {other}"),
    }
}

/// Parses the labels after a brace, and returns the rest of the line.
fn labels_read<'t>(text: &'t str, line: &str) -> (Labels, &'t str) {
    let (mut labels, mut rest) = (Labels::new(), text);
    loop {
        let (name, quoted) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        assert!(is_name(name) && !name.contains(':'), "{line}");
        let (mut value, mut end) = (String::new(), None);
        let mut letters = quoted.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    end = Some(at);
                    break;
                }
                '\\' => match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                    _ => panic!("{line}"),
                },
                letter => value.push(letter),
            }
        }
        let end = end.unwrap_or_else(|| panic!("{line}"));
        assert_eq!(labels.insert(name.to_owned(), value), None, "{line}");
        rest = &quoted[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => {
                let rest = rest.strip_prefix('}').unwrap_or_else(|| panic!("{line}"));
                return (labels, rest);
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    text.starts_with(letter) && text.chars().all(|c| letter(c) || c.is_ascii_digit())
}

#[test]
fn a_text_in_the_format_is_read() {
    let text = "# HELP a Things.\n# TYPE a counter\na_total{x=\"1\\n\\\"\"} 2\n# EOF\n";
    let read = Exposition::parse(text);
    assert_eq!(read.value("a_total", &[("x", "1\n\"")]), Some(2.0));
}

#[test]
fn a_text_that_breaks_the_format_is_not_read() {
    for text in [
        "",
        "# TYPE a counter\na_total 1\n",
        "# TYPE a counter\na 1\n# EOF\n",
        "# TYPE a counter\na_total -1\n# EOF\n",
        "# TYPE a gauge\na{x=\"1\"} 1\na{x=\"1\"} 2\n# EOF\n",
        "# TYPE a gauge\na{x=1} 1\n# EOF\n",
        "# TYPE a histogram\na_bucket{le=\"1.0\"} 2\na_bucket{le=\"+Inf\"} 1\na_count 1\na_sum 1\n# EOF\n",
    ] {
        let read = std::panic::catch_unwind(|| Exposition::parse(text));
        assert!(read.is_err(), "{text}");
    }
}
