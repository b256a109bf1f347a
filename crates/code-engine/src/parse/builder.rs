//! Collects the facts of one file during the parser's walk: the open functions and types, and the counters.
//!
//! Longer than 450 lines: the builder is one object that all parsers write to.

use std::borrow::Cow;

use super::super::facts::{
    Definition, DefinitionKind, FileFacts, FunctionMetrics, Import, ImportStyle, Sign,
};
use super::super::lines::{LineIndex, line_counts, line_kinds};
use super::super::references::{ReferenceCollector, ReferenceKind};
use super::super::texts::Texts;
use super::super::tokens::ImportLine;
use super::super::windows::Windows;
use super::todo_offsets;

/// A function that is being walked.
#[derive(Debug)]
struct OpenFunction {
    /// Its place in the definitions; `None` for a function without a name.
    definition: Option<usize>,
    cyclomatic: u32,
    cognitive: u32,
    /// How deep control flow is nested here, as cognitive complexity counts it.
    flow: u32,
    nesting: u32,
    deepest: u32,
    parameters: u32,
    length: u32,
    /// The logical operators of the open condition: where, and which.
    operators: Vec<(u32, LogicalOperator)>,
}

/// The most decorators that are kept of one definition, and the longest name of one, in bytes.
const DECORATORS_CAP: usize = 16;
const NAME_CAP: usize = 120;

/// The most that is kept of the names of one import, in bytes.
const IMPORT_NAMES_CAP: usize = 1 << 14;

/// A logical operator, as far as cognitive complexity distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogicalOperator {
    And,
    Or,
    /// `??`, `?:` and their like, which are shorthand and cost nothing.
    Coalesce,
}

/// The builder. Offsets are bytes into the text.
#[derive(Debug)]
pub(crate) struct Builder<'s> {
    pub text: &'s str,
    index: LineIndex,
    facts: FileFacts,
    functions: Vec<OpenFunction>,
    /// Names of the types and modules that are open, innermost last; `None` ends the reach of those before it.
    containers: Vec<Option<String>>,
    comments: Vec<(u32, u32)>,
    /// How many enclosing nodes are test code.
    test_depth: u32,
    references: ReferenceCollector<'s>,
    /// The last requested line, with its start: the next request is usually near.
    near: (u32, u32),
}

/// What a definition is reported with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewDefinition<'n> {
    pub kind: DefinitionKind,
    pub name: &'n str,
    pub start: u32,
    pub end: u32,
    pub exported: bool,
    pub documented: bool,
    pub test: bool,
    pub dictated: bool,
}

impl<'s> Builder<'s> {
    pub(crate) fn new(text: &'s str) -> Builder<'s> {
        Builder {
            text,
            index: LineIndex::new(text),
            facts: FileFacts::default(),
            functions: Vec::new(),
            containers: Vec::new(),
            comments: Vec::new(),
            test_depth: 0,
            references: ReferenceCollector::default(),
            near: (0, 0),
        }
    }

    /// The text between two offsets; empty where they are no boundaries.
    pub(crate) fn slice(&self, start: u32, end: u32) -> &'s str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    /// Whether there is only white space between two offsets.
    pub(crate) fn is_blank(&self, start: u32, end: u32) -> bool {
        start <= end
            && self
                .slice(start, end)
                .bytes()
                .all(|byte| byte.is_ascii_whitespace())
    }

    pub(crate) fn line(&self, offset: u32) -> u32 {
        self.index.line(offset)
    }

    fn last_line(&self, end: u32) -> u32 {
        self.index.line(end.saturating_sub(1))
    }

    /// Records a definition and gives back its place.
    pub(crate) fn define(&mut self, found: NewDefinition<'_>) -> usize {
        let start_line = self.line(found.start);
        self.facts.definitions.push(Definition {
            kind: found.kind,
            name: found.name.to_owned(),
            start_line,
            end_line: self.last_line(found.end).max(start_line),
            exported: found.exported,
            inherited: false,
            documented: found.documented,
            test: found.test || self.test_depth > 0,
            dictated: found.dictated,
            asynchronous: false,
            parent: self.containers.last().cloned().flatten(),
            decorators: Vec::new(),
            metrics: None,
        });
        self.facts.definitions.len() - 1
    }

    /// Says what decorates a definition: the paths of decorators, annotations or attributes.
    pub(crate) fn decorate<'n>(
        &mut self,
        definition: usize,
        names: impl IntoIterator<Item = &'n str>,
    ) {
        if let Some(definition) = self.facts.definitions.get_mut(definition) {
            let names = names.into_iter().filter(|name| name.len() <= NAME_CAP);
            definition
                .decorators
                .extend(names.take(DECORATORS_CAP).map(str::to_owned));
        }
    }

    /// Says that the function of that definition is asynchronous.
    pub(crate) fn asynchronous(&mut self, definition: usize) {
        if let Some(definition) = self.facts.definitions.get_mut(definition) {
            definition.asynchronous = true;
        }
    }

    /// Says that the definition is for the types that are derived from its own.
    pub(crate) fn inherited(&mut self, definition: usize) {
        if let Some(definition) = self.facts.definitions.get_mut(definition) {
            definition.inherited = true;
        }
    }

    /// Says that the definition is not for others after all.
    #[cfg(feature = "ruby")]
    pub(crate) fn hide(&mut self, definition: usize) {
        if let Some(definition) = self.facts.definitions.get_mut(definition) {
            definition.exported = false;
        }
    }

    /// Opens the function that `definition` is of, or one without a name.
    pub(crate) fn function_open(
        &mut self,
        definition: Option<usize>,
        parameters: u32,
        start: u32,
        end: u32,
    ) {
        let first = self.line(start);
        let length = self.last_line(end).max(first) - first + 1;
        // What a function without a name does is read where it stands.
        let flow = match (definition, self.functions.last()) {
            (None, Some(around)) => around.flow + 1,
            _ => 0,
        };
        self.functions.push(OpenFunction {
            definition,
            cyclomatic: 1,
            cognitive: 0,
            flow,
            operators: Vec::new(),
            nesting: 0,
            deepest: 0,
            parameters,
            length,
        });
    }

    pub(crate) fn function_close(&mut self) {
        let Some(open) = self.functions.pop() else {
            return;
        };
        match open
            .definition
            .and_then(|place| self.facts.definitions.get_mut(place))
        {
            Some(definition) => {
                definition.metrics = Some(FunctionMetrics {
                    cyclomatic: open.cyclomatic,
                    cognitive: open.cognitive,
                    nesting: open.deepest,
                    parameters: open.parameters,
                    length: open.length,
                });
            }
            None => {
                let anonymous = &mut self.facts.anonymous;
                anonymous.functions += 1;
                anonymous.cyclomatic += open.cyclomatic;
                match self.functions.last_mut() {
                    Some(around) => around.cognitive += open.cognitive,
                    None => anonymous.cognitive += open.cognitive,
                }
            }
        }
    }

    pub(crate) fn in_function(&self) -> bool {
        !self.functions.is_empty()
    }

    /// Adds to the complexity of the innermost open function; code outside functions has none.
    pub(crate) fn branch(&mut self, count: usize) {
        if let Some(open) = self.functions.last_mut() {
            open.cyclomatic = open
                .cyclomatic
                .saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }

    /// Opens a level of nesting: a condition, a loop, a choice, a handler.
    pub(crate) fn nest(&mut self) {
        self.depth_nest();
        self.flow_nest();
    }

    /// Closes a level that [`nest`](Self::nest) opened.
    pub(crate) fn unnest(&mut self) {
        self.depth_unnest();
        self.flow_unnest();
    }

    /// Opens a level of nesting that costs no understanding, such as `try`.
    pub(crate) fn depth_nest(&mut self) {
        if let Some(open) = self.functions.last_mut() {
            open.nesting += 1;
            open.deepest = open.deepest.max(open.nesting);
        }
    }

    pub(crate) fn depth_unnest(&mut self) {
        if let Some(open) = self.functions.last_mut() {
            open.nesting = open.nesting.saturating_sub(1);
        }
    }

    /// Opens a level for cognitive complexity alone, such as the branches of `a ? b : c`.
    pub(crate) fn flow_nest(&mut self) {
        if let Some(open) = self.functions.last_mut() {
            open.flow += 1;
        }
    }

    pub(crate) fn flow_unnest(&mut self) {
        if let Some(open) = self.functions.last_mut() {
            open.flow = open.flow.saturating_sub(1);
        }
    }

    /// A break in the flow that costs more the deeper it is nested: `if`, a loop, a choice, `catch`, `a ? b : c`.
    pub(crate) fn flow(&mut self) {
        if let Some(open) = self.functions.last_mut() {
            open.cognitive = open.cognitive.saturating_add(1 + open.flow);
        }
    }

    /// A break in the flow that costs the same everywhere: `else`, `else if`, a jump to a label.
    pub(crate) fn flow_flat(&mut self) {
        if let Some(open) = self.functions.last_mut() {
            open.cognitive = open.cognitive.saturating_add(1);
        }
    }

    /// A logical operator at `offset`; [`logical_end`](Self::logical_end) closes the condition it is in.
    pub(crate) fn logical(&mut self, operator: LogicalOperator, offset: u32) {
        if let Some(open) = self.functions.last_mut() {
            open.operators.push((offset, operator));
        }
    }

    /// A logical operation ends, that of the operators between two offsets (`a && f(b || c) && d` is two operations):
    /// each run of the same operator, as it is read, costs one.
    pub(crate) fn logical_end(&mut self, start: u32, end: u32) {
        let Some(open) = self.functions.last_mut() else {
            return;
        };
        open.operators.sort_unstable();
        let mut before = None;
        let mut runs = 0u32;
        open.operators.retain(|(offset, operator)| {
            if *offset < start || *offset >= end {
                return true;
            }
            runs += u32::from(*operator != LogicalOperator::Coalesce && before != Some(*operator));
            before = Some(*operator);
            false
        });
        open.cognitive = open.cognitive.saturating_add(runs);
    }

    /// Whether a logical operation is open in the innermost function.
    pub(crate) fn has_operators(&self) -> bool {
        self.functions
            .last()
            .is_some_and(|open| !open.operators.is_empty())
    }

    /// Something is referred to by a name or a path, see [`Reference::path`](crate::references::Reference::path).
    pub(crate) fn reference(&mut self, kind: ReferenceKind, path: Cow<'s, str>, offset: u32) {
        let line = self.line_near(offset);
        let test = self.in_test();
        self.references.add(path, kind, test, line);
    }

    /// As [`line`](Self::line), cheaper where the offsets come in order.
    fn line_near(&mut self, offset: u32) -> u32 {
        let (line, start) = self.near;
        if line > 0
            && offset >= start
            && self.index.start(line + 1).is_none_or(|next| offset < next)
        {
            return line;
        }
        let line = self.line(offset);
        self.near = (line, self.index.start(line).unwrap_or(0));
        line
    }

    pub(crate) fn container_open(&mut self, name: Option<String>) {
        self.containers.push(name);
    }

    pub(crate) fn container_close(&mut self) {
        self.containers.pop();
    }

    pub(crate) fn test_open(&mut self) {
        self.test_depth += 1;
    }

    pub(crate) fn test_close(&mut self) {
        self.test_depth = self.test_depth.saturating_sub(1);
    }

    pub(crate) fn in_test(&self) -> bool {
        self.test_depth > 0
    }

    /// Records a test case that begins at `offset`.
    pub(crate) fn test_case(&mut self, offset: u32) {
        let line = self.line(offset);
        self.facts.tests.push(line);
    }

    pub(crate) fn import(&mut self, module: &str, offset: u32, style: ImportStyle) {
        let (line, test) = (self.line(offset), self.in_test());
        self.facts.imports.push(Import {
            module: module.to_owned(),
            names: String::new(),
            alias: String::new(),
            line,
            style,
            test,
        });
    }

    /// Adds a name to those that the last import takes out of its module.
    pub(crate) fn import_name(&mut self, name: &str) {
        if let Some(import) = self.facts.imports.last_mut()
            && import.names.len() + name.len() < IMPORT_NAMES_CAP
        {
            if !import.names.is_empty() {
                import.names.push(',');
            }
            import.names.push_str(name);
        }
    }

    /// Says what the module of the last import is called here.
    pub(crate) fn import_alias(&mut self, name: &str) {
        if let Some(import) = self.facts.imports.last_mut()
            && name.len() <= NAME_CAP
        {
            name.clone_into(&mut import.alias);
        }
    }

    pub(crate) fn sign(&mut self, sign: Sign, offset: u32) {
        let line = self.line(offset);
        self.facts.signs.entry(sign).or_default().push(line);
    }

    /// Records a comment. Ranges may come in any order.
    pub(crate) fn comment(&mut self, start: u32, end: u32) {
        for at in todo_offsets(self.slice(start, end)) {
            let line = self.line(start + at);
            self.facts.todos.push(line);
        }
        self.comments.push((start, end));
    }

    /// Records text that is no part of the program, such as the page around a script: its lines are counted with the
    /// comments.
    #[cfg(any(feature = "php", feature = "ruby"))]
    pub(crate) fn not_code(&mut self, start: u32, end: u32) {
        self.comments.push((start, end));
    }

    /// Whether a comment lies within the range.
    pub(crate) fn has_comment_in(&self, start: u32, end: u32) -> bool {
        self.comments
            .iter()
            .any(|comment| comment.0 >= start && comment.1 <= end)
    }

    pub(crate) fn syntax_errors(&mut self, count: usize) {
        self.facts.syntax_errors = u32::try_from(count).unwrap_or(u32::MAX);
    }

    /// Closes whatever is open and gives back the facts.
    pub(crate) fn finish(mut self) -> FileFacts {
        while !self.functions.is_empty() {
            self.function_close();
        }
        self.comments.sort_unstable();
        let kinds = line_kinds(self.text, &self.comments);
        self.facts.lines = line_counts(&kinds);
        // Imports repeat from file to file by their nature; they are no duplicates.
        let mut imports: Vec<ImportLine> = self
            .facts
            .imports
            .iter()
            .map(|import| ImportLine {
                line: import.line,
                statement: !matches!(import.style, ImportStyle::Require | ImportStyle::Dynamic),
            })
            .collect();
        imports.sort_unstable();
        self.facts.windows = Windows::collect(self.text, &self.comments, &imports);
        for lines in self.facts.signs.values_mut() {
            lines.sort_unstable();
        }
        self.facts.tests.sort_unstable();
        self.facts.todos.sort_unstable();
        // They stay in memory until all files are read.
        self.facts.definitions.shrink_to_fit();
        self.facts.imports.shrink_to_fit();
        self.facts.references = self.references.finish();
        self.facts.texts = Texts::collect(self.text, &self.comments);
        self.facts
    }
}
