//! `quirknat matrix` as its user meets it, and a cell's name wherever a scenario's can stand.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use std::collections::BTreeSet;
use std::process::{Command, Output};

use serde_json::Value;
use support::requirement::{Requirement, met};
use support::scratch::Scratch;

const CELL: &str = "matrix[behind=client,control=2121,mode=port,aware=neither]";
const PROFILE: &str = include_str!("../router/profiles/linksys-befsr41-1.39.toml");

fn quirknat(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quirknat")).args(arguments).env_remove("RUST_LOG").output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// The document, of a command that ends well.
fn document(arguments: &[&str]) -> Value {
    let output = quirknat(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A profile of one's own: the article's router with other values.
fn profile(scratch: &Scratch, name: &str, before: &str, after: &str) -> String {
    assert!(PROFILE.contains(before));
    let path = scratch.join(name);
    std::fs::write(&path, PROFILE.replace(before, after)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What came of a cell of a document: the outcome, or the cause.
fn result<'a>(document: &'a Value, profile: &str, place: [&str; 4]) -> &'a str {
    let cells = document["cells"].as_array().unwrap();
    let cell = cells.iter().find(|cell| {
        let [behind, control, mode, aware] = place;
        cell["profile"] == profile
            && cell["behind"] == behind
            && cell["control_port"].as_u64() == control.parse().ok()
            && cell["mode"] == mode
            && cell["aware"] == aware
    });
    let cell = cell.unwrap();
    cell["cause"].as_str().unwrap_or_else(|| cell["outcome"].as_str().unwrap())
}

#[test]
fn as_json_it_is_one_object_whose_cells_are_the_list_and_the_same_however_many_play() {
    let one = quirknat(&["matrix", "--json", "--jobs", "1"]);
    let many = quirknat(&["matrix", "--format", "json", "--jobs", "7"]);
    assert_eq!(one.stdout, many.stdout);
    assert_eq!(one.status.code(), Some(0));
    let document: Value = serde_json::from_slice(&one.stdout).unwrap();
    let cells = document["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 4 * 2 * 5 * 3);
    let cell = cells.iter().find(|cell| cell["name"] == CELL).unwrap();
    for (key, value) in [
        ("outcome", "fails"),
        ("control", "ok"),
        ("data", "failed"),
        ("gateway", "left alone: not-a-control-port"),
        ("cause", "control-port-not-watched"),
        ("explain", "quirknat explain 'matrix[behind=client,control=2121,mode=port,aware=neither]'"),
    ] {
        assert_eq!(cell[key], value, "{key}");
    }
    assert_eq!(cell["article"][0], "port-other-untouched");
    assert_eq!(cell["assumed"], false);
    assert_eq!(cell["remedies"][0]["text"], "use PASV");
    for cell in cells {
        assert_eq!(cell["outcome"] == "fails", cell["cause"].is_string(), "{cell:#}");
        assert_eq!(cell["mismatches"].as_array().unwrap().len(), 0, "{cell:#}");
    }
}

#[test]
fn the_readme_shows_lines_of_what_is_printed() {
    let readme = include_str!("../README.md");
    let shown = readme.split("why the rest does not:").nth(1).unwrap();
    let shown = shown.split("Where the article speaks").next().unwrap();
    let shown: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert!(shown.len() > 5, "{shown:?}");
    let output = quirknat(&["matrix"]);
    for line in shown.into_iter().filter(|line| *line != "…") {
        assert!(stdout(&output).lines().any(|printed| printed == line), "{line:?}: {}", stdout(&output));
    }
}

#[test]
fn profiles_are_set_against_each_other_and_called_by_their_files() {
    let scratch = Scratch::new();
    let watched = profile(&scratch, "both-ports.toml", "value = [21]", "value = [21, 2121]");
    let bare = profile(&scratch, "no-gateway.toml", "value = [21]", "value = []");
    let modern = profile(
        &scratch,
        "modern.toml",
        "value = [\"PORT\"]",
        "value = [\"PORT\", \"EPRT\", \"227\", \"229\"]",
    );
    let linksys = "linksys-befsr41-1.39";
    let mut arguments = vec!["matrix"];
    for profile in [linksys, &watched, &bare, &modern] {
        arguments.extend(["--profile", profile]);
    }
    let told = quirknat(&arguments);
    arguments.push("--json");
    let document = document(&arguments);
    let at = |place, expected: [&str; 4]| {
        let seen = [linksys, &watched, &bare, &modern].map(|profile| result(&document, profile, place));
        assert_eq!(seen, expected, "{place:?}");
    };
    let no_gateway = "no-gateway";
    let (leak, leak_227) = ("control-port-not-watched", "lan-address-in-passive-reply");
    at(["client", "21", "port", "neither"], ["works", "works", no_gateway, "works"]);
    at(["client", "2121", "port", "neither"], [leak, "works", no_gateway, leak]);
    at(["client", "2121", "port", "client"], ["works"; 4]);
    at(["client", "21", "pasv", "neither"], ["works"; 4]);
    assert_eq!(result(&document, &modern, ["client", "21", "eprt", "neither"]), "works");
    assert_eq!(result(&document, &modern, ["server", "21", "epsv", "neither"]), "works");
    at(["server", "21", "pasv", "neither"], [leak_227, leak_227, leak_227, "works"]);
    at(["server", "2121", "pasv", "neither"], [leak_227, leak_227, leak_227, leak]);
    at(["nobody", "2121", "port", "neither"], ["works"; 4]);
    // A file of the user's is held against no claim of the article's, whatever name it bears.
    assert!(document["cells"].as_array().unwrap().iter().all(|cell| {
        cell["profile"] == linksys || cell["behind"] == "nobody" || cell["article"] == serde_json::json!([])
    }));
    for file in ["both-ports.toml", "no-gateway.toml", "modern.toml", "≠"] {
        assert!(stdout(&told).contains(file), "{file}: {}", stdout(&told));
    }
}

#[test]
fn a_cell_is_a_scenario_to_run_and_to_save() {
    let run = quirknat(&["run", CELL]);
    assert!(stdout(&run).starts_with(&format!("ok   {CELL}  Client behind")), "{}", stdout(&run));
    assert_eq!(run.status.code(), Some(0));
    let some = quirknat(&["run", "matrix[behind=both,aware=neither]"]);
    assert!(stdout(&some).ends_with("\n10 as expected, 0 not\n"), "{}", stdout(&some));

    let saved = quirknat(&["matrix", "--scenario", CELL]);
    let scratch = Scratch::new();
    let path = scratch.join("mine.toml");
    std::fs::write(&path, &saved.stdout).unwrap();
    assert_eq!(quirknat(&["run", path.to_str().unwrap()]).status.code(), Some(0));
    // What it says is what is judged by.
    std::fs::write(&path, stdout(&saved).replace("port = 2121", "port = 21")).unwrap();
    assert_eq!(quirknat(&["run", path.to_str().unwrap()]).status.code(), Some(1));
}

#[test]
fn with_a_folder_every_cell_leads_to_its_explanation() {
    let scratch = Scratch::new();
    let other = profile(&scratch, "no-gateway.toml", "value = [21]", "value = []");
    for (format, ending, links) in
        [("markdown", "md", ("](cells/", ')')), ("html", "html", ("<a href=\"cells/", '"'))]
    {
        let out = scratch.join(format);
        let mut arguments = vec!["matrix", "--format", format, "--out", out.to_str().unwrap()];
        arguments.extend(["--profile", "linksys-befsr41-1.39", "--profile", &other]);
        let output = quirknat(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let index = out.join(format!("index.{ending}"));
        assert_eq!(stdout(&output), format!("{}\n", index.display()));
        let index = std::fs::read_to_string(index).unwrap();
        let (before, end) = links;
        let links: BTreeSet<&str> =
            index.split(before).skip(1).filter_map(|rest| rest.split(end).next()).collect();
        let files: BTreeSet<String> = std::fs::read_dir(out.join("cells"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(files.len(), 2 * 80);
        assert!(files.iter().map(String::as_str).eq(links));
        for (page, rewritten) in [("client-21-port-neither", true), ("client-21-port-neither-2", false)] {
            let page = std::fs::read_to_string(out.join(format!("cells/{page}.{ending}"))).unwrap();
            assert!(page.contains("192,168,1,100"), "{page}");
            assert_eq!(page.contains("203,0,113,7"), rewritten, "{page}");
        }
    }
}

#[test]
fn what_cannot_be_is_told_with_what_can() {
    let refused: [(&[&str], &[&str]); 9] = [
        (&["matrix", "--out", "x"], &["--format markdown"]),
        (&["matrix", "--format", "markdown", "--out", "x", "--backend", "both"], &["sim or netns"]),
        (
            &["matrix", "--profile", "linksys-befsr41"],
            &["unknown profile", "did you mean `linksys-befsr41-1.39`?"],
        ),
        (&["matrix", "--profile", "./none.toml"], &["none.toml"]),
        (
            &["matrix", "--profile", "linksys-befsr41-1.39", "--profile", "linksys-befsr41-1.39"],
            &["given twice"],
        ),
        (&["matrix", "--scenario", "matrix[mode=port]"], &["24 cells", "behind, control, mode and aware"]),
        (&["matrix", "--scenario", "matrix[behind=me]"], &["`nobody`, `client`, `server`, `both`"]),
        (&["run", "matrix[control=20]"], &["it can be: `21`, `2121`"]),
        (&["lab", "up", "matrix[behind=both]"], &["30 scenarios", "and 24 more"]),
    ];
    for (arguments, words) in refused {
        let output = quirknat(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {text}");
        for word in words {
            assert!(text.contains(word), "{arguments:?}: {word:?} is missing in {text}");
        }
    }
}

#[test]
fn cells_come_to_the_same_in_namespaces() {
    if !met(&[Requirement::Root, Requirement::Tun]) {
        return;
    }
    let some = [
        "matrix[behind=client,mode=port,aware=neither]",
        "matrix[behind=client,control=2121,mode=port,aware=client]",
        "matrix[behind=server,control=21,mode=epsv]",
        "matrix[behind=both,control=21,mode=pasv,aware=neither]",
        "matrix[behind=both,control=2121,mode=pasv,aware=server]",
        "matrix[behind=client,control=21,mode=no-command,aware=neither]",
    ];
    let mut arguments = vec!["run", "--backend", "both", "--jobs", "4"];
    arguments.extend(some);
    let output = quirknat(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).ends_with("\n9 as expected, 0 not\n"), "{}", stdout(&output));
}
