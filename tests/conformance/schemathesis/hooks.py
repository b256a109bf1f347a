"""A check for Schemathesis: an answer's data has the shape that the schema declares.

Schemathesis sends operations that it makes of the schema, and looks at the status and the errors. This holds the data
against the types of the fields that were selected: what is not null, what is a list, which values an enumeration has.
"""

from functools import lru_cache

import os

import schemathesis
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    is_abstract_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    is_scalar_type,
    parse,
)
from hypothesis import strategies as st
from schemathesis.graphql import nodes

# The kinds of value that the specification gives each scalar in JSON.
SCALARS = {"Int": int, "Float": (int, float), "String": str, "Boolean": bool, "ID": str}
# What Schemathesis is to send for the scalars that it does not know.
schemathesis.graphql.scalar("DateTime", st.datetimes().map(lambda at: nodes.String(at.isoformat() + "Z")))
schemathesis.graphql.scalar("Long", st.integers(-(2**63), 2**63 - 1).map(nodes.Int))
# An error that is no answer to a request, but a fault of the server.
FAULTS = {"INTERNAL"}


@lru_cache
def schema_of(path):
    with open(path, encoding="utf-8") as file:
        return build_schema(file.read())


def violations(schema, source, answer):
    """Returns what is not as the schema says, each with its path."""
    if not isinstance(answer, dict) or not answer.keys() <= {"data", "errors", "extensions"}:
        return ["the answer is no GraphQL response"]
    found = []
    errors = answer.get("errors", [])
    if "errors" in answer and not errors:
        found.append("`errors` is empty")
    for error in errors:
        code = error.get("extensions", {}).get("code")
        if not isinstance(error.get("message"), str) or not isinstance(code, str):
            found.append(f"an error without a message or a code: {error}")
        if code in FAULTS:
            found.append(f"the server failed: {error}")
    if answer.get("data") is not None:
        document = parse(source)
        fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
        operation = next(part for part in document.definitions if isinstance(part, OperationDefinitionNode))
        root = schema.get_root_type(operation.operation)
        walk_object(schema, fragments, root, [operation.selection_set], answer["data"], (), found)
    elif not errors:
        found.append("neither data nor errors")
    return found


def fields_of(schema, fragments, concrete, sets):
    """The selected fields of a type by their keys in the answer."""
    fields = {}
    for part in [part for each in sets for part in each.selections]:
        if isinstance(part, FieldNode):
            fields.setdefault((part.alias or part.name).value, []).append(part)
            continue
        fragment = part if isinstance(part, InlineFragmentNode) else fragments[part.name.value]
        condition = fragment.type_condition and schema.get_type(fragment.type_condition.name.value)
        if (
            condition is None
            or condition == concrete
            or (is_abstract_type(condition) and schema.is_sub_type(condition, concrete))
        ):
            for key, more in fields_of(schema, fragments, concrete, [fragment.selection_set]).items():
                fields.setdefault(key, []).extend(more)
    return fields


def walk_object(schema, fragments, concrete, sets, value, path, found):
    if not isinstance(value, dict):
        found.append(f"{path}: no object")
        return
    fields = fields_of(schema, fragments, concrete, sets)
    if set(fields) != set(value):
        found.append(f"{path}: has {sorted(value)}, and {sorted(fields)} were selected")
    for key, nodes in fields.items():
        name = nodes[0].name.value
        if key not in value or name.startswith("__"):
            continue
        sets = [node.selection_set for node in nodes if node.selection_set]
        walk(schema, fragments, concrete.fields[name].type, sets, value[key], (*path, key), found)


def walk(schema, fragments, type_, sets, value, path, found):
    if is_non_null_type(type_):
        if value is None:
            found.append(f"{path}: null")
            return
        type_ = type_.of_type
    if value is None:
        return
    if is_list_type(type_):
        if not isinstance(value, list):
            found.append(f"{path}: no list")
            return
        for index, item in enumerate(value):
            walk(schema, fragments, type_.of_type, sets, item, (*path, index), found)
    elif is_scalar_type(type_):
        kind = SCALARS.get(type_.name, object)
        if not isinstance(value, kind) or (isinstance(value, bool) and type_.name in ("Int", "Float")):
            found.append(f"{path}: {value!r} is no {type_.name}")
        if type_.name == "Int" and isinstance(value, int) and not -(2**31) <= value < 2**31:
            found.append(f"{path}: {value} does not fit an Int")
    elif is_enum_type(type_):
        if value not in type_.values:
            found.append(f"{path}: {value!r} is no {type_.name}")
    else:
        concrete = get_named_type(type_)
        if is_abstract_type(concrete):
            name = value.get("__typename") if isinstance(value, dict) else None
            # Without its name the type of the object cannot be known.
            if name is None:
                return
            concrete = schema.get_type(name)
        walk_object(schema, fragments, concrete, sets, value, path, found)


@schemathesis.check
def answer_is_as_the_schema_says(ctx, response, case):
    if response.status_code not in (200, 400, 429):
        raise AssertionError(f"status {response.status_code}: {response.text[:500]}")
    body = case.body if isinstance(case.body, str) else case.body.get("query", "")
    found = violations(schema_of(os.environ["NYXCORE_SCHEMA"]), body, response.json())
    if found:
        raise AssertionError("; ".join(found[:5]))
    return None
