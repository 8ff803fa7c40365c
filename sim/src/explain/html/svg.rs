//! A drawing in the making. All text goes through one place, where it is escaped.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use crate::explain::words;
use crate::report::escape::for_xml;

/// How wide a character of the monospaced text is, as a part of its size. Every line states its length, so that a font
/// that differs is fitted.
const ADVANCE: f64 = 0.6;

/// Where and how text stands.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) x: f64,
    pub(super) y: f64,
    /// Of the letters.
    pub(super) size: f64,
    /// `start`, `middle` or `end`.
    pub(super) anchor: &'static str,
    pub(super) class: &'a str,
}

/// Shapes so far.
#[derive(Default)]
pub(super) struct Drawing {
    body: String,
}

/// The width of so many characters.
pub(super) fn advance(characters: usize, size: f64) -> f64 {
    count(characters) * size * ADVANCE
}

/// How many characters of a size fit.
pub(super) fn columns(width: f64, size: f64) -> usize {
    let mut columns = 0;
    while advance(columns + 1, size) <= width {
        columns += 1;
    }
    columns
}

/// A count as a length.
pub(super) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

impl Drawing {
    pub(super) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.push(&format!(r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#));
    }

    pub(super) fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        self.push(&format!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#
        ));
    }

    /// A filled shape, from its corners.
    pub(super) fn shape(&mut self, class: &str, corners: &[(f64, f64)]) {
        let corners: Vec<String> = corners.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.push(&format!(r#"<polygon class="{class}" points="{}"/>"#, corners.join(" ")));
    }

    /// A line of text, in which nothing is markup.
    pub(super) fn text(&mut self, place: Text<'_>, text: &str) {
        let Text { x, y, size, anchor, class } = place;
        let text = words::shown(text);
        let characters = text.chars().count();
        if characters == 0 {
            return;
        }
        let length = advance(characters, size);
        let text = escaped(&text);
        self.push(&format!(
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" font-size="{size}" text-anchor="{anchor}" textLength="{length:.1}" lengthAdjust="spacingAndGlyphs" xml:space="preserve">{text}</text>"#
        ));
    }

    /// A group, with a tooltip that is also its name for those who do not see it.
    pub(super) fn begin(&mut self, element: &str, title: &str) {
        self.push(&format!("<{element}>"));
        self.push(&format!("<title>{}</title>", escaped(&words::shown(title))));
    }

    pub(super) fn end(&mut self, element: &str) {
        self.push(&format!("</{element}>"));
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.body.push_str(&other.body);
    }

    /// The drawing, of this size.
    pub(super) fn finish(self, class: &str, label: &str, (width, height): (f64, f64)) -> String {
        let label = escaped(label);
        let mut svg = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            r#"<svg class="{class}" viewBox="0 0 {width:.0} {height:.0}" role="group" aria-label="{label}">"#
        );
        svg.push_str(&self.body);
        svg.push_str("</svg>");
        svg
    }

    fn push(&mut self, markup: &str) {
        self.body.push_str(markup);
    }
}

fn escaped(text: &str) -> String {
    escape(for_xml(text).as_ref()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        let mut drawing = Drawing::default();
        let place = Text { x: 1.0, y: 2.0, size: 10.0, anchor: "start", class: "said" };
        drawing.text(place, "</text><script>alert('x')</script>\u{1b}\u{202e}\"&");
        let svg = drawing.finish("x", "<a> & \"b\"", (10.0, 10.0));
        assert!(
            !svg.contains("<script") && !svg.contains('\u{1b}') && svg.contains("&lt;script&gt;"),
            "{svg}"
        );
        assert_eq!(svg.matches('<').count(), 4, "svg and text, opened and closed: {svg}");
    }

    #[test]
    fn as_many_characters_as_fit() {
        assert_eq!(columns(72.0, 12.0), 10);
        assert_eq!(columns(71.9, 12.0), 9);
        assert_eq!(columns(0.0, 12.0), 0);
    }
}
