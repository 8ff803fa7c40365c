//! docs/ftp-and-nat.md shows what the program prints, to the letter: every command on it is run, and its output held
//! against the page. With `QUIRKNAT_UPDATE_DOCS=1` the page is written anew.
//!
//! - A fence of `console` has commands behind `$ `, each with its output below it. A last line `…` leaves out the rest;
//!   ` | grep WORD` behind a command shows the lines with that word.
//! - A fence of `toml NAME` is a file that lies where the commands run.
//! - A comment `<!-- diagram: quirknat … -->` stands before a fence of `mermaid`: the first diagram in that output.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use support::scratch::Scratch;

const PAGE: &str = include_str!("../docs/ftp-and-nat.md");
const DIAGRAM: &str = "<!-- diagram: ";
const REST: &str = "…";

#[test]
fn every_output_on_the_page_is_what_the_program_prints() {
    let folder = Scratch::new();
    let mut page = Made { folder: &folder.join(""), text: String::new(), commands: 0 };
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
        } else if let Some(name) = line.strip_prefix("```toml ") {
            let file = block(&mut lines);
            std::fs::write(folder.join(name), file.join("\n")).unwrap();
            file.iter().for_each(|line| page.line(line));
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
            let whole = shown.last() != Some(&REST);
            // A blank line sets two commands apart; it is no output.
            let apart = shown.len() > 1 && shown.last() == Some(&"");
            let many = if whole { usize::MAX } else { shown.len() - 2 };
            output.lines().take(many).for_each(|line| self.line(line));
            if !whole {
                self.line(REST);
            } else if apart {
                self.line("");
            }
        }
    }

    /// What a command prints. It may end with the status of something that is not as expected, and with no other.
    fn output(&mut self, command: &str) -> String {
        self.commands += 1;
        let (command, only) =
            command.split_once(" | grep ").map_or((command, None), |(of, it)| (of, Some(it)));
        let words = words(command);
        assert_eq!(words.first().map(String::as_str), Some("quirknat"), "{command}");
        let mut quirknat = Command::new(env!("CARGO_BIN_EXE_quirknat"));
        quirknat.args(&words[1..]).current_dir(self.folder).env_remove("RUST_LOG");
        let output = quirknat.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)) && errors.is_empty(), "{command}: {errors}");
        let text = String::from_utf8(output.stdout).unwrap();
        let Some(word) = only else { return text };
        let lines = text.lines().filter(|line| line.contains(word));
        lines.fold(String::new(), |lines, line| lines + line + "\n")
    }
}

/// As a shell splits them, as far as single quotes go.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in command.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words
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

#[test]
fn quotes_hold_words_together() {
    assert_eq!(words("quirknat explain 'a[b=c d]'"), ["quirknat", "explain", "a[b=c d]"]);
}
