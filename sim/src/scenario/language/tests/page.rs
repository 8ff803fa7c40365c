//! The reference page: its tables are made from the schema, its examples are read and played.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use super::super::schema::schema;
use crate::committed::assert_current;
use crate::scenario::language::BackendName;
use crate::scenario::{Mismatch, ScenarioFile, Verdict, play};

const PAGE: &str = include_str!("../../../../../docs/scenarios.md");
const PACKET_TEXT: &str = include_str!("../../../packet_text/mod.rs");
const END: &str = "<!-- end -->";

#[test]
fn the_tables_are_those_of_the_types() {
    let schema = schema();
    let mut made = String::new();
    let mut rest = PAGE;
    let mut tables = BTreeSet::new();
    while let Some((before, behind)) = rest.split_once("<!-- made: ") {
        let (name, behind) = behind.split_once(" -->\n").unwrap();
        let (old, behind) = behind.split_once(END).unwrap_or_else(|| panic!("{name} has no end"));
        assert!(tables.insert(name.to_owned()), "{name} stands twice");
        let table = if name == "packets" { packet_text() } else { table(&schema, name, old) };
        write!(made, "{before}<!-- made: {name} -->\n{table}{END}").unwrap();
        rest = behind;
    }
    made.push_str(rest);
    assert_current("docs/scenarios.md", &made);
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        let has_table = definition.get("properties").is_some() || !words(definition).is_empty();
        assert!(!has_table || tables.contains(name), "the page has no table for {name}");
    }
    assert!(tables.contains("Scenario") && tables.contains("packets"));
}

/// The rows stand in the order in which they stand on the page; new ones come last.
fn table(schema: &Value, name: &str, old: &str) -> String {
    let definition = if name == "Scenario" { schema } else { &schema["definitions"][name] };
    let rows: BTreeMap<String, String> = match definition.get("properties").and_then(Value::as_object) {
        Some(keys) => {
            let row =
                |(key, value): (&String, &Value)| (key.clone(), key_row(schema, definition, key, value));
            keys.iter().map(row).collect()
        }
        None => words(definition).into_iter().map(|(word, row)| (word.to_owned(), row)).collect(),
    };
    assert!(!rows.is_empty(), "nothing is called {name}");
    let first_cell = |line: &str| line.strip_prefix("| `")?.split_once('`').map(|(key, _)| key.to_owned());
    let mut order: Vec<String> =
        old.lines().filter_map(first_cell).filter(|key| rows.contains_key(key)).collect();
    let new: Vec<String> = rows.keys().filter(|key| !order.contains(key)).cloned().collect();
    order.extend(new);
    let head = match definition.get("properties") {
        Some(_) => "| key | type | left out | meaning |\n|---|---|---|---|\n",
        None => "| word | meaning |\n|---|---|\n",
    };
    let body: String = order.iter().map(|key| rows[key].as_str()).collect();
    format!("\n{head}{body}\n")
}

fn key_row(schema: &Value, table: &Value, key: &str, value: &Value) -> String {
    let needed = table["required"].as_array().is_some_and(|keys| keys.iter().any(|needed| needed == key));
    let left_out = match value.get("default") {
        _ if needed => "needed".to_owned(),
        // Its own table says what is left out of it.
        Some(Value::Object(_))
            if type_of(schema, value).starts_with("table ") && !value["additionalProperties"].is_object() =>
        {
            String::new()
        }
        Some(default)
            if default.as_object().is_none_or(|table| !table.is_empty())
                && *default != Value::from(Vec::<u8>::new()) =>
        {
            format!("`{}`", toml_of(default))
        }
        _ => String::new(),
    };
    format!("| `{key}` | {} | {left_out} | {} |\n", type_of(schema, value), description(value))
}

/// The words of an enumeration, each with its row.
fn words(definition: &Value) -> Vec<(&str, String)> {
    let alternatives = definition["anyOf"].as_array().into_iter().flatten();
    let words = alternatives.filter_map(|schema| schema["oneOf"].as_array()).flatten();
    let row = |schema: &'_ Value| {
        format!("| `{}` | {} |\n", schema["const"].as_str().unwrap(), description(schema))
    };
    words.map(|schema| (schema["const"].as_str().unwrap(), row(schema))).collect()
}

fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    assert!(!text.is_empty(), "no description: {schema}");
    text.replace('\n', " ").replace('|', "\\|")
}

fn toml_of(value: &Value) -> String {
    match value {
        Value::Object(table) => {
            let entries: Vec<String> =
                table.iter().map(|(key, value)| format!("\"{key}\" = {}", toml_of(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn type_of(schema: &Value, value: &Value) -> String {
    let inner = value["allOf"].as_array().or(value["anyOf"].as_array()).and_then(|all| all.first());
    if let Some(inner) = inner {
        return type_of(schema, inner);
    }
    if let Some(name) = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/definitions/")) {
        return match name {
            "TimeSpan" => "[duration](#units)".to_owned(),
            "Rate" => "[rate](#units)".to_owned(),
            "Probability" => "[probability](#units)".to_owned(),
            "Mtu" => "whole number from 68".to_owned(),
            "Content" => "text or number of bytes".to_owned(),
            "Segments" => "number of bytes, or list of such".to_owned(),
            _ if schema["definitions"][name].get("properties").is_some() => format!("table {name}"),
            _ => "word".to_owned(),
        };
    }
    match value["type"].as_str() {
        Some("string") if value["format"] == "ipv4" => "address".to_owned(),
        Some("string") => "text".to_owned(),
        Some("integer") => "whole number".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("array") => format!("list of {}", many(schema, &value["items"])),
        Some("object") => format!("table of {}, by name", many(schema, &value["additionalProperties"])),
        _ => "any value".to_owned(),
    }
}

/// The type of what a list or table holds.
fn many(schema: &Value, value: &Value) -> String {
    match type_of(schema, value).as_str() {
        "text" => "texts".to_owned(),
        "word" => "words".to_owned(),
        "any value" => "values".to_owned(),
        "whole number" => "whole numbers".to_owned(),
        other => other.strip_prefix("table ").unwrap_or(other).to_owned(),
    }
}

/// The notation as its module describes it.
fn packet_text() -> String {
    let lines = PACKET_TEXT.lines().map_while(|line| line.strip_prefix("//!"));
    let mut text = String::from("\n");
    for line in lines {
        let line = line.strip_prefix(' ').unwrap_or(line);
        let line = if line.starts_with("# ") { format!("##{line}") } else { line.to_owned() };
        text.push_str(
            line.replace("[`print()`]", "The program")
                .replace("[`Pattern`]", "pattern")
                .replace("[`parse`]", "reading")
                .trim_end(),
        );
        text.push('\n');
    }
    text.push('\n');
    text
}

/// The page's TOML, with the line at which each block begins.
fn blocks() -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (index, line) in PAGE.lines().enumerate() {
        match (inside, line) {
            (false, "```toml") => {
                inside = true;
                blocks.push((index + 1, String::new()));
            }
            (true, "```") => inside = false,
            (true, _) => {
                let (_, text) = blocks.last_mut().unwrap();
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

fn mismatches(verdict: &Verdict) -> Vec<(&str, &[Mismatch])> {
    let steps = verdict.steps.iter().filter(|step| !step.mismatches.is_empty());
    steps.map(|step| (step.step.as_str(), step.mismatches.as_slice())).collect()
}

#[test]
fn every_example_is_read_and_played_and_comes_out_as_it_says() {
    let blocks = blocks();
    assert!(blocks.len() >= 8);
    let base = &blocks[0].1;
    for (line, block) in &blocks {
        // What is no whole scenario continues the first one.
        let text = if block.contains("title = ") { block.clone() } else { format!("{base}\n{block}") };
        let file = ScenarioFile::from_toml("scenarios.md.toml", &text)
            .unwrap_or_else(|error| panic!("the example at line {line}: {error}"));
        for index in 0..file.cells() {
            let (name, scenario) = file.cell(index).unwrap();
            if scenario.runs_only_on().is_some_and(|(backend, _)| backend == BackendName::Netns) {
                continue;
            }
            let verdict = play(&name, &scenario, 1).verdict;
            assert!(verdict.as_expected, "the example at line {line}, {name}: {:#?}", mismatches(&verdict));
        }
    }
}
