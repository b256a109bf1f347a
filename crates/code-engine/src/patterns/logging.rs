//! Logging style: the logger, its name, and whether values are structured fields or part of the message.
//!
//! A logger is recognised by its call name (`logger.info`, `log.warn`, `_logger.LogError`), its library by the
//! imports. The output of a command to its user is not logging and is excluded.
//!
//! Longer than 450 lines: the table of libraries and its questions are read together.

use std::collections::BTreeMap;

use super::super::language::Language;
use super::super::project::SourceFile;
use super::super::references::{Reference, ReferenceKind};
use super::{
    Answer, Case, Context, MIN_SHARE, Pattern, Question, calls, decide, folder_of, is_module,
    stem_of,
};

pub(super) const KIND: &str = "logging";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut questions = Vec::new();
    for stack in [
        Language::Rust,
        Language::Python,
        Language::Go,
        Language::TypeScript,
        Language::JavaScript,
        Language::Java,
        Language::Kotlin,
        Language::CSharp,
        Language::Scala,
        Language::Ruby,
        Language::Swift,
    ] {
        let library = library_of(context, stack);
        questions.push(channel(context, stack, library));
        questions.extend(names(context, stack));
    }
    questions.push(go_form(context));
    decide(KIND, &questions)
}

/// The minimum number of calls: logging calls are close together and alike, so fewer are no habit.
const MIN_CALLS: usize = 10;

/// A logging library: the languages, its name, and the modules that it is imported by.
type Library = (&'static [Language], &'static str, &'static [&'static str]);

const JVM: &[Language] = &[Language::Java, Language::Kotlin, Language::Scala];
const SCRIPTS: &[Language] = &[Language::TypeScript, Language::JavaScript];

const LIBRARIES: &[Library] = &[
    (&[Language::Rust], "tracing", &["tracing"]),
    (&[Language::Rust], "log", &["log"]),
    (&[Language::Rust], "slog", &["slog"]),
    (&[Language::Python], "structlog", &["structlog"]),
    (&[Language::Python], "loguru", &["loguru"]),
    (&[Language::Python], "logging", &["logging"]),
    (
        &[Language::Go],
        "log/slog",
        &["log/slog", "golang.org/x/exp/slog"],
    ),
    (&[Language::Go], "zap", &["go.uber.org/zap"]),
    (&[Language::Go], "logrus", &["github.com/sirupsen/logrus"]),
    (&[Language::Go], "zerolog", &["github.com/rs/zerolog"]),
    (
        &[Language::Go],
        "go-kit/log",
        &["github.com/go-kit/log", "github.com/go-kit/kit/log"],
    ),
    (&[Language::Go], "klog", &["k8s.io/klog", "k8s.io/klog/v2"]),
    (&[Language::Go], "logr", &["github.com/go-logr/logr"]),
    (&[Language::Go], "log", &["log"]),
    (SCRIPTS, "pino", &["pino"]),
    (SCRIPTS, "winston", &["winston"]),
    (SCRIPTS, "bunyan", &["bunyan"]),
    (SCRIPTS, "debug", &["debug"]),
    (SCRIPTS, "log4js", &["log4js"]),
    (SCRIPTS, "loglevel", &["loglevel"]),
    (SCRIPTS, "consola", &["consola"]),
    (SCRIPTS, "@nestjs/common", &["@nestjs/common"]),
    (JVM, "SLF4J", &["org.slf4j"]),
    (
        JVM,
        "Log4j",
        &["org.apache.logging.log4j", "org.apache.log4j"],
    ),
    (JVM, "commons-logging", &["org.apache.commons.logging"]),
    (JVM, "Flogger", &["com.google.common.flogger"]),
    (
        JVM,
        "kotlin-logging",
        &["mu", "io.github.oshai.kotlinlogging"],
    ),
    (JVM, "scala-logging", &["com.typesafe.scalalogging"]),
    (JVM, "java.util.logging", &["java.util.logging"]),
    (
        &[Language::CSharp],
        "Microsoft.Extensions.Logging",
        &["Microsoft.Extensions.Logging"],
    ),
    (&[Language::CSharp], "Serilog", &["Serilog"]),
    (&[Language::CSharp], "NLog", &["NLog"]),
    (&[Language::Swift], "os.Logger", &["os", "OSLog", "os.log"]),
    (&[Language::Swift], "swift-log", &["Logging"]),
];

/// The names of loggers, in lower case and without underscores at either end.
const RECEIVERS: [&str; 10] = [
    "log",
    "logger",
    "logging",
    "slog",
    "tracing",
    "klog",
    "zap",
    "logrus",
    "lgr",
    "applogger",
];

/// The methods of loggers, in lower case.
const LEVELS: [&str; 20] = [
    "trace",
    "debug",
    "info",
    "notice",
    "warn",
    "warning",
    "error",
    "err",
    "fatal",
    "critical",
    "exception",
    "log",
    "loginformation",
    "logwarning",
    "logerror",
    "logdebug",
    "logtrace",
    "logcritical",
    "severe",
    "fine",
];

const RUST_LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

/// Folders and files where printing is the output of a command to its user.
const OUTPUT_FOLDERS: [&str; 14] = [
    "cmd", "cli", "bin", "script", "scripts", "tool", "tools", "hack", "build", "ci", "dev",
    "tasks", "release", "commands",
];
const OUTPUT_STEMS: [&str; 9] = [
    "main", "Main", "cli", "__main__", "manage", "setup", "build", "console", "conftest",
];

/// Whether a call logs or prints.
pub(super) fn notes(stack: Language, one: &Reference<'_>) -> bool {
    let logs = || match stack {
        Language::Rust => RUST_LEVELS.contains(&one.name()),
        _ => logger_of(stack, one.path).is_some(),
    };
    one.kind == ReferenceKind::Call && (logs() || is_print(stack, one.path))
}

/// The name of the logger in the call of `path`, as written.
fn logger_of(stack: Language, path: &str) -> Option<&str> {
    let (object, method) = path.rsplit_once('.')?;
    let receiver = object.rsplit('.').next().unwrap_or(object);
    let plain = receiver.trim_matches(['_', '$', '@', '#']);
    if !RECEIVERS.iter().any(|one| plain.eq_ignore_ascii_case(one)) {
        return None;
    }
    let method = method.to_ascii_lowercase();
    let level = match stack {
        // Debugf, Infow, Errorln, InfoContext, Print.
        Language::Go => ["context", "ctx", "ln", "f", "w", "s"]
            .iter()
            .find_map(|end| method.strip_suffix(end).filter(|rest| is_level(rest)))
            .unwrap_or(&method),
        _ => &method,
    };
    let known = is_level(level) || stack == Language::Go && level == "print";
    known.then_some(receiver)
}

fn is_level(word: &str) -> bool {
    LEVELS.contains(&word) || word == "print" || word == "panic"
}

fn is_print(stack: Language, path: &str) -> bool {
    match stack {
        Language::Rust => matches!(path, "println" | "eprintln" | "print" | "eprint" | "dbg"),
        Language::Python => matches!(path, "print" | "pprint" | "pprint.pprint"),
        Language::Go => matches!(path, "fmt.Print" | "fmt.Printf" | "fmt.Println" | "println"),
        Language::TypeScript | Language::JavaScript => path.starts_with("console."),
        Language::Java | Language::Kotlin | Language::Scala => {
            path.starts_with("System.out.print")
                || path.starts_with("System.err.print")
                || path.ends_with(".printStackTrace")
                || stack != Language::Java && matches!(path, "println" | "print")
        }
        Language::CSharp => path.starts_with("Console.Write"),
        Language::Ruby => matches!(path, "puts" | "p" | "pp"),
        Language::Swift => matches!(path, "print" | "debugPrint" | "dump"),
        _ => false,
    }
}

fn is_output(path: &str) -> bool {
    folder_of(path)
        .split('/')
        .any(|folder| OUTPUT_FOLDERS.contains(&folder))
        || OUTPUT_STEMS.contains(&stem_of(path))
}

fn imported(file: &SourceFile, stack: Language) -> Option<&'static str> {
    let of_stack = LIBRARIES.iter().filter(|one| one.0.contains(&stack));
    let mut found = of_stack.filter(|(_, _, modules)| {
        let mut imports = file.facts.imports.iter().filter(|import| !import.test);
        imports.any(|import| {
            modules
                .iter()
                .any(|module| is_module(&import.module, module))
        })
    });
    found.next().map(|one| one.1)
}

/// The library of a Rust macro, by its path (`log::warn!`), or by the file's imports if it has none.
fn rust_library(file: &SourceFile, path: &str) -> Option<&'static str> {
    match path.rsplit_once('.') {
        Some((object, level)) if RUST_LEVELS.contains(&level) => ["tracing", "log", "slog"]
            .into_iter()
            .find(|name| *name == object),
        None if RUST_LEVELS.contains(&path) => imported(file, Language::Rust),
        _ => None,
    }
}

/// The library that most files of a stack use for logging; `None` if there is none, or several. A file that logs
/// without importing a library uses a logger that it received, and its imports do not show the logger's library. If
/// most files do so, the library of the others is not the project's.
fn library_of(context: &Context<'_>, stack: Language) -> Option<&'static str> {
    let mut files: BTreeMap<&'static str, u32> = BTreeMap::new();
    let (mut by_import, mut by_logger) = (0u32, 0u32);
    for file in context.source(stack) {
        let mut library = imported(file, stack);
        if stack == Language::Rust {
            library = calls(file, false).find_map(|one| rust_library(file, one.path));
        }
        if let Some(library) = library {
            *files.entry(library).or_default() += 1;
        }
        if calls(file, false).any(|one| logger_of(stack, one.path).is_some()) {
            match library {
                Some(_) => by_import += 1,
                None => by_logger += 1,
            }
        }
    }
    let all: u32 = files.values().sum();
    let most = files
        .into_iter()
        .max_by_key(|(name, count)| (*count, std::cmp::Reverse(*name)))?;
    let is_most = f64::from(most.1) >= MIN_SHARE * f64::from(all);
    (is_most && (by_import >= by_logger || stack == Language::Rust)).then_some(most.0)
}

fn channel<'a>(
    context: &Context<'a>,
    stack: Language,
    library: Option<&'static str>,
) -> Question<'a> {
    let (title, statement) = match library {
        Some(name) => (
            format!("Messages are logged through `{name}`"),
            format!("Log through `{name}`; do not print."),
        ),
        None => (
            "Messages go to a logger".to_owned(),
            "Log through a logger; do not print.".to_owned(),
        ),
    };
    let answers = vec![
        Answer::rule("logger", title, statement),
        Answer::other("print"),
    ];
    let mut cases = Vec::new();
    for file in context.source(stack) {
        let is_output = is_output(&file.path);
        for one in calls(file, false) {
            let logs = match stack {
                Language::Rust => rust_library(file, one.path).is_some(),
                _ => logger_of(stack, one.path).is_some(),
            };
            let answer = match () {
                () if logs => 0,
                () if !is_output && is_print(stack, one.path) => 1,
                () => continue,
            };
            cases.extend(one.lines().map(|line| Case::line(file, line, answer)));
        }
    }
    if cases.len() < MIN_CALLS {
        cases.clear();
    }
    Question {
        subject: "channel".into(),
        stack,
        answers,
        cases,
    }
}

/// The name of loggers. A case is a file and a name by which it calls a logger.
fn names<'a>(context: &Context<'a>, stack: Language) -> Option<Question<'a>> {
    // In Rust and Swift a logger has no name, or its library determines the name.
    if matches!(stack, Language::Rust | Language::Swift) {
        return None;
    }
    let mut found: BTreeMap<&str, Vec<(&'a SourceFile, u32)>> = BTreeMap::new();
    for file in context.source(stack) {
        let mut of_file: BTreeMap<&str, u32> = BTreeMap::new();
        for one in calls(file, false) {
            let Some(name) = logger_of(stack, one.path) else {
                continue;
            };
            // `Logger.create` calls a class, not a logger.
            let is_class =
                name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
            // These names are modules.
            if is_class
                || matches!(
                    name,
                    "logging" | "slog" | "klog" | "zap" | "logrus" | "tracing"
                )
                || stack == Language::Go && name == "log" && one.path.starts_with("log.")
            {
                continue;
            }
            let line = of_file.entry(name).or_insert(u32::MAX);
            *line = (*line).min(one.line());
        }
        for (name, line) in of_file {
            found.entry(name).or_default().push((file, line));
        }
    }
    let mut answers = Vec::new();
    let mut cases = Vec::new();
    for (answer, (name, places)) in found.into_iter().enumerate() {
        answers.push(Answer::rule(
            name.to_owned(),
            format!("A logger is called `{name}`"),
            format!("Call the logger of a module or type `{name}`."),
        ));
        cases.extend(
            places
                .into_iter()
                .map(|(file, line)| Case::line(file, line, answer)),
        );
    }
    Some(Question {
        subject: "name".into(),
        stack,
        answers,
        cases,
    })
}

fn go_form<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "structured",
            "Log messages carry their values as fields",
            "Log a constant message with key-value pairs, not a text that is formatted (`Infof`).",
        ),
        Answer::rule(
            "formatted",
            "Log messages are formatted",
            "Log with a format string (`Infof`, `Printf`).",
        ),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Go) {
        for one in calls(file, false) {
            if logger_of(Language::Go, one.path).is_none() {
                continue;
            }
            let name = one.name();
            let answer = match () {
                () if name.ends_with('f') => 1,
                // Print and Println take neither fields nor a format.
                () if name.ends_with("ln") || name.starts_with("Print") => continue,
                () => 0,
            };
            cases.extend(one.lines().map(|line| Case::line(file, line, answer)));
        }
    }
    Question {
        subject: "form".into(),
        stack: Language::Go,
        answers,
        cases,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{found, patterns};

    #[test]
    fn python_logs_through_a_logger_and_does_not_print() {
        let one = "import logging\nlogger = logging.getLogger(__name__)\ndef f():\n    logger.info('a')\n    logger.warning('b')\n";
        let sources = [
            ("p/a.py", one),
            ("p/b.py", one),
            ("p/c.py", one),
            ("p/d.py", one),
            ("p/e.py", one),
            ("p/f.py", "print('x')\n"),
            ("scripts/g.py", "print('y')\n"),
        ];
        let found = patterns("logging", &sources);
        let told: Vec<(&str, &str, u32, u32)> = found
            .iter()
            .map(|one| {
                (
                    one.key.as_str(),
                    one.statement.as_str(),
                    one.support,
                    one.cases,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (
                    "logging/python/channel/logger",
                    "Log through `logging`; do not print.",
                    10,
                    11
                ),
                (
                    "logging/python/name/logger",
                    "Call the logger of a module or type `logger`.",
                    5,
                    5
                ),
            ]
        );
    }

    #[test]
    fn a_logger_of_the_projects_own_is_no_librarys() {
        let bridge = "import org.slf4j.LoggerFactory\nclass Slf4jLogger {}\n";
        let logs = "class Loader(val koin: Koin) {\n    fun start() {\n        koin.logger.debug(\"a\")\n        koin.logger.info(\"b\")\n    }\n}\n";
        let paths: Vec<String> = (0..6).map(|n| format!("core/src/Loader{n}.kt")).collect();
        let mut sources: Vec<(&str, &str)> =
            paths.iter().map(|path| (path.as_str(), logs)).collect();
        sources.push(("slf4j/src/Slf4jLogger.kt", bridge));
        let channel = patterns("logging", &sources);
        let channel = channel.iter().find(|one| one.key.contains("/channel/"));
        let title = channel.map(|one| one.title.as_str());
        assert_eq!(title, Some("Messages go to a logger"));
    }

    #[test]
    fn who_prints_is_not_told_to_log() {
        let prints = "def f():\n    print(1)\n".repeat(8);
        let logs = "import logging\nlogging.info('a')\nlog.info('b')\nlogger.info('c')\n";
        assert!(found("logging", &[("p/a.py", &prints), ("p/b.py", logs)]).is_empty());
    }

    #[test]
    fn rust_macros_belong_to_their_crate() {
        let source = format!(
            "use tracing::{{debug, info}};\nfn f() {{\n{}tracing::warn!(\"b\");\neprintln!(\"c\");\n}}\n",
            "info!(a = 1, \"b\");\n".repeat(8)
        );
        let found = patterns("logging", &[("src/a.rs", &source)]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].statement, "Log through `tracing`; do not print.");
        assert_eq!((found[0].support, found[0].cases), (9, 10));
    }

    #[test]
    fn go_logs_with_fields_or_with_formats() {
        let source = |call: &str| {
            format!(
                "package a\nimport \"log/slog\"\nfunc f(logger *slog.Logger) {{\n{}}}\n",
                format!("\tlogger.{call}(\"a\", \"k\", 1)\n").repeat(12)
            )
        };
        assert_eq!(
            found("logging", &[("a/a.go", &source("Info"))]),
            [
                "logging/go/channel/logger 12/12",
                "logging/go/form/structured 12/12"
            ]
        );
        assert_eq!(
            found("logging", &[("a/a.go", &source("Infof"))]),
            [
                "logging/go/channel/logger 12/12",
                "logging/go/form/formatted 12/12"
            ]
        );
    }

    #[test]
    fn a_console_is_for_printing() {
        let source = "import pino from 'pino';\nconst log = pino();\n".to_owned()
            + &"log.info('a');\n".repeat(9)
            + "console.log('b');\n";
        assert_eq!(
            found("logging", &[("src/a.ts", &source)]),
            ["logging/typescript/channel/logger 9/10"]
        );
        let console = "console.log('b');\n".repeat(9);
        assert!(found("logging", &[("src/a.ts", &console)]).is_empty());
    }
}
