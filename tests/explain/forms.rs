//! Text, Markdown and JSON.

use serde_json::Value;

use super::{explained, quirknat};

/// The article's cases that differ most: rewritten, left alone, a leak in a reply, and two routers.
const CASES: [(&str, &str, &str); 4] = [
    ("rewritten", "port-21-rewritten", "1"),
    ("untouched", "port-other-untouched", "2"),
    ("leak", "server-pasv-leaks", "1"),
    ("both", "both-21-port", "1"),
];

#[test]
fn the_text_of_the_articles_cases() {
    for (name, scenario, step) in CASES {
        let text = explained(&[scenario, "--step", step, "--width", "100"]);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}-text"), text);
        });
    }
}

#[test]
fn the_markdown_of_the_articles_cases() {
    for (name, scenario, step) in CASES {
        let text = explained(&[scenario, "--step", step, "--format", "markdown"]);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}-markdown"), text);
        });
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for (_, scenario, _) in CASES {
        for width in [60, 80, 97, 132, 200] {
            let text = explained(&[scenario, "--width", &width.to_string()]);
            let long = text.lines().find(|line| line.chars().count() > width);
            assert_eq!(long, None, "{scenario} in {width} columns");
        }
    }
}

#[test]
fn the_same_scenario_and_seed_give_the_same_bytes() {
    for arguments in [&[][..], &["--format", "markdown"], &["--json"], &["--all-packets", "--json"]] {
        let arguments = [&["both-21-port", "--seed", "7"], arguments].concat();
        assert_eq!(explained(&arguments), explained(&arguments), "{arguments:?}");
    }
}

#[test]
fn marks_are_there_without_colours_and_more_so_with_them() {
    let plain = explained(&["port-21-rewritten", "--step", "1", "--width", "100"]);
    assert!(!plain.contains('\u{1b}'));
    let coloured = explained(&["port-21-rewritten", "--step", "1", "--width", "100", "--color", "always"]);
    let before = coloured.find("192,168,1,100").map(|at| &coloured[..at]).unwrap();
    assert!(before.ends_with("\u{1b}[7m"), "what is rewritten is shown in reverse");
    let mut stripped = String::new();
    for (number, part) in coloured.split("\u{1b}[").enumerate() {
        stripped.push_str(if number == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(stripped, plain, "colours are all that differs");
}

/// A diagram's lines are participants, messages or notes, and name participants that there are.
#[test]
fn mermaid_gets_nothing_but_what_it_reads() {
    for (_, scenario, _) in CASES {
        let text = explained(&[scenario, "--format", "markdown"]);
        let diagrams: Vec<&str> =
            text.split("```mermaid\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect();
        assert!(!diagrams.is_empty());
        for diagram in diagrams {
            let mut lines = diagram.lines();
            assert_eq!(lines.next(), Some("sequenceDiagram"));
            let mut participants = 0;
            for line in lines {
                let line = line.strip_prefix("    ").unwrap();
                if let Some(rest) = line.strip_prefix(&format!("participant s{participants} as ")) {
                    participants += 1;
                    assert!(is_text(rest), "{line}");
                    continue;
                }
                let (head, body) = line.split_once(": ").unwrap();
                assert!(is_text(body), "{line}");
                let ends = head.strip_prefix("Note over ").map_or_else(
                    || {
                        head.split_once("->>")
                            .or_else(|| head.split_once("-x"))
                            .map(|(one, other)| vec![one, other])
                    },
                    |over| Some(over.split(',').collect()),
                );
                for end in ends.unwrap() {
                    let number: usize = end.strip_prefix('s').unwrap().parse().unwrap();
                    assert!(number < participants, "{line}");
                }
            }
        }
    }
}

/// Whether nothing in a text ends it or is markup: `#` and `;` stand in entities alone, `<` and `>` in line breaks.
fn is_text(text: &str) -> bool {
    let text = text.replace("<br/>", "");
    let without_entities: String = text
        .split('#')
        .enumerate()
        .map(|(number, part)| match part.split_once(';') {
            Some((digits, rest)) if number > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => rest,
            _ if number == 0 => part,
            _ => "#",
        })
        .collect();
    !without_entities.contains(['#', ';', '<', '>', '&', '`', '%'])
}

#[test]
fn json_has_the_whole_of_it_and_no_password() {
    let document: Value = serde_json::from_str(&explained(&["port-21-rewritten", "--json"])).unwrap();
    assert_eq!((&document["name"], &document["as_expected"]), (&"port-21-rewritten".into(), &true.into()));
    let steps = document["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 3);
    let rows = steps[0]["rows"].as_array().unwrap();
    let says = |text: &str| {
        rows.iter()
            .find(|row| {
                row["legs"][0]["lines"][0]["text"].as_str().is_some_and(|line| line.starts_with(text))
            })
            .unwrap()
    };
    let port = says("PORT ");
    // One packet, on the LAN, on the WAN and before the server: 192,168,1,100 is replaced on both sides of the router.
    let wires: Vec<&str> =
        port["legs"].as_array().unwrap().iter().map(|leg| leg["wire_name"].as_str().unwrap()).collect();
    assert_eq!(wires, ["home.lan.pc", "home.wan", "internet.server"]);
    for (leg, rewritten) in [(0, "192,168,1,100"), (1, "203,0,113,7"), (2, "203,0,113,7")] {
        let leg = &port["legs"][leg];
        let bytes = hex(leg["bytes"].as_str().unwrap());
        let marked = leg["rewritten"].as_array().unwrap().iter().map(|range| {
            let at = |name: &str| usize::try_from(range[name].as_u64().unwrap()).unwrap();
            &bytes[at("start")..at("end")]
        });
        assert!(marked.into_iter().any(|octets| octets == rewritten.as_bytes()), "{leg}");
    }
    assert_eq!(port["decisions"][1]["event"]["event"], "command-rewritten");
    let pass = says("PASS ");
    assert_eq!(pass["legs"][0]["lines"][0]["text"], "PASS ****");
    let bytes = hex(pass["legs"][0]["bytes"].as_str().unwrap());
    assert!(bytes.ends_with(b"PASS ******\r\n"), "an octet for an octet");
    let whole = document.to_string();
    // The built-in client's password, in text and in hexadecimal.
    assert!(!whole.contains("guest@") && !whole.contains("67756573"), "{whole}");
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

#[test]
fn every_packet_is_shown_where_that_is_asked_for() {
    let few = explained(&["port-21-rewritten", "--step", "3"]);
    assert!(few.contains("segments, 100\u{a0}000 octets"), "{few}");
    assert!(few.contains("bare acknowledgements not shown: "));
    let all = explained(&["port-21-rewritten", "--step", "3", "--all-packets"]);
    assert!(all.lines().count() > few.lines().count() + 100);
    assert!(!all.contains("not shown") && all.contains("data ACK"));
}

#[test]
fn what_is_not_as_expected_is_said_and_is_the_status() {
    let scratch = super::support::scratch::Scratch::new();
    let text = include_str!("../../scenarios/port-21-rewritten.toml").replacen(
        "data = \"ok\"",
        "data = \"failed\"",
        1,
    );
    let path = scratch.join("wrong.toml");
    std::fs::write(&path, text).unwrap();
    let output = quirknat(&["explain", path.to_str().unwrap()]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(stdout.contains("Not as the scenario expects\n  data: expected failed, saw ok\n"), "{stdout}");
}

#[test]
fn a_file_gets_what_stdout_would() {
    let scratch = super::support::scratch::Scratch::new();
    let path = scratch.join("told.md");
    let arguments = ["pasv-21", "--format", "markdown"];
    assert_eq!(explained(&[&arguments[..], &["--output", path.to_str().unwrap()]].concat()), "");
    assert_eq!(std::fs::read_to_string(path).unwrap(), explained(&arguments));
}

#[test]
fn what_is_assumed_says_so_in_every_form() {
    let assumed = "that it goes so is an assumption: ";
    for form in ["text", "markdown"] {
        let of = |step| explained(&["port-other-untouched", "--step", step, "--format", form]);
        assert!(of("3").contains(assumed) && !of("2").contains(assumed), "{form}: {}", of("3"));
    }
    let json: Value = serde_json::from_str(&explained(&["port-other-untouched", "--json"])).unwrap();
    let steps: Vec<bool> =
        json["steps"].as_array().unwrap().iter().map(|step| step["assumed"].is_string()).collect();
    assert_eq!(steps, [false, false, true]);
}
