use std::collections::BTreeSet;
use std::fmt::Write;

use super::*;
use crate::scenario::language::Mode;
use crate::scenario::play;

const SWEEP: &str = include_str!("tests/sweep.toml");

fn file(text: &str) -> ScenarioFile {
    ScenarioFile::from_toml("sweep.toml", text).unwrap()
}

/// Each mistake, made in a matrix that is right, and all that is said of it.
fn told(name: &str, mistakes: &[(&str, &str)]) {
    let mut told = String::new();
    for (right, wrong) in mistakes {
        assert!(SWEEP.contains(right), "{right}");
        let Err(error) = ScenarioFile::from_toml("sweep.toml", &SWEEP.replacen(right, wrong, 1)) else {
            panic!("it is taken: {wrong}")
        };
        write!(told, "── {wrong}\n{error}\n\n").unwrap();
    }
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(name, told) });
}

#[test]
fn cells_are_the_product_in_the_files_order_each_with_its_name() {
    let file = file(SWEEP);
    let names: Vec<String> = (0..file.cells()).map(|index| file.cell(index).unwrap().0).collect();
    assert_eq!(
        names,
        [
            "sweep[port=21,mode=port,loss=0%]",
            "sweep[port=21,mode=port,loss=1%]",
            "sweep[port=21,mode=pasv,loss=0%]",
            "sweep[port=21,mode=pasv,loss=1%]",
            "sweep[port=2121,mode=port,loss=0%]",
            "sweep[port=2121,mode=pasv,loss=0%]",
        ]
    );
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), file.cells());
    assert!(matches!(file.cell(6), Err(ScenarioError::NoSuchCell { index: 6, cells: 6 })));
}

#[test]
fn a_variable_is_its_value_with_its_type_and_in_a_longer_text_its_words() {
    let (_, scenario) = file(SWEEP).cell(4).unwrap();
    assert_eq!(scenario.title, "port on 2121, costing ${nothing} and \"much\"");
    assert_eq!(scenario.host["server"].ftp_server.as_ref().unwrap().port, 2121);
    let step = &scenario.step[0];
    assert_eq!(step.ftp.as_ref().unwrap().get_ref().mode, Some(Mode::Port));
    assert_eq!(step.expect.packets.keys().next().unwrap().get_ref(), "home.lan.pc");
    let pattern = step.expect.packets.values().next().unwrap()[0].get_ref();
    assert_eq!(pattern, "tcp 192.168.1.100:* > 198.51.100.9:2121 SYN");
}

#[test]
fn numbers_are_read_as_toml_reads_them() {
    let file = file(&SWEEP.replacen("port = [21, 2121]", "port = [0x15, 2_121]", 1));
    let ports: Vec<u16> = (0..file.cells())
        .map(|index| file.cell(index).unwrap().1.host["server"].ftp_server.as_ref().unwrap().port)
        .collect();
    assert_eq!(ports, [21, 21, 21, 21, 2121, 2121]);
    let too_large = SWEEP.replacen("port = [21, 2121]", "port = [21, 99999999999999999999]", 1);
    ScenarioFile::from_toml("sweep.toml", &too_large.replace("port = 2121, loss", "port = 21, loss"))
        .unwrap_err();
}

#[test]
fn every_cell_plays_as_its_table_says() {
    let file = file(SWEEP);
    for index in 0..file.cells() {
        let (name, scenario) = file.cell(index).unwrap();
        let verdict = play(&name, &scenario, 1).verdict;
        assert!(verdict.as_expected, "{name}: {:?}", verdict.steps);
    }
}

#[test]
fn a_cells_text_has_the_lines_of_the_file() {
    let file = file(SWEEP);
    let matrix = file.matrix.as_ref().unwrap();
    for index in 0..file.cells() {
        let values = matrix.values(index);
        let text = file.template.fill(SWEEP, &|name| values.get(name).copied());
        assert_eq!(text.lines().count(), SWEEP.lines().count());
        assert!(!text.contains("${port}"), "{text}");
    }
}

#[test]
fn a_file_without_a_matrix_is_one_scenario_of_its_own_name() {
    let text = include_str!("../../../../scenarios/pasv-21.toml");
    let file = ScenarioFile::from_toml("somewhere/pasv-21.toml", text).unwrap();
    assert_eq!((file.cells(), file.has_matrix(), file.name()), (1, false, "pasv-21"));
    assert_eq!(file.cell(0).unwrap().0, "pasv-21");
}

#[test]
fn a_file_with_a_matrix_is_no_single_scenario() {
    let error = Scenario::from_toml("sweep.toml", SWEEP).unwrap_err().to_string();
    assert!(error.starts_with("a single scenario is wanted, and this file's matrix makes 6\n"), "{error}");
}

#[test]
fn a_matrix_that_is_none_is_refused() {
    told(
        "matrix",
        &[
            ("port = [21, 2121]", "port = 21"),
            ("port = [21, 2121]", "port = []"),
            ("port = [21, 2121]", "port = [21, 21]"),
            ("port = [21, 2121]", "port = [\"${loss}\"]"),
            ("port = [21, 2121]", "\"the port\" = [21, 2121]"),
            ("port = [21, 2121]", "port = [21, { port = 2121 }]"),
            ("loss = [\"0%\", \"1%\"]", "loss = [{ loss = \"0%\" }, \"1%\"]"),
            ("mode = \"pasv\", client = \"pc\", cost = \"little\"", "mode = \"pasv\", client = \"pc\""),
            ("cost = \"little\" }", "cost = \"little\", more = 1 }"),
            ("mode = \"port\", client", "port = 3, mode = \"port\", client"),
            ("mode = \"port\", client", "mode = { a = 1 }, client"),
            ("loss = [\"0%\", \"1%\"]", "loss = [\"0%\", \"1%\"]\nunused = [1]"),
            ("port = 2121, loss", "prot = 2121, loss"),
            ("{ port = 2121, loss = \"1%\" }", "{ port = 2122 }"),
            ("{ port = 2121, loss = \"1%\" }", "{ port = [21, 2121] }"),
            ("{ port = 2121, loss = \"1%\" }", "7"),
        ],
    );
    let digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    let text = format!(
        "matrix = {{ a = {digits}, b = {digits}, c = {digits}, d = {digits}, e = {digits}, f = {digits} }}"
    );
    let error = ScenarioFile::from_toml("sweep.toml", &text).unwrap_err().to_string();
    assert!(error.starts_with("the matrix has 1000000 cells, and 100000 are the most\n"), "{error}");
}

#[test]
fn a_mistake_in_a_cell_is_shown_in_its_line_with_the_cell() {
    told(
        "cells",
        &[
            ("\"${port}\"", "\"${prot}\""),
            ("\"${port}\"", "\"${port\""),
            ("${mode} on", "${mode:-x} on"),
            ("mode = \"pasv\"", "mode = \"pasw\""),
            ("loss = [\"0%\", \"1%\"]", "loss = [\"101%\", \"1%\"]"),
            ("port = [21, 2121]", "port = [0, 2121]"),
            ("cost = '\"much\"'", "cost = \"'much'\""),
        ],
    );
    let text = include_str!("../../../../scenarios/pasv-21.toml").replace("works", "${works}");
    let error = ScenarioFile::from_toml("pasv-21.toml", &text).unwrap_err().to_string();
    assert!(error.starts_with("unknown variable `works`: the file has no `matrix` to set one\n"), "{error}");
    assert!(error.contains("write `$${`"), "{error}");
}

mod text {
    use proptest::prelude::*;
    use toml::Value;

    use super::super::value::{as_toml, escaped};

    proptest! {
        #[test]
        fn a_value_is_written_as_toml_in_one_line(text in any::<String>(), number in any::<i64>(), truth in any::<bool>()) {
            let value = Value::Array(vec![text.into(), number.into(), Value::Array(vec![truth.into()])]);
            let written = format!("a = {}", as_toml(&value));
            prop_assert!(!written.contains(['\n', '\r']));
            prop_assert_eq!(&written.parse::<toml::Table>().unwrap()["a"], &value);
        }

        #[test]
        fn a_text_stands_between_double_quotes(text in any::<String>()) {
            let written = format!("a = \"{}\"", escaped(&text));
            let table = written.parse::<toml::Table>().unwrap();
            prop_assert_eq!(table["a"].as_str(), Some(text.as_str()));
        }

        #[test]
        fn no_file_panics(text in "(\\$\\{|\\$|\\}|[a-c]|\"|'|=|\\[|\\]|\n|#|\\\\|matrix|,| ){0,40}") {
            let _ = crate::scenario::ScenarioFile::from_toml("any.toml", &text);
        }
    }
}
