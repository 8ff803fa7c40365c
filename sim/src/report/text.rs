//! A report as lines for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::escape::for_line;
use super::{Entry, Header, Report, Step, Summary};

/// A line a scenario; under one that is not as expected, what was expected and what was seen.
#[derive(Debug)]
pub struct Text<W> {
    out: W,
    /// Of the names' column.
    width: usize,
    ok: Style,
    fail: Style,
}

impl<W: Write> Text<W> {
    /// Writes to `out`; the names, all known before the first scenario is played, get a column of `width` characters.
    pub fn new(out: W, width: usize, coloured: bool) -> Self {
        let style = |colour: AnsiColor| if coloured { colour.on_default().bold() } else { Style::new() };
        Self { out, width, ok: style(AnsiColor::Green), fail: style(AnsiColor::Red) }
    }
}

/// The width that these names need in a column.
pub fn names_width<'a>(names: impl IntoIterator<Item = &'a str>) -> usize {
    names.into_iter().map(|name| for_line(name).chars().count()).max().unwrap_or_default()
}

/// Which steps' expectations are assumptions, behind the title; why, documents and scenario files say.
fn assumed(steps: &[Step]) -> String {
    let numbers = (1..).zip(steps).filter(|(_, step)| step.assumed.is_some());
    let numbers: Vec<String> = numbers.map(|(number, _): (usize, _)| number.to_string()).collect();
    match numbers.as_slice() {
        [] => String::new(),
        all if all.len() == steps.len() => " (assumed)".to_owned(),
        [one] => format!(" (step {one} is assumed)"),
        some => format!(" (steps {} are assumed)", some.join(", ")),
    }
}

impl<W: Write> Report for Text<W> {
    fn begin(&mut self, _: &Header) -> io::Result<()> {
        Ok(())
    }

    fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        let (style, word, gap) = match entry {
            Entry { skipped: Some(_), .. } => (Style::new(), "skip", " "),
            Entry { as_expected: true, .. } => (self.ok, "ok", "   "),
            _ => (self.fail, "FAIL", " "),
        };
        let (name, title, width) = (for_line(&entry.name), for_line(&entry.title), self.width);
        let line = format!("{style}{word}{style:#}{gap}{name:width$}  {title}{}", assumed(&entry.steps));
        writeln!(self.out, "{}", line.trim_end())?;
        if let Some(because) = &entry.skipped {
            writeln!(self.out, "     not on this backend: {}", for_line(because))?;
        }
        if let Some(error) = &entry.error {
            for (number, line) in error.lines().enumerate() {
                let lead = if number == 0 { "error: " } else { "       " };
                writeln!(self.out, "     {lead}{}", for_line(line))?;
            }
        }
        for (number, step) in (1..).zip(&entry.steps).filter(|(_, step)| !step.mismatches.is_empty()) {
            writeln!(self.out, "     step {number}: {}", for_line(&step.step))?;
            if let Some(why) = &step.assumed {
                writeln!(self.out, "       assumed: {}", for_line(why))?;
            }
            for mismatch in &step.mismatches {
                let what = for_line(&mismatch.what);
                let indent = what.chars().count();
                writeln!(self.out, "       {what}: expected {}", for_line(&mismatch.expected))?;
                writeln!(self.out, "       {:indent$}  saw      {}", "", for_line(&mismatch.seen))?;
            }
            if let Some(because) = step.because() {
                writeln!(self.out, "       cause: {}", for_line(&because))?;
            }
            for (number, remedy) in step.remedies.iter().enumerate() {
                let lead = if number == 0 { "what helps:" } else { "" };
                writeln!(self.out, "       {lead:11} {}", for_line(&remedy.to_string()))?;
            }
        }
        self.out.flush()
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        let Summary { as_expected, not_as_expected, skipped, .. } = summary;
        let skipped = if *skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        writeln!(self.out, "{as_expected} as expected, {not_as_expected} not{skipped}")?;
        self.out.flush()
    }
}
