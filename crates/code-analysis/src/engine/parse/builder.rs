//! Collects the facts of one file while a parser walks it: which function and which type is open, what was counted.

use super::super::facts::{
    Anonymous, Definition, DefinitionKind, FileFacts, FunctionMetrics, Import, ImportStyle, Sign,
};
use super::super::lines::{LineIndex, LineKind, line_counts, line_kinds};
use super::super::windows::Windows;
use super::todo_count;

/// A function that is being walked.
#[derive(Debug)]
struct OpenFunction {
    /// Its place in the definitions; `None` for a function without a name.
    definition: Option<usize>,
    cyclomatic: u32,
    nesting: u32,
    deepest: u32,
    parameters: u32,
    length: u32,
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
}

/// What a definition is reported with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'n> {
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
        }
    }

    /// The text between two offsets; empty where they are no boundaries.
    pub(crate) fn slice(&self, start: u32, end: u32) -> &'s str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    pub(crate) fn line(&self, offset: u32) -> u32 {
        self.index.line(offset)
    }

    fn last_line(&self, end: u32) -> u32 {
        self.index.line(end.saturating_sub(1))
    }

    /// Records a definition and gives back its place.
    pub(crate) fn define(&mut self, found: Found<'_>) -> usize {
        let start_line = self.line(found.start);
        self.facts.definitions.push(Definition {
            kind: found.kind,
            name: found.name.to_owned(),
            start_line,
            end_line: self.last_line(found.end).max(start_line),
            exported: found.exported,
            documented: found.documented,
            test: found.test || self.test_depth > 0,
            dictated: found.dictated,
            parent: self.containers.last().cloned().flatten(),
            metrics: None,
        });
        self.facts.definitions.len() - 1
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
        self.functions.push(OpenFunction {
            definition,
            cyclomatic: 1,
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
                    nesting: open.deepest,
                    parameters: open.parameters,
                    length: open.length,
                });
            }
            None => {
                let Anonymous {
                    functions,
                    cyclomatic,
                } = &mut self.facts.anonymous;
                *functions += 1;
                *cyclomatic += open.cyclomatic;
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

    pub(crate) fn nest(&mut self) {
        if let Some(open) = self.functions.last_mut() {
            open.nesting += 1;
            open.deepest = open.deepest.max(open.nesting);
        }
    }

    pub(crate) fn unnest(&mut self) {
        if let Some(open) = self.functions.last_mut() {
            open.nesting = open.nesting.saturating_sub(1);
        }
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

    pub(crate) fn test_count(&mut self) {
        self.facts.tests += 1;
    }

    pub(crate) fn import(&mut self, module: &str, offset: u32, style: ImportStyle) {
        let (line, test) = (self.line(offset), self.in_test());
        self.facts.imports.push(Import {
            module: module.to_owned(),
            line,
            style,
            test,
        });
    }

    pub(crate) fn sign(&mut self, sign: Sign, offset: u32) {
        let line = self.line(offset);
        self.facts.signs.entry(sign).or_default().push(line);
    }

    /// Records a comment. Ranges may come in any order.
    pub(crate) fn comment(&mut self, start: u32, end: u32) {
        self.facts.todos += todo_count(self.slice(start, end));
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
        let imports: std::collections::HashSet<u32> = self
            .facts
            .imports
            .iter()
            .map(|import| import.line)
            .collect();
        self.facts.windows = Windows::collect(
            (1u32..)
                .zip(self.text.lines().zip(&kinds))
                .filter(|(line, (_, kind))| **kind == LineKind::Code && !imports.contains(line))
                .map(|(line, (text, _))| (line, text)),
        );
        for lines in self.facts.signs.values_mut() {
            lines.sort_unstable();
        }
        self.facts
    }
}
