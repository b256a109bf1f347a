//! Asynchronous and concurrent style: `await` or promise chains, the runtime, and threads or tasks.

use super::super::facts::Definition;
use super::super::language::Language;
use super::super::project::SourceFile;
use super::super::references::{Reference, ReferenceKind};
use super::{Answer, Case, Context, Pattern, Question, calls, decide, is_module};

pub(super) const KIND: &str = "async_style";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    decide(
        KIND,
        &[
            promises(context, Language::TypeScript),
            promises(context, Language::JavaScript),
            python_library(context),
            rust_spawn(context),
            rust_locks(context),
            go_wait(context),
            java_threads(context),
            csharp_names(context),
            kotlin_suspend(context),
        ],
    )
}

pub(super) fn notes(stack: Language, one: &Reference<'_>) -> bool {
    match stack {
        Language::TypeScript | Language::JavaScript => one.name() == "then",
        Language::Rust => spawned_by(one.path).is_some(),
        Language::Go => awaited_by(one).is_some(),
        Language::Java => run_by(one.path).is_some(),
        Language::Kotlin => matches!(one.path, "Thread" | "thread"),
        _ => false,
    }
}

/// The asynchronous functions of a file's source.
fn asynchronous(file: &SourceFile) -> impl Iterator<Item = &Definition> {
    let definitions = file.facts.definitions.iter();
    definitions.filter(|one| one.asynchronous && !one.test)
}

fn whole<'a>(file: &'a SourceFile, one: &Definition, answer: usize) -> Case<'a> {
    Case {
        file,
        start_line: one.start_line,
        end_line: one.end_line,
        answer,
    }
}

fn promises<'a>(context: &Context<'a>, stack: Language) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "await",
            "Promises are awaited",
            "Write asynchronous code with `async` and `await`, not with chains of `.then()`.",
        ),
        Answer::other("then"),
    ];
    let mut cases = Vec::new();
    for file in context.source(stack) {
        cases.extend(asynchronous(file).map(|one| whole(file, one, 0)));
        for one in calls(file, false).filter(|one| one.name() == "then") {
            cases.extend(one.lines().map(|line| Case::line(file, line, 1)));
        }
    }
    Question {
        subject: "promises".into(),
        stack,
        answers,
        cases,
    }
}

/// Which of several libraries each file imports; a file that imports two of them gives two cases.
fn by_import<'a>(
    files: impl Iterator<Item = &'a SourceFile>,
    libraries: &[&[&str]],
) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for file in files {
        for (answer, modules) in libraries.iter().enumerate() {
            let mut imports = file.facts.imports.iter().filter(|import| !import.test);
            let found =
                imports.find(|import| modules.iter().any(|one| is_module(&import.module, one)));
            cases.extend(found.map(|import| Case::line(file, import.line, answer)));
        }
    }
    cases
}

fn python_library<'a>(context: &Context<'a>) -> Question<'a> {
    let rule = |name: &'static str| {
        Answer::rule(
            name,
            format!("Asynchronous code is written for `{name}`"),
            format!("Write asynchronous code with `{name}`, not with another library for it."),
        )
    };
    let answers = ["asyncio", "anyio", "trio", "gevent", "twisted"]
        .map(rule)
        .into();
    let cases = by_import(
        context.source(Language::Python),
        &[
            &["asyncio"],
            &["anyio"],
            &["trio"],
            &["gevent"],
            &["twisted"],
        ],
    );
    Question {
        subject: "library".into(),
        stack: Language::Python,
        answers,
        cases,
    }
}

/// The library that runs concurrent work in Rust, as the index of its answer.
fn spawned_by(path: &str) -> Option<usize> {
    match path {
        "tokio.spawn"
        | "tokio.task.spawn"
        | "task.spawn"
        | "tokio.task.spawn_blocking"
        | "task.spawn_blocking" => Some(0),
        "thread.spawn" | "std.thread.spawn" | "thread.scope" | "std.thread.scope"
        | "crossbeam.scope" => Some(1),
        "smol.spawn" | "async_std.task.spawn" | "rayon.spawn" => Some(2),
        _ => None,
    }
}

fn rust_spawn<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "tokio",
            "Asynchronous work is spawned as tasks of tokio",
            "Run work beside other work as a task of tokio (`tokio::spawn`, `JoinSet`), not on a thread of its own.",
        ),
        Answer::rule(
            "threads",
            "Concurrent work runs on threads",
            "Run work beside other work on threads (`std::thread`).",
        ),
        Answer::other("other"),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Rust) {
        for one in calls(file, false) {
            let Some(answer) = spawned_by(one.path) else {
                continue;
            };
            cases.extend(one.lines().map(|line| Case::line(file, line, answer)));
        }
    }
    Question {
        subject: "spawn".into(),
        stack: Language::Rust,
        answers,
        cases,
    }
}

fn rust_locks<'a>(context: &Context<'a>) -> Question<'a> {
    let rule = |slug: &'static str, of: &str| {
        Answer::rule(
            slug,
            format!("Locks are those of `{of}`"),
            format!("Use `Mutex` and `RwLock` of `{of}`."),
        )
    };
    let answers = vec![
        rule("std", "std::sync"),
        rule("parking_lot", "parking_lot"),
        rule("tokio", "tokio::sync"),
        Answer::other("other"),
    ];
    let is_lock =
        |name: &str| matches!(name, "Mutex" | "RwLock" | "MutexGuard" | "RwLockReadGuard");
    let mut cases = Vec::new();
    for file in context.source(Language::Rust) {
        for import in file.facts.imports.iter().filter(|import| !import.test) {
            let (of, last) = import
                .module
                .rsplit_once("::")
                .unwrap_or(("", &import.module));
            let of = match () {
                () if is_lock(last) => of,
                () if import.names.split(',').any(|name| is_lock(name.trim())) => &import.module,
                () => continue,
            };
            let answer = match of {
                "std::sync" => 0,
                "parking_lot" => 1,
                "tokio::sync" => 2,
                // The project's own locks, mostly so that tests can replace them.
                _ => 3,
            };
            cases.push(Case::line(file, import.line, answer));
        }
    }
    Question {
        subject: "locks".into(),
        stack: Language::Rust,
        answers,
        cases,
    }
}

/// How goroutines are awaited, as the index of the answer.
fn awaited_by(one: &Reference<'_>) -> Option<usize> {
    match (one.path, one.kind) {
        ("errgroup.WithContext", _) | ("errgroup.Group", _) => Some(0),
        ("sync.WaitGroup", ReferenceKind::Type | ReferenceKind::Call) => Some(1),
        _ => None,
    }
}

fn go_wait<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "errgroup",
            "Goroutines are awaited by an `errgroup`",
            "Start goroutines that belong together in an `errgroup.Group`, and return what it waits for.",
        ),
        Answer::rule(
            "wait-group",
            "Goroutines are awaited by a `sync.WaitGroup`",
            "Wait for goroutines that belong together with a `sync.WaitGroup`.",
        ),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Go) {
        let mut places = [None::<u32>; 2];
        for one in file.noted().filter(|one| !one.test) {
            let Some(answer) = awaited_by(&one) else {
                continue;
            };
            let place = &mut places[answer];
            *place = Some(place.map_or(one.line(), |line| line.min(one.line())));
        }
        for (answer, line) in places.into_iter().enumerate() {
            cases.extend(line.map(|line| Case::line(file, line, answer)));
        }
    }
    Question {
        subject: "goroutines".into(),
        stack: Language::Go,
        answers,
        cases,
    }
}

/// The library that runs concurrent work in Java, as the index of its answer.
fn run_by(path: &str) -> Option<usize> {
    match path {
        "Thread" => Some(1),
        _ if path.starts_with("Executors.")
            || path.starts_with("CompletableFuture.")
            || path.to_ascii_lowercase().ends_with("executor.execute")
            || path.to_ascii_lowercase().ends_with("executor.submit") =>
        {
            Some(0)
        }
        _ => None,
    }
}

fn java_threads<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "executor",
            "Concurrent work is given to executors",
            "Give work to an executor or a `CompletableFuture`; do not start a `Thread` for it.",
        ),
        Answer::other("thread"),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Java) {
        for one in calls(file, false) {
            let Some(answer) = run_by(one.path) else {
                continue;
            };
            cases.extend(one.lines().map(|line| Case::line(file, line, answer)));
        }
    }
    Question {
        subject: "threads".into(),
        stack: Language::Java,
        answers,
        cases,
    }
}

fn csharp_names<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "suffix",
            "Asynchronous methods end with `Async`",
            "End the name of an asynchronous method with `Async`.",
        ),
        Answer::rule(
            "plain",
            "Asynchronous methods have plain names",
            "Name an asynchronous method as any other, without `Async` at the end.",
        ),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::CSharp) {
        let found = asynchronous(file).filter(|one| !one.dictated && one.name != "Main");
        cases.extend(found.map(|one| whole(file, one, usize::from(!one.name.ends_with("Async")))));
    }
    Question {
        subject: "names".into(),
        stack: Language::CSharp,
        answers,
        cases,
    }
}

fn kotlin_suspend<'a>(context: &Context<'a>) -> Question<'a> {
    let answers = vec![
        Answer::rule(
            "suspend",
            "Asynchronous code suspends",
            "Write asynchronous code as `suspend` functions, not on threads of its own.",
        ),
        Answer::other("thread"),
    ];
    let mut cases = Vec::new();
    for file in context.source(Language::Kotlin) {
        cases.extend(asynchronous(file).map(|one| whole(file, one, 0)));
        for one in calls(file, false).filter(|one| matches!(one.path, "Thread" | "thread")) {
            cases.extend(one.lines().map(|line| Case::line(file, line, 1)));
        }
    }
    Question {
        subject: "suspend".into(),
        stack: Language::Kotlin,
        answers,
        cases,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::found;

    #[test]
    fn promises_are_awaited_or_chained() {
        let functions: String = (0..7)
            .map(|n| format!("export async function f{n}() {{ await g(); }}\n"))
            .collect();
        let chain = "g().then(() => 1);\n";
        assert_eq!(
            found(
                "async_style",
                &[("src/a.ts", &format!("{functions}{chain}"))]
            ),
            ["async_style/typescript/promises/await 7/8"]
        );
        let chains = chain.repeat(7);
        assert!(
            found(
                "async_style",
                &[("src/a.ts", &format!("{functions}{chains}"))]
            )
            .is_empty()
        );
    }

    #[test]
    fn python_is_written_for_one_library() {
        let names: Vec<String> = (0..5).map(|n| format!("p/m{n}.py")).collect();
        let of = |source: &'static str| -> Vec<(&str, &str)> {
            names.iter().map(|name| (name.as_str(), source)).collect()
        };
        assert_eq!(
            found("async_style", &of("import anyio\nfrom anyio import abc\n")),
            ["async_style/python/library/anyio 5/5"]
        );
        assert!(found("async_style", &of("import anyio\nimport asyncio\n")).is_empty());
    }

    #[test]
    fn rust_runs_tasks_or_threads() {
        let tasks = "fn f() { tokio::spawn(async {}); }\n".repeat(6);
        assert_eq!(
            found("async_style", &[("src/a.rs", &tasks)]),
            ["async_style/rust/spawn/tokio 6/6"]
        );
        let threads = "fn g() { std::thread::spawn(|| {}); }\n".repeat(4);
        assert!(found("async_style", &[("src/a.rs", &format!("{tasks}{threads}"))]).is_empty());
    }

    #[test]
    fn rust_locks_are_of_one_library_and_not_the_projects_own() {
        let names: Vec<String> = (0..6).map(|n| format!("src/m{n}.rs")).collect();
        let of = |source: &'static str| {
            let files: Vec<(&str, &str)> =
                names.iter().map(|name| (name.as_str(), source)).collect();
            found("async_style", &files)
        };
        assert_eq!(
            of("use std::sync::{Arc, Mutex};\n"),
            ["async_style/rust/locks/std 6/6"]
        );
        assert!(of("use crate::sync::Mutex;\n").is_empty());
    }

    #[test]
    fn go_waits_for_goroutines_in_one_way() {
        let names: Vec<String> = (0..5).map(|n| format!("p/m{n}.go")).collect();
        let of = |source: &'static str| -> Vec<(&str, &str)> {
            names.iter().map(|name| (name.as_str(), source)).collect()
        };
        let group = "package p\nfunc f() {\n\tvar wg sync.WaitGroup\n\twg.Wait()\n}\n";
        assert_eq!(
            found("async_style", &of(group)),
            ["async_style/go/goroutines/wait-group 5/5"]
        );
        assert!(found("async_style", &of("package p\nfunc f() {}\n")).is_empty());
    }

    #[test]
    fn java_gives_work_to_executors() {
        let source = |calls: &str| format!("class A {{ void f() {{ {calls} }} }}\n");
        let executors = "executor.submit(x); ".repeat(6);
        assert_eq!(
            found("async_style", &[("src/A.java", &source(&executors))]),
            ["async_style/java/threads/executor 6/6"]
        );
        let threads = "new Thread(x).start(); ".repeat(6);
        assert!(found("async_style", &[("src/A.java", &source(&threads))]).is_empty());
    }
}
