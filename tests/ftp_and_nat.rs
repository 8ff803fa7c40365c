//! docs/ftp-and-nat.md shows what the program prints, to the letter: every command on it is run, and its output held
//! against the page. With `QUIRKNAT_UPDATE_DOCS=1` the page is written anew.
//!
//! - A fence of `console` has commands behind `$ `, each with its output below it. A shell runs them: so the page can show
//!   the part of an output that matters, and a reader can do the same.
//! - A fence with a name, as in `toml NAME`, is a file that lies where the commands run.
//! - A comment `<!-- diagram: quirknat … -->` stands before a fence of `mermaid`: the first diagram in that output.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use support::scratch::Scratch;

const PAGE: &str = include_str!("../docs/ftp-and-nat.md");
const DIAGRAM: &str = "<!-- diagram: ";

#[test]
fn every_output_on_the_page_is_what_the_program_prints() {
    let folder = Scratch::new();
    let mut page = Made { folder: folder.path(), text: String::new(), commands: 0 };
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        page.line(line);
        let diagram = line.strip_prefix(DIAGRAM).map(|rest| rest.trim_end_matches(" -->"));
        if let Some(command) = diagram {
            assert_eq!(lines.next(), Some("```mermaid"), "a diagram stands behind `{line}`");
            block(&mut lines);
            page.line("```mermaid");
            let output = page.output(command);
            page.text.push_str(first_diagram(&output));
            page.line("```");
        } else if let Some((_, name)) = line.strip_prefix("```").and_then(|fence| fence.split_once(' ')) {
            let file = block(&mut lines);
            folder.write(name, file.join("\n") + "\n");
            for line in file {
                page.line(line);
            }
            page.line("```");
        } else if line == "```console" {
            page.console(&block(&mut lines));
            page.line("```");
        }
    }
    assert_eq!(page.commands, PAGE.matches("$ quirknat").count() + PAGE.matches(DIAGRAM).count());
    assert!(page.commands >= 8, "commands on the page: {}", page.commands);
    assert_current(&page.text);
}

/// The lines up to the end of a fence.
fn block<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    lines.take_while(|line| *line != "```").collect()
}

/// The page as it is to be.
struct Made<'a> {
    /// Where commands run.
    folder: &'a Path,
    text: String,
    commands: usize,
}

impl Made<'_> {
    fn line(&mut self, line: &str) {
        writeln!(self.text, "{line}").unwrap();
    }

    fn console(&mut self, lines: &[&str]) {
        for shown in lines.chunk_by(|_, next| !next.starts_with("$ ")) {
            let command = shown[0].strip_prefix("$ ").unwrap_or_else(|| panic!("no command: {shown:?}"));
            self.line(shown[0]);
            let output = self.output(command);
            for line in output.trim_end().lines() {
                self.line(line.trim_end());
            }
        }
    }

    /// What a command prints. It may end with the status of something that is not as expected, and with no other.
    fn output(&mut self, command: &str) -> String {
        self.commands += 1;
        let program = Path::new(env!("CARGO_BIN_EXE_quirknat"));
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", program.parent().unwrap().display());
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(self.folder).env("PATH", path).env_remove("RUST_LOG");
        let output = shell.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)) && errors.is_empty(), "{command}: {errors}");
        assert!(!output.stdout.is_empty(), "{command}: it prints nothing");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn first_diagram(output: &str) -> &str {
    let (_, behind) = output.split_once("```mermaid\n").expect("a diagram");
    let (diagram, _) = behind.split_once("```").expect("its end");
    diagram
}

fn assert_current(made: &str) {
    if made == PAGE {
        return;
    }
    if std::env::var_os("QUIRKNAT_UPDATE_DOCS").is_some() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ftp-and-nat.md");
        std::fs::write(page, made).unwrap();
        return;
    }
    let differs = made.lines().zip(PAGE.lines()).find(|(made, shown)| made != shown);
    panic!(
        "docs/ftp-and-nat.md is not what the program prints (run this with QUIRKNAT_UPDATE_DOCS=1): {differs:#?}"
    );
}
