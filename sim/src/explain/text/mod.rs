//! The story in a terminal: views beside each other where they have room, below each other where not.

mod canvas;
mod ladder;
mod rest;

use std::fmt::Write as _;

use anstyle::{AnsiColor, Effects, Style};

use super::story::{StepStory, Story, Weight};
use super::words;
use super::wrap::wrap;
use canvas::Canvas;

/// No narrower line is laid out for; what is longer then is the terminal's to break.
const NARROWEST: usize = 60;
/// Columns of the times.
const TIME: usize = 11;

/// The story in lines of at most `width` columns.
pub fn text(story: &Story, width: usize, coloured: bool) -> String {
    let mut page = Page { width: width.max(NARROWEST), style: Styles::new(coloured), text: String::new() };
    page.paragraph(
        0,
        &format!("{}: {}", words::shown(&story.name), words::shown(&story.title)),
        page.style.title,
    );
    for step in &story.steps {
        page.blank();
        step_text(&mut page, step);
    }
    for elsewhere in &story.elsewhere {
        page.blank();
        page.paragraph(
            0,
            &format!("step {}: {}", elsewhere.step, words::shown(&elsewhere.what)),
            page.style.title,
        );
        rest::mismatches(&mut page, &elsewhere.mismatches);
    }
    page.text
}

fn step_text(page: &mut Page, step: &StepStory) {
    page.paragraph(0, &format!("step {}: {}", step.number, words::shown(&step.step)), page.style.title);
    let style = if words::failed(step) { page.style.bad } else { page.style.good };
    page.paragraph(2, &words::outcome(step), style);
    if let Some(why) = words::assumed(step) {
        page.paragraph(2, &why, Style::new());
    }
    page.blank();
    ladder::ladder(page, step);
    rest::logs(page, step);
    rest::table(page, step);
    rest::why(page, step);
    rest::mismatches(page, &step.mismatches);
}

/// What is written so far.
struct Page {
    width: usize,
    style: Styles,
    text: String,
}

impl Page {
    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn line(&mut self, canvas: &Canvas) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{}", canvas.finish(self.style.coloured));
    }

    /// Text from an indentation on, wrapped; lines after the first one are indented by two more.
    fn paragraph(&mut self, indent: usize, text: &str, style: Style) {
        let first = self.width.saturating_sub(indent);
        let pieces = wrap(text, first);
        let fits = pieces.len() <= 1;
        let pieces = if fits { pieces } else { wrap(text, first.saturating_sub(2)) };
        for (number, piece) in pieces.iter().enumerate() {
            let mut canvas = Canvas::new(self.width);
            canvas.text(if number == 0 { indent } else { indent + 2 }, &piece.text, style);
            self.line(&canvas);
        }
    }

    fn heading(&mut self, text: &str) {
        self.blank();
        self.paragraph(0, text, self.style.title);
    }
}

/// Styles for what a line says. Without colours nothing is lost: marks stand below what they mark.
struct Styles {
    coloured: bool,
    plain: Style,
    title: Style,
    faint: Style,
    lane: Style,
    good: Style,
    bad: Style,
    warning: Style,
    rewritten: Style,
}

impl Styles {
    fn new(coloured: bool) -> Self {
        let plain = Style::new();
        Self {
            coloured,
            plain,
            title: plain.bold(),
            faint: plain.dimmed(),
            lane: AnsiColor::Blue.on_default(),
            good: AnsiColor::Green.on_default(),
            bad: AnsiColor::Red.on_default().bold(),
            warning: AnsiColor::Yellow.on_default(),
            rewritten: plain.bold() | Effects::INVERT,
        }
    }

    fn of(&self, weight: Weight) -> Style {
        match weight {
            Weight::Ended => self.bad,
            Weight::Helped => self.good,
            Weight::LeftAlone => self.warning,
            Weight::Plain => self.faint,
        }
    }
}
