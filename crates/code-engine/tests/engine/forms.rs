//! The machine-readable reports: JSON is valid by the project's schema, SARIF by the official one.

use std::fs;
use std::path::Path;

use nyxcore_code_engine::render::report_sarif;
use nyxcore_code_engine::tree::{TreeOptions, TreeReport, tree_analyze};
use serde_json::{Map, Value, json};

use crate::full_report;

const REPORT: &str = include_str!("../../../../docs/schema/analysis-2.schema.json");
const SARIF: &str = include_str!("schema/sarif-schema-2.1.0.json");

/// The violations of the schema in `value`.
fn complaints(schema: &str, value: &Value) -> Vec<String> {
    let mut schema: Value = serde_json::from_str(schema).expect("JSON");
    // SARIF's pattern for languages has an extra bracket, which strict regular expression parsers reject. Reports
    // contain no language.
    for part in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{part}/properties/language"));
        language
            .and_then(Value::as_object_mut)
            .map(|language| language.remove("pattern"));
    }
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let complaints = validator.iter_errors(value);
    complaints
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn value(report: &TreeReport) -> Value {
    serde_json::to_value(report).expect("JSON")
}

fn sarif(report: &TreeReport) -> Value {
    serde_json::to_value(report_sarif(report)).expect("JSON")
}

/// A report on this crate's own source and some files that cannot be analysed.
fn real_report() -> TreeReport {
    let root = tempfile::tempdir().expect("a folder");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let copy = root.path().join(path.strip_prefix(&source).expect("below"));
            fs::create_dir_all(copy.parent().expect("a folder")).expect("folders");
            fs::copy(&path, copy).expect("a copy");
        }
    }
    fs::write(root.path().join("deep.py"), "(".repeat(9_999)).expect("a file");
    fs::write(root.path().join("wide.py"), b"\xff\xfe#\0").expect("a file");
    fs::create_dir_all(root.path().join(".nyxcore/rules")).expect("a folder");
    let rules = "id: no-unwrap\nlanguage: rust\nseverity: warning\nrule:\n  pattern: $A.unwrap()\n---\nid: broken\nlanguage: none\n";
    fs::write(root.path().join(".nyxcore/rules/own.yml"), rules).expect("a file");
    let options = TreeOptions {
        files: true,
        ..TreeOptions::default()
    };
    tree_analyze(root.path(), &options, |_| {}).expect("a report")
}

#[test]
fn a_report_keeps_to_the_schema() {
    assert_eq!(complaints(REPORT, &value(&full_report::report())), [""; 0]);
    assert_eq!(complaints(REPORT, &value(&real_report())), [""; 0]);
}

#[test]
fn the_schema_describes_every_field_and_allows_no_other() {
    let schema: Value = serde_json::from_str(REPORT).expect("JSON");
    let mut open = vec![("".to_owned(), &schema)];
    while let Some((at, part)) = open.pop() {
        let Some(part) = part.as_object() else {
            continue;
        };
        if let Some(fields) = part.get("properties").and_then(Value::as_object) {
            assert_eq!(part["additionalProperties"], json!(false), "{at}");
            for (name, field) in fields {
                let said = |of: &Map<String, Value>| {
                    of.contains_key("description") || of.contains_key("$ref")
                };
                assert!(field.as_object().is_some_and(said), "{at}/{name}");
            }
            open.extend(
                fields
                    .iter()
                    .map(|(name, one)| (format!("{at}/{name}"), one)),
            );
        }
        for key in ["items", "$defs"] {
            let Some(below) = part.get(key) else { continue };
            match (key, below.as_object()) {
                ("$defs", Some(all)) => open.extend(all.iter().map(|(n, one)| (n.clone(), one))),
                _ => open.push((format!("{at}/{key}"), below)),
            }
        }
    }
}

#[test]
fn a_field_that_nobody_described_is_refused_wherever_it_is() {
    let report = value(&full_report::report());
    for at in [
        "",
        "/project",
        "/project/patterns/0",
        "/skipped/0",
        "/files/0/functions/0",
    ] {
        let mut more = report.clone();
        let object = more.pointer_mut(at).and_then(Value::as_object_mut);
        object
            .expect("an object")
            .insert("new".to_owned(), json!(1));
        assert_eq!(complaints(REPORT, &more).len(), 1, "{at}");
    }
    let mut less = report;
    less["project"]
        .as_object_mut()
        .expect("an object")
        .remove("stack");
    assert_eq!(complaints(REPORT, &less).len(), 1);
}

#[test]
fn sarif_keeps_to_the_official_schema() {
    let full = sarif(&full_report::report());
    assert_eq!(complaints(SARIF, &full), [""; 0]);
    assert_eq!(complaints(SARIF, &sarif(&real_report())), [""; 0]);
    let mut broken = full;
    broken["runs"][0]["results"][0]["level"] = json!("grave");
    assert_eq!(
        complaints(SARIF, &broken).len(),
        1,
        "the schema is asked at all"
    );
}

#[test]
fn sarif_tells_what_stands_out_and_where() {
    insta::assert_json_snapshot!(report_sarif(&full_report::report()), {
        ".runs[0].tool.driver.semanticVersion" => "[version]",
    });
}

#[test]
fn every_finding_has_a_rule_and_a_fingerprint_of_its_own() {
    for report in [full_report::report(), real_report()] {
        let log = sarif(&report);
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        let mut seen = std::collections::BTreeSet::new();
        for result in run["results"].as_array().expect("results") {
            let index = result["ruleIndex"].as_u64().expect("a number") as usize;
            assert_eq!(rules[index]["id"], result["ruleId"]);
            let print = &result["partialFingerprints"]["nyxcoreFinding/v1"];
            assert!(seen.insert(print.to_string()), "{result}");
        }
        assert!(seen.len() > 1);
    }
}

#[test]
fn a_fingerprint_stays_while_lines_move() {
    let report = full_report::report();
    let mut moved = report.clone();
    for place in moved
        .project
        .patterns
        .iter_mut()
        .flat_map(|pattern| &mut pattern.counter_examples)
        .chain(
            moved
                .project
                .duplicates
                .iter_mut()
                .flat_map(|group| &mut group.places),
        )
        .chain(
            moved
                .project
                .dead_code
                .iter_mut()
                .map(|dead| &mut dead.location),
        )
    {
        place.start_line += 100;
        place.end_line += 100;
        place.blob = "f919b7bbdc77f1f9376d21cc6eb3bc6658b8c550".to_owned();
    }
    for function in &mut moved.complex_functions {
        function.start_line += 100;
        function.end_line += 100;
    }
    let prints = |report: &TreeReport| -> Vec<Value> {
        let log = sarif(report);
        let results = log["runs"][0]["results"].as_array().expect("results");
        let prints = results
            .iter()
            .map(|result| result["partialFingerprints"].clone());
        prints.collect()
    };
    assert_eq!(prints(&report), prints(&moved));
    assert_ne!(sarif(&report), sarif(&moved));
}
