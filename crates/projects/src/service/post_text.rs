//! Parses a Markdown file as a post: its title, and its text without the front matter.

use nyxcore_tenancy::text;

/// A post's title and text.
#[derive(Debug, PartialEq, Eq)]
pub struct PostText {
    pub title: String,
    pub body: String,
}

/// Whether a path is that of a Markdown file, by its ending.
pub fn is_markdown(path: &str) -> bool {
    let name = path.to_ascii_lowercase();
    name.ends_with(".md") || name.ends_with(".markdown")
}

/// Parses a file. The title is the front matter's `title`, else the first heading, else the file's name without its
/// extension.
pub fn post_text(path: &str, content: &str) -> PostText {
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let (front, body) = front_matter_split(content);
    let title = front
        .and_then(front_matter_title)
        .or_else(|| heading_first(body))
        .and_then(|title| text::name_cleaned(&title));
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    PostText {
        title: title
            .or_else(|| text::name_cleaned(stem))
            .unwrap_or_else(|| "Untitled".to_owned()),
        body: body.to_owned(),
    }
}

/// Splits off the front matter, between a first line `---` and the next one.
fn front_matter_split(text: &str) -> (Option<&str>, &str) {
    let is_fence = |line: &str| line.trim_end() == "---";
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| is_fence(line)) else {
        return (None, text);
    };
    let mut at = first.len();
    for line in lines {
        if is_fence(line) {
            let body = text[at + line.len()..].trim_start_matches(['\r', '\n']);
            return (Some(&text[first.len()..at]), body);
        }
        at += line.len();
    }
    // It is a horizontal rule and no front matter.
    (None, text)
}

/// The value of `title:`, which is a plain or quoted YAML scalar in common front matter.
fn front_matter_title(front: &str) -> Option<String> {
    let value = front.lines().find_map(|line| line.strip_prefix("title:"))?;
    // A title of several lines begins with `>` or `|`: then the first heading is used, which is shorter.
    let value = value.trim();
    if value.starts_with(['>', '|']) {
        return None;
    }
    let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    let title = match (quoted('"'), quoted('\'')) {
        (Some(text), _) => text.replace("\\\"", "\"").replace("\\\\", "\\"),
        (_, Some(text)) => text.replace("''", "'"),
        // A comment begins at a `#` after a space.
        _ => value.split(" #").next().unwrap_or(value).to_owned(),
    };
    (!title.trim().is_empty()).then_some(title)
}

/// The first heading that is not within a block of code: `# Title`, or a line with `===` or `---` below it.
fn heading_first(body: &str) -> Option<String> {
    let mut fence: Option<&str> = None;
    let mut previous = "";
    for line in body.lines() {
        let text = line.trim();
        let opens = ["```", "~~~"]
            .into_iter()
            .find(|mark| text.starts_with(mark));
        match (fence, opens) {
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
            (None, Some(mark)) => fence = Some(mark),
            (None, None) => {
                let level = text.bytes().take_while(|byte| *byte == b'#').count();
                let title = text[level..].trim().trim_end_matches('#').trim_end();
                if (1..=6).contains(&level)
                    && text[level..].starts_with([' ', '\t'])
                    && !title.is_empty()
                {
                    return Some(title.to_owned());
                }
                let underlined = |mark: char| !text.is_empty() && text.chars().all(|c| c == mark);
                if !previous.is_empty() && (underlined('=') || underlined('-')) {
                    return Some(previous.to_owned());
                }
            }
        }
        previous = if fence.is_none() && opens.is_none() {
            text
        } else {
            ""
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn title(text: &str) -> String {
        post_text("docs/how-we-sync.md", text).title
    }

    #[test]
    fn the_title_comes_from_front_matter_heading_or_file_name() {
        for (text, expected) in [
            ("---\ntitle: Syncs\n---\n# Other\n", "Syncs"),
            (
                "---\r\ntitle: \"A \\\"quoted\\\" one\"\r\n---\r\nx",
                "A \"quoted\" one",
            ),
            ("---\ntitle: 'It''s here'\n---\n", "It's here"),
            ("---\ntitle: Plain # a comment\n---\n", "Plain"),
            (
                "---\ndate: 2026-01-01\n---\n\n## Second level ##\n",
                "Second level",
            ),
            ("---\ntitle:\n---\n# Heading\n", "Heading"),
            ("---\ntitle: >\n  a\n---\n# Heading\n", "Heading"),
            ("Words\n\n# Heading\n", "Heading"),
            ("Underlined\n=====\n", "Underlined"),
            ("```sh\n# a comment\n```\n# Heading\n", "Heading"),
            ("\u{feff}# Heading\n", "Heading"),
            ("#hashtag\n", "how-we-sync"),
            ("---\nno end\n", "how-we-sync"),
            ("", "how-we-sync"),
        ] {
            assert_eq!(title(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_text_is_what_follows_the_front_matter() {
        let read = post_text("a.md", "---\ntitle: A\n---\n\n# B\n\ntext\n");
        assert_eq!(read.body, "# B\n\ntext\n");
        let whole = "# B\n\n---\n\ntext\n";
        assert_eq!(post_text("a.md", whole).body, whole);
    }

    proptest! {
        #[test]
        fn whatever_the_file_its_title_is_one(text in "(---\n)?(title: )?\\PC{0,40}(\n---\n)?(#+ )?.{0,300}") {
            let title = post_text("a.md", &text).title;
            prop_assert!(text::name("the title", &title).is_ok(), "{title:?}");
        }
    }
}
