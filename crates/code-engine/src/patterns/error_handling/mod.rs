//! Error handling and error types of the code. Tests are excluded, because failing loudly is right there.

mod types;

pub(super) use types::notes;

use super::super::facts::Sign;
use super::super::language::Language;
use super::{Answer, Case, Context, Pattern, Question, decide};

pub(super) const KIND: &str = "error_handling";

pub(super) fn find(context: &Context<'_>) -> Vec<Pattern> {
    let mut questions = questions(context);
    questions.extend(types::questions(context));
    decide(KIND, &questions)
}

fn questions<'a>(context: &Context<'a>) -> Vec<Question<'a>> {
    let mut questions = vec![
        signs(
            context,
            Language::Rust,
            "propagation",
            &[Sign::ErrorPropagated, Sign::ErrorUnwrapped],
            vec![
                Answer::rule(
                    "question-mark",
                    "Errors are handed up with `?`",
                    "Outside tests, hand errors up with `?` instead of calling `unwrap()` or `expect()`.",
                ),
                Answer::other("unwrap"),
            ],
        ),
        signs(
            context,
            Language::Python,
            "except",
            &[Sign::CatchSpecific, Sign::CatchBroad],
            vec![
                Answer::rule(
                    "specific",
                    "Handlers name the exceptions they catch",
                    "Name the exceptions in `except`; neither leave it bare nor catch `Exception`.",
                ),
                Answer::other("broad"),
            ],
        ),
        signs(
            context,
            Language::Python,
            "raise-from",
            &[Sign::RaiseChained, Sign::RaiseUnchained],
            vec![
                Answer::rule(
                    "chained",
                    "Exceptions raised in handlers have a `from`",
                    "Raise a new exception in a handler with `from`: its cause, or `None`.",
                ),
                Answer::other("unchained"),
            ],
        ),
        signs(
            context,
            Language::Go,
            "returned",
            &[
                Sign::ErrorWrapped,
                Sign::ErrorReturned,
                Sign::ErrorFormatted,
            ],
            vec![
                Answer::rule(
                    "wrapped",
                    "Errors are wrapped on the way up",
                    "Wrap an error that is returned, with `%w` or its like, and say what failed.",
                ),
                // Wrapping an error is never wrong, so the opposite is not recommended.
                Answer::other("as-they-are"),
                Answer::other("formatted"),
            ],
        ),
        signs(
            context,
            Language::Java,
            "catch",
            &[Sign::CatchSpecific, Sign::CatchBroad],
            vec![
                Answer::rule(
                    "specific",
                    "Handlers name the exceptions they catch",
                    "Catch the exceptions that can occur, not `Exception` or `Throwable`.",
                ),
                Answer::other("broad"),
            ],
        ),
    ];
    for stack in [Language::TypeScript, Language::JavaScript, Language::Java] {
        questions.push(signs(context, stack, "catch-body", &[Sign::CatchHandled, Sign::CatchEmpty], vec![
            Answer::rule(
                "handled",
                "Catch blocks are not empty",
                "Never leave a `catch` block empty: handle the error, or say in a comment why it may be dropped.",
            ),
            Answer::other("empty"),
        ]));
    }
    for stack in [Language::TypeScript, Language::JavaScript] {
        questions.push(signs(
            context,
            stack,
            "throw",
            &[Sign::ThrowNew, Sign::ThrowValue],
            vec![
                Answer::rule(
                    "error-object",
                    "What is thrown is an object made with `new`",
                    "Throw an error object (`throw new ...`), never a string or a plain value.",
                ),
                Answer::other("value"),
            ],
        ));
    }
    questions
}

/// A question whose cases are signs: each sign is the answer at its index.
fn signs<'a>(
    context: &Context<'a>,
    stack: Language,
    subject: &'static str,
    signs: &[Sign],
    answers: Vec<Answer>,
) -> Question<'a> {
    let mut cases = Vec::new();
    for file in context.source(stack) {
        for (answer, sign) in signs.iter().enumerate() {
            cases.extend(
                file.facts
                    .sign_lines(*sign)
                    .iter()
                    .map(|line| Case::line(file, *line, answer)),
            );
        }
    }
    Question {
        subject: subject.into(),
        stack,
        answers,
        cases,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::found;

    #[test]
    fn rust_propagates_outside_tests() {
        let source = "fn a() -> Result<(), E> { b()?; c()?; d()?; e()?; f()?; g()?; j()?; let h = i.unwrap(); Ok(()) }\n\
                      #[cfg(test)]\nmod tests { fn t() { a().unwrap(); a().unwrap(); a().unwrap(); a().unwrap(); } }\n";
        assert_eq!(
            found(
                "error_handling",
                &[
                    ("src/a.rs", source),
                    ("tests/b.rs", "fn t() { x().unwrap(); }\n")
                ]
            ),
            ["error_handling/rust/propagation/question-mark 7/8"]
        );
    }

    #[test]
    fn rust_that_unwraps_everywhere_is_not_advised_to() {
        let source = "fn a() { b().unwrap(); c().unwrap(); d().unwrap(); e().unwrap(); f().unwrap(); g().unwrap(); }\n";
        assert!(found("error_handling", &[("src/a.rs", source)]).is_empty());
    }

    #[test]
    fn python_handlers_catch_named_types_and_chain_exceptions() {
        let one = "    try:\n        f()\n    except (KeyError, os.error) as e:\n        raise AppError('x') from e\n";
        let source = format!(
            "def g():\n{}    try:\n        f()\n    except Exception:\n        raise\n",
            one.repeat(7)
        );
        assert_eq!(
            found("error_handling", &[("a.py", &source)]),
            [
                "error_handling/python/raise-from/chained 7/7",
                "error_handling/python/except/specific 7/8"
            ]
        );
    }

    #[test]
    fn go_errors_are_wrapped_or_returned_and_a_mixture_is_no_rule() {
        let wrapped = "func a() error {\n\tif err != nil {\n\t\treturn fmt.Errorf(\"a: %w\", err)\n\t}\n\treturn nil\n}\n".repeat(6);
        assert_eq!(
            found(
                "error_handling",
                &[("a.go", &format!("package a\n{wrapped}"))]
            ),
            ["error_handling/go/returned/wrapped 6/6"]
        );
        let bare = "func b() (int, error) {\n\treturn 0, err\n}\n".repeat(5);
        assert!(
            found(
                "error_handling",
                &[("a.go", &format!("package a\n{wrapped}{bare}"))]
            )
            .is_empty()
        );
    }

    #[test]
    fn script_catch_blocks_hold_something_and_errors_are_thrown() {
        let one = "try { a(); } catch (e) { log(e); }\ntry { a(); } catch { /* not there: fine */ }\nthrow new Error('x');\n";
        let source = format!(
            "{}try {{ a(); }} catch (e) {{}}\nthrow 'text';\nthrow e;\n",
            one.repeat(7)
        );
        assert_eq!(
            found("error_handling", &[("a.ts", &source)]),
            [
                "error_handling/typescript/catch-body/handled 14/15",
                "error_handling/typescript/throw/error-object 7/8"
            ]
        );
    }

    #[test]
    fn java_catches_what_can_occur() {
        let one = "try { a(); } catch (IOException | java.net.URISyntaxException e) { log(e); }\n";
        let source = format!(
            "class A {{ void f() {{ {} try {{ a(); }} catch (Throwable t) {{ }} }} }}\n",
            one.repeat(7)
        );
        assert_eq!(
            found("error_handling", &[("src/A.java", &source)]),
            [
                "error_handling/java/catch/specific 7/8",
                "error_handling/java/catch-body/handled 7/8"
            ]
        );
    }
}
