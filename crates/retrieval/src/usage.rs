//! Finds where an identifier is used: all lines of files that have it.
//!
//! A search returns the best answers and leaves out weak ones. Whoever changes a definition also needs the weak ones.

use nyxcore_tenancy::{Access, Result, Scoped};
use uuid::Uuid;

use crate::model::{KnowledgeKind, SearchRequest};
use crate::publish::tenant_key;
use crate::rank::Candidate;
use crate::search::{candidates_of, words_asked};
use crate::text::fold::{folded, normalized};
use crate::text::outline::outline;
use crate::text::parts;
use crate::text::question::Question;

/// The most files whose lines are read: a name in more files is hardly that of one definition.
const FILES_MAX: i64 = 100;
/// The most identifiers of a text that are searched for.
const IDENTIFIERS_MAX: usize = 3;

/// A line that has an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The line without the blanks around it.
    pub text: String,
    /// Whether the line declares it.
    pub is_definition: bool,
}

/// The lines that have an identifier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usages {
    /// The lines that declare it first, then those of the files with the highest score.
    pub lines: Vec<Usage>,
    /// Whether these are all lines of the project's code: no file was left out.
    pub is_complete: bool,
}

/// The identifiers in a text, in order, at most three. In a sentence only those of several parts count, such as
/// `parseBody` and `handle_request`: a word of one part may be an ordinary word. A text of a single word is one
/// identifier.
///
/// ```
/// # use nyxcore_retrieval::identifiers_named;
/// assert_eq!(
///     identifiers_named("What breaks if BaseTransport.handle_request changes?"),
///     ["BaseTransport", "handle_request"]
/// );
/// assert_eq!(identifiers_named("urlparse"), ["urlparse"]);
/// assert_eq!(identifiers_named("Where is the HTTP port validated?"), [] as [&str; 0]);
/// ```
#[must_use]
pub fn identifiers_named(text: &str) -> Vec<&str> {
    let text = text.trim();
    if !text.is_empty() && text.chars().all(is_name) {
        return vec![text];
    }
    let mut named: Vec<&str> = Vec::new();
    for word in text.split(|c: char| !is_name(c)) {
        let is_named = parts(word).len() > 1 && !named.contains(&word);
        if is_named && named.len() < IDENTIFIERS_MAX {
            named.push(word);
        }
    }
    named
}

/// The lines of a project's code that have an identifier as a whole word, in the same case.
///
/// # Errors
/// The database refuses.
pub async fn usages_of<A: Access>(
    scoped: &Scoped<A>,
    project_id: Uuid,
    identifier: &str,
) -> Result<Usages> {
    let mut question = Question::read(identifier);
    let whole = folded(&normalized(identifier).replace('_', ""));
    if question.terms.len() > 1 {
        question.terms.retain(|term| term.text == whole);
    }
    let kinds = [KnowledgeKind::Code];
    let request = SearchRequest {
        project_id: Some(project_id),
        kinds: kinds.to_vec(),
        ..SearchRequest::new(identifier)
    };
    let words = words_asked(&question, &kinds, &tenant_key(scoped.tenant()));
    let (mut files, _) =
        candidates_of(scoped, &request, &kinds, &question, &words, FILES_MAX).await?;
    let is_complete = !words.is_empty() && i64::try_from(files.len()).is_ok_and(|n| n < FILES_MAX);
    files.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| a.subject.cmp(&b.subject))
    });
    let mut lines: Vec<Usage> = files
        .iter()
        .flat_map(|file| usages_in(file, identifier))
        .collect();
    lines.sort_by_key(|usage| !usage.is_definition);
    Ok(Usages { lines, is_complete })
}

fn usages_in(file: &Candidate, identifier: &str) -> Vec<Usage> {
    let Some(path) = &file.path else {
        return Vec::new();
    };
    let declared: Vec<usize> = outline(Some(path), &file.body)
        .definitions
        .iter()
        .filter(|definition| definition.name == identifier)
        .map(|definition| definition.start)
        .collect();
    let lines = file.body.lines().enumerate();
    lines
        .filter(|(_, line)| has_word(line, identifier))
        .map(|(at, line)| Usage {
            path: path.clone(),
            line: at + 1,
            text: line.trim().to_owned(),
            is_definition: declared.contains(&(at + 1)),
        })
        .collect()
}

/// Whether a line has a name that is not part of a longer one.
fn has_word(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + name.len()..].chars().next();
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    })
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_longer_name_is_no_use() {
        for (line, expected) in [
            ("parseBody(response)", true),
            ("	return response.parseBody", true),
            ("parseBodyAs(response)", false),
            ("reparseBody(); parseBody()", true),
            ("_parseBody()", false),
            ("parsebody()", false),
        ] {
            assert_eq!(has_word(line, "parseBody"), expected, "{line}");
        }
    }

    #[test]
    fn words_of_a_sentence_are_no_identifiers() {
        assert_eq!(
            identifiers_named("What breaks if I change what parseBody returns? parseBody!"),
            ["parseBody"]
        );
        assert_eq!(
            identifiers_named("aB cD eF gH"),
            ["aB", "cD", "eF"],
            "three at most"
        );
        assert_eq!(identifiers_named("GitHub's _ __ a_"), ["GitHub"]);
    }
}
