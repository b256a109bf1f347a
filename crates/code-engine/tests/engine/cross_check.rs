//! Compares the facts of two parsers for one language: ruff and oxc against tree-sitter, with an independent counter.
//! It uses `tests/corpus`; `CROSS_CHECK=FOLDER` selects another tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nyxcore_code_engine::facts::DefinitionKind;
use nyxcore_code_engine::language::Language;
use nyxcore_code_engine::parse::file_analyze;
use tree_sitter::{Language as Grammar, Node, Parser};

/// Functions by line and name, with their cyclomatic complexity.
type Functions = BTreeMap<(usize, String), u32>;

/// The reason for a known difference between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    /// tree-sitter recovered from an error, so its tree is unreliable.
    OtherDidNotParse,
    /// tree-sitter-typescript parses the type arguments of a tagged template, as in ``sql<Row>`...` ``, as comparisons,
    /// and misreads the arrow before them.
    TypeArguments,
}

#[test]
fn python_reads_as_tree_sitter_reads_it() {
    hold("py", Language::Python, &tree_sitter_python::LANGUAGE.into());
}

#[test]
fn typescript_reads_as_tree_sitter_reads_it() {
    let grammar = tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into();
    hold("ts", Language::TypeScript, &grammar);
}

#[test]
fn tsx_reads_as_tree_sitter_reads_it() {
    hold(
        "tsx",
        Language::Tsx,
        &tree_sitter_typescript::LANGUAGE_TSX.into(),
    );
}

#[test]
fn javascript_reads_as_tree_sitter_reads_it() {
    hold(
        "js",
        Language::JavaScript,
        &tree_sitter_javascript::LANGUAGE.into(),
    );
}

fn hold(extension: &str, language: Language, grammar: &Grammar) {
    let tree = std::env::var_os("CROSS_CHECK").map(PathBuf::from);
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut paths = Vec::new();
    paths_collect(tree.as_deref().unwrap_or(&here), extension, &mut paths);
    let mut explained: BTreeMap<Rule, usize> = BTreeMap::new();
    let (mut same, mut unexplained) = (0, Vec::new());
    for path in &paths {
        let name = path.to_string_lossy();
        let Ok(source) = std::fs::read_to_string(path) else {
            continue;
        };
        let Ok(facts) = file_analyze("x", language, source.as_bytes()) else {
            continue;
        };
        let ours: Functions = facts
            .definitions
            .iter()
            .filter(|one| matches!(one.kind, DefinitionKind::Function | DefinitionKind::Method))
            .filter_map(|one| {
                let line = one.start_line as usize;
                Some(((line, one.name.to_string()), one.metrics?.cyclomatic))
            })
            .collect();
        let mut parser = Parser::new();
        parser.set_language(grammar).expect("the grammar loads");
        let parsed = parser.parse(&source, None).expect("a tree");
        if parsed.root_node().has_error() || facts.syntax_errors > 0 {
            *explained.entry(Rule::OtherDidNotParse).or_default() += 1;
            continue;
        }
        let mut reader = Reader {
            source: &source,
            found: Functions::new(),
        };
        reader.walk(parsed.root_node(), &mut 0);
        let theirs = reader.found;
        for key in ours.keys().chain(theirs.keys()) {
            let (left, right) = (ours.get(key), theirs.get(key));
            if left == right {
                same += usize::from(left.is_some());
                continue;
            }
            let line = source.lines().nth(key.0 - 1).unwrap_or("");
            let body: Vec<&str> = source.lines().skip(key.0 - 1).take(40).collect();
            let rule = body
                .iter()
                .any(|line| line.contains(">`"))
                .then_some(Rule::TypeArguments);
            match rule {
                Some(rule) => *explained.entry(rule).or_default() += 1,
                None => unexplained.push(format!("{name}:{key:?}: {left:?} and {right:?}: {line}")),
            }
        }
    }
    println!(
        "{language}: {} files, {} functions alike, explained {explained:?}",
        paths.len(),
        same / 2
    );
    assert!(same > 0, "nothing to compare");
    assert!(
        unexplained.is_empty(),
        "{}:\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
}

fn paths_collect(folder: &Path, extension: &str, paths: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.is_symlink() {
            paths_collect(&path, extension, paths);
        } else if path.extension().is_some_and(|one| one == extension) {
            paths.push(path);
        }
    }
}

struct Reader<'s> {
    source: &'s str,
    found: Functions,
}

impl Reader<'_> {
    fn text(&self, node: Node<'_>) -> &str {
        &self.source[node.byte_range()]
    }

    fn field(&self, node: Node<'_>, field: &str) -> Option<String> {
        let named = node.child_by_field_name(field)?;
        Some(self.text(named).trim_matches(['"', '\'']).to_owned())
    }

    /// Adds the branches of a function to `count`, and records the functions inside it.
    fn walk(&mut self, node: Node<'_>, count: &mut u32) {
        *count += u32::from(self.decides(node));
        let mut own = 1;
        let is_function = matches!(
            node.kind(),
            "function_definition"
                | "function_declaration"
                | "generator_function_declaration"
                | "function_expression"
                | "generator_function"
                | "arrow_function"
                | "method_definition"
        );
        let into = if is_function { &mut own } else { count };
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            self.walk(child, into);
        }
        if is_function && let Some((line, name)) = self.name(node) {
            self.found.insert((line, name), own);
        }
    }

    /// The name and the first line of a function: its own, or those of the assignment target.
    fn name(&self, node: Node<'_>) -> Option<(usize, String)> {
        let line = |node: Node<'_>| node.start_position().row + 1;
        let parent = node.parent()?;
        let is_expression = matches!(
            node.kind(),
            "function_expression" | "generator_function" | "arrow_function"
        );
        if !is_expression {
            let name = self
                .field(node, "name")
                .unwrap_or_else(|| "default".to_owned());
            return (!name.starts_with('[')).then_some((line(node), name));
        }
        let given = match parent.kind() {
            "variable_declarator" => self.field(parent, "name"),
            "public_field_definition" => self.field(parent, "name"),
            "field_definition" => self.field(parent, "property"),
            "pair" => self
                .field(parent, "key")
                .filter(|key| !key.starts_with('[')),
            "assignment_expression" => {
                let left = parent.child_by_field_name("left")?;
                let is_module = self.text(left) == "module.exports";
                match left.kind() {
                    "member_expression" if !is_module => self.field(left, "property"),
                    _ => None,
                }
            }
            _ => None,
        };
        match given {
            Some(name) => Some((line(parent), name)),
            None => Some((line(node), self.field(node, "name")?)),
        }
    }

    fn decides(&self, node: Node<'_>) -> bool {
        match node.kind() {
            "if_statement"
            | "elif_clause"
            | "for_statement"
            | "for_in_statement"
            | "while_statement"
            | "do_statement"
            | "except_clause"
            | "except_group_clause"
            | "finally_clause"
            | "conditional_expression"
            | "boolean_operator"
            | "for_in_clause"
            | "if_clause"
            | "switch_case"
            | "catch_clause"
            | "ternary_expression"
            | "assignment_pattern"
            | "object_assignment_pattern" => {
                // JavaScript's `finally` is not a branch; Python's is counted as lizard counts it.
                node.kind() != "finally_clause"
                    || node.parent().is_some_and(|parent| {
                        let mut cursor = parent.walk();
                        parent
                            .children(&mut cursor)
                            .any(|child| child.kind() == ":")
                    })
            }
            "case_clause" => {
                let takes_all = |pattern: &str| {
                    pattern
                        .bytes()
                        .all(|one| one.is_ascii_alphanumeric() || one == b'_')
                        && !pattern.starts_with(|first: char| first.is_ascii_digit())
                        && !matches!(pattern, "None" | "True" | "False")
                };
                let mut cursor = node.walk();
                let patterns: Vec<Node<'_>> = node
                    .named_children(&mut cursor)
                    .filter(|child| child.kind() == "case_pattern")
                    .collect();
                node.child_by_field_name("guard").is_some()
                    || !matches!(patterns.as_slice(), [one] if takes_all(self.text(*one)))
            }
            "required_parameter" | "optional_parameter" => {
                node.child_by_field_name("value").is_some()
            }
            "binary_expression" => node
                .child_by_field_name("operator")
                .is_some_and(|operator| matches!(operator.kind(), "&&" | "||" | "??")),
            _ => false,
        }
    }
}
