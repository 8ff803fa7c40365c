//! One run, in each shape.

use serde_json::{Value, json};

use super::program::{BUILT_IN, failing, quirknat, stderr, stdout, text};
use crate::support::process::command;
use crate::support::requirement::{Requirement, met};
use crate::support::scratch::Scratch;

/// A good scenario and a bad one.
fn two(scratch: &Scratch) -> String {
    scratch.directory("two", 0o755);
    scratch.write("two/bad.toml", failing());
    scratch.write("two/good.toml", BUILT_IN);
    text(scratch, "two")
}

#[test]
fn lines_show_control_characters_and_do_not_obey_them() {
    let scratch = Scratch::new();
    let output = quirknat(&["run", &two(&scratch)]);
    assert_eq!(
        stdout(&output),
        "FAIL bad   <a> & 'b' \\u{1b}[31m \\u{0} \u{ffff} — PORT on the standard control port: translated, and the \
         data port forwarded\n     \
         step 1: ftp pc to server, PORT, list\n       \
         data: expected failed\n             \
         saw      ok\n       \
         client-saw: expected <&\"\\u{7}\\u{a}\">\n                   \
         saw      no <&\"\\u{7}\\u{a}\"> at all\n\
         ok   good  PORT on the standard control port: translated, and the data port forwarded\n\
         1 as expected, 1 not\n"
    );
    assert_eq!((output.status.code(), stderr(&output)), (Some(1), ""));
}

#[test]
fn json_is_one_document_with_a_line_a_scenario() {
    let scratch = Scratch::new();
    let output = quirknat(&["run", "--json", "--seed", "5", &two(&scratch)]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (key, value) in [
        ("seed", json!(5)),
        ("backend", json!("sim")),
        ("total", json!(2)),
        ("partition", Value::Null),
        ("as_expected", json!(1)),
        ("not_as_expected", json!(1)),
        ("interrupted", json!(false)),
    ] {
        assert_eq!(document[key], value, "{key}");
    }
    let bad = &document["scenarios"][0];
    assert_eq!(
        (&bad["position"], &bad["name"], &bad["as_expected"]),
        (&json!(1), &json!("bad"), &json!(false))
    );
    assert_eq!(bad["steps"][0]["mismatches"][1]["expected"], "<&\"\u{7}\n\">");
    let lines: Vec<&str> = stdout(&output).lines().collect();
    assert_eq!(lines.len(), 4, "header, two scenarios, counts");
    assert!(serde_json::from_str::<Value>(lines[2]).is_ok(), "{}", lines[2]);
}

const JUNIT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="quirknat">
  <testsuite name="bad" tests="3" failures="1" errors="0" skipped="0">
    <properties>
      <property name="title" value="&lt;a&gt; &amp; &apos;b&apos; \u{1b}[31m \u{0} \u{ffff} — PORT on the standard control port: translated, and the data port forwarded"/>
    </properties>
    <testcase classname="bad" name="step 1: ftp pc to server, PORT, list">
      <failure type="mismatch" message="data: expected failed, saw ok (and 1 more)">data
  expected failed
  saw      ok
client-saw
  expected &lt;&amp;&quot;\u{7}
&quot;&gt;
  saw      no &lt;&amp;&quot;\u{7}
&quot;&gt; at all
</failure>
    </testcase>
    <testcase classname="bad" name="step 2: ftp pc to server, PORT, get readme.txt"/>
    <testcase classname="bad" name="step 3: ftp pc to server, PORT, put upload.bin"/>
  </testsuite>
  <testsuite name="good" tests="3" failures="0" errors="0" skipped="0">
    <properties>
      <property name="title" value="PORT on the standard control port: translated, and the data port forwarded"/>
    </properties>
    <testcase classname="good" name="step 1: ftp pc to server, PORT, list"/>
    <testcase classname="good" name="step 2: ftp pc to server, PORT, get readme.txt"/>
    <testcase classname="good" name="step 3: ftp pc to server, PORT, put upload.bin"/>
  </testsuite>
</testsuites>
"#;

#[test]
fn junit_is_written_beside_the_lines() {
    let scratch = Scratch::new();
    let file = text(&scratch, "junit.xml");
    let output = quirknat(&["run", "--junit", &file, &two(&scratch)]);
    assert!(stdout(&output).ends_with("1 as expected, 1 not\n"), "{}", stdout(&output));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), JUNIT);
}

/// Against the schema that Jenkins' plugin publishes.
#[test]
fn junit_is_valid_by_jenkins_schema() {
    if !met(&[Requirement::Program("xmllint")]) {
        return;
    }
    let scratch = Scratch::new();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/reports/junit-10.xsd");
    let validate = |file: &str| {
        let output = command("xmllint").args(["--noout", "--schema", schema, file]).output().unwrap();
        (output.status.success(), stderr(&output).to_owned())
    };
    let file = text(&scratch, "junit.xml");
    for arguments in [&["--partition", "1/1"][..], &["--partition", "3/3"]] {
        let mut all = vec!["run", "--junit", &file];
        all.extend(arguments);
        let folder = two(&scratch);
        all.push(&folder);
        quirknat(&all);
        assert_eq!(validate(&file), (true, format!("{file} validates\n")));
    }
    // The schema does judge.
    let wrong = scratch.write("wrong.xml", JUNIT.replace("tests=\"3\" ", ""));
    assert!(!validate(wrong.to_str().unwrap()).0);
}

#[test]
fn a_bad_file_is_found_before_the_first_scenario_plays() {
    let scratch = Scratch::new();
    let folder = two(&scratch);
    scratch.write("two/zz-last.toml", "title = 1");
    let junit = text(&scratch, "junit.xml");
    let out = text(&scratch, "out");
    let output = quirknat(&["run", &folder, "--junit", &junit, "--out", &out]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""));
    assert!(stderr(&output).contains("zz-last.toml:1:9"), "{}", stderr(&output));
    assert!(!scratch.join("junit.xml").exists() && !scratch.join("out").exists());
}
