//! Renders code that is in more than one place.

use super::super::project::duplicates::CloneGroup;
use super::super::project::role::{self, Role};
use super::page::{Page, Paint, counted, padded, path_fit, shown, thousands};

const DUPLICATES_SHOWN: usize = 3;
const PLACES_SHOWN: usize = 3;
/// The least lines of a duplicate with two places for it to be shown.
const LINES_TOLD: u32 = 15;
/// The same if both are in one file, whose readers see them both.
const LINES_TOLD_IN_FILE: u32 = 40;

pub(super) fn duplicates(page: &mut Page, groups: &[CloneGroup], lines: u32) {
    // Tests, examples and benchmarks repeat code on purpose, and a short duplicate with two places is minor. Both are
    // counted and not shown.
    let is_source = |group: &&CloneGroup| {
        let mut places = group.places.iter();
        let first = places.clone().next();
        let is_in_file = places
            .clone()
            .all(|place| first.is_some_and(|one| one.path == place.path));
        let least = if is_in_file {
            LINES_TOLD_IN_FILE
        } else {
            LINES_TOLD
        };
        !group.tests
            && places.any(|place| role::of(&place.path) == Role::Source)
            && (group.lines >= least || (group.count > 2 && !is_in_file))
    };
    let told = groups.iter().filter(|group| !is_of_locales(group));
    let (groups, others): (Vec<&CloneGroup>, Vec<&CloneGroup>) = told.partition(is_source);
    if groups.is_empty() {
        return;
    }
    let of_others = match others.len() {
        0 => String::new(),
        more => format!(", {more} more in tests or short"),
    };
    let groups = by_files(groups);
    // Names and literals are ignored and tests are included, so the number does not rate the source.
    let remark = format!(
        "{}{of_others}  {} alike but for names and literals, tests too",
        shown(groups.len().min(DUPLICATES_SHOWN), groups.len()),
        counted(lines, "line")
    );
    page.heading("Duplicates", &remark);
    for (group, alike) in groups.iter().take(DUPLICATES_SHOWN) {
        let mut lines = format!("{:>5} lines  ", thousands(group.lines));
        for place in group.places.iter().take(PLACES_SHOWN) {
            let place = format!("{}:{}", place.path, place.start_line);
            let at = path_fit(&place, page.width().saturating_sub(15));
            page.line(&[
                ("  ", Paint::Plain),
                (&padded(&lines, 13), Paint::Strong),
                (&at, Paint::Plain),
            ]);
            lines.clear();
        }
        let all = usize::try_from(group.count).unwrap_or(usize::MAX);
        if all > PLACES_SHOWN {
            let more = match all - PLACES_SHOWN {
                1 => "and 1 more place".to_owned(),
                more => format!("and {more} more places"),
            };
            page.line(&[("               ", Paint::Plain), (&more, Paint::Faint)]);
        }
        if *alike > 0 {
            let more = match alike {
                1 => "and 1 more duplicate of these files".to_owned(),
                more => format!("and {} more duplicates of these files", thousands(*more)),
            };
            page.line(&[("               ", Paint::Plain), (&more, Paint::Faint)]);
        }
    }
    page.gap();
}

/// The first group of each set of files, with the number of its further groups: whoever looks at one sees the others.
fn by_files<'g>(groups: Vec<&'g CloneGroup>) -> Vec<(&'g CloneGroup, u32)> {
    let mut kept: Vec<(&CloneGroup, u32)> = Vec::new();
    let mut sets: Vec<Vec<&'g str>> = Vec::new();
    for group in groups {
        let mut files: Vec<&str> = group.places.iter().map(|one| one.path.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        match sets.iter().position(|set| *set == files) {
            Some(at) => kept[at].1 += 1,
            None => {
                sets.push(files);
                kept.push((group, 0));
            }
        }
    }
    kept
}

/// Whether the places are translations of one text: their paths differ only in language codes.
fn is_of_locales(group: &CloneGroup) -> bool {
    let mut places = group.places.iter().map(|place| place.path.as_str());
    let first = places.next().unwrap_or_default();
    let mut others = places.peekable();
    others.peek().is_some() && others.all(|path| is_translation(first, path))
}

/// The codes of ISO 639-1.
const LANGUAGE_CODES: &str = "\
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es \
    et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki \
    kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no \
    nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te \
    tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Folders of translations, in which a code may have three letters.
const LOCALE_FOLDERS: &[&str] = &[
    "i18n",
    "l10n",
    "lang",
    "langs",
    "locale",
    "locales",
    "translations",
];

fn is_translation(one: &str, other: &str) -> bool {
    let is_beside = one.split('/').any(|part| LOCALE_FOLDERS.contains(&part));
    let parts = |path: &str| -> Vec<String> { path.split(['/', '.']).map(str::to_owned).collect() };
    let (one, other) = (parts(one), parts(other));
    let mut pairs = one.iter().zip(&other).filter(|(a, b)| a != b).peekable();
    one.len() == other.len()
        && pairs.peek().is_some()
        && pairs.all(|(a, b)| is_language_code(a, is_beside) && is_language_code(b, is_beside))
}

/// Whether a word is a language code: `de`, `pt-BR`, `zh_Hant`; in a folder of translations also `ota`.
fn is_language_code(word: &str, in_locales: bool) -> bool {
    let (language, region) = word.split_once(['-', '_']).unwrap_or((word, "BR"));
    let is_language = if in_locales {
        (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase())
    } else {
        LANGUAGE_CODES.split(' ').any(|code| code == language)
    };
    is_language
        && (2..=4).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::super::super::evidence::CodeLocation;
    use super::*;

    fn group(paths: [&str; 2]) -> CloneGroup {
        CloneGroup {
            tokens: 90,
            lines: 20,
            count: 2,
            tests: false,
            places: paths
                .map(|path| CodeLocation {
                    source_id: None,
                    path: path.to_owned(),
                    start_line: 1,
                    end_line: 20,
                    blob: String::new(),
                })
                .to_vec(),
        }
    }

    fn table(found: &[CloneGroup]) -> String {
        let mut page = Page::new(80, false);
        duplicates(&mut page, found, 40);
        page.finish()
    }

    #[test]
    fn what_is_alike_among_tests_alone_is_counted_and_not_shown() {
        let found = [
            group(["tests/a.rs", "benches/b.rs"]),
            group(["src/a.rs", "tests/c.rs"]),
            CloneGroup {
                tests: true,
                ..group(["src/c.rs", "src/d.rs"])
            },
        ];
        let text = table(&found);
        assert!(text.contains("(1), 2 more in tests or short"), "{text}");
        assert!(
            !text.contains("benches") && !text.contains("src/d.rs"),
            "{text}"
        );
        assert_eq!(table(&found[..1]), "");
    }

    #[test]
    fn a_short_duplicate_within_a_file_is_not_shown() {
        let near = |lines| CloneGroup {
            lines,
            ..group(["src/a.rs", "src/a.rs"])
        };
        assert_eq!(table(&[near(LINES_TOLD_IN_FILE - 1)]), "");
        assert!(table(&[near(LINES_TOLD_IN_FILE)]).contains("src/a.rs"));
    }

    #[test]
    fn several_duplicates_of_the_same_files_are_one_row() {
        let pair = || group(["src/a.rs", "src/b.rs"]);
        let text = table(&[pair(), group(["src/a.rs", "src/c.rs"]), pair(), pair()]);
        assert_eq!(text.matches("20 lines").count(), 2, "{text}");
        assert!(
            text.contains("and 2 more duplicates of these files"),
            "{text}"
        );
    }

    #[test]
    fn translations_differ_in_the_codes_of_languages() {
        assert!(is_translation("text/de/a.ts", "text/en/a.ts"));
        assert!(is_translation("locales/pt-BR.ts", "locales/en.ts"));
        assert!(!is_translation("text/de/a.ts", "text/de/a.ts"));
        assert!(!is_translation("text/de/a.ts", "text/en/b.ts"));
        assert!(is_translation("v4/locales/eo.ts", "v4/locales/ota.ts"));
        assert!(!is_translation("src/app.py", "src/cli.py"));
        assert!(!is_translation("src/js/a.ts", "src/go/a.ts"));
    }
}
