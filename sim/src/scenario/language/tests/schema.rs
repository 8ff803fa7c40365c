use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value;

use super::super::schema::schema;
use crate::committed::assert_current;

fn validator() -> Validator {
    jsonschema::options().should_validate_formats(true).build(&schema()).unwrap()
}

fn document(toml: &str) -> Value {
    serde_json::to_value(toml.parse::<toml::Table>().unwrap()).unwrap()
}

/// Every scenario file of the tree.
fn scenarios() -> Vec<PathBuf> {
    fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                into.push(path);
            }
        }
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&package.join("../scenarios"), &mut files);
    collect(&package.join("src/scenario"), &mut files);
    files
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    assert_current("docs/scenario.schema.json", &format!("{:#}\n", schema()));
}

#[test]
fn it_is_a_schema() {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert!(!schema.to_string().contains("\"null\""), "TOML has no null");
}

#[test]
fn every_scenario_fits_it() {
    let (validator, files) = (validator(), scenarios());
    assert!(files.len() >= 7, "{files:?}");
    for path in files {
        let document = document(&std::fs::read_to_string(&path).unwrap());
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

#[test]
fn mistakes_do_not_fit_it() {
    let validator = validator();
    let home = include_str!("../../check/tests/home.toml");
    assert!(validator.is_valid(&document(home)));
    for (right, wrong) in [
        ("data-port = 16683", "dataport = 16683"),
        ("mode = \"port\"", "mode = \"prot\""),
        ("data-port = 16683", "data-port = 70000"),
        ("data-port = 16683", "data-port = 0"),
        ("data-port = 16683", "data-port = \"16683\""),
        ("lan = \"192.168.1.1/24\"", "lan = \"192.168.1.1\""),
        ("wan = \"100.64.0.7\"", "wan = \"100.64.0.777\""),
        ("tcp/21=192.168.1.100", "21=192.168.1.100"),
        ("delay = \"20 ms\"", "delay = \"20\""),
        ("delay = \"20 ms\"", "delay = 20"),
        ("loss = \"1%\"", "loss = 1.5"),
        ("mtu = 1492", "mtu = 60"),
        ("wire = \"home.wan\"", "wire = \"home\""),
        ("wait = \"2 h\"", "wait = \"2 h\"\nping = { from = \"pc\", to = \"server\" }"),
        ("wait = \"2 h\"", "name = \"nothing\""),
        ("control = \"ok\"", "control = \"okay\""),
        ("[host.laptop]", "[host.\"lap top\"]"),
        ("title = \"a home\"", ""),
    ] {
        assert!(home.contains(right), "{right}");
        assert!(!validator.is_valid(&document(&home.replacen(right, wrong, 1))), "it fits: {wrong}");
    }
}

#[test]
fn variables_fit_where_numbers_words_and_lists_stand() {
    let validator = validator();
    let home = include_str!("../../check/tests/home.toml");
    for (value, variable) in [
        ("data-port = 16683", "data-port = \"${port}\""),
        ("mode = \"port\"", "mode = \"${mode}\""),
        ("wan = \"100.64.0.7\"", "wan = \"${wan}\""),
        ("wan = \"100.64.0.7\"", "wan = \"100.64.0.${host}\""),
        ("loss = \"1%\"", "loss = \"${loss}\""),
        ("mtu = 1492", "mtu = \"${mtu}\""),
        ("down = true", "down = \"${down}\""),
        ("forward = [\"tcp/21=192.168.1.100\"]", "forward = \"${forwards}\""),
        ("tcp/21=192.168.1.100", "tcp/${port}=192.168.1.100"),
        ("wire = \"home.wan\"", "wire = \"${home}.wan\""),
        ("request = 100", "request = \"${bytes}\""),
    ] {
        assert!(home.contains(value), "{value}");
        assert!(
            validator.is_valid(&document(&home.replacen(value, variable, 1))),
            "it does not fit: {variable}"
        );
    }
}
