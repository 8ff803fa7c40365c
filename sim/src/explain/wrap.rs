//! Text cut into lines of so many columns, with what is marked in it.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::words;

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
}
