//! The picture as a table for a terminal of 80 columns. What a colour tells, a sign tells too.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::coordinates::{Aware, Behind, ControlPort, Coordinate};
use super::document::{Document, ProfileNamed};
use super::entry::{Entry, Works};
use super::sign::{FAILS, Kind, NOT_PLAYED, Sign, behind_name, called, cells, legend, mode_name};
use crate::report::for_line;
use crate::scenario::language::Mode;

/// What a terminal has at least.
const WIDTH: usize = 80;
/// The column with the modes.
const LABEL: usize = 14;
/// How many profiles fit beside each other.
const BESIDE: usize = 2;
/// Cells of a profile in a row: two control ports, three awarenesses.
const CELLS: usize = 6;

/// The document as text, with colours or without.
pub fn table(document: &Document, coloured: bool) -> String {
    let mut table = Table { document, text: String::new(), styles: Styles::new(coloured) };
    for profiles in document.profiles.chunks(BESIDE) {
        table.profiles(profiles);
    }
    table.legend();
    table.causes();
    table.text
}

struct Styles {
    works: Style,
    fails: Style,
    faint: Style,
    strong: Style,
    differs: Style,
}

impl Styles {
    fn new(coloured: bool) -> Self {
        if !coloured {
            let plain = Style::new();
            return Self { works: plain, fails: plain, faint: plain, strong: plain, differs: plain };
        }
        Self {
            works: AnsiColor::Green.on_default().bold(),
            fails: AnsiColor::Red.on_default().bold(),
            faint: Style::new().dimmed(),
            strong: Style::new().bold(),
            differs: AnsiColor::Yellow.on_default().bold(),
        }
    }
}

struct Table<'a> {
    document: &'a Document,
    text: String,
    styles: Styles,
}

impl Table<'_> {
    /// A line; what would only be blank at its end is left out.
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// The cells of as many profiles as fit beside each other.
    fn profiles(&mut self, profiles: &[ProfileNamed]) {
        let is_alone = profiles.len() == 1;
        let width = if is_alone { 9 } else { (WIDTH - LABEL) / BESIDE / CELLS };
        self.heads(profiles, width);
        for &behind in Behind::ALL {
            let Styles { strong, .. } = self.styles;
            self.line(&format!("{strong}{}{strong:#}", behind_name(behind)));
            for &mode in Mode::ALL {
                let mut line = format!("  {:1$}", mode_name(mode), LABEL - 2);
                for profile in profiles {
                    for &control in ControlPort::ALL {
                        for &aware in Aware::ALL {
                            let entry = self.document.at(profile, (behind, control, mode, aware));
                            self.cell(&mut line, entry, width);
                        }
                    }
                }
                self.line(&line);
            }
        }
        self.text.push('\n');
    }

    fn heads(&mut self, profiles: &[ProfileNamed], width: usize) {
        let Styles { strong, .. } = self.styles;
        if let [profile] = profiles {
            let called = called(profile);
            self.line(&format!("{strong}{called}{strong:#}  {}", for_line(&profile.title)));
            self.text.push('\n');
        } else {
            let mut line = " ".repeat(LABEL);
            for profile in profiles {
                let name = if profile.is_file { &profile.given } else { &profile.name };
                let name = clipped(&for_line(name), width * CELLS - 1);
                put(&mut line, format_args!("{strong}{name:0$}{strong:#}", width * CELLS));
            }
            self.line(&line);
        }
        let mut ports = " ".repeat(LABEL);
        let mut awareness = format!("{:LABEL$}", "NAT-aware:");
        for _ in profiles {
            for control in ControlPort::ALL {
                let head = format!("control {}", control.word());
                put(&mut ports, format_args!("{head:0$}", width * Aware::ALL.len()));
                for aware in Aware::ALL {
                    let word = aware.word();
                    let word = if width < 8 { short(*aware) } else { word };
                    put(&mut awareness, format_args!("{word:width$}"));
                }
            }
        }
        self.line(&ports);
        self.line(&awareness);
    }

    fn cell(&self, line: &mut String, entry: Option<&Entry>, width: usize) {
        let Styles { works, fails, faint, differs, .. } = self.styles;
        let Some(entry) = entry else {
            put(line, format_args!("{:width$}", ""));
            return;
        };
        let sign = Sign::of(self.document, entry);
        let style = match sign.kind {
            Kind::Works => works,
            Kind::Fails(_) | Kind::NotPlayed => fails,
            Kind::Same => faint,
        };
        for (piece, style) in
            [(sign.main().as_str(), style), (sign.unspoken(), faint), (sign.other(), differs)]
        {
            if !piece.is_empty() {
                put(line, format_args!("{style}{piece}{style:#}"));
            }
        }
        let gap = width.saturating_sub(sign.to_string().chars().count());
        put(line, format_args!("{:gap$}", ""));
    }

    fn legend(&mut self) {
        let legend = legend(self.document);
        let mut words: Vec<String> = legend.iter().map(|(mark, words)| format!("{mark} {words}")).collect();
        if self.document.profiles.len() > 1 {
            words.push("- neither, C client, S server NAT-aware".to_owned());
        }
        for line in joined(&words, "   ") {
            self.line(&line);
        }
        self.line("any cell: quirknat explain 'matrix[behind=…,control=…,mode=…,aware=…]'");
        self.text.push('\n');
    }

    /// The causes as footnotes, each with a cell to have explained.
    fn causes(&mut self) {
        let Styles { fails, strong, faint, .. } = self.styles;
        for (number, cause) in (1..).zip(&self.document.causes) {
            let cells = cells(cause.cells);
            let key = cause.key();
            self.line(&format!("{fails}{FAILS}{number}{fails:#} {strong}{key}{strong:#}, {cells}"));
            for line in wrapped(&cause.because, WIDTH - 3) {
                self.line(&format!("   {line}"));
            }
            self.line(&format!("   {faint}{}{faint:#}", for_line(&cause.explain)));
        }
        let broken: Vec<_> = self.document.not_as_expected().collect();
        for entry in broken {
            self.line(&format!("{fails}not as expected{fails:#} {}", for_line(&entry.name)));
            for mismatch in &entry.mismatches {
                let (what, expected, seen) = (&mismatch.what, &mismatch.expected, &mismatch.seen);
                self.line(&format!(
                    "   {}: expected {}, saw {}",
                    for_line(what),
                    for_line(expected),
                    for_line(seen)
                ));
            }
        }
        for entry in &self.document.cells {
            if let (Works::NotPlayed, Some(because)) = (entry.outcome.outcome, &entry.outcome.because) {
                self.line(&format!("{NOT_PLAYED} {}: {}", for_line(&entry.name), for_line(because)));
            }
        }
    }
}

fn short(aware: Aware) -> &'static str {
    match aware {
        Aware::Neither => "-",
        Aware::Client => "C",
        Aware::Server => "S",
    }
}

/// The end of a text says more than its beginning: two profiles are often called alike.
fn clipped(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let end: String = text.chars().skip(length - width + 1).collect();
    format!("…{end}")
}

/// Pieces on as few lines as they need.
fn joined(pieces: &[String], between: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.chars().count() + between.chars().count() + piece.chars().count() <= WIDTH => {
                line.push_str(between);
                line.push_str(piece);
            }
            _ => lines.push(piece.clone()),
        }
    }
    lines
}

/// A text's words on lines of at most `width`.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(what);
}
