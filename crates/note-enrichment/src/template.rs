//! The template engine: minijinja, configured so that a missing variable is an error instead of an empty text.
//!
//! A template is written by us or by a member. The values it prints (a note, a memory entry, code) are data and never
//! interpreted as a template: `{{ … }}` in a note is printed literally.
//!
//! ```
//! use nyxcore_note_enrichment::template::{Templates, Variables};
//!
//! let templates = Templates::new();
//! let variables = Variables { input: "Renew {{ leases }}".into(), ..Variables::default() };
//! assert_eq!(templates.render("Note: {{ input }}", &variables)?, "Note: Renew {{ leases }}");
//! assert!(templates.render("{{ docs }}", &variables).is_err());
//! # Ok::<(), nyxcore_note_enrichment::template::TemplateError>(())
//! ```

use std::fmt;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Environment, UndefinedBehavior, context};

use crate::markdown;

/// A template that cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// The problem with its line; it quotes no data.
    pub message: String,
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
        let line = error
            .line()
            .map(|line| format!(" (line {line})"))
            .unwrap_or_default();
        let what = error.detail().map_or_else(
            || error.kind().to_string(),
            |detail| format!("{}: {detail}", error.kind()),
        );
        Self {
            message: format!("{what}{line}"),
        }
    }
}

/// A piece of knowledge as a template sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// By which it is cited: `[1]`.
    pub number: usize,
    /// What it is, for people: "Memory entry".
    pub kind: &'static str,
    /// Its title.
    pub title: String,
    /// What it says, or the part of it that matters.
    pub text: String,
    /// What else to know of it at a glance: "pain point, high".
    pub label: Option<String>,
    /// What to do about it.
    pub suggestion: Option<String>,
    /// Where it is: `src/lease.rs:12-30`.
    pub place: Option<String>,
    /// Whether it is that place and nothing more, as code is.
    pub is_place: bool,
    /// The language of its text, where that is code.
    pub language: Option<String>,
}

impl Object for Item {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "number" => self.number.into(),
            "kind" => self.kind.into(),
            "title" => self.title.as_str().into(),
            "text" => self.text.as_str().into(),
            "label" => self.label.as_deref().into(),
            "suggestion" => self.suggestion.as_deref().into(),
            "place" => self.place.as_deref().into(),
            "is_place" => self.is_place.into(),
            "language" => self.language.as_deref().into(),
            _ => return None,
        })
    }
}

/// A list of knowledge: `{% for %}` walks it, and printed as it is it reads as a list in markdown.
#[derive(Debug)]
struct Items(Vec<Arc<Item>>);

impl Items {
    fn value<'a>(items: impl IntoIterator<Item = &'a Item>) -> Value {
        Value::from_object(Self(items.into_iter().cloned().map(Arc::new).collect()))
    }
}

impl Object for Items {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let item = self.0.get(key.as_usize()?)?;
        Some(Value::from_dyn_object(Arc::clone(item)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            let title = markdown::inline(&item.title);
            let text = markdown::inline(&item.text);
            write!(f, "{newline}- {title}: {text} [{}]", item.number)?;
        }
        Ok(())
    }
}

/// What a template may name. Steps and documents come with the workflows that have them.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// `{{ input }}`: the text that is worked on.
    pub input: String,
    /// `{{ project.name }}`.
    pub project_name: String,
    /// `{{ project.patterns }}`; together with the insights they are `{{ project.wisdom }}`.
    pub patterns: Vec<Item>,
    /// `{{ project.insights }}`.
    pub insights: Vec<Item>,
    /// `{{ memory }}`: memory entries.
    pub memory: Vec<Item>,
    /// `{{ consolidations }}`: consolidation patterns.
    pub consolidations: Vec<Item>,
    /// `{{ code }}`: pieces of source files.
    pub code: Vec<Item>,
}

impl Variables {
    /// All knowledge in the order of its numbers: `{{ references }}`.
    fn references(&self) -> Vec<&Item> {
        let lists = [
            &self.patterns,
            &self.insights,
            &self.memory,
            &self.consolidations,
            &self.code,
        ];
        let mut all: Vec<&Item> = lists.into_iter().flatten().collect();
        all.sort_by_key(|item| item.number);
        all
    }

    fn value(&self) -> Value {
        let project = context! {
            name => self.project_name.as_str(),
            patterns => Items::value(&self.patterns),
            insights => Items::value(&self.insights),
            wisdom => Items::value(self.patterns.iter().chain(&self.insights)),
        };
        context! {
            input => self.input.as_str(),
            project,
            memory => Items::value(&self.memory),
            consolidations => Items::value(&self.consolidations),
            code => Items::value(&self.code),
            references => Items::value(self.references()),
        }
    }
}

/// The engine.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// An engine with the filters `inline` (a text on one line, its markup escaped), `fence` (a block of code, with its
    /// language) and `code_span` (a path). Templates cannot include others or read files.
    #[must_use]
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(block_lines());
        environment.add_filter("inline", |text: String| markdown::inline(&text));
        environment.add_filter("fence", |text: String, language: Option<String>| {
            markdown::fence(&text, language.as_deref())
        });
        environment.add_filter("code_span", |text: String| markdown::code_span(&text));
        Self { environment }
    }

    /// Renders a template.
    ///
    /// # Errors
    /// The template is malformed, or names a variable that is not there.
    pub fn render(&self, template: &str, variables: &Variables) -> Result<String, TemplateError> {
        Ok(self.environment.render_str(template, variables.value())?)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: usize, title: &str, text: &str) -> Item {
        Item {
            number,
            title: title.to_owned(),
            text: text.to_owned(),
            ..Item::default()
        }
    }

    fn render(template: &str) -> Result<String, TemplateError> {
        let variables = Variables {
            input: "{{ memory }} {% raise %}".into(),
            project_name: "Atlas".into(),
            patterns: vec![item(1, "Naming", "Functions are snake_case.")],
            insights: vec![item(2, "Leases", "They\nexpire.")],
            memory: vec![item(3, "{{ input }}", "*A letter*")],
            ..Variables::default()
        };
        Templates::new().render(template, &variables)
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
    fn what_is_not_there_is_an_error_with_its_line() {
        for template in [
            "{{ docs }}",
            "{{ project.secrets }}",
            "{{ memory[0].nothing }}",
            "{% include 'x' %}",
        ] {
            let error = render(&format!("fine\n{template}")).unwrap_err();
            assert_eq!(error.code(), "TEMPLATE_INVALID");
            assert!(error.message.ends_with("(line 2)"), "{template}: {error}");
        }
        assert!(render("{% for %}").is_err());
    }
}
