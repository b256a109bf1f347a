//! The names that a Rust file references, and the names that `use` imports.

use std::borrow::Cow;

use tree_sitter::Node;

use super::super::super::facts::ImportStyle;
use super::super::super::references::{ReferenceKind, path_of};
use super::super::Builder;
use super::super::mentions::{MentionSpec, Place, UNNAMED};
use super::super::syntax_tree::{field_text, range, text};

/// Positions of patterns: the lower-case names in them are variables.
const PATTERNS: &[(&str, Place)] = &[
    ("captured_pattern", UNNAMED),
    ("closure_parameters", UNNAMED),
    ("field_pattern", "pattern"),
    ("for_expression", "pattern"),
    ("let_condition", "pattern"),
    ("let_declaration", "pattern"),
    ("match_pattern", UNNAMED),
    ("mut_pattern", UNNAMED),
    ("or_pattern", UNNAMED),
    ("parameter", "pattern"),
    ("ref_pattern", UNNAMED),
    ("reference_pattern", UNNAMED),
    ("slice_pattern", UNNAMED),
    ("tuple_pattern", UNNAMED),
    ("tuple_struct_pattern", UNNAMED),
];

pub(super) const MENTIONS: MentionSpec = MentionSpec {
    names: &["identifier"],
    types: &["type_identifier"],
    anchors: &["self", "super", "crate"],
    chains: &[("field_expression", "value"), ("scoped_identifier", "path")],
    type_chains: &[("scoped_type_identifier", "path")],
    call_chains: &[],
    calls: &[
        ("call_expression", "function"),
        ("macro_invocation", "macro"),
        ("struct_expression", "name"),
    ],
    wrappers: &["generic_function", "generic_type_with_turbofish"],
    bindings: &[
        ("associated_type", "name"),
        ("const_item", "name"),
        ("const_parameter", "name"),
        ("enum_item", "name"),
        ("enum_variant", "name"),
        ("function_item", "name"),
        ("function_signature_item", "name"),
        ("label", UNNAMED),
        ("lifetime", UNNAMED),
        ("macro_definition", "name"),
        ("mod_item", "name"),
        ("static_item", "name"),
        ("struct_item", "name"),
        ("token_repetition_pattern", UNNAMED),
        ("token_tree_pattern", UNNAMED),
        ("trait_item", "name"),
        ("type_binding", "name"),
        ("type_item", "name"),
        ("type_parameter", "name"),
        ("union_item", "name"),
        ("visibility_modifier", UNNAMED),
    ],
    variables: PATTERNS,
    patterns: PATTERNS,
    lists: &[],
    type_places: &[("generic_type", "type")],
    tokens: &["token_tree", "token_repetition"],
};

/// Records what a `use` declaration imports, and the imported names.
pub(super) fn imports(builder: &mut Builder<'_>, item: Node<'_>, exported: bool) {
    let Some(argument) = item.child_by_field_name("argument") else {
        return;
    };
    names_record(builder, argument, "");
    let written = text(builder, argument);
    let compact: String = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let path = compact.split('{').next().unwrap_or(&compact);
    let path = path
        .split(" as ")
        .next()
        .unwrap_or(path)
        .trim_end_matches("::");
    let wildcard = compact.ends_with("::*");
    let style = match (exported, wildcard) {
        (true, _) => ImportStyle::ReExport,
        (false, true) => ImportStyle::Wildcard,
        (false, false) => ImportStyle::Names,
    };
    let path = path.strip_suffix("::*").unwrap_or(path);
    if let Some(inside) = compact
        .strip_prefix('{')
        .and_then(|it| it.strip_suffix('}'))
    {
        // Each part of `use {a::b, c::d}` is an import of its own.
        for part in use_parts(inside) {
            let path = part.split("::{").next().unwrap_or(part);
            builder.import(path, range(item).0, style);
            use_names(&part[path.len()..], "", builder);
        }
        return;
    }
    builder.import(path, range(item).0, style);
    let group = compact.find('{').map_or("", |at| &compact[at..]);
    use_names(group, "", builder);
}

/// The maximum length of the path before a nested group, in bytes.
const USE_PATH_CAP: usize = 200;

/// The parts inside a `use` group, as written.
fn use_parts(inside: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    inside
        .split(move |c| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        })
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Adds the paths in a group to the last import (`{a, b::{c as d}}`: `a` and `b::c`). Groups after a very long path are
/// ignored, because nested groups would have unbounded paths.
fn use_names(group: &str, before: &str, builder: &mut Builder<'_>) {
    let group = group.trim_start_matches("::").trim();
    let Some(inside) = group.strip_prefix('{').and_then(|it| it.strip_suffix('}')) else {
        return;
    };
    for part in use_parts(inside) {
        match part.find('{') {
            Some(at) if before.len() + at < USE_PATH_CAP => {
                let deeper = format!("{before}{}", &part[..at]);
                use_names(&part[at..], &deeper, builder);
            }
            Some(_) => {}
            None => {
                let path = part.split(" as ").next().unwrap_or(part);
                builder.import_name(&format!("{before}{path}"));
            }
        }
    }
}

/// Records each leaf of an import tree with its whole path. `self` is the path of the module itself.
fn names_record(builder: &mut Builder<'_>, node: Node<'_>, above: &str) {
    let joined = |written: &str| -> Option<String> {
        let path = path_of(written)?;
        Some(match (above.is_empty(), &*path) {
            (true, path) => path.to_owned(),
            (false, "self") => above.to_owned(),
            (false, path) => format!("{above}.{path}"),
        })
    };
    match node.kind() {
        "use_wildcard" | "line_comment" | "block_comment" => {}
        "use_list" => {
            let mut cursor = node.walk();
            for part in node.named_children(&mut cursor) {
                names_record(builder, part, above);
            }
        }
        "scoped_use_list" => {
            let path = field_text(builder, node, "path");
            let above = if path.is_empty() {
                Some(above.to_owned())
            } else {
                joined(path)
            };
            let above = above.filter(|above| above.len() < USE_PATH_CAP);
            if let (Some(above), Some(list)) = (above, node.child_by_field_name("list")) {
                names_record(builder, list, &above);
            }
        }
        kind => {
            let written = match kind {
                "use_as_clause" => field_text(builder, node, "path"),
                _ => text(builder, node),
            };
            if let Some(path) = joined(written) {
                builder.reference(ReferenceKind::Name, Cow::Owned(path), range(node).0);
            }
        }
    }
}

/// Records the paths in the strings of an attribute, which a macro turns into code: `default = "defaults::port"`.
pub(super) fn quoted(builder: &mut Builder<'_>, item: Node<'_>) {
    let (start, end) = range(item);
    let written = builder.slice(start, end);
    let is_path = |text: &str| {
        text.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
    };
    for text in written
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| is_path(text))
    {
        if let Some(path) = path_of(text) {
            builder.reference(ReferenceKind::Name, path, start);
        }
    }
}
