//! A line of a terminal in the making: characters put at columns, each with its style.

use std::fmt::Write as _;
use std::ops::Range;

use anstyle::Style;
use unicode_width::UnicodeWidthChar;

use crate::explain::words;

/// A line.
pub(super) struct Canvas {
    cells: Vec<Cell>,
}

#[derive(Clone, Copy)]
enum Cell {
    Glyph(char, Style),
    /// The second column of a character that takes two.
    Taken,
}

impl Canvas {
    pub(super) fn new(width: usize) -> Self {
        Self { cells: vec![Cell::Glyph(' ', Style::new()); width] }
    }

    /// Puts a character at a column; what does not fit on the line is left out.
    pub(super) fn put(&mut self, column: usize, glyph: char, style: Style) {
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = Cell::Glyph(glyph, style);
        }
    }

    /// Puts text at a column; gives the column behind it.
    pub(super) fn text(&mut self, mut column: usize, text: &str, style: Style) -> usize {
        for character in text.chars() {
            let width = character.width().unwrap_or(0);
            if width == 0 || column + width > self.cells.len() {
                continue;
            }
            self.put(column, character, style);
            if width == 2
                && let Some(cell) = self.cells.get_mut(column + 1)
            {
                *cell = Cell::Taken;
            }
            column += width;
        }
        column
    }

    /// Fills columns with a character.
    pub(super) fn fill(&mut self, columns: Range<usize>, glyph: char, style: Style) {
        columns.for_each(|column| self.put(column, glyph, style));
    }

    /// The line, without blanks at its end.
    pub(super) fn finish(&self, coloured: bool) -> String {
        let is_blank = |cell: &Cell| matches!(cell, Cell::Glyph(' ', _));
        let end = self.cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1);
        let mut line = String::new();
        let mut current = Style::new();
        for cell in self.cells.iter().take(end) {
            let Cell::Glyph(glyph, style) = cell else { continue };
            if coloured && *style != current {
                // Writing to a string cannot fail.
                let _ = write!(line, "{current:#}{style}");
                current = *style;
            }
            line.push(*glyph);
        }
        if coloured {
            let _ = write!(line, "{current:#}");
        }
        line
    }
}

/// How many columns a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// A piece of a text that was cut into lines, and the characters it is.
pub(crate) struct Piece {
    pub(crate) text: String,
    /// Its first character's place in the whole.
    pub(crate) start: usize,
}

/// Cuts a text into lines of at most `columns`, between words where that is possible.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<Piece> {
    let columns = columns.max(1);
    let characters: Vec<char> = text.chars().collect();
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < characters.len() {
        let rest = characters.get(start..).unwrap_or_default();
        let mut used = 0;
        let fits = rest
            .iter()
            .take_while(|character| {
                used += character.width().unwrap_or(0);
                used <= columns
            })
            .count()
            .max(1);
        let mut length = fits;
        if fits < rest.len()
            && let Some(blank) =
                rest.iter().take(fits + 1).rposition(|character| *character == ' ').filter(|blank| *blank > 0)
        {
            length = blank;
        }
        pieces.push(Piece { text: rest.iter().take(length).collect(), start });
        start += length;
        while characters.get(start) == Some(&' ') {
            start += 1;
        }
    }
    if pieces.is_empty() {
        pieces.push(Piece { text: String::new(), start: 0 });
    }
    pieces
}

/// A piece of a text that has marked characters.
pub(super) struct MarkedPiece {
    pub(super) text: String,
    /// Those of its characters that are marked.
    pub(super) marks: Vec<Range<usize>>,
}

impl MarkedPiece {
    /// The line of marks to stand below it.
    pub(super) fn marks_below(&self) -> String {
        let mut line = String::new();
        for (number, character) in self.text.chars().enumerate() {
            let mark = if self.marks.iter().any(|range| range.contains(&number)) { "^" } else { " " };
            line.push_str(&mark.repeat(character.width().unwrap_or(0)));
        }
        line.trim_end().to_owned()
    }
}

/// A text with marked characters, as it can be shown, cut into lines.
pub(super) fn marked_pieces(text: &str, marked: &[Range<usize>], columns: usize) -> Vec<MarkedPiece> {
    let (mut shown, mut marks, mut at) = (String::new(), Vec::new(), 0);
    for (piece, is_marked) in words::pieces(text, marked) {
        let end = at + piece.chars().count();
        if is_marked {
            marks.push(at..end);
        }
        at = end;
        shown.push_str(&piece);
    }
    let piece = |Piece { text, start }: Piece| {
        let end = start + text.chars().count();
        let within = marks.iter().filter_map(|range: &Range<usize>| {
            let (from, to) = (range.start.max(start), range.end.min(end));
            (from < to).then(|| from - start..to - start)
        });
        MarkedPiece { marks: within.collect(), text }
    };
    wrap(&shown, columns).into_iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, columns: usize) -> Vec<String> {
        wrap(text, columns).into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn text_is_cut_between_words_and_long_words_where_they_end_the_line() {
        assert_eq!(wrapped("PORT 192,168,1,100,65,43", 24), ["PORT 192,168,1,100,65,43"]);
        assert_eq!(wrapped("PORT 192,168,1,100,65,43", 20), ["PORT", "192,168,1,100,65,43"]);
        assert_eq!(wrapped("abcdef gh", 4), ["abcd", "ef", "gh"]);
        assert_eq!(wrapped("名前 名前", 4), ["名前", "名前"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let mut canvas = Canvas::new(4);
        canvas.text(2, "名前x", Style::new());
        canvas.put(9, 'x', Style::new());
        assert_eq!(canvas.finish(true), "  名");
    }
}
