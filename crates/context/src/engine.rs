//! The template engine: minijinja without its built-in functions, with strict variables and with limits.

use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, filters};

use crate::markdown;
use crate::value::{DataText, Surface, value};
use crate::variables::Variables;

/// The most instructions that one rendering may take. A rule of this project: a built-in template takes some hundreds
/// for each piece.
pub const FUEL: u64 = 200_000;
/// The most bytes that one rendering may produce. A rule of this project: more text than the context windows of 2026
/// hold.
pub const OUTPUT_BYTES_MAX: usize = 4_000_000;

/// A template that cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// The problem with its line; it quotes no data.
    pub message: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
}

impl TemplateError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "TEMPLATE_INVALID"
    }
}

impl From<minijinja::Error> for TemplateError {
    fn from(error: minijinja::Error) -> Self {
        let line = error.line();
        let shown = line
            .map(|line| format!(" (line {line})"))
            .unwrap_or_default();
        let what = match (error.kind(), error.detail()) {
            (ErrorKind::OutOfFuel, _) => format!("the template takes more than {FUEL} steps"),
            (ErrorKind::WriteFailure, _) => {
                format!("the template makes more than {OUTPUT_BYTES_MAX} bytes")
            }
            (kind, Some(detail)) => format!("{kind}: {detail}"),
            (kind, None) => kind.to_string(),
        };
        Self {
            message: format!("{what}{shown}"),
            line,
        }
    }
}

/// The engine for one surface. A template cannot include another, read a file, or make a text longer than the limits.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    surface: Surface,
}

impl Templates {
    /// Texts for models: data prints between markers.
    #[must_use]
    pub fn prompt() -> Self {
        Self {
            environment: environment(),
            surface: Surface::Prompt,
        }
    }

    /// Markdown for people: data prints escaped. There are the filters `inline` (a text on one line), `fence` (a block
    /// of code, with its language) and `code_span` (a path).
    #[must_use]
    pub fn markdown() -> Self {
        let mut environment = environment();
        environment.add_filter("inline", |text: &Value| markdown::inline(&raw(text)));
        environment.add_filter("fence", |text: &Value, language: Option<Value>| {
            let language = language.filter(|language| !language.is_none());
            let language = language.as_ref().map(raw);
            markdown::fence(&raw(text), language.as_deref())
        });
        environment.add_filter("code_span", |text: &Value| markdown::code_span(&raw(text)));
        Self {
            environment,
            surface: Surface::Markdown,
        }
    }

    /// Renders a template.
    ///
    /// # Errors
    /// The template is malformed, names an unknown variable, or exceeds [`FUEL`] or [`OUTPUT_BYTES_MAX`].
    pub fn render(&self, template: &str, variables: &Variables) -> Result<String, TemplateError> {
        let template = self.environment.template_from_str(template)?;
        let mut output = Bounded(Vec::new());
        template.render_captured_to(value(variables, self.surface), &mut output)?;
        String::from_utf8(output.0).map_err(|_| TemplateError {
            message: "the template makes no text".to_owned(),
            line: None,
        })
    }

    /// The names that a template uses and does not define itself, as in `project.wisdom`.
    pub(crate) fn names(&self, template: &str) -> Result<Vec<String>, TemplateError> {
        let template = self.environment.template_from_str(template)?;
        let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        names.sort_unstable();
        Ok(names)
    }
}

/// The environment of a template: no function, and only filters whose output is not longer than their input.
fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(false);
    environment.set_syntax(block_lines());
    environment.add_filter("length", filters::length);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("list_words", |words: Vec<String>| words.join(", "));
    environment
}

/// The text of a value; data without its markers.
fn raw(value: &Value) -> String {
    match value.downcast_object_ref::<DataText>() {
        Some(data) => data.text.clone(),
        None => value.to_string(),
    }
}

/// A line that holds a block tag alone leaves nothing behind.
fn block_lines() -> SyntaxConfig {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .unwrap_or_default()
}

/// A buffer of at most [`OUTPUT_BYTES_MAX`] bytes.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::piece::Section;
    use crate::variables::{Item, Items};

    fn item(number: usize, title: &str, text: &str) -> Items {
        let item = Item {
            number,
            title: title.to_owned(),
            text: text.to_owned(),
            ..Item::default()
        };
        Items {
            items: vec![item],
            omitted: 0,
        }
    }

    fn variables() -> Variables {
        let mut variables = Variables {
            input: "{{ memory }} {% raise %}".into(),
            project_name: "Atlas".into(),
            ..Variables::default()
        };
        let sections = [
            (
                Section::CodePatterns,
                item(1, "Naming", "Functions are snake_case."),
            ),
            (Section::Insights, item(2, "Leases", "They\nexpire.")),
            (Section::Memory, item(3, "{{ input }}", "*A letter*")),
        ];
        variables.sections.extend(sections);
        variables
    }

    fn render(template: &str) -> Result<String, TemplateError> {
        Templates::markdown().render(template, &variables())
    }

    #[test]
    fn a_list_prints_as_markdown_and_can_be_walked() {
        assert_eq!(
            render("{{ project.wisdom }}").unwrap(),
            "- Naming: Functions are snake_case. [1]\n- Leases: They expire. [2]"
        );
        assert_eq!(
            render("{% for item in references %}{{ item.number }}{{ item.title }} {% endfor %}")
                .unwrap(),
            "1Naming 2Leases 3{{ input }} "
        );
        assert_eq!(
            render("{{ consolidations }}|{% if code %}some{% endif %}").unwrap(),
            "|"
        );
    }

    #[test]
    fn data_is_never_a_template() {
        assert_eq!(render("{{ input }}").unwrap(), "{{ memory }} {% raise %}");
        assert_eq!(
            render("{{ memory }}").unwrap(),
            "- {{ input }}: \\*A letter\\* [3]"
        );
    }

    #[test]
    fn a_prompt_says_that_a_section_is_empty() {
        let text = Templates::prompt()
            .render("{{ code }}", &variables())
            .unwrap();
        assert_eq!(text, "(empty: nothing was found)");
    }

    #[test]
    fn a_prompt_marks_every_piece_of_data() {
        let text = Templates::prompt()
            .render("{{ boundary }}\n{{ memory }}\n{% for item in insights %}{{ item.text }}{% endfor %}", &variables())
            .unwrap();
        let boundary = text.lines().next().unwrap();
        assert_eq!(text.matches(&format!("</{boundary}>")).count(), 2, "{text}");
        assert!(text.contains(&format!(
            "<{boundary} number=\"3\" kind=\"\" title=\"{{{{ input }}}}\">\n*A letter*\n</{boundary}>"
        )), "{text}");
    }

    #[test]
    fn what_is_not_there_is_an_error_with_its_line() {
        for template in [
            "{{ docs }}",
            "{{ project.secrets }}",
            "{{ memory[0].nothing }}",
            "{% include 'x' %}",
            "{{ range(3) }}",
            "{{ input | replace('a', 'b') }}",
        ] {
            let error = render(&format!("fine\n{template}")).unwrap_err();
            assert_eq!(error.code(), "TEMPLATE_INVALID");
            assert_eq!(error.line, Some(2), "{template}: {error}");
        }
        assert!(render("{% for %}").is_err());
    }

    #[test]
    fn a_template_that_runs_too_long_is_stopped() {
        let mut variables = Variables::default();
        let many = Items {
            items: vec![Item::default(); 100],
            omitted: 0,
        };
        variables.sections.insert(Section::Code, many);
        let nested = "{% for a in code %}".repeat(5) + "x" + &"{% endfor %}".repeat(5);
        let error = Templates::prompt().render(&nested, &variables).unwrap_err();
        assert!(error.message.contains("steps"), "{error}");
    }

    #[test]
    fn a_template_that_makes_too_much_is_stopped() {
        let variables = Variables {
            input: "x".repeat(1_000_000),
            ..Variables::default()
        };
        let error = Templates::prompt()
            .render(&"{{ input }}".repeat(5), &variables)
            .unwrap_err();
        assert!(error.message.contains("bytes"), "{error}");
    }
}
