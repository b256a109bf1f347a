//! Renders the conventions with their evidence.

use super::super::evidence::CodeLocation;
use super::super::patterns::Pattern;
use super::super::patterns::information::{Information, is_own};
use super::super::patterns::{co_change, commands, import_direction};
use super::super::project::import_graph::Layer;
use super::super::project::stack::Technology;
use super::page::{Page, Paint, bar, counted, path_fit, shown, thousands};

const PATTERNS_SHOWN: usize = 10;
const USUAL_SHOWN: usize = 8;
/// The bits of a habit that three of seven projects have: a page shows habits that say more.
const TOLD_BITS: f64 = 1.2;
/// The kinds of which a language has one row: the habit that says most, and the others in a line below it.
const FOLDED_KINDS: &[&str] = &["documentation", "import_direction", "naming", "test_layout"];
/// The number of bits of a full bar.
const BITS_FULL: f64 = 6.0;

/// One row: a habit of the project, or the same habit of several folders or languages.
struct Row<'p> {
    pattern: &'p Pattern,
    information: Information,
    scopes: Vec<&'p str>,
    stacks: Vec<&'p str>,
    support: u32,
    cases: u32,
    /// The other habits of its kind and language.
    others: Vec<&'p Pattern>,
}

/// Groups the patterns into rows, in their order. The same habit of several folders is one row, and so is a habit with
/// a name specific to the project in several languages.
fn rows<'p>(patterns: impl Iterator<Item = (&'p Pattern, Information)>) -> Vec<Row<'p>> {
    let mut rows: Vec<Row<'p>> = Vec::new();
    for (pattern, information) in patterns {
        let is_same = |row: &&mut Row<'p>| {
            let one = row.pattern;
            let in_folders =
                one.scope.is_some() && pattern.scope.is_some() && one.stack == pattern.stack;
            let in_languages =
                one.scope == pattern.scope && one.stack != pattern.stack && is_own(pattern);
            one.title == pattern.title && (in_folders || in_languages)
        };
        match rows.iter_mut().find(is_same) {
            Some(row) => {
                row.scopes.extend(pattern.scope.as_deref());
                row.stacks.extend(pattern.stack.as_deref());
                row.support += pattern.support;
                row.cases += pattern.cases;
            }
            None => rows.push(Row {
                pattern,
                information,
                scopes: pattern.scope.as_deref().into_iter().collect(),
                stacks: pattern.stack.as_deref().into_iter().collect(),
                support: pattern.support,
                cases: pattern.cases,
                others: Vec::new(),
            }),
        }
    }
    for row in &mut rows {
        row.scopes.dedup();
        row.stacks.dedup();
    }
    rows
}

/// Folds the habits of one kind and language into the row of the first, which says most.
fn folded(rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    let mut kept: Vec<Row<'_>> = Vec::new();
    for row in rows {
        let is_same = |first: &&mut Row<'_>| {
            let (one, other) = (first.pattern, row.pattern);
            is_folded(one) && one.kind == other.kind && one.stack == other.stack
        };
        let is_part = is_folded(row.pattern);
        match kept.iter_mut().filter(|_| is_part).find(is_same) {
            Some(first) => first.others.push(row.pattern),
            None => kept.push(row),
        }
    }
    kept
}

/// Whether the habit is a part of what a newcomer is told in one sentence: how tests are written, how names are.
fn is_folded(pattern: &Pattern) -> bool {
    let subject = pattern.key.split('/').nth(2).unwrap_or_default();
    let is_case = matches!(
        subject,
        "functions" | "types" | "constants" | "files" | "component-files"
    );
    FOLDED_KINDS.contains(&pattern.kind.as_str()) && (pattern.kind != "naming" || is_case)
}

/// Whether the stack names the same: what tests run on.
fn is_in_stack(pattern: &Pattern, stack: &[Technology]) -> bool {
    let tool = pattern.title.strip_prefix("Tests run on ");
    tool.is_some_and(|tool| {
        // `JUnit Jupiter` is `junit-jupiter`, and `JUnit 4` is `junit`.
        let name = tool.to_lowercase().replace(' ', "-");
        let is_it = |one: &Technology| name.strip_suffix("-4").unwrap_or(&name) == one.name;
        stack.iter().any(is_it)
    })
}

/// Whether the layers show the same direction: one folder is above the other.
fn is_layered(pattern: &Pattern, layers: &[Layer]) -> bool {
    let level = |folder: &str| {
        let mut of = layers.iter();
        let layer = of.find(|layer| layer.folders.iter().any(|one| one == folder));
        layer.map(|layer| layer.level)
    };
    let pair = import_direction::folders_of(pattern);
    pair.is_some_and(|(upper, lower)| match (level(upper), level(lower)) {
        (Some(upper), Some(lower)) => upper > lower,
        _ => false,
    })
}

pub(super) fn patterns(
    page: &mut Page,
    patterns: &[Pattern],
    layers: &[Layer],
    stack: &[Technology],
    commit: Option<&str>,
) {
    // Co-changes, commands, layers and the stack have sections of their own.
    let elsewhere = [co_change::KIND, commands::KIND];
    let shown_here = patterns
        .iter()
        .filter(|one| !elsewhere.contains(&one.kind.as_str()) && !is_layered(one, layers))
        .filter(|one| !is_in_stack(one, stack));
    let known: Vec<(&Pattern, Information)> = shown_here
        .map(|one| (one, Information::of_commit(one, commit)))
        .collect();
    // What one file does on its own is no habit of the project.
    let known = known.into_iter().filter(|(one, _)| !is_of_one_file(one));
    let known: Vec<(&Pattern, Information)> = known.collect();
    // A header or a prefix of several languages is one row, so it is told for all or for none.
    let says_more = |(_, information): &&(&Pattern, Information)| information.bits > TOLD_BITS;
    let titles_told: Vec<&str> = known
        .iter()
        .filter(says_more)
        .map(|(one, _)| one.title.as_str())
        .collect();
    let (telling, usual): (Vec<_>, Vec<_>) = known.into_iter().partition(|(one, information)| {
        match titles_told.is_empty() {
            // A project without such habits shows those that not all have.
            true => !information.is_usual(),
            false => {
                information.bits > TOLD_BITS
                    || (is_own(one) && titles_told.contains(&one.title.as_str()))
            }
        }
    });
    // Only the strongest of several patterns about imports of one part is shown.
    let mut lower: Vec<&str> = Vec::new();
    let mut told: Vec<(&Pattern, Information)> = Vec::new();
    for (pattern, information) in telling {
        let part = import_direction::folders_of(pattern).map(|(_, lower)| lower);
        if part.is_none_or(|part| !lower.contains(&part)) {
            lower.extend(part);
            told.push((pattern, information));
        }
    }
    let told = folded(rows(told.into_iter()));
    let more = match usual.len() {
        0 => String::new(),
        more => format!(", {more} more that many projects have"),
    };
    let remark = match told.len() {
        0 => String::new(),
        all => format!(
            "{}  what fewest projects do first{more}",
            shown(all.min(PATTERNS_SHOWN), all)
        ),
    };
    if usual.is_empty() && told.is_empty() {
        return;
    }
    page.heading("Habits", &remark);
    for row in told.iter().take(PATTERNS_SHOWN) {
        habit(page, row);
    }
    // Usual habits are named only where there is nothing that tells more.
    if told.is_empty() {
        page.words("  ", &usual_habits(&usual), Paint::Faint);
    }
    page.gap();
}

/// Whether all places are in one file, unless the habit has a name that is specific to the project. Exemplars are of
/// different files if there are several.
fn is_of_one_file(pattern: &Pattern) -> bool {
    let mut places = pattern.exemplars.iter().map(|one| one.path.as_str());
    let first = places.next();
    let mut others = places.peekable();
    !is_own(pattern) && others.peek().is_some() && others.all(|path| Some(path) == first)
}

/// One sentence about usual habits: their number and the first titles, each once.
fn usual_habits(patterns: &[(&Pattern, Information)]) -> String {
    let mut titles: Vec<&str> = Vec::new();
    for (pattern, _) in patterns {
        if !titles.contains(&pattern.title.as_str()) {
            titles.push(&pattern.title);
        }
    }
    let habits = counted(titles.len() as u32, "habit");
    let more = match titles.len().saturating_sub(USUAL_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    titles.truncate(USUAL_SHOWN);
    format!(
        "{habits} as most projects have them: {}{more}",
        titles.join(" · ")
    )
}

fn habit(page: &mut Page, row: &Row<'_>) {
    let (pattern, information) = (row.pattern, row.information);
    let mark = format!(
        "  {} {:.1} bits  ",
        bar(information.bits / BITS_FULL, 6),
        information.bits
    );
    page.words(&mark, &pattern.title, Paint::Strong);
    let mut about = row.stacks.join(", ");
    if !row.scopes.is_empty() {
        about = format!("{about} in {}/", row.scopes.join("/, "));
    }
    let held = format!("{} of {}", thousands(row.support), thousands(row.cases));
    let others = match information.of {
        0 => String::new(),
        // The specific file or word cannot be counted in other projects, only whether there is any.
        of if is_own(pattern) => format!(
            " · {} of {of} counted projects have any such",
            information.projects
        ),
        of => format!(" · {} of {of} counted projects", information.projects),
    };
    let about = about.trim();
    let dot = if about.is_empty() { "" } else { " · " };
    page.line(&[
        (INDENT, Paint::Plain),
        (&format!("{held}{dot}{about}{others}"), Paint::Faint),
    ]);
    for (word, places) in [
        ("see", &pattern.exemplars),
        ("not", &pattern.counter_examples),
    ] {
        if let Some(first) = places.first() {
            place(page, word, first);
        }
    }
    if !row.others.is_empty() {
        let others: Vec<String> = row.others.iter().map(|one| with_share(one)).collect();
        let words = others.join(" · ");
        page.words(&format!("{INDENT}also "), &words, Paint::Faint);
    }
}

/// The title of a habit with its places: `Types are PascalCase (145 of 161)`.
fn with_share(pattern: &Pattern) -> String {
    let scope = pattern.scope.as_deref();
    let scope = scope.map_or(String::new(), |scope| format!(" in {scope}/"));
    let (support, cases) = (thousands(pattern.support), thousands(pattern.cases));
    format!("{} ({support} of {cases}{scope})", pattern.title)
}

const INDENT: &str = "              ";

fn place(page: &mut Page, word: &str, at: &CodeLocation) {
    let room = page.width().saturating_sub(INDENT.len() + 5);
    let at = path_fit(&format!("{}:{}", at.path, at.start_line), room);
    page.line(&[
        (INDENT, Paint::Plain),
        (&format!("{word}  {at}"), Paint::Faint),
    ]);
}

#[cfg(test)]
mod tests {
    use super::super::super::language::Language;
    use super::super::super::project::stack::TechnologyKind;
    use super::*;

    fn pattern(key: &str, title: &str, scope: Option<&str>) -> Pattern {
        Pattern {
            key: key.to_owned(),
            kind: key.split('/').next().unwrap_or_default().to_owned(),
            title: title.to_owned(),
            statement: String::new(),
            stack: Some("kotlin".to_owned()),
            scope: scope.map(str::to_owned),
            support: 20,
            cases: 25,
            confidence: 0.6,
            exemplars: Vec::new(),
            counter_examples: Vec::new(),
            deviations: Vec::new(),
        }
    }

    fn table(patterns: &[Pattern], layers: &[(u32, &str)]) -> String {
        let layers: Vec<Layer> = layers
            .iter()
            .map(|(level, folder)| Layer {
                level: *level,
                folders: vec![(*folder).to_owned()],
            })
            .collect();
        let mut page = Page::new(100, false);
        super::patterns(&mut page, patterns, &layers, &[], None);
        page.finish()
    }

    #[test]
    fn one_habit_of_several_folders_is_one_row() {
        let key = "documentation/kotlin/functions/documented";
        let patterns = [
            pattern(&format!("{key}@ktor"), "Functions carry docs", Some("ktor")),
            pattern(
                &format!("{key}@android"),
                "Functions carry docs",
                Some("android"),
            ),
        ];
        let text = table(&patterns, &[]);
        assert_eq!(text.matches("Functions carry docs").count(), 1, "{text}");
        assert!(
            text.contains("40 of 50 · kotlin in ktor/, android/"),
            "{text}"
        );
    }

    #[test]
    fn a_header_of_several_languages_is_one_row() {
        let title = "Files begin with the header `Copyright YYYY Ada`";
        let one = pattern("file_header/kotlin/header/line", title, None);
        let other = Pattern {
            stack: Some("java".to_owned()),
            ..pattern("file_header/java/header/line", title, None)
        };
        let text = table(&[one, other], &[]);
        assert_eq!(text.matches("Copyright YYYY Ada").count(), 1, "{text}");
        assert!(text.contains("40 of 50 · kotlin, java"), "{text}");
    }

    #[test]
    fn habits_of_tests_are_one_row_with_the_others_below() {
        let patterns = [
            pattern(
                "test_layout/kotlin/places/beside",
                "Tests are beside the code",
                None,
            ),
            pattern(
                "test_layout/kotlin/groups/none",
                "Tests are not grouped",
                None,
            ),
            pattern(
                "logging/kotlin/channel/logger",
                "Messages go to a logger",
                None,
            ),
        ];
        let text = table(&patterns, &[]);
        assert!(
            text.contains("also Tests are not grouped (20 of 25)"),
            "{text}"
        );
    }

    #[test]
    fn what_tests_run_on_is_told_by_the_stack() {
        let habit = |tool: &str| {
            let key = format!("test_layout/kotlin/runner/{tool}");
            pattern(&key, &format!("Tests run on {tool}"), None)
        };
        let stack = [Technology {
            name: "junit-jupiter".to_owned(),
            kind: TechnologyKind::Framework,
            language: Language::Kotlin,
            version: None,
            files: 3,
        }];
        assert!(is_in_stack(&habit("JUnit Jupiter"), &stack));
        assert!(!is_in_stack(&habit("JUnit 4"), &stack));
    }

    #[test]
    fn usual_habits_are_counted_once_by_title() {
        let usual = |n: u32| Information {
            bits: 0.1,
            projects: n,
            of: n,
        };
        let patterns: Vec<Pattern> = (0..USUAL_SHOWN + 2)
            .map(|n| pattern("naming/kotlin/a/b", &format!("T{}", n.max(1)), None))
            .collect();
        let known: Vec<_> = patterns.iter().map(|one| (one, usual(7))).collect();
        let text = usual_habits(&known);
        assert!(
            text.starts_with("9 habits as most projects have them: T1 · T2"),
            "{text}"
        );
        assert!(text.ends_with("T8 and 1 more"), "{text}");
    }

    #[test]
    fn a_habit_of_one_file_is_no_row() {
        let at = |path: &str, line: u32| CodeLocation {
            source_id: None,
            path: path.to_owned(),
            start_line: line,
            end_line: line,
            blob: String::new(),
        };
        let habit = |paths: [&str; 2]| Pattern {
            exemplars: vec![at(paths[0], 1), at(paths[1], 2)],
            ..pattern("async_style/kotlin/form/suspend", "Code suspends", None)
        };
        assert_eq!(table(&[habit(["a.kt", "a.kt"])], &[]), "");
        assert!(table(&[habit(["a.kt", "b.kt"])], &[]).contains("Code suspends"));
    }

    #[test]
    fn a_direction_that_the_layers_show_is_no_row() {
        let one = |upper: &str| {
            let key = format!("import_direction/kotlin/{upper}>core/one-way");
            pattern(&key, &format!("Nothing in `core` imports `{upper}`"), None)
        };
        let patterns = [one("ktor"), one("tool")];
        let text = table(&patterns, &[(0, "core"), (1, "ktor"), (0, "tool")]);
        assert!(!text.contains("imports `ktor`"), "{text}");
        assert!(text.contains("imports `tool`"), "in a circle: {text}");
    }
}
