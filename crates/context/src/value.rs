//! The variables as minijinja values. In a prompt, data prints between its markers; in Markdown, it prints escaped.

use std::fmt;
use std::sync::Arc;

use minijinja::context;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

use crate::boundary::{boundary, fenced};
use crate::markdown;
use crate::piece::Section;
use crate::variables::{Item, Items, Variables};

/// The kind of text that a template produces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    /// Text for a model: data stands between markers.
    Prompt,
    /// Markdown for people: data is escaped.
    Markdown,
}

/// How data is printed.
#[derive(Debug)]
pub(crate) struct Printer {
    surface: Surface,
    boundary: String,
}

/// An untrusted text: data and no instruction.
#[derive(Debug)]
pub(crate) struct DataText {
    pub(crate) text: String,
    /// The kind of data, which its marker names.
    kind: String,
    printer: Arc<Printer>,
}

impl DataText {
    fn value(text: &str, kind: &str, printer: &Arc<Printer>) -> Value {
        Value::from_object(Self {
            text: text.to_owned(),
            kind: kind.to_owned(),
            printer: Arc::clone(printer),
        })
    }
}

impl Object for DataText {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.text.is_empty()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self.printer.surface {
            Surface::Prompt => fenced(&self.printer.boundary, &[("kind", &self.kind)], &self.text),
            Surface::Markdown => markdown::inline(&self.text),
        })
    }
}

/// An [`Item`] of knowledge, as a template value.
#[derive(Debug)]
struct ItemValue {
    item: Item,
    printer: Arc<Printer>,
}

impl ItemValue {
    fn write(&self) -> String {
        let item = &self.item;
        if self.printer.surface == Surface::Markdown {
            let (title, text) = (markdown::inline(&item.title), markdown::inline(&item.text));
            return format!("- {title}: {text} [{}]", item.number);
        }
        let number = item.number.to_string();
        let mut attributes = vec![("number", number.as_str()), ("kind", item.kind)];
        let optional = [
            ("place", item.place.as_deref()),
            (
                "title",
                Some(item.title.as_str()).filter(|_| !item.is_place),
            ),
            ("label", item.label.as_deref()),
            ("suggestion", item.suggestion.as_deref()),
        ];
        for (name, value) in optional {
            attributes.extend(
                value
                    .filter(|value| !value.is_empty())
                    .map(|value| (name, value)),
            );
        }
        fenced(&self.printer.boundary, &attributes, &item.text)
    }
}

impl Object for ItemValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let item = &self.item;
        let data = |text: &str| DataText::value(text, item.kind, &self.printer);
        let optional = |text: &Option<String>| text.as_deref().map_or(Value::from(()), data);
        Some(match key.as_str()? {
            "number" => item.number.into(),
            "kind" => item.kind.into(),
            "title" => data(&item.title),
            "text" => data(&item.text),
            "label" => optional(&item.label),
            "suggestion" => optional(&item.suggestion),
            "place" => optional(&item.place),
            "is_place" => item.is_place.into(),
            "language" => optional(&item.language),
            _ => return None,
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.write())
    }
}

/// A list of items of knowledge: `{% for %}` iterates over it. In a prompt it also prints how many items were left out,
/// or that it is empty.
#[derive(Debug)]
struct ItemsValue {
    items: Vec<Arc<ItemValue>>,
    omitted: usize,
    printer: Arc<Printer>,
}

impl ItemsValue {
    fn value<'a>(
        items: impl IntoIterator<Item = &'a Item>,
        omitted: usize,
        printer: &Arc<Printer>,
    ) -> Value {
        let item = |item: &Item| {
            Arc::new(ItemValue {
                item: item.clone(),
                printer: Arc::clone(printer),
            })
        };
        Value::from_object(Self {
            items: items.into_iter().map(item).collect(),
            omitted,
            printer: Arc::clone(printer),
        })
    }
}

impl Object for ItemsValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let item = self.items.get(key.as_usize()?)?;
        Some(Value::from_dyn_object(Arc::clone(item)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.items.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = self.items.iter().map(|item| item.write()).collect();
        if self.printer.surface == Surface::Prompt {
            if lines.is_empty() {
                lines.push("(empty: nothing was found)".to_owned());
            }
            if self.omitted > 0 {
                lines.push(format!("({} more were found and left out)", self.omitted));
            }
        }
        f.write_str(&lines.join("\n"))
    }
}

/// The variables for a surface. The variable `wisdom` has the code patterns and the insights of the project.
pub(crate) fn value(variables: &Variables, surface: Surface) -> Value {
    let texts = variables.texts();
    let boundary = boundary(texts.into_iter());
    let printer = Arc::new(Printer {
        surface,
        boundary: boundary.clone(),
    });
    let empty = Items::default();
    let of = |section: Section| variables.sections.get(&section).unwrap_or(&empty);
    let list = |section: Section| {
        let section = of(section);
        ItemsValue::value(&section.items, section.omitted, &printer)
    };
    let (patterns, insights) = (of(Section::CodePatterns), of(Section::Insights));
    let wisdom = ItemsValue::value(
        patterns.items.iter().chain(&insights.items),
        patterns.omitted + insights.omitted,
        &printer,
    );
    let persona = variables.persona.as_ref().map(|persona| {
        context! {
            name => persona.name.as_str(),
            description => persona.description.as_str(),
            prompt => persona.prompt.as_str(),
            traits => persona.traits.clone(),
        }
    });
    let steps: Value = variables
        .steps
        .iter()
        .map(|(name, step)| {
            let data = |text: &str| DataText::value(text, "Step", &printer);
            let step = context! { content => data(&step.content), digest => data(&step.digest) };
            (name.clone(), step)
        })
        .collect();
    context! {
        input => DataText::value(&variables.input, "Input", &printer),
        project => context! {
            name => project_name(&variables.project_name, surface),
            wisdom,
        },
        memory => list(Section::Memory),
        insights => list(Section::Insights),
        consolidations => list(Section::Consolidations),
        code_patterns => list(Section::CodePatterns),
        documents => list(Section::Documents),
        code => list(Section::Code),
        references => ItemsValue::value(variables.references(), 0, &printer),
        persona => persona.unwrap_or(Value::from(())),
        steps,
        boundary,
    }
}

/// The project's name. It stands within a sentence: quoted in a prompt, escaped in Markdown.
fn project_name(name: &str, surface: Surface) -> String {
    match surface {
        Surface::Prompt => format!("\"{}\"", crate::boundary::attribute(name)),
        Surface::Markdown => markdown::inline(name),
    }
}
