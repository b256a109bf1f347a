//! The reports on single files and functions.

use serde::{Deserialize, Serialize};

use super::facts::{DefinitionKind, FunctionMetrics, LineCounts};
use super::language::{Category, Language};
use super::project::SourceFile;
use super::project::role::{self, Role};

/// Functions with a greater cognitive complexity are reported. SonarSource's rule S3776 allows 15; at 25, only clearly
/// excessive functions remain.
pub const COGNITIVE_MOST: u32 = 25;

/// The maximum number of complex functions in a report.
pub const COMPLEX_CAP: usize = 100;

/// A complex function: its cognitive complexity is above [`COGNITIVE_MOST`], and it is not in tests or examples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComplexFunction {
    /// Its name, after its parent's and a `.` if it has a parent.
    pub name: String,
    /// The file it is in.
    pub path: String,
    /// Git's id of the file's content.
    pub blob: String,
    /// Its first line, 1-based.
    pub start_line: u32,
    /// Its last line.
    pub end_line: u32,
    /// Its cognitive complexity, see [`FunctionMetrics::cognitive`].
    pub cognitive: u32,
    /// Its cyclomatic complexity, see [`FunctionMetrics::cyclomatic`].
    pub cyclomatic: u32,
}

/// One analysed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// Its path.
    pub path: String,
    /// Git's id of its content.
    pub blob: String,
    /// Its language.
    pub language: Language,
    /// The number of its lines by kind.
    pub lines: LineCounts,
    /// The sum of the cyclomatic complexity of its functions.
    pub complexity: u32,
    /// Syntax errors that the parser recovered from.
    pub syntax_errors: u32,
    /// Its functions and methods with a body, in the order of the source.
    pub functions: Vec<FunctionReport>,
}

/// One function of a [`FileReport`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionReport {
    /// Its name, after its parent's and a `.` if it has a parent.
    pub name: String,
    /// Its kind: a function or a method.
    pub kind: DefinitionKind,
    /// Its first line, 1-based.
    pub start_line: u32,
    /// Its last line.
    pub end_line: u32,
    /// Its measures.
    #[serde(flatten)]
    pub metrics: FunctionMetrics,
}

/// The maximum length of a reported function, in lines, in a file with syntax errors: a longer one may contain others.
const LOST_LENGTH: u32 = 500;

/// The most complex functions, the most complex first.
pub(crate) fn complex_functions(files: &[SourceFile]) -> Vec<ComplexFunction> {
    let own = files
        .iter()
        .filter(|file| role::of(&file.path) == Role::Source);
    let mut found: Vec<(u32, &SourceFile, usize)> = own
        .flat_map(|file| {
            let functions = file.facts.definitions.iter().enumerate();
            functions.filter_map(move |(number, definition)| {
                let metrics = definition.metrics?;
                let cognitive = metrics.cognitive;
                // After a syntax error, such a long function may contain others.
                let is_lost = file.facts.syntax_errors > 0 && metrics.length > LOST_LENGTH;
                (cognitive > COGNITIVE_MOST && !definition.test && !is_lost)
                    .then_some((cognitive, file, number))
            })
        })
        .collect();
    found.sort_by(|a, b| (b.0, &a.1.path, a.2).cmp(&(a.0, &b.1.path, b.2)));
    found.truncate(COMPLEX_CAP);
    let complex = found.into_iter().map(|(cognitive, file, number)| {
        let definition = &file.facts.definitions[number];
        ComplexFunction {
            name: full_name(definition.parent.as_deref(), &definition.name),
            path: file.path.clone(),
            blob: file.blob.clone(),
            start_line: definition.start_line,
            end_line: definition.end_line,
            cognitive,
            cyclomatic: definition.metrics.map_or(0, |metrics| metrics.cyclomatic),
        }
    });
    complex.collect()
}

/// The reports of all files of code, by path.
pub(crate) fn file_reports(files: &[SourceFile]) -> Vec<FileReport> {
    let code = files
        .iter()
        .filter(|file| file.language.category() == Category::Code);
    code.map(|file| FileReport {
        path: file.path.clone(),
        blob: file.blob.clone(),
        language: file.language,
        lines: file.facts.lines,
        complexity: file.facts.complexity(),
        syntax_errors: file.facts.syntax_errors,
        functions: functions(file),
    })
    .collect()
}

fn functions(file: &SourceFile) -> Vec<FunctionReport> {
    let definitions = file.facts.definitions.iter();
    let functions = definitions.filter_map(|definition| {
        Some(FunctionReport {
            name: full_name(definition.parent.as_deref(), &definition.name),
            kind: definition.kind,
            start_line: definition.start_line,
            end_line: definition.end_line,
            metrics: definition.metrics?,
        })
    });
    functions.collect()
}

fn full_name(parent: Option<&str>, name: &str) -> String {
    parent.map_or_else(|| name.to_owned(), |parent| format!("{parent}.{name}"))
}
