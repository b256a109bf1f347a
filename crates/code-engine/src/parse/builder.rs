//! Collects the facts of one file during the parser's walk: the open functions and types, and the counters.
//!
//! Longer than 450 lines: the builder is one object that all parsers write to.

use std::borrow::Cow;
use std::hash::BuildHasher as _;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::super::facts::{
    Definition, DefinitionKind, FileFacts, FunctionMetrics, Import, ImportStyle, Name, Sign, Signs,
};
use super::super::lines::{LineIndex, line_counts, line_kinds};
use super::super::references::{ReferenceCollector, ReferenceKind, ReferenceScope};
use super::super::texts::Texts;
use super::super::tokens::ImportLine;
use super::super::windows::Windows;
use super::todo_offsets;

/// A function that is being walked.
#[derive(Debug)]
struct OpenFunction {
    /// Its index in the definitions; `None` for a function without a name.
    definition: Option<usize>,
    cyclomatic: u32,
    cognitive: u32,
    /// The nesting depth of control flow here, as cognitive complexity counts it.
    flow: u32,
    nesting: u32,
    deepest: u32,
    parameters: u32,
    length: u32,
    /// The logical operators of the open condition, with their offsets.
    operators: Vec<(u32, LogicalOperator)>,
    /// How many names were hidden when it was opened.
    hidden: usize,
}

/// A name that an open function binds.
#[derive(Debug, Clone, Copy)]
struct Variable {
    line: u32,
    /// Whether it is bound in the whole function: a parameter, or a function in the function.
    whole: bool,
}

/// The maximum number of decorators that are stored per definition, and the maximum length of a stored name, in bytes.
const DECORATORS_CAP: usize = 16;
const NAME_CAP: usize = 120;

/// The maximum length of the stored names of one import, in bytes.
const IMPORT_NAMES_CAP: usize = 1 << 14;

/// A logical operator, as far as cognitive complexity distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogicalOperator {
    And,
    Or,
    /// `??`, `?:` and similar, which are shorthand and cost nothing.
    Coalesce,
}

/// The builder. Offsets are bytes into the text.
#[derive(Debug)]
pub(crate) struct Builder<'s> {
    pub text: &'s str,
    index: LineIndex,
    facts: FileFacts,
    signs: Vec<(Sign, u32)>,
    /// The names of the last import, separated by `,`.
    import_names: String,
    functions: Vec<OpenFunction>,
    /// The names of the open types and modules, innermost last; `None` hides the outer ones.
    containers: Vec<Option<Name>>,
    comments: Vec<(u32, u32)>,
    /// How many enclosing nodes are test code.
    test_depth: u32,
    references: ReferenceCollector<'s>,
    /// The variables of the open functions, by the hash of their names.
    variables: FxHashMap<u64, Variable>,
    /// What the variables hide, by the order in which they were bound.
    hidden: Vec<(u64, Option<Variable>)>,
    /// The last requested line, with its start: the next request is usually near.
    near: (u32, u32),
}

/// The input for a new definition.
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
            signs: Vec::new(),
            import_names: String::new(),
            functions: Vec::new(),
            containers: Vec::new(),
            comments: Vec::new(),
            test_depth: 0,
            references: ReferenceCollector::default(),
            variables: FxHashMap::default(),
            hidden: Vec::new(),
            near: (0, 0),
        }
    }

    /// The text between two offsets; empty if they are not character boundaries.
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

    /// Records a definition and returns its index.
    pub(crate) fn define(&mut self, found: NewDefinition<'_>) -> usize {
        let start_line = self.line(found.start);
        if found.kind == DefinitionKind::Function {
            self.bind(found.name, found.start, true);
        }
        self.facts.definitions.push(Definition {
            kind: found.kind,
            name: found.name.into(),
            start_line,
            end_line: self.last_line(found.end).max(start_line),
            exported: found.exported,
            inherited: false,
            documented: found.documented,
            test: found.test || self.test_depth > 0,
            dictated: found.dictated,
            asynchronous: false,
            parent: self.containers.last().cloned().flatten(),
            decorators: Box::default(),
            metrics: None,
        });
        self.facts.definitions.len() - 1
    }

    /// Sets the decorators of a definition: the paths of decorators, annotations or attributes.
    pub(crate) fn decorate<'n>(
        &mut self,
        definition: usize,
        names: impl IntoIterator<Item = &'n str>,
    ) {
        if let Some(definition) = self.facts.definitions.get_mut(definition) {
            let names = names.into_iter().filter(|name| name.len() <= NAME_CAP);
            let names = names.take(DECORATORS_CAP).map(Name::from);
            let known = std::mem::take(&mut definition.decorators);
            definition.decorators = known.into_iter().chain(names).collect();
        }
    }

    /// Marks a definition's function as asynchronous.
    pub(crate) fn asynchronous(&mut self, definition: usize) {
        if let Some(definition) = self.facts.definitions.get_mut(definition) {
            definition.asynchronous = true;
        }
    }

    /// Marks a definition as accessible to subclasses.
    pub(crate) fn inherited(&mut self, definition: usize) {
        if let Some(definition) = self.facts.definitions.get_mut(definition) {
            definition.inherited = true;
        }
    }

    /// Marks a definition as not exported after all.
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
        // An unnamed function counts for the enclosing one, one level deeper.
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
            hidden: self.hidden.len(),
        });
    }

    pub(crate) fn function_close(&mut self) {
        let Some(open) = self.functions.pop() else {
            return;
        };
        for (name, before) in self.hidden.drain(open.hidden..).rev() {
            match before {
                Some(before) => self.variables.insert(name, before),
                None => self.variables.remove(&name),
            };
        }
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

    /// Adds to the cyclomatic complexity of the innermost open function. Code outside functions has none.
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

    /// Opens a level of nesting that adds no cognitive complexity, such as `try`.
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

    /// Records a logical operator at `offset`; [`logical_end`](Self::logical_end) closes its condition.
    pub(crate) fn logical(&mut self, operator: LogicalOperator, offset: u32) {
        if let Some(open) = self.functions.last_mut() {
            open.operators.push((offset, operator));
        }
    }

    /// Ends the logical operation with the operators between two offsets. Each run of the same operator in source order
    /// costs one. `a && f(b || c) && d` is two operations.
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

    /// Records a reference by a name or a path, see [`Reference::path`](crate::references::Reference::path).
    pub(crate) fn reference(&mut self, kind: ReferenceKind, path: Cow<'s, str>, offset: u32) {
        let line = self.line_near(offset);
        let scope = ReferenceScope {
            test: self.in_test(),
            local: self.is_variable(kind, &path, line),
            top: false,
        };
        self.references.add(path, kind, scope, line);
    }

    /// Records a reference whose first name is one of the top level, whatever is open around it.
    #[cfg(feature = "ruby")]
    pub(crate) fn reference_top(&mut self, kind: ReferenceKind, path: Cow<'s, str>, offset: u32) {
        let line = self.line_near(offset);
        let scope = ReferenceScope {
            test: self.in_test(),
            local: false,
            top: true,
        };
        self.references.add(path, kind, scope, line);
    }

    /// Records that the innermost open function binds a name. Outside of functions nothing is recorded: names there
    /// are definitions. `whole` is for names that are bound in the whole function, such as parameters.
    pub(crate) fn bind(&mut self, name: &str, offset: u32, whole: bool) {
        if !self.in_function() {
            return;
        }
        let name = FxBuildHasher.hash_one(name);
        let line = self.line_near(offset);
        let before = self.variables.insert(name, Variable { line, whole });
        self.hidden.push((name, before));
    }

    /// Whether the first name of a path is a variable of an open function. A variable may be made by the function of
    /// its name (`let store = store()`), so that such a call is one of the variable only on later lines.
    fn is_variable(&self, kind: ReferenceKind, path: &str, line: u32) -> bool {
        if self.variables.is_empty() {
            return false;
        }
        let first = path.split('.').next().unwrap_or(path);
        let is_alone = first.len() == path.len();
        let found = self.variables.get(&FxBuildHasher.hash_one(first));
        found.is_some_and(|variable| match kind {
            _ if !is_alone => true,
            ReferenceKind::Call => variable.whole || variable.line < line,
            ReferenceKind::Type => false,
            ReferenceKind::Name => true,
        })
    }

    /// Like [`line`](Self::line), but cheaper if the offsets are in order.
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
        self.containers.push(name.as_deref().map(Name::from));
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
        self.import_close();
        self.facts.imports.push(Import {
            module: module.into(),
            names: Name::default(),
            alias: Name::default(),
            line,
            style,
            test,
        });
    }

    /// Adds a name to those that the last import imports from its module.
    pub(crate) fn import_name(&mut self, name: &str) {
        if !self.facts.imports.is_empty() && self.import_names.len() + name.len() < IMPORT_NAMES_CAP
        {
            if !self.import_names.is_empty() {
                self.import_names.push(',');
            }
            self.import_names.push_str(name);
        }
    }

    /// Stores the names of the last import.
    fn import_close(&mut self) {
        if let Some(import) = self.facts.imports.last_mut() {
            import.names = self.import_names.as_str().into();
            self.import_names.clear();
        }
    }

    /// Sets the local name of the last import's module.
    pub(crate) fn import_alias(&mut self, name: &str) {
        if let Some(import) = self.facts.imports.last_mut()
            && name.len() <= NAME_CAP
        {
            import.alias = name.into();
        }
    }

    pub(crate) fn sign(&mut self, sign: Sign, offset: u32) {
        let line = self.line(offset);
        self.signs.push((sign, line));
    }

    /// Records whether the function that begins at `offset` states its types.
    pub(crate) fn signature(&mut self, is_typed: bool, offset: u32) {
        let sign = if is_typed {
            Sign::SignatureTyped
        } else {
            Sign::SignatureUntyped
        };
        self.sign(sign, offset);
    }

    /// Records a comment. Ranges may come in any order.
    pub(crate) fn comment(&mut self, start: u32, end: u32) {
        for at in todo_offsets(self.slice(start, end)) {
            let line = self.line(start + at);
            self.facts.todos.push(line);
        }
        self.comments.push((start, end));
    }

    /// Records text that is not part of the program, such as the page around a script. Its lines count as comments.
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

    /// Closes everything that is open and returns the facts.
    pub(crate) fn finish(mut self) -> FileFacts {
        while !self.functions.is_empty() {
            self.function_close();
        }
        self.comments.sort_unstable();
        let kinds = line_kinds(self.text, &self.comments);
        self.facts.lines = line_counts(&kinds);
        // Imports naturally repeat from file to file; they are not duplicates.
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
        self.import_close();
        self.facts.signs = Signs::new(self.signs);
        self.facts.tests.sort_unstable();
        self.facts.todos.sort_unstable();
        // The facts of all files stay in memory, so spare capacity is released.
        self.facts.definitions.shrink_to_fit();
        self.facts.imports.shrink_to_fit();
        self.facts.references = self.references.finish();
        self.facts.texts = Texts::collect(self.text, &self.comments);
        self.facts
    }
}
