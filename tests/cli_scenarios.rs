//! Scenario files as their author meets them: what is refused, and the schema.

use std::process::{Command, Output};

fn quirknat(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quirknat")).args(arguments).env_remove("RUST_LOG").output().unwrap()
}

/// A file of this test's own, gone at the end.
struct File(std::path::PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("quirknat-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const BUILT_IN: &str = include_str!("../scenarios/port-21-rewritten.toml");

#[test]
fn the_schema_is_printed_as_it_is_committed() {
    let output = quirknat(&["schema"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), include_str!("../docs/scenario.schema.json"));
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn a_mistake_ends_with_status_2_before_anything_plays() {
    let right = "server = \"server\", mode";
    assert!(BUILT_IN.contains(right));
    let file = File::new("mistake.toml", &BUILT_IN.replacen(right, "server = \"sever\", mode", 1));
    let path = file.0.to_str().unwrap();
    let output = quirknat(&["run", path]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{text}");
    assert!(text.starts_with("error: unknown host `sever`\n"), "{text}");
    let line = 1 + BUILT_IN.lines().position(|line| line.contains(right)).unwrap();
    for words in [
        &format!("--> {path}:{line}:"),
        "^^^^^^^",
        "did you mean `server`?",
        "hosts there are: `pc`, `server`",
    ] {
        assert!(text.contains(words), "{words:?} is missing in {text}");
    }
}

#[test]
fn a_mistake_in_a_profile_of_ones_own_is_shown_in_the_profile() {
    let shown = quirknat(&["profile", "show", "linksys-befsr41-1.39"]);
    let profile = String::from_utf8(shown.stdout).unwrap();
    let profile = File::new("mine.toml", &profile.replacen("held = { value = 16", "held = { value = -16", 1));
    let name = profile.0.file_name().unwrap().to_str().unwrap();
    let scenario = File::new("own-profile.toml", &BUILT_IN.replacen("linksys-befsr41-1.39", name, 1));
    let output = quirknat(&["run", scenario.0.to_str().unwrap()]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains(&format!("--> {}:", profile.0.display())) && text.contains("held = { value = -16"),
        "{text}"
    );
}

/// The article's quirk, met by somebody who expects it to work.
#[test]
fn what_fails_is_told_with_its_cause_and_with_what_helps() {
    let text = include_str!("../sim/src/cause/tests/control-port-not-watched.toml");
    let file = File::new(
        "surprised.toml",
        &text.replace("data = \"failed\", cause = \"control-port-not-watched\"", "data = \"ok\""),
    );
    let path = file.0.to_str().unwrap();
    let output = quirknat(&["run", path]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = told.lines().map(str::trim).collect();
    assert_eq!(
        lines[4..],
        [
            "cause: control-port-not-watched: the announcement left with the LAN's address in it, because the gateway does \
             not watch that control port (PORT 192.168.1.100:16683; known outside as 203.0.113.7; control port 2121; the \
             router of home watches 21; reply 500)",
            "what helps: use PASV (the client's user)",
            "use EPSV (the client's user)",
            "run the server's control connection on port 21 (the server's administrator)",
            "have the client announce 203.0.113.7, and forward tcp/16683 to 192.168.1.100 (the client's user and the \
             router's owner)",
            "have the gateway of home watch port 2121 too (the router's owner)",
            "0 as expected, 1 not",
        ]
    );
    let output = quirknat(&["run", "--json", path]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let step = &document["scenarios"][0]["steps"][0];
    assert_eq!(step["cause"], "control-port-not-watched");
    assert_eq!(step["details"]["watched_ports"], serde_json::json!([21]));
    assert_eq!(
        step["remedies"][0],
        serde_json::json!({ "measure": "other-mode", "by": "client", "text": "use PASV" })
    );
    // A failure that is expected is none to be mended: its cause is there, and nothing besides.
    let output = quirknat(&["run", "--json", "port-other-untouched"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let step = &document["scenarios"][0]["steps"][0];
    assert_eq!(
        (&step["cause"], &step["remedies"]),
        (&"control-port-not-watched".into(), &serde_json::Value::Null)
    );
}
