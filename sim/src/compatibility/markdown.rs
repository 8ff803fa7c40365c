//! The picture as Markdown, as GitHub shows it: a table a profile, the causes, and a line for each cell that says how it
//! went and what to type to have it explained.

use std::fmt::Write as _;

use super::coordinates::{Aware, Behind, ControlPort, Coordinate};
use super::document::{Document, ProfileNamed};
use super::entry::{Announced, Entry, Works};
use super::sign::{FAILS, Sign, behind_name, called, cells, legend, mode_name};
use crate::report::for_line;
use crate::scenario::language::Mode;

/// The document as Markdown. With `pages`, each cell has a page of its own in the folder `cells`.
pub fn markdown(document: &Document, pages: bool) -> String {
    let mut page = Page { document, pages, text: String::new() };
    page.head();
    for profile in &document.profiles {
        page.profile(profile);
    }
    page.causes();
    page.mismatches();
    for profile in &document.profiles {
        page.cells(profile);
    }
    page.text
}

struct Page<'a> {
    document: &'a Document,
    pages: bool,
    text: String,
}

impl Page<'_> {
    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.text.write_fmt(what);
    }

    fn head(&mut self) {
        let Document { seed, backend, .. } = self.document;
        self.put(format_args!(
            "# What works for whom\n\n\
             Who is behind a router × control port × mode × whose software knows of its NAT and has a range forwarded; \
             each cell played by `quirknat matrix` on the ground `{backend}` with seed {seed}, and judged by what crossed \
             the wires.\n\n"
        ));
        for (mark, words) in legend(self.document) {
            self.put(format_args!("- {mark} {words}\n"));
        }
    }

    fn profile(&mut self, profile: &ProfileNamed) {
        let (called, title) = (escaped(&called(profile)), escaped(&profile.title));
        self.put(format_args!("\n## {called}\n\n{title}\n"));
        for &behind in Behind::ALL {
            self.put(format_args!("\n| {} |", behind_name(behind)));
            for control in ControlPort::ALL {
                for aware in Aware::ALL {
                    self.put(format_args!(" {}, {} |", control.word(), aware.word()));
                }
            }
            let columns = ControlPort::ALL.len() * Aware::ALL.len();
            self.put(format_args!("\n|---|{}\n", ":-:|".repeat(columns)));
            for &mode in Mode::ALL {
                self.put(format_args!("| {} |", mode_name(mode)));
                for &control in ControlPort::ALL {
                    for &aware in Aware::ALL {
                        let cell = self.document.at(profile, (behind, control, mode, aware));
                        let cell = cell.map(|entry| self.link(entry)).unwrap_or_default();
                        self.put(format_args!(" {cell} |"));
                    }
                }
                self.put(format_args!("\n"));
            }
        }
    }

    /// A cell's sign, leading to what is told of it; that of a cell that has no scenario of its own to that of its twin.
    fn link(&self, entry: &Entry) -> String {
        let sign = Sign::of(self.document, entry).to_string().replace('~', "\\~");
        format!("[{sign}](#{})", self.document.anchor(&entry.cell.essence()))
    }

    fn causes(&mut self) {
        if self.document.causes.is_empty() {
            return;
        }
        self.put(format_args!("\n## Causes\n\n"));
        for (number, cause) in (1..).zip(&self.document.causes) {
            let (key, because, cells) = (cause.key(), &cause.because, cells(cause.cells));
            self.put(format_args!("- {FAILS}{number} **{key}**, {cells}: {}\n", escaped(because)));
        }
    }

    fn mismatches(&mut self) {
        if self.document.not_as_expected().next().is_none() {
            return;
        }
        self.put(format_args!("\n## Not as expected\n\n"));
        for entry in self.document.not_as_expected() {
            for mismatch in &entry.mismatches {
                self.put(format_args!(
                    "- {}: {}: expected {}, saw {}\n",
                    code(&entry.name),
                    mismatch.what,
                    code(&mismatch.expected),
                    code(&mismatch.seen)
                ));
            }
        }
    }

    fn cells(&mut self, profile: &ProfileNamed) {
        self.put(format_args!("\n## Cells of {}\n", escaped(&called(profile))));
        for &behind in Behind::ALL {
            self.put(format_args!("\n### {}\n\n", behind_name(behind)));
            let own =
                self.document.of(profile).filter(|entry| entry.behind == behind && entry.same_as.is_none());
            for entry in own {
                self.cell(entry);
            }
        }
    }

    fn cell(&mut self, entry: &Entry) {
        let anchor = self.document.anchor(&entry.cell);
        let sign = Sign::of(self.document, entry).main();
        let place =
            format!("{}, {}, {}", entry.control_port.word(), mode_name(entry.mode), aware(entry.aware));
        self.put(format_args!("- <a id=\"{anchor}\"></a>{sign} **{place}**"));
        if !entry.article.is_empty() {
            let rows: Vec<String> = entry.article.iter().map(|row| code(row)).collect();
            self.put(format_args!(" ({})", rows.join(", ")));
        }
        match (entry.outcome.outcome, &entry.outcome.because) {
            (Works::Works, _) => self.put(format_args!(": works.")),
            (Works::Fails, because) => {
                let because = because.as_deref().unwrap_or("what was seen does not tell why");
                self.put(format_args!(": {}", escaped(because)));
                if !entry.outcome.details.is_empty() {
                    self.put(format_args!(" ({})", escaped(&entry.outcome.details.to_string())));
                }
                self.put(format_args!("."));
            }
            (Works::NotPlayed, because) => {
                self.put(format_args!(": {}.", escaped(because.as_deref().unwrap_or_default())));
            }
        }
        if let Some(Announced { sent, arrived }) = &entry.outcome.announced {
            if sent == arrived {
                self.put(format_args!(" {} arrives as it was sent.", code(sent)));
            } else {
                self.put(format_args!(" {} arrives as {}.", code(sent), code(arrived)));
            }
        }
        if !entry.remedies.is_empty() {
            let remedies: Vec<String> =
                entry.remedies.iter().map(|remedy| escaped(&remedy.to_string())).collect();
            self.put(format_args!(" *What helps:* {}.", remedies.join("; ")));
        }
        if self.pages {
            self.put(format_args!(" [Explained](cells/{anchor}.md)\n"));
        } else {
            self.put(format_args!(" {}\n", code(&entry.explain)));
        }
    }
}

fn aware(aware: Aware) -> &'static str {
    match aware {
        Aware::Neither => "neither is NAT-aware",
        Aware::Client => "NAT-aware client",
        Aware::Server => "NAT-aware server",
    }
}

/// A text that stands for itself.
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in for_line(text).chars() {
        match letter {
            '<' => written.push_str("&lt;"),
            '&' => written.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => written.extend(['\\', letter]),
            letter => written.push(letter),
        }
    }
    written
}

/// A text as code, between more back-ticks than it has in a row (CommonMark §6.1).
fn code(text: &str) -> String {
    let text = for_line(text);
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}
