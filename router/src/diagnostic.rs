//! What is wrong in a file of the user's, shown where it stands: file, line, column, the line itself and a caret.
//!
//! For every kind of file: it knows of TOML, and nothing of what a file is about.

mod file;
mod place;
mod toml_error;

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

pub use file::{ReadError, read_text};
pub use place::span_of;
pub use toml_error::from_toml;

/// A list of words in a help text goes on in a new line where the line would be longer.
const LINE_WIDTH: usize = 90;

/// One thing that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    file_name: String,
    source: String,
    span: Option<Range<usize>>,
    message: String,
    help: Option<String>,
}

impl Diagnostic {
    /// About the file as a whole; [`at`](Self::at) says where in it. `message` is lower-case and has no full stop.
    pub fn new(file_name: impl Into<String>, source: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file_name: file_name.into(),
            source: source.into(),
            span: None,
            message: message.into(),
            help: None,
        }
    }

    /// The octets of the source that it is about; those that the source does not have are left out.
    #[must_use]
    pub fn at(mut self, span: Range<usize>) -> Self {
        let start = self.source.floor_char_boundary(span.start);
        let end = self.source.ceil_char_boundary(span.end).max(start);
        self.span = Some(start..end);
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What a TOML error says, where it says it stands. [`from_toml`] knows more: there the type can be asked.
    pub fn from_toml_error(
        file_name: impl Into<String>,
        source: impl Into<String>,
        error: &toml::de::Error,
    ) -> Self {
        toml_error::explain(file_name.into(), source.into(), error, &|_| None)
    }

    /// What is wrong, without where.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The file's name as it was given.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// The octets of the source that it is about; `None`: the file as a whole.
    pub fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }

    /// The text in full, with colours for a terminal. [`Display`](fmt::Display) gives the same without. Like any
    /// error's text it does not begin with `error: `; that is for whoever shows it.
    pub fn styled(&self) -> String {
        self.render(&Renderer::styled())
    }

    fn render(&self, renderer: &Renderer) -> String {
        let title = Level::ERROR.no_name().primary_title(self.message.as_str());
        let mut group = match &self.span {
            Some(span) => title.element(
                Snippet::source(self.source.as_str())
                    .path(self.file_name.as_str())
                    .annotation(AnnotationKind::Primary.span(self.first_line_of(span))),
            ),
            None => Group::with_title(title).element(Origin::path(self.file_name.as_str())),
        };
        if let Some(help) = &self.help {
            // What is escaped are control characters that a file's words may hold; line breaks are our own.
            let lines: Vec<_> = help.split('\n').map(normalize_untrusted_str).collect();
            group = group.element(Level::HELP.message(lines.join("\n")));
        }
        renderer.render(&[group])
    }

    /// A caret under each of many lines would hide what is wrong.
    fn first_line_of(&self, span: &Range<usize>) -> Range<usize> {
        let text = self.source.get(span.clone()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        span.start..span.start + line.len()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(&Renderer::plain()))
    }
}

impl std::error::Error for Diagnostic {}

/// The candidate that `word` was probably meant to be: the nearest one, if at most a third of it differs.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean", if there is an answer, and the list of what could have stood there.
pub fn help_with_choices(word: &str, lead: &str, choices: &[&str]) -> String {
    let list = word_list(lead, choices);
    match did_you_mean(word, choices.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?\n{list}"),
        None => list,
    }
}

/// `lead` and the words, each in back-ticks, over as many lines as they need.
pub fn word_list(lead: &str, words: &[&str]) -> String {
    let mut text = lead.to_owned();
    let mut width = lead.chars().count();
    for (position, word) in words.iter().enumerate() {
        let item = format!("`{word}`{}", if position + 1 < words.len() { "," } else { "" });
        let length = item.chars().count() + 1;
        if width + length > LINE_WIDTH && position > 0 {
            text.push_str("\n  ");
            width = 2;
        } else {
            text.push(' ');
        }
        text.push_str(&item);
        width += length;
    }
    text
}

#[cfg(test)]
mod tests;
