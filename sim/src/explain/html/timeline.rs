//! What routers held, over time, as a drawing: a bar from its making to its end for each translation and forward.

use std::collections::BTreeMap;

use super::svg::{Drawing, Text, advance, columns, count};
use crate::explain::story::{Entry, EntryKind, StepStory};
use crate::explain::words;
use crate::explain::wrap::wrap;

const SIZE: f64 = 11.5;
const LEADING: f64 = 15.0;

/// The drawing, so wide; none where nothing was held.
pub(super) fn timeline(step: &StepStory, width: f64) -> Option<String> {
    if step.table.is_empty() {
        return None;
    }
    let axis = Axis::new(step, (10.0, width - 10.0));
    let mut bars = Drawing::default();
    let mut y = 24.0;
    for entry in &step.table {
        y = bar(&mut bars, step, &axis, entry, width, y);
    }
    let mut drawing = Drawing::default();
    axis.draw(&mut drawing, y);
    drawing.append(&bars);
    let label = format!("What the routers held in step {}, over time", step.number);
    Some(drawing.finish("timeline", &label, (width, y + 4.0)))
}

/// Times and where they are. Between milliseconds and minutes no scale is readable that is true: a gap grows with the
/// number of its binary digits.
struct Axis {
    places: BTreeMap<i64, f64>,
    ends: (f64, f64),
}

impl Axis {
    fn new(step: &StepStory, (left, right): (f64, f64)) -> Self {
        let mut times: Vec<i64> = vec![step.since_us, step.until_us];
        for entry in &step.table {
            times.push(entry.since_us);
            times.extend(&entry.used_us);
            times.extend(entry.ended.as_ref().map(|end| end.at_us));
            times.extend(expires_us(entry));
        }
        times.sort_unstable();
        times.dedup();
        let weight = |gap: i64| count(usize::try_from(gap.max(1).ilog2()).unwrap_or_default()) + 1.0;
        let mut reached = 0.0;
        let mut places = BTreeMap::new();
        let mut before = None;
        for time in times {
            reached += before.map_or(0.0, |before| weight(time - before));
            places.insert(time, reached);
            before = Some(time);
        }
        let total = if reached > 0.0 { reached } else { 1.0 };
        for place in places.values_mut() {
            *place = left + (right - left) * *place / total;
        }
        Self { places, ends: (left, right) }
    }

    fn at(&self, time: i64) -> f64 {
        self.places.get(&time).copied().unwrap_or(self.ends.0)
    }

    /// Ticks with their times, as many as have room.
    fn draw(&self, drawing: &mut Drawing, height: f64) {
        drawing.line("axis", (self.ends.0, 18.0), (self.ends.1, 18.0));
        let mut free_from = f64::MIN;
        for (time, place) in &self.places {
            drawing.line("tick", (*place, 14.0), (*place, height));
            let text = words::time(*time);
            let long = advance(text.chars().count(), 10.0);
            let (anchor, left) = if *place + long / 2.0 > self.ends.1 {
                ("end", *place - long)
            } else if *place - long / 2.0 < self.ends.0 {
                ("start", *place)
            } else {
                ("middle", *place - long / 2.0)
            };
            if left >= free_from {
                drawing.text(Text { x: *place, y: 11.0, size: 10.0, anchor, class: "faint" }, &text);
                free_from = left + long + 8.0;
            }
        }
    }
}

fn expires_us(entry: &Entry) -> Option<i64> {
    entry.ended.is_none().then_some(i64::from(entry.expires_s?) * 1_000_000)
}

fn bar(drawing: &mut Drawing, step: &StepStory, axis: &Axis, entry: &Entry, width: f64, top: f64) -> f64 {
    let mut y = top;
    let room = columns(width - 20.0, SIZE);
    let title = format!("{}: {} ({})", words::entry_name(entry), entry.text, entry.why);
    for piece in wrap(&words::shown(&title), room) {
        y += LEADING;
        drawing.text(Text { x: 10.0, y, size: SIZE, anchor: "start", class: "said over-sheet" }, &piece.text);
    }
    y += 6.0;
    let class = match entry.kind {
        EntryKind::Translation => "bar translation",
        EntryKind::Forward => "bar forward",
    };
    let from = axis.at(entry.since_us);
    let held_until = entry.ended.as_ref().map_or(step.until_us, |end| end.at_us);
    let to = axis.at(held_until).max(from + 3.0);
    drawing.rect(class, (from, y), (to - from, 9.0));
    if let Some(end) = expires_us(entry) {
        drawing.rect(&format!("{class} ahead"), (to, y), ((axis.at(end) - to).max(0.0), 9.0));
    }
    for used in &entry.used_us {
        let x = axis.at(*used);
        drawing.shape("used", &[(x, y - 2.0), (x + 6.0, y + 4.5), (x, y + 11.0), (x - 6.0, y + 4.5)]);
    }
    y += 9.0;
    let used: Vec<String> =
        entry.used_us.iter().map(|at| format!(", used at {}", words::time(*at))).collect();
    let text = format!("from {}{}, {}", words::time(entry.since_us), used.concat(), words::entry_end(entry));
    for piece in wrap(&words::shown(&text), room) {
        y += LEADING;
        drawing
            .text(Text { x: 10.0, y, size: SIZE, anchor: "start", class: "faint over-sheet" }, &piece.text);
    }
    y + 10.0
}
