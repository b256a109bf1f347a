//! The statements of a source: sentences of its prose, each with the type that its section's heading gives it.

use nyxcore_context::sentences::sentences;
use nyxcore_knowledge::ConsolidationType;
use nyxcore_retrieval::{SignificantWord, significant_words};

use crate::recall::Recall;
use crate::source::Source;

/// The minimum number of significant words in a statement: those that [`significant_words`] returns.
const WORDS_MIN: usize = 3;
/// The most characters of a statement: a longer sentence is a list or a log.
const CHARS_MAX: usize = 500;
/// The most statements of one source. A rule of this project: a letter has some dozens.
const PER_SOURCE_MAX: usize = 300;

/// Words of headings, and the type of the statements below them.
const SECTIONS: &[(&str, ConsolidationType)] = &[
    ("pain", ConsolidationType::Pain),
    ("problem", ConsolidationType::Pain),
    ("trouble", ConsolidationType::Pain),
    ("issue", ConsolidationType::Pain),
    ("solution", ConsolidationType::Solution),
    ("workaround", ConsolidationType::Solution),
    ("fix", ConsolidationType::Solution),
    ("done", ConsolidationType::Success),
    ("success", ConsolidationType::Success),
    ("went well", ConsolidationType::Success),
    ("decision", ConsolidationType::Architecture),
    ("architecture", ConsolidationType::Architecture),
    ("design", ConsolidationType::Architecture),
    ("tool", ConsolidationType::Tool),
];

/// A sentence of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The index of its source in the list of all sources.
    pub(crate) source: usize,
    /// The text with single spaces.
    pub(crate) text: String,
    pub(crate) says: ConsolidationType,
    pub(crate) words: Vec<SignificantWord>,
}

/// The statements of a source, without headings, code and what repeats earlier runs.
pub(crate) fn statements(at: usize, source: &Source, recall: &Recall) -> Vec<Statement> {
    let mut found: Vec<Statement> = Vec::new();
    for (says, block) in blocks(&source.text, source.says) {
        for range in sentences(&block) {
            let text = block[range].trim();
            let is_known = found.iter().any(|one| one.text == text);
            if text.chars().count() > CHARS_MAX || recall.knows(text) || is_known {
                continue;
            }
            let words = significant_words(text);
            if words.len() >= WORDS_MIN && found.len() < PER_SOURCE_MAX {
                found.push(Statement {
                    source: at,
                    text: text.to_owned(),
                    says,
                    words,
                });
            }
        }
    }
    found
}

/// The paragraphs and list entries of a Markdown text, each on one line, with the type that their section gives them.
fn blocks(text: &str, says: Option<ConsolidationType>) -> Vec<(ConsolidationType, String)> {
    let mut blocks = Vec::new();
    let mut section = says.unwrap_or(ConsolidationType::Pattern);
    let (mut block, mut fence) = (String::new(), None);
    for line in text.lines().chain([""]) {
        let line = line.trim();
        let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'));
        let is_mark = mark.is_some_and(|c| line.starts_with(&c.to_string().repeat(3)));
        if fence.is_some() {
            if is_mark && fence == mark {
                fence = None;
            }
            continue;
        }
        let content = entry(line);
        let begins =
            is_mark || line.is_empty() || line.starts_with('#') || content.len() < line.len();
        if begins && !block.is_empty() {
            blocks.push((section, std::mem::take(&mut block)));
        }
        if is_mark {
            fence = mark;
        } else if line.starts_with('#') {
            let heading = line.to_lowercase();
            let named = SECTIONS.iter().find(|(word, _)| heading.contains(word));
            let of_heading = named.map(|(_, says)| *says);
            section = says.or(of_heading).unwrap_or(ConsolidationType::Pattern);
        } else {
            for word in content.split_whitespace() {
                if !block.is_empty() {
                    block.push(' ');
                }
                block.push_str(word);
            }
        }
    }
    blocks
}

/// A line without the marker of a list, a task or a quotation.
fn entry(line: &str) -> &str {
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = number
        .strip_prefix(". ")
        .filter(|_| number.len() < line.len());
    let content = ["- ", "* ", "+ ", "> "]
        .iter()
        .find_map(|mark| line.strip_prefix(mark));
    let content = content.or(numbered).unwrap_or(line).trim_start();
    let task = ["[ ] ", "[x] ", "[X] "]
        .iter()
        .find_map(|mark| content.strip_prefix(mark));
    task.unwrap_or(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_sentences_below_their_headings() {
        let text = "# Letter 4\n\nWe moved on. The lease was renewed\nevery 15 seconds.\n\n## Pain Log\n- The worker lost its lease.\n\
                    1. [ ] Migrations lock the users table\n```\nlet lease = lost(worker);\n```\nOk.\n";
        let blocks: Vec<(&str, String)> = blocks(text, None)
            .into_iter()
            .map(|(says, block)| (says.as_str(), block))
            .collect();
        assert_eq!(
            blocks,
            [
                (
                    "pattern",
                    "We moved on. The lease was renewed every 15 seconds.".to_owned()
                ),
                ("pain", "The worker lost its lease.".to_owned()),
                ("pain", "Migrations lock the users table".to_owned()),
                ("pain", "Ok.".to_owned()),
            ]
        );
    }
}
