//! The map of a project as declarations: the code before the body of each of the highest ranked definitions, with
//! parameters, types and bases, as an agent needs it to call them. A focus ranks the definitions that it names higher.

use std::collections::{BTreeMap, BTreeSet};

use super::language::Language;
use super::project::RankedDefinition;

/// The options of a map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MapQuery {
    /// The maximum number of tokens of the text.
    pub tokens: usize,
    /// Words in names or paths that matter most, in any case of letters.
    pub focus: Vec<String>,
}

/// The declarations of a file by line and name. Each has the name of its parent type if the declaration does not
/// contain it.
type FileDeclarations<'t> = BTreeMap<(u32, &'t str), (String, Option<&'t str>)>;

/// The estimated bytes per token of a declaration. It is below the four of prose, because code has shorter tokens: at
/// four, maps exceeded their budget by 6 to 13 % with a common tokenizer.
const BYTES_A_TOKEN: usize = 3;

/// The maximum length of a declaration in bytes, and the maximum number of lines it is read from.
const DECLARATION_BYTES: usize = 240;
const DECLARATION_LINES: u32 = 16;

/// The factor of a definition's rank if the focus names it, and if the focus names another definition in its file.
const NAMED: f64 = 1_000.0;
const BESIDE: f64 = 30.0;

/// Writes the map. `source` returns the text of a file. Without a text, only the kind and name of a definition are
/// written.
pub(crate) fn map_text(
    ranked: &[RankedDefinition],
    query: &MapQuery,
    source: impl Fn(&str) -> Option<(Language, String)>,
) -> String {
    let mut order: Vec<(f64, &RankedDefinition)> = weighted(ranked, &query.focus);
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut texts: BTreeMap<&str, Option<(Language, String)>> = BTreeMap::new();
    let bytes = query.tokens.saturating_mul(BYTES_A_TOKEN);
    // The room for the line about omitted definitions.
    let mut left = bytes.saturating_sub(LEFT_OUT_BYTES);
    let mut files: Vec<(&str, FileDeclarations)> = Vec::new();
    let mut told = 0usize;
    for (_, one) in order {
        let text = texts.entry(&one.path).or_insert_with(|| source(&one.path));
        let declared = text.as_ref().and_then(|(language, text)| {
            declaration(*language, text, one.start_line, one.end_line)
        });
        let declared = declared.unwrap_or_else(|| format!("{} {}", one.kind.as_str(), one.name));
        let parent = one.name.rsplit_once('.').map(|(parent, _)| parent);
        // In Go and C++ the declaration contains the parent: `func (s *Store) Open`, `void Store::open`.
        let says = text
            .as_ref()
            .is_some_and(|(language, _)| matches!(language, Language::Go | Language::Cpp));
        let parent = parent.filter(|parent| !says || !declared.contains(*parent));
        let known = files.iter().position(|(path, _)| *path == one.path);
        let price = line(one.start_line, &declared, parent, false).len()
            + known.map_or(one.path.len() + 1, |_| 0);
        if price > left {
            break;
        }
        left -= price;
        told += 1;
        let at = known.unwrap_or_else(|| {
            files.push((&one.path, BTreeMap::new()));
            files.len() - 1
        });
        if let Some((_, lines)) = files.get_mut(at) {
            lines.insert((one.start_line, one.name.as_str()), (declared, parent));
        }
    }
    let mut text = String::new();
    for (path, lines) in files {
        text.push_str(path);
        text.push('\n');
        let mut above: Option<&str> = None;
        for ((start, name), (declared, parent)) in &lines {
            let is_below = parent.is_some() && *parent == above;
            text.push_str(&line(*start, declared, *parent, is_below));
            if parent.is_none() {
                above = Some(*name);
            }
        }
    }
    let out = ranked.len() - told;
    if told > 0 && out > 0 {
        text.push_str(&format!(
            "({out} of {} ranked definitions left out)\n",
            ranked.len()
        ));
    }
    text
}

const LEFT_OUT_BYTES: usize = 48;

/// The line of a declaration. A member is below its type if the type is directly above, or else has the type's name.
fn line(start: u32, declared: &str, parent: Option<&str>, is_below: bool) -> String {
    match parent {
        Some(_) if is_below => format!("    {start}: {declared}\n"),
        Some(parent) => format!("  {start}: in {parent}: {declared}\n"),
        None => format!("  {start}: {declared}\n"),
    }
}

/// The definitions with their ranks, raised by the focus.
fn weighted<'r>(
    ranked: &'r [RankedDefinition],
    focus: &[String],
) -> Vec<(f64, &'r RankedDefinition)> {
    let words: Vec<String> = focus
        .iter()
        .map(|word| word.to_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    let is_named = |one: &RankedDefinition| {
        let (name, path) = (one.name.to_lowercase(), one.path.to_lowercase());
        words
            .iter()
            .any(|word| name.contains(word) || path.contains(word))
    };
    let beside: BTreeSet<&str> = ranked
        .iter()
        .filter(|one| is_named(one))
        .map(|one| one.path.as_str())
        .collect();
    let weight = |one: &RankedDefinition| match () {
        () if words.is_empty() => 1.0,
        () if is_named(one) => NAMED,
        () if beside.contains(one.path.as_str()) => BESIDE,
        () => 1.0,
    };
    ranked
        .iter()
        .map(|one| (one.rank * weight(one), one))
        .collect()
}

/// Returns the code before the body of the definition that begins at a line, joined to one line.
fn declaration(language: Language, text: &str, start_line: u32, end_line: u32) -> Option<String> {
    let first = (start_line as usize).checked_sub(1)?;
    let count = end_line.saturating_sub(start_line).min(DECLARATION_LINES) as usize + 1;
    let lines: Vec<&str> = text.lines().skip(first).take(count).collect();
    let source = lines.join("\n");
    let mut declared = source.get(..head_length(language, &source))?.to_owned();
    let has_slashes = !matches!(
        language,
        Language::Python | Language::Ruby | Language::Shell
    );
    if has_slashes {
        // On one line, a comment would hide the code after it.
        let code = declared.lines().map(|line| match line.trim_start() {
            line if line.starts_with("//") => "",
            _ => line.split(" //").next().unwrap_or(line),
        });
        declared = code.collect::<Vec<_>>().join("\n");
    }
    declared = declared.split_whitespace().collect::<Vec<_>>().join(" ");
    let declared = declared
        .replace("( ", "(")
        .replace(" )", ")")
        .replace(",)", ")");
    let declared = declared.trim_end_matches(['=', ' ', ';']);
    if declared.len() <= DECLARATION_BYTES {
        return Some(declared.to_owned()).filter(|declared| !declared.is_empty());
    }
    let mut end = DECLARATION_BYTES;
    while !declared.is_char_boundary(end) {
        end -= 1;
    }
    Some(format!("{}…", &declared[..end]))
}

/// The number of bytes before the body.
fn head_length(language: Language, source: &str) -> usize {
    let bytes = source.as_bytes();
    let mut depth = 0i32;
    let mut quote: Option<u8> = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let next = bytes.get(at + 1).copied();
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if byte == open || byte == b'\n' => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'`') => quote = Some(byte),
            // In Rust the quote may begin a lifetime and not a string.
            (None, b'\'') if language != Language::Rust => quote = Some(byte),
            (None, b'(' | b'[') => depth += 1,
            (None, b')' | b']') => depth -= 1,
            (None, _) if depth > 0 => {}
            (None, b':') if language == Language::Python => return at,
            (None, b'{' | b';') if language != Language::Python => return at,
            (None, b'=') if next == Some(b'>') => return at,
            (None, b'\n') if ends_with_line(language, &source[..at]) => return at,
            (None, _) => {}
        }
        at += 1;
    }
    source.len()
}

/// Whether a declaration ends at the end of this line.
fn ends_with_line(language: Language, before: &str) -> bool {
    let goes_on = before.trim_end().ends_with([',', '=', '|', '&', '<', '\\']);
    match language {
        Language::Ruby | Language::Kotlin | Language::Scala | Language::Shell => !goes_on,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::DefinitionKind;

    fn declared(language: Language, text: &str) -> String {
        declaration(language, text, 1, 40).unwrap_or_default()
    }

    #[test]
    fn a_declaration_has_parameters_types_and_bases() {
        use Language::{Go, Java, Python, Ruby, Rust, TypeScript};
        for (language, text, expected) in [
            (
                Python,
                "def run(\n    a: dict[str, int],\n    b=':',\n) -> None:\n    pass\n",
                "def run(a: dict[str, int], b=':') -> None",
            ),
            (
                Python,
                "class App(Base, metaclass=M):\n    x = 1\n",
                "class App(Base, metaclass=M)",
            ),
            (
                Rust,
                "pub fn f<'a>(x: &'a str) -> Option<&'a str> {\n",
                "pub fn f<'a>(x: &'a str) -> Option<&'a str>",
            ),
            (
                TypeScript,
                "export const go = async ({ a }: { a: string }): Promise<void> => {\n",
                "export const go = async ({ a }: { a: string }): Promise<void>",
            ),
            (
                TypeScript,
                "class A<T> extends B<T> implements C {\n",
                "class A<T> extends B<T> implements C",
            ),
            (
                TypeScript,
                "class Context<\n  // eslint-disable-next-line any\n  E = any, // why\n  P = string\n> {\n",
                "class Context< E = any, P = string >",
            ),
            (
                Go,
                "func (s *Store) Open(path string) (*File, error) {\n",
                "func (s *Store) Open(path string) (*File, error)",
            ),
            (
                Java,
                "public List<A> all(\n    int n) throws E {\n",
                "public List<A> all(int n) throws E",
            ),
            (
                Ruby,
                "def call(env, &block)\n  1\nend\n",
                "def call(env, &block)",
            ),
        ] {
            assert_eq!(declared(language, text), expected);
        }
    }

    fn one(name: &str, path: &str, line: u32, rank: f64) -> RankedDefinition {
        RankedDefinition {
            source_id: None,
            rank,
            kind: DefinitionKind::Function,
            name: name.to_owned(),
            path: path.to_owned(),
            start_line: line,
            end_line: line,
            used_in: 1,
        }
    }

    fn text(tokens: usize, focus: &[&str]) -> String {
        let ranked = [
            one("alpha", "a.py", 1, 0.5),
            one("beta", "b.py", 1, 0.3),
            one("gamma", "b.py", 2, 0.2),
        ];
        let focus = focus.iter().map(|word| (*word).to_owned()).collect();
        map_text(&ranked, &MapQuery { tokens, focus }, |path| {
            let text = if path == "a.py" {
                "def alpha(x): pass\n"
            } else {
                "def beta(y): pass\ndef gamma(z): pass\n"
            };
            Some((Language::Python, text.to_owned()))
        })
    }

    #[test]
    fn a_member_says_whose_it_is() {
        let source = "class App:\n    def run(self): pass\nclass Other:\n    def run(self): pass\n";
        let ranked = [
            one("App", "a.py", 1, 0.5),
            one("App.run", "a.py", 2, 0.3),
            one("Other.run", "a.py", 4, 0.2),
        ];
        let query = MapQuery {
            tokens: 1000,
            focus: Vec::new(),
        };
        let text = map_text(&ranked, &query, |_| {
            Some((Language::Python, source.to_owned()))
        });
        assert_eq!(
            text,
            "a.py\n  1: class App\n    2: def run(self)\n  4: in Other: def run(self)\n"
        );
    }

    #[test]
    fn the_map_says_what_it_left_out_and_keeps_its_budget() {
        assert_eq!(
            text(1000, &[]),
            "a.py\n  1: def alpha(x)\nb.py\n  1: def beta(y)\n  2: def gamma(z)\n"
        );
        assert_eq!(
            text(25, &[]),
            "a.py\n  1: def alpha(x)\n(2 of 3 ranked definitions left out)\n"
        );
        assert!((0..80).all(|tokens| text(tokens, &[]).len() <= tokens * BYTES_A_TOKEN));
    }

    #[test]
    fn a_focus_comes_first_with_what_stands_beside_it() {
        assert_eq!(
            text(25, &["GAMMA"]),
            "b.py\n  2: def gamma(z)\n(2 of 3 ranked definitions left out)\n"
        );
        assert_eq!(
            text(32, &["gamma"]),
            "b.py\n  1: def beta(y)\n  2: def gamma(z)\n(1 of 3 ranked definitions left out)\n"
        );
    }
}
