//! A run in parts, and the parts put together.

use std::process::Output;

use super::program::{BUILT_IN, failing, quirknat, stderr, stdout, text};
use crate::support::scratch::Scratch;

/// Five scenarios with names of different lengths, the second and fourth of which are not as expected.
fn five(scratch: &Scratch) -> String {
    scratch.directory("five", 0o755);
    for (name, text) in [
        ("a", BUILT_IN.to_owned()),
        ("bb", failing()),
        ("ccc", BUILT_IN.to_owned()),
        ("dddddddd", failing()),
        ("e", BUILT_IN.to_owned()),
    ] {
        scratch.write(&format!("five/{name}.toml"), text);
    }
    text(scratch, "five")
}

/// Plays a part, and keeps its document.
fn part(scratch: &Scratch, folder: &str, part: &str, more: &[&str]) -> String {
    let mut arguments = vec!["run", folder, "--json", "--partition", part];
    arguments.extend(more);
    let output = quirknat(&arguments);
    assert_eq!(stderr(&output), "");
    let name = format!("{}.json", part.replace('/', "-of-"));
    scratch.write(&name, &output.stdout);
    text(scratch, &name)
}

#[test]
fn merged_parts_are_the_whole_to_the_byte_in_each_shape() {
    let scratch = Scratch::new();
    let folder = five(&scratch);
    for of in [1, 2, 3, 7] {
        let parts: Vec<String> =
            (1..=of).rev().map(|number| part(&scratch, &folder, &format!("{number}/{of}"), &[])).collect();
        for shape in [&[][..], &["--json"]] {
            let (whole_file, merged_file) = (text(&scratch, "whole.xml"), text(&scratch, "merged.xml"));
            let whole = quirknat(&[&["run", &folder, "--junit", &whole_file], shape].concat());
            let mut arguments = vec!["merge", "--junit", &merged_file];
            arguments.extend(shape);
            arguments.extend(parts.iter().map(String::as_str));
            let merged = quirknat(&arguments);
            assert_eq!(stdout(&merged), stdout(&whole), "{of} parts");
            assert_eq!(
                std::fs::read_to_string(merged_file).unwrap(),
                std::fs::read_to_string(whole_file).unwrap()
            );
            assert_eq!((merged.status.code(), whole.status.code()), (Some(1), Some(1)));
        }
    }
}

#[test]
fn parts_have_no_scenario_in_common_and_together_all() {
    let scratch = Scratch::new();
    let folder = five(&scratch);
    let names = |part: &str| -> Vec<String> {
        let output = quirknat(&["run", &folder, "--partition", part]);
        let results = stdout(&output).lines().filter(|line| !line.starts_with(' '));
        let names = results.filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned));
        names.filter(|name| name != "as").collect()
    };
    assert_eq!(names("1/3"), ["a", "dddddddd"]);
    assert_eq!(names("2/3"), ["bb", "e"]);
    assert_eq!(names("3/3"), ["ccc"]);
}

#[test]
fn an_empty_part_is_as_expected() {
    let output = quirknat(&["run", "pasv-21", "pasv-other", "--partition", "5/5"]);
    assert_eq!(
        (output.status.code(), stdout(&output), stderr(&output)),
        (Some(0), "0 as expected, 0 not\n", "")
    );
}

#[test]
fn a_part_that_cannot_be_is_wrong_usage() {
    for wrong in ["0/3", "4/3", "1/0", "1", "a/b", "-1/3", "1/3/4", "1/99999999999999999999999"] {
        let output = quirknat(&["run", "--partition", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(wrong.starts_with('-') || stderr(&output).contains("write K/N"), "{}", stderr(&output));
    }
}

#[test]
fn the_whole_as_expected_is_status_0_and_one_part_not_is_1() {
    let scratch = Scratch::new();
    let folder = five(&scratch);
    let good = part(&scratch, &folder, "1/2", &[]);
    let bad = part(&scratch, &folder, "2/2", &[]);
    assert_eq!(quirknat(&["merge", &good, &bad]).status.code(), Some(1));
    let one = part(&scratch, "pasv-21", "1/2", &[]);
    let none = part(&scratch, "pasv-21", "2/2", &[]);
    let output = quirknat(&["merge", &none, &one]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), stdout(&quirknat(&["run", "pasv-21"]))));
}

fn assert_wrong(output: &Output, words: &[&str]) {
    assert_eq!((output.status.code(), stdout(output)), (Some(2), ""), "{}", stderr(output));
    assert_eq!(stderr(output).lines().count(), 1, "{}", stderr(output));
    for word in words {
        assert!(stderr(output).contains(word), "{word:?} is missing in {:?}", stderr(output));
    }
}

#[test]
fn parts_that_make_no_whole_are_named() {
    let scratch = Scratch::new();
    let folder = five(&scratch);
    let [one, two, three] = ["1/3", "2/3", "3/3"].map(|name| part(&scratch, &folder, name, &[]));
    assert_wrong(&quirknat(&["merge", &one, &three]), &["of 3 parts, these are missing: 2"]);
    assert_wrong(&quirknat(&["merge", &two]), &["these are missing: 1, 3"]);
    assert_wrong(&quirknat(&["merge", &one, &two, &three, &two]), &["part 2 is given twice", "2-of-3.json"]);

    let other = Scratch::new();
    let seeded = part(&other, &folder, "2/3", &["--seed", "9"]);
    assert_wrong(&quirknat(&["merge", &one, &seeded, &three]), &["different runs", "the seed is 0", "9 in"]);
    let fewer = part(&other, &folder, "2/3", &["--filter", "bb"]);
    assert_wrong(&quirknat(&["merge", &one, &fewer, &three]), &["the number of scenarios is 5"]);
    let halves = part(&other, &folder, "2/2", &[]);
    assert_wrong(&quirknat(&["merge", &one, &halves]), &["the number of parts is 3"]);
}

#[test]
fn a_file_that_is_no_report_is_named() {
    let scratch = Scratch::new();
    let folder = five(&scratch);
    let good = std::fs::read_to_string(part(&scratch, &folder, "1/2", &[])).unwrap();
    for (text, words) in [
        ("", "not a whole report"),
        ("{}", "missing field"),
        (&good[..good.len() / 2], "not a whole report"),
        (&good.replace("\"position\":3", "\"position\":4"), "not the scenarios of part 1 of 2"),
        (&good.replace("\"part\":1", "\"part\":3"), "no part 3 of 2"),
        (&good.replace("\"of\":2", "\"of\":0"), "no part 1 of 0"),
        (&good.replace("\"total\":5", "\"total\":18446744073709551615"), "not the scenarios"),
        (&good.replace("\"interrupted\":false", "\"interrupted\":true"), "interrupted after 3 of 3"),
    ] {
        let file = scratch.write("wrong.json", text);
        assert_wrong(&quirknat(&["merge", file.to_str().unwrap()]), &["wrong.json", words]);
    }
    assert_wrong(&quirknat(&["merge", "/no/such.json"]), &["/no/such.json: "]);
}
