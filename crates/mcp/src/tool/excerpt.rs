//! The quotations of search hits: the lines that the index chose, and more of the definition while there is room. A
//! definition that is cut before the relevant line costs the reader another call.

use std::collections::HashMap;

use nyxcore_projects::{SourceId, blob_contents, files_by_path};
use nyxcore_retrieval::{Hit, KnowledgeKind, Place};
use nyxcore_tenancy::{Access, Scoped};
use uuid::Uuid;

use super::search::{attributes, cite, source_of};
use crate::answer::{clipped, quote_size};
use crate::failure::ToolFailure;

/// Bytes of an excerpt that the index returns: some twenty lines of code.
const EXCERPT_BYTES: usize = 1_200;
/// The number of hits in code, from the first one on, whose files are read for the rest of a definition.
const FILES_READ: usize = 6;
/// The longest definition that is quoted whole, in lines and in bytes.
const WHOLE_LINES: usize = 60;
const WHOLE_BYTES: usize = 2_400;

/// A quotation: the attributes that cite it, and its text.
pub(super) type Quotation = (Vec<(&'static str, String)>, String);

/// Returns the quotations of hits in their order. Each is at least the hit's excerpt. Where the excerpts leave some of
/// `room` bytes, the first hits get their whole definitions and second places.
///
/// # Errors
/// The database fails.
pub(super) async fn excerpts<A: Access>(
    scoped: &Scoped<A>,
    hits: &[Hit],
    slugs: &HashMap<Uuid, String>,
    room: usize,
) -> Result<Vec<Quotation>, ToolFailure> {
    let texts = texts_of(scoped, hits).await?;
    let text = |hit: &Hit| texts.get(&(source_of(hit)?, hit.path.clone()?));
    let first: Vec<Quotation> = hits
        .iter()
        .map(|hit| (attributes(hit, slugs), clipped(&hit.excerpt, EXCERPT_BYTES)))
        .collect();
    let used: usize = first
        .iter()
        .map(|(about, text)| quote_size(about, text))
        .sum();
    let mut room = room.saturating_sub(used);
    let mut quoted = Vec::new();
    for (hit, (about, excerpt)) in hits.iter().zip(first) {
        let whole = text(hit).and_then(|text| whole(hit, text));
        let whole = whole.filter(|whole| whole.len() <= excerpt.len() + room);
        let shown = whole.unwrap_or_else(|| excerpt.clone());
        room = room.saturating_sub(shown.len().saturating_sub(excerpt.len()));
        quoted.push((about.clone(), shown));
        for place in &hit.more {
            let quotation = (
                second(about.clone(), hit, place),
                clipped(&place.excerpt, EXCERPT_BYTES),
            );
            let size = quote_size(&quotation.0, &quotation.1);
            if size <= room {
                room -= size;
                quoted.push(quotation);
            }
        }
    }
    Ok(quoted)
}

/// Reads the files of the first hits in code. Keys are the source and the path.
async fn texts_of<A: Access>(
    scoped: &Scoped<A>,
    hits: &[Hit],
) -> Result<HashMap<(SourceId, String), String>, ToolFailure> {
    let code = hits.iter().filter(|hit| hit.kind == KnowledgeKind::Code);
    let mut paths: HashMap<SourceId, Vec<&str>> = HashMap::new();
    for hit in code.take(FILES_READ) {
        if let (Some(source), Some(path)) = (source_of(hit), &hit.path) {
            paths.entry(source).or_default().push(path);
        }
    }
    let mut blobs: Vec<((SourceId, String), String)> = Vec::new();
    for (source, paths) in paths {
        let files = files_by_path(scoped, source, Some(paths.as_slice())).await?;
        blobs.extend(
            files
                .into_iter()
                .map(|(path, file)| ((source, path), file.blob)),
        );
    }
    let oids: Vec<&str> = blobs.iter().map(|(_, oid)| oid.as_str()).collect();
    let contents = blob_contents(scoped, &oids).await?;
    let texts = blobs
        .into_iter()
        .filter_map(|(file, oid)| Some((file, contents.get(&oid)?.clone())));
    Ok(texts.collect())
}

/// Returns all lines of a hit's place if they are few. `None` where they are not, or the file is not the indexed one.
fn whole(hit: &Hit, text: &str) -> Option<String> {
    let start = usize::try_from(hit.start_line?).ok()?.checked_sub(1)?;
    let end = usize::try_from(hit.end_line?).ok()?;
    let count = end
        .checked_sub(start)
        .filter(|count| *count <= WHOLE_LINES)?;
    let lines: Vec<&str> = text.lines().skip(start).take(count).collect();
    let whole = lines.join("\n");
    let is_more = whole.len() <= WHOLE_BYTES && whole.starts_with(hit.excerpt.trim_end());
    is_more.then_some(whole)
}

/// The attributes of a second place of a hit's file.
fn second(
    mut about: Vec<(&'static str, String)>,
    hit: &Hit,
    place: &Place,
) -> Vec<(&'static str, String)> {
    let path = hit.path.as_deref().unwrap_or_default();
    for (name, value) in &mut about {
        if *name == "cite" {
            *value = cite(path, Some(place.start_line), Some(place.end_line));
        }
    }
    about
}

#[cfg(test)]
mod tests {
    use nyxcore_retrieval::ScoreExplanation;

    use super::*;

    const TEXT: &str = "one\nfn two() {\n    three();\n}\nfive\n";

    fn hit(lines: (i64, i64), excerpt: &str) -> Hit {
        Hit {
            kind: KnowledgeKind::Code,
            subject: "source:a.rs".into(),
            subject_id: None,
            title: "a.rs".into(),
            excerpt: excerpt.into(),
            path: Some("a.rs".into()),
            source_id: None,
            start_line: Some(lines.0),
            end_line: Some(lines.1),
            stack: None,
            role: None,
            authority: None,
            more: Vec::new(),
            alike: 0,
            score: 1.0,
            explanation: ScoreExplanation::default(),
        }
    }

    #[test]
    fn a_short_definition_is_quoted_whole() {
        let cut = hit((2, 4), "fn two() {");
        assert_eq!(whole(&cut, TEXT).unwrap(), "fn two() {\n    three();\n}");
    }

    #[test]
    fn a_long_definition_stays_as_it_was_cut() {
        let long = "fn a() {\n".to_owned() + &"    b();\n".repeat(100) + "}\n";
        assert_eq!(whole(&hit((1, 102), "fn a() {"), &long), None);
        let wide = format!("fn a() {{\n{}\n}}\n", "b".repeat(WHOLE_BYTES));
        assert_eq!(whole(&hit((1, 3), "fn a() {"), &wide), None);
    }

    #[test]
    fn a_file_of_another_sync_adds_nothing() {
        assert_eq!(whole(&hit((2, 4), "fn other() {"), TEXT), None);
        assert_eq!(whole(&hit((0, 4), "one"), TEXT), None);
    }

    #[test]
    fn a_second_place_is_cited_by_its_own_lines() {
        let place = Place {
            start_line: 7,
            end_line: 9,
            name: None,
            excerpt: String::new(),
        };
        let first = hit((2, 4), "");
        let about = second(attributes(&first, &HashMap::new()), &first, &place);
        assert!(
            about.contains(&("cite", "a.rs:7-9".to_owned())),
            "{about:?}"
        );
    }
}
