//! The texts that earlier consolidations and enrichments wrote. A part of an entry that repeats them is no source, so
//! that the system does not extract its own output again and again.

use std::collections::HashSet;

use nyxcore_context::sentences::sentences;

/// An enrichment's text stands in a note between these markers, and may have been copied from there.
const ENRICHMENT: (&str, &str) = ("<!-- nyxcore:enrichment ", "<!-- /nyxcore:enrichment ");
/// The minimum number of words of a known text: anybody may have written a shorter one.
const WORDS_MIN: usize = 4;

/// The sentences that earlier runs wrote, without differences of spaces, case and list markers.
#[derive(Debug, Default)]
pub(crate) struct Recall(HashSet<String>);

impl Recall {
    /// Takes the sentences from the descriptions of patterns.
    pub(crate) fn new<'a>(descriptions: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known = HashSet::new();
        for description in descriptions {
            for line in description.lines() {
                known.extend(plain(line));
                let whole = one_line(line);
                known.extend(
                    sentences(&whole)
                        .into_iter()
                        .filter_map(|one| plain(&whole[one])),
                );
            }
        }
        Self(known)
    }

    /// Whether a line or a sentence repeats a known one.
    pub(crate) fn knows(&self, text: &str) -> bool {
        plain(text).is_some_and(|text| self.0.contains(&text))
    }

    /// The text without the lines that repeat known ones, and the number of those lines.
    pub(crate) fn without(&self, text: &str) -> (String, i64) {
        let (mut kept, mut dropped, mut is_enrichment) = (Vec::new(), 0, false);
        for line in text.lines() {
            let begins = line.contains(ENRICHMENT.0);
            let ends = line.contains(ENRICHMENT.1);
            if begins || ends || is_enrichment || self.knows(line) {
                dropped += 1;
                is_enrichment = (begins || is_enrichment) && !ends;
            } else {
                kept.push(line);
            }
        }
        (kept.join("\n"), dropped)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The normalised text; `None` where it is too short to be recognized.
fn plain(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches(['-', '*', '+', '>', ' ']);
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    (words.len() >= WORDS_MIN).then(|| words.join(" ").trim_end_matches(['.', ' ']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_before_is_no_source() {
        let recall = Recall::new(["Leases expire in long batches. Seen in two projects."]);
        let text = "# Letter\n- Leases expire in long  batches.\nWe renewed a lease by hand.\n\
                    <!-- nyxcore:enrichment run_1 -->\nText\n<!-- /nyxcore:enrichment run_1 -->\nLeases expire.";
        let (kept, dropped) = recall.without(text);
        assert_eq!(
            kept,
            "# Letter\nWe renewed a lease by hand.\nLeases expire."
        );
        assert_eq!(dropped, 4);
        assert!(recall.knows("Leases expire in long batches. Seen in two projects."));
        assert!(!recall.knows("Seen in two"));
    }
}
