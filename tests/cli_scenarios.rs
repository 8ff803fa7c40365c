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
