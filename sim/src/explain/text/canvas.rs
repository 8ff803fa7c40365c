//! A line of a terminal in the making: characters put at columns, each with its style.

use std::fmt::Write as _;
use std::ops::Range;

use anstyle::Style;
use unicode_width::UnicodeWidthChar;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out() {
        let mut canvas = Canvas::new(4);
        canvas.text(2, "名前x", Style::new());
        canvas.put(9, 'x', Style::new());
        assert_eq!(canvas.finish(true), "  名");
    }
}
