//! The schema by introspection: its fields and arguments.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::registry::Entry;
use super::server::Server;

const INTROSPECTION: &str = "
    { __schema { types { kind name
        fields(includeDeprecated: true) { name args { name defaultValue type { ...T } } type { ...T } }
        inputFields { name type { ...T } }
        possibleTypes { name } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";

/// The three root types.
pub const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// A field that returns a list, and a selection of its items.
pub struct ChildListField {
    pub parent: String,
    pub field: String,
    pub selection: &'static str,
}

pub struct Schema(BTreeMap<String, Value>);

impl Schema {
    pub async fn of(server: &Server, token: &str) -> Self {
        let answer = server.ask(Some(token), INTROSPECTION, &json!({})).await;
        let types = answer.json["data"]["__schema"]["types"].as_array();
        let types = types.unwrap_or_else(|| panic!("{}", answer.text)).iter();
        Self(
            types
                .map(|one| (text(&one["name"]).to_owned(), one.clone()))
                .collect(),
        )
    }

    fn field(&self, path: &str) -> Option<&Value> {
        let (of, name) = path.split_once('.')?;
        let fields = list(&self.0.get(of)?["fields"]);
        fields.iter().find(|field| field["name"] == name)
    }

    /// All fields that must be in the registry: those of the roots, and others that take an id.
    pub fn to_register(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (name, one) in self
            .0
            .iter()
            .filter(|(name, one)| one["kind"] == "OBJECT" && !name.starts_with("__"))
        {
            for field in list(&one["fields"]) {
                let path = format!("{name}.{}", text(&field["name"]));
                if ROOTS.contains(&name.as_str())
                    || self.ids(&path).is_some_and(|ids| !ids.is_empty())
                {
                    found.insert(path);
                }
            }
        }
        found
    }

    /// All fields with a cursor argument.
    pub fn lists(&self) -> BTreeSet<String> {
        let has_after = |field: &Value| {
            list(&field["args"])
                .iter()
                .any(|argument| argument["name"] == "after" && argument["type"]["name"] == "String")
        };
        let fields = self
            .0
            .iter()
            .flat_map(|(name, one)| list(&one["fields"]).iter().map(move |field| (name, field)));
        let lists = fields.filter(|(_, field)| has_after(field));
        lists
            .map(|(name, field)| format!("{name}.{}", text(&field["name"])))
            .collect()
    }

    /// All fields below the roots that return lists.
    pub fn child_lists(&self) -> Vec<ChildListField> {
        let is_part = |name: &str| {
            ROOTS.contains(&name)
                || ["Connection", "Edge", "Payload"]
                    .iter()
                    .any(|end| name.ends_with(end))
                || name.starts_with("__")
        };
        let needs = |argument: &Value| {
            argument["type"]["kind"] == "NON_NULL" && argument["defaultValue"].is_null()
        };
        let mut lists = Vec::new();
        for (parent, one) in &self.0 {
            if one["kind"] != "OBJECT" || is_part(parent) {
                continue;
            }
            for field in list(&one["fields"]) {
                let inner = named(&field["type"]);
                let selection = match spelled(&field["type"]) {
                    _ if list(&field["args"]).iter().any(needs) => continue,
                    of if of.starts_with('[') && list(&self.0[inner]["fields"]).is_empty() => "",
                    of if of.starts_with('[') => "{ __typename }",
                    _ if inner.ends_with("Connection") => "{ nodes { __typename } totalCount }",
                    _ => continue,
                };
                lists.push(ChildListField {
                    parent: parent.clone(),
                    field: text(&field["name"]).to_owned(),
                    selection,
                });
            }
        }
        lists
    }

    /// The places where a field takes ids, such as `/input/noteId` and `/ids/*`; `None` if the field does not exist.
    pub fn ids(&self, path: &str) -> Option<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for argument in list(&self.field(path)?["args"]) {
            self.ids_within(
                &argument["type"],
                &format!("/{}", text(&argument["name"])),
                &mut found,
            );
        }
        Some(found)
    }

    fn ids_within(&self, of: &Value, at: &str, found: &mut BTreeSet<String>) {
        match text(&of["kind"]) {
            "NON_NULL" => self.ids_within(&of["ofType"], at, found),
            "LIST" => self.ids_within(&of["ofType"], &format!("{at}/*"), found),
            "INPUT_OBJECT" => {
                for field in list(&self.0[text(&of["name"])]["inputFields"]) {
                    let at = format!("{at}/{}", text(&field["name"]));
                    self.ids_within(&field["type"], &at, found);
                }
            }
            _ if of["name"] == "ID" => {
                found.insert(at.to_owned());
            }
            _ => {}
        }
    }

    /// The document that queries a registered field.
    pub fn document(&self, entry: &Entry) -> String {
        let field = self.field(entry.field).unwrap();
        let (of, name) = entry.field.split_once('.').unwrap();
        let variables: Value = serde_json::from_str(entry.variables).unwrap();
        let given = |argument: &&Value| variables.get(text(&argument["name"])).is_some();
        let arguments: Vec<&Value> = list(&field["args"]).iter().filter(given).collect();
        let declared: Vec<String> = arguments
            .iter()
            .map(|a| format!("${}: {}", text(&a["name"]), spelled(&a["type"])))
            .collect();
        let passed: Vec<String> = arguments
            .iter()
            .map(|a| format!("{0}: ${0}", text(&a["name"])))
            .collect();
        let parentheses = |inside: Vec<String>| match inside.is_empty() {
            true => String::new(),
            false => format!("({})", inside.join(", ")),
        };
        let depth = if of == "Mutation" { 0 } else { 2 };
        let without = super::matrix::with_a_permission_of_their_own();
        let selection = self.selection(named(&field["type"]), depth, &without);
        let kind = match of {
            "Mutation" => "mutation",
            "Subscription" => "subscription",
            _ => "query",
        };
        let mut inner = format!("{name}{} {selection}", parentheses(passed));
        for outer in entry.within.iter().rev() {
            inner = format!("{outer} {{ {inner} }}");
        }
        format!("{kind} {} {{ {inner} }}", parentheses(declared))
    }

    /// The selection of a type without arguments, up to that depth of objects, without the fields in `without`.
    pub fn selection(&self, of: &str, depth: usize, without: &BTreeSet<&str>) -> String {
        let one = &self.0[of];
        if one["kind"] == "SCALAR" || one["kind"] == "ENUM" {
            return String::new();
        }
        let mut chosen = vec!["__typename".to_owned()];
        let needs = |argument: &Value| {
            argument["type"]["kind"] == "NON_NULL" && argument["defaultValue"].is_null()
        };
        for field in list(&one["fields"]) {
            let (name, inner) = (text(&field["name"]), &self.0[named(&field["type"])]);
            if without.contains(format!("{of}.{name}").as_str())
                || list(&field["args"]).iter().any(needs)
            {
                continue;
            }
            match text(&inner["kind"]) {
                "SCALAR" | "ENUM" => chosen.push(name.to_owned()),
                _ if depth > 0 => {
                    let selection = self.selection(text(&inner["name"]), depth - 1, without);
                    chosen.push(format!("{name} {selection}"));
                }
                _ => {}
            }
        }
        format!("{{ {} }}", chosen.join(" "))
    }

    /// The types of objects with their own id.
    pub fn nodes(&self) -> BTreeSet<&str> {
        let possible = list(&self.0["Node"]["possibleTypes"]);
        possible.iter().map(|one| text(&one["name"])).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The innermost type of lists and non-nulls.
fn named(of: &Value) -> &str {
    match &of["ofType"] {
        Value::Null => text(&of["name"]),
        inner => named(inner),
    }
}

fn spelled(of: &Value) -> String {
    match text(&of["kind"]) {
        "NON_NULL" => format!("{}!", spelled(&of["ofType"])),
        "LIST" => format!("[{}]", spelled(&of["ofType"])),
        _ => text(&of["name"]).to_owned(),
    }
}
