//! Converts a schema to the subset of JSON Schema that Google accepts: no references, string enumerations only, one
//! type for each schema.

use serde_json::{Map, Value, json};

use crate::LlmError;

/// The maximum nesting that is expanded. A recursive schema exceeds it and is refused.
const DEPTH_MAX: usize = 32;
/// The maximum number of schemas that references may expand to.
const NODES_MAX: usize = 4_096;
/// The keywords that are copied unchanged.
const KEYWORDS: [&str; 14] = [
    "title",
    "description",
    "format",
    "nullable",
    "required",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minProperties",
    "maxProperties",
    "pattern",
];

/// Returns the schema in Google's subset. A keyword that the subset lacks is left out where that only allows more
/// values.
pub(crate) fn subset(schema: &Value) -> Result<Value, LlmError> {
    let mut nodes = 0;
    Subset {
        root: schema,
        nodes: &mut nodes,
    }
    .convert(schema, 0)
}

struct Subset<'a> {
    root: &'a Value,
    nodes: &'a mut usize,
}

fn refused(reason: &str) -> LlmError {
    LlmError::RequestInvalid(format!("the vendor cannot take the schema: {reason}"))
}

impl Subset<'_> {
    fn convert(&mut self, schema: &Value, depth: usize) -> Result<Value, LlmError> {
        *self.nodes += 1;
        if depth > DEPTH_MAX || *self.nodes > NODES_MAX {
            return Err(refused("it refers to itself, or is too large"));
        }
        let Some(given) = schema.as_object() else {
            // `true` allows everything.
            return Ok(json!({}));
        };
        if let Some(reference) = given.get("$ref") {
            let target = self.target(reference)?.clone();
            let mut converted = self.convert(&target, depth + 1)?;
            if let Some(description) = given.get("description") {
                converted["description"] = description.clone();
            }
            return Ok(converted);
        }
        let mut out = Map::new();
        for keyword in KEYWORDS {
            if let Some(value) = given.get(keyword) {
                out.insert(keyword.to_owned(), value.clone());
            }
        }
        self.types(given, &mut out);
        values(given, &mut out);
        for (from, to) in [("anyOf", "anyOf"), ("oneOf", "anyOf")] {
            if let Some(any) = given.get(from).and_then(Value::as_array) {
                self.any(any, to, depth, &mut out)?;
            }
        }
        // `allOf`: the schemas are merged, where their keywords do not conflict.
        for part in given
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let Value::Object(part) = self.convert(part, depth + 1)? {
                merge(&mut out, part);
            }
        }
        if let Some(items) = given.get("items") {
            out.insert("items".to_owned(), self.convert(items, depth + 1)?);
        }
        if let Some(properties) = given.get("properties").and_then(Value::as_object) {
            let mut converted = Map::new();
            for (name, property) in properties {
                converted.insert(name.clone(), self.convert(property, depth + 1)?);
            }
            merge_into(&mut out, "properties", converted);
        }
        Ok(out.into())
    }

    /// Resolves a reference within the schema.
    fn target(&self, reference: &Value) -> Result<&Value, LlmError> {
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let target = pointer.and_then(|pointer| self.root.pointer(pointer));
        target.ok_or_else(|| refused("it refers to something outside of itself"))
    }

    /// Sets the one type, and whether null is allowed too.
    fn types(&self, given: &Map<String, Value>, out: &mut Map<String, Value>) {
        match given.get("type") {
            Some(Value::String(name)) => {
                out.insert("type".to_owned(), name.as_str().into());
            }
            Some(Value::Array(names)) => {
                let mut others = names.iter().filter(|name| *name != "null").cloned();
                let (first, second) = (others.next(), others.next());
                if names.iter().any(|name| name == "null") {
                    out.insert("nullable".to_owned(), true.into());
                }
                if let (Some(first), None) = (&first, &second) {
                    out.insert("type".to_owned(), first.clone());
                } else if let (Some(first), Some(second)) = (first, second) {
                    let any = [first, second].into_iter().chain(others);
                    let any = any.map(|name| json!({ "type": name }));
                    out.insert("anyOf".to_owned(), any.collect());
                }
            }
            _ => {}
        }
    }

    /// Converts alternatives. An alternative that is only null becomes `nullable`.
    fn any(
        &mut self,
        any: &[Value],
        name: &str,
        depth: usize,
        out: &mut Map<String, Value>,
    ) -> Result<(), LlmError> {
        let mut converted = Vec::new();
        for schema in any {
            if schema["type"] == "null" {
                out.insert("nullable".to_owned(), true.into());
            } else {
                converted.push(self.convert(schema, depth + 1)?);
            }
        }
        match <[Value; 1]>::try_from(converted) {
            Ok([Value::Object(only)]) => merge(out, only),
            Ok(_) => {}
            Err(several) => {
                out.insert(name.to_owned(), several.into());
            }
        }
        Ok(())
    }
}

/// Converts enumerations. Strings are kept. Other values keep only their type, and the description lists them, because
/// the vendor accepts strings only.
fn values(given: &Map<String, Value>, out: &mut Map<String, Value>) {
    let constant = given.get("const").map(std::slice::from_ref);
    let Some(values) = given
        .get("enum")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .or(constant)
    else {
        return;
    };
    if values.iter().any(Value::is_null) {
        out.insert("nullable".to_owned(), true.into());
    }
    let values: Vec<Value> = values
        .iter()
        .filter(|value| !value.is_null())
        .cloned()
        .collect();
    if values.iter().all(Value::is_string) {
        out.insert("type".to_owned(), "string".into());
        if !values.is_empty() {
            out.insert("enum".to_owned(), values.into());
        }
        return;
    }
    if !out.contains_key("type") {
        let kind = match &values[0] {
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
            Value::Number(_) => "number",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::String(_) | Value::Null => "string",
        };
        out.insert("type".to_owned(), kind.into());
    }
    let list = Value::from(values);
    let said = out
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let said = format!("{said} One of {list}.").trim_start().to_owned();
    out.insert("description".to_owned(), said.into());
}

fn merge(out: &mut Map<String, Value>, part: Map<String, Value>) {
    for (name, value) in part {
        match (name.as_str(), value) {
            ("properties", Value::Object(properties)) => merge_into(out, "properties", properties),
            ("required", Value::Array(more)) => {
                let list = out.entry("required").or_insert_with(|| json!([]));
                if let Some(list) = list.as_array_mut() {
                    list.extend(more);
                }
            }
            (_, value) => {
                out.entry(name).or_insert(value);
            }
        }
    }
}

fn merge_into(out: &mut Map<String, Value>, name: &str, more: Map<String, Value>) {
    let fields = out.entry(name).or_insert_with(|| json!({}));
    if let Some(fields) = fields.as_object_mut() {
        fields.extend(more);
    }
}
