//! Naming conventions by kind of item. Names that fit two styles (`run` is snake_case and camelCase) and names chosen
//! elsewhere (overridden methods, trait methods) are not cases.

mod things;

pub(super) use things::{exception_classes, notes};

use super::super::facts::DefinitionKind;
use super::super::language::Language;
use super::{Answer, Case, Context, Pattern, Question, STACKS, decide};

pub(super) const KIND: &str = "naming";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Snake,
    Camel,
    Pascal,
    Screaming,
    Kebab,
    /// Words with capitals and no underscores. The first letter is not part of the style (in Go it exports).
    MixedCaps,
    /// `kName`: PascalCase after a `k`, as in Google's and Apple's C and C++.
    KPascal,
    Unclear,
}

/// The kind of named item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Functions,
    Types,
    Constants,
}

impl Subject {
    const ALL: [Subject; 3] = [Subject::Functions, Subject::Types, Subject::Constants];

    const fn slug(self) -> &'static str {
        match self {
            Subject::Functions => "functions",
            Subject::Types => "types",
            Subject::Constants => "constants",
        }
    }

    const fn holds(self, kind: DefinitionKind) -> bool {
        use DefinitionKind::{
            Class, Constant, Enum, Function, Interface, Method, Struct, Trait, Type,
        };
        match self {
            Subject::Functions => matches!(kind, Function | Method),
            Subject::Types => matches!(kind, Class | Enum | Interface | Struct | Trait | Type),
            Subject::Constants => matches!(kind, Constant),
        }
    }

    /// The items as a noun for a sentence, and the exclusions.
    const fn words(self, stack: Language) -> (&'static str, &'static str) {
        match (self, stack) {
            (Subject::Functions, Language::Java) => ("Methods", ""),
            (Subject::Functions, Language::TypeScript | Language::JavaScript) => (
                "Functions and methods",
                " (components and constructors aside)",
            ),
            (Subject::Functions, _) => ("Functions and methods", ""),
            (Subject::Types, Language::Python | Language::JavaScript) => ("Classes", ""),
            (Subject::Types, _) => ("Types", ""),
            (Subject::Constants, Language::TypeScript | Language::JavaScript) => (
                "Constants",
                " (module-level constants with a literal value)",
            ),
            (Subject::Constants, _) => ("Constants", ""),
        }
    }
}

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut questions = questions(context);
    questions.extend(things::questions(context));
    decide(KIND, &questions)
}

fn questions<'a>(context: &Context<'a>) -> Vec<Question<'a>> {
    let definitions = STACKS
        .into_iter()
        .flat_map(|stack| Subject::ALL.map(|subject| (stack, subject)));
    let mut questions: Vec<Question<'a>> = definitions
        // In Python a constant is recognised by its case, so the answer would be circular.
        .filter(|asked| *asked != (Language::Python, Subject::Constants))
        .map(|(stack, subject)| names(context, stack, subject))
        .collect();
    let scripts = [
        (Language::TypeScript, "files"),
        (Language::Tsx, "component-files"),
        (Language::JavaScript, "files"),
        (Language::Python, "files"),
        (Language::Go, "files"),
        (Language::C, "files"),
        (Language::Cpp, "files"),
        (Language::CSharp, "files"),
        (Language::Kotlin, "files"),
        (Language::Php, "files"),
        (Language::Ruby, "files"),
        (Language::Scala, "files"),
        (Language::Shell, "files"),
        (Language::Swift, "files"),
    ];
    questions.extend(scripts.map(|(language, subject)| file_names(context, language, subject)));
    questions
}

fn names<'a>(context: &Context<'a>, stack: Language, subject: Subject) -> Question<'a> {
    let (things, note) = subject.words(stack);
    let styles = [
        Style::Snake,
        Style::Camel,
        Style::Pascal,
        Style::Screaming,
        Style::MixedCaps,
        Style::KPascal,
    ];
    let mut answers: Vec<Answer> = styles
        .into_iter()
        .map(|style| {
            let statement = match style {
                Style::MixedCaps => format!(
                    "Write the names of {} in MixedCaps, without underscores{note}.",
                    things.to_lowercase()
                ),
                Style::KPascal => format!(
                    "Begin the names of {} with `k` and a capital: `kName`{note}.",
                    things.to_lowercase()
                ),
                _ => format!(
                    "Write the names of {} in {}{note}.",
                    things.to_lowercase(),
                    style.name()
                ),
            };
            Answer::rule(
                style.name(),
                format!("{things} are {}", style.name()),
                statement,
            )
        })
        .collect();
    answers.push(Answer::other("other"));
    let mut cases = Vec::new();
    for file in context.source(stack) {
        let holds_components = matches!(file.language, Language::Tsx | Language::JavaScript);
        for definition in &file.facts.definitions {
            // The functions of Compose that draw are named as types.
            let is_drawn = definition
                .decorators
                .iter()
                .any(|name| name == "Composable");
            let is_named = !definition.dictated && !definition.test && !is_drawn;
            if !subject.holds(definition.kind) || !is_named {
                continue;
            }
            let Some(style) = style_of(&definition.name, stack, subject) else {
                continue;
            };
            if subject == Subject::Functions && holds_components && style == Style::Pascal {
                continue;
            }
            // A macro with parameters is written in capitals to distinguish it from a function.
            let has_macros = matches!(stack, Language::C | Language::Cpp);
            if subject == Subject::Functions && has_macros && style == Style::Screaming {
                continue;
            }
            let answer = styles
                .iter()
                .position(|one| *one == style)
                .unwrap_or(styles.len());
            cases.push(Case {
                file,
                start_line: definition.start_line,
                end_line: definition.end_line,
                answer,
            });
        }
    }
    Question {
        subject: subject.slug().into(),
        stack,
        answers,
        cases,
    }
}

/// The style of a name, if it is unambiguous.
fn style_of(name: &str, stack: Language, subject: Subject) -> Option<Style> {
    let name = name
        .trim_start_matches(['_', '#', '$'])
        .trim_end_matches('_');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    // An object key such as "Content-Type" is not a name.
    if !name.chars().all(is_word) || name.chars().filter(|c| c.is_alphabetic()).count() < 2 {
        return None;
    }
    let has_k = matches!(stack, Language::C | Language::Cpp) && subject == Subject::Constants;
    if has_k
        && name
            .strip_prefix('k')
            .is_some_and(|rest| rest.starts_with(char::is_uppercase))
    {
        return Some(Style::KPascal);
    }
    let upper = name.chars().any(char::is_uppercase);
    let lower = name.chars().any(char::is_lowercase);
    let first_is_upper = name.starts_with(char::is_uppercase);
    let style = match (name.contains('_'), upper, lower) {
        (true, false, _) => Style::Snake,
        (true, true, false) => Style::Screaming,
        (true, true, true) => Style::Unclear,
        // `URL` may be PascalCase or capitals; for a constant it is capitals.
        (false, true, false) if subject == Subject::Constants && stack != Language::Go => {
            Style::Screaming
        }
        (false, true, false) => return None,
        (false, true, true) if stack == Language::Go => Style::MixedCaps,
        (false, true, true) if first_is_upper => Style::Pascal,
        (false, true, true) => Style::Camel,
        // One lower-case word is unambiguous only for types, which would begin with a capital.
        (false, false, _) if subject == Subject::Types && stack != Language::Go => Style::Snake,
        (false, false, _) => return None,
    };
    Some(style)
}

fn file_names<'a>(
    context: &Context<'a>,
    language: Language,
    subject: &'static str,
) -> Question<'a> {
    let styles = [Style::Snake, Style::Camel, Style::Pascal, Style::Kebab];
    let title = language.title();
    let mut answers: Vec<Answer> = styles
        .into_iter()
        .map(|style| {
            let name = style.name();
            let statement =
                format!("Name {title} files in {name} (files of one small word aside).");
            Answer::rule(
                name,
                format!("{title} files are named in {name}"),
                statement,
            )
        })
        .collect();
    answers.push(Answer::other("other"));
    let mut cases = Vec::new();
    for file in context
        .source
        .iter()
        .copied()
        .filter(|file| file.language == language)
    {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        // A `Gemfile` has the name that its tool requires.
        let Some((stem, _)) = name.split_once('.') else {
            continue;
        };
        if let Some(style) = file_style(stem) {
            let answer = styles
                .iter()
                .position(|one| *one == style)
                .unwrap_or(styles.len());
            cases.push(Case::line(file, 1, answer));
        }
    }
    Question {
        subject: subject.into(),
        stack: language.stack(),
        answers,
        cases,
    }
}

fn file_style(stem: &str) -> Option<Style> {
    let stem = stem.trim_start_matches('_');
    if stem
        .chars()
        .any(|c| !(c.is_alphanumeric() || c == '-' || c == '_'))
    {
        // `[slug].tsx` is a route, which the framework names.
        return None;
    }
    let upper = stem.chars().any(char::is_uppercase);
    match (stem.contains('-'), stem.contains('_'), upper) {
        (true, false, false) => Some(Style::Kebab),
        (false, true, false) => Some(Style::Snake),
        (true, _, _) | (_, true, _) => Some(Style::Unclear),
        (false, false, true) if stem.starts_with(char::is_uppercase) => Some(Style::Pascal),
        (false, false, true) => Some(Style::Camel),
        (false, false, false) => None,
    }
}

impl Style {
    const fn name(self) -> &'static str {
        match self {
            Style::Snake => "snake_case",
            Style::Camel => "camelCase",
            Style::Pascal => "PascalCase",
            Style::Screaming => "SCREAMING_SNAKE_CASE",
            Style::Kebab => "kebab-case",
            Style::MixedCaps => "MixedCaps",
            Style::KPascal => "kPascalCase",
            Style::Unclear => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{found, patterns};

    #[test]
    fn names_of_two_words_show_the_style_and_single_words_do_not() {
        let source = "fn run() {}\nfn read_all() {}\nfn write_all() {}\nfn open_file() {}\nfn close_file() {}\nfn seek_to() {}\nfn get_it() {}\n";
        let patterns = patterns("naming", &[("src/a.rs", source)]);
        assert_eq!(patterns.len(), 1);
        assert_eq!((patterns[0].support, patterns[0].cases), (6, 6));
        assert_eq!(patterns[0].title, "Functions and methods are snake_case");
    }

    #[test]
    fn what_compose_draws_is_named_as_a_type() {
        let functions = ["readAll", "writeAll", "openFile", "closeFile", "seekTo"];
        let mut source = functions
            .map(|name| format!("fun {name}() {{}}\n\n"))
            .concat();
        source.push_str("@Composable\nfun HomeScreen() {}\n");
        let found = found("naming", &[("src/main/kotlin/Home.kt", &source)]);
        let functions = found.iter().filter(|one| one.contains("/functions/"));
        assert_eq!(
            functions.collect::<Vec<_>>(),
            ["naming/kotlin/functions/camelCase 5/5"]
        );
    }

    #[test]
    fn constants_that_begin_with_k_are_not_in_camel_case() {
        let names = [
            "kNumLevels",
            "kL0_Trigger",
            "kBlockSize",
            "kMaxOpen",
            "kHeader",
        ];
        let source: String = names
            .iter()
            .map(|name| format!("static const int {name} = 7;\n"))
            .collect();
        assert_eq!(
            found("naming", &[("db/format.cc", &source)]),
            ["naming/cpp/constants/kPascalCase 5/5"]
        );
    }

    #[test]
    fn a_mixed_code_base_has_no_naming_rule() {
        let source = "def a_b(): pass\ndef aB(): pass\ndef c_d(): pass\ndef cD(): pass\ndef e_f(): pass\ndef eF(): pass\n";
        assert!(found("naming", &[("a.py", source)]).is_empty());
    }

    #[test]
    fn names_that_a_trait_or_a_base_class_chose_are_no_cases() {
        let rust: String = (0..6)
            .map(|n| format!("impl Old for T{n} {{ fn oldName(&self) {{}} }}\n"))
            .collect();
        let java: String = (0..6)
            .map(|n| format!("class Ab{n} {{ @Override public void old_name() {{}} }}\n"))
            .collect();
        let keys = found("naming", &[("src/a.rs", &rust), ("src/A.java", &java)]);
        assert_eq!(keys, ["naming/java/types/PascalCase 6/6"]);
    }

    #[test]
    fn components_are_no_functions_in_camel_case() {
        let functions: String = (0..5)
            .map(|n| format!("function useThing{n}() {{}}\n"))
            .collect();
        let components: String = (0..5)
            .map(|n| format!("function Panel{n}() {{ return <b/>; }}\n"))
            .collect();
        let keys = found(
            "naming",
            &[("src/a.tsx", &format!("{functions}{components}"))],
        );
        assert_eq!(keys, ["naming/typescript/functions/camelCase 5/5"]);
    }

    #[test]
    fn files_have_names_too() {
        let names = [
            "src/one-two.ts",
            "src/a-b.ts",
            "src/c-d.ts",
            "src/e-f.ts",
            "src/g-h.ts",
            "src/index.ts",
        ];
        let sources: Vec<(&str, &str)> = names.iter().map(|name| (*name, "let a = 1;\n")).collect();
        assert_eq!(
            found("naming", &sources),
            ["naming/typescript/files/kebab-case 5/5"]
        );
    }

    #[test]
    fn go_names_are_in_mixed_caps_whether_exported_or_not() {
        let source = "package a\nfunc readAll() {}\nfunc WriteAll() {}\nfunc openFile() {}\nfunc CloseFile() {}\nfunc seekTo() {}\n";
        assert_eq!(
            found("naming", &[("a.go", source)]),
            ["naming/go/functions/MixedCaps 5/5"]
        );
    }
}
