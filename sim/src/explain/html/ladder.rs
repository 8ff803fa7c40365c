//! The ladder as a drawing: once wide, with the views beside each other, and once narrow, for a telephone, with the
//! views below each other.

use super::svg::{Drawing, Text, advance, columns, count};
use crate::explain::story::{End, Line, Packet, Row, StepStory, Towards, View, Weight};
use crate::explain::words;
use crate::explain::wrap::{marked_pieces, wrap};

/// The two drawings of a ladder: the stations above it, which stay in sight, and what crossed.
pub(super) struct Ladder {
    pub(super) head: String,
    pub(super) body: String,
}

/// Sizes, in the drawing's units, which are a screen's pixels where it has its natural width.
struct Layout {
    width: f64,
    /// The columns of the times, left of the first lane.
    gutter: f64,
    lanes: Vec<f64>,
    beside: bool,
    /// Of the letters.
    size: f64,
    /// From one line of text to the next.
    leading: f64,
    /// What the names of places in the drawing begin with; two drawings are on one page.
    anchor: char,
}

/// A view is not drawn narrower than this beside others.
const VIEW: f64 = 300.0;
const WIDE: f64 = 1080.0;
const NARROW: f64 = 344.0;
/// From a lane to the text beside it.
const PAD: f64 = 10.0;

impl Layout {
    fn wide(step: &StepStory) -> Self {
        let views = step.views.len().max(1);
        let gutter = 84.0;
        let width = WIDE.max(gutter + count(views) * VIEW + 24.0);
        let room = (width - gutter - 24.0) / count(views);
        let mut lanes = vec![gutter; step.stations.len()];
        for (number, view) in step.views.iter().enumerate() {
            let (left, gaps) = (gutter + room * count(number), view.wires().len().max(1));
            for station in view.from..=view.to {
                if let Some(lane) = lanes.get_mut(station) {
                    *lane = left + room * count(station - view.from) / count(gaps);
                }
            }
        }
        Self { width, gutter, lanes, beside: true, size: 12.5, leading: 17.0, anchor: 'r' }
    }

    fn narrow(step: &StepStory) -> Self {
        let gaps = step.stations.len().saturating_sub(1).max(1);
        let (left, right) = (14.0, NARROW - 14.0);
        let lane = |station: usize| left + (right - left) * count(station) / count(gaps);
        let lanes = (0..step.stations.len()).map(lane).collect();
        Self { width: NARROW, gutter: 0.0, lanes, beside: false, size: 11.5, leading: 16.0, anchor: 'q' }
    }

    fn lane(&self, station: usize) -> f64 {
        self.lanes.get(station).copied().unwrap_or_default()
    }
}

/// The wide drawing.
pub(super) fn wide(step: &StepStory) -> Ladder {
    draw(step, &Layout::wide(step))
}

/// The narrow one.
pub(super) fn narrow(step: &StepStory) -> Ladder {
    draw(step, &Layout::narrow(step))
}

fn draw(step: &StepStory, layout: &Layout) -> Ladder {
    let mut rows = Drawing::default();
    let mut y = 8.0;
    for row in &step.rows {
        y = match row {
            Row::Packet(packet) => packet_row(&mut rows, step, layout, packet, y),
            Row::Note(note) => {
                let text = format!("{} · {}", words::time(note.at_us), words::decided(note));
                boxed(&mut rows, layout, note.station, &text, note.weight, y)
            }
        };
    }
    let height = y + 12.0;
    let mut drawing = Drawing::default();
    background(&mut drawing, step, layout, height);
    drawing.append(&rows);
    let label = format!("Ladder of step {}: what crossed, in order of time", step.number);
    Ladder { head: head(step, layout), body: drawing.finish("body", &label, (layout.width, height)) }
}

/// Bands of the views, and lanes.
fn background(drawing: &mut Drawing, step: &StepStory, layout: &Layout, height: f64) {
    // Where texts stand across the views, bands would be behind the wrong ones.
    for view in step.views.iter().filter(|_| layout.beside) {
        let (left, right) = (layout.lane(view.from), layout.lane(view.to));
        drawing.rect(band(view), (left, 0.0), (right - left, height));
    }
    for lane in &layout.lanes {
        drawing.line("lane", (*lane, 0.0), (*lane, height));
    }
}

fn band(view: &View) -> &'static str {
    if view.name == "WAN" { "band wan" } else { "band lan" }
}

/// The stations' names and addresses.
fn head(step: &StepStory, layout: &Layout) -> String {
    let mut drawing = Drawing::default();
    // Many stations do not fit beside each other on a telephone: every other one stands lower.
    let lower = if layout.beside || step.stations.len() < 5 { 0.0 } else { 38.0 };
    let (small, height) = (if layout.beside { 11.5 } else { 9.0 }, 78.0 + lower);
    for view in &step.views {
        let (left, right) = (layout.lane(view.from), layout.lane(view.to));
        drawing.rect(band(view), (left, 0.0), (right - left, height));
        let place =
            Text { x: f64::midpoint(left, right), y: 15.0, size: small, anchor: "middle", class: "faint" };
        drawing.text(place, &cut(&view.name, columns(right - left - 4.0, small)));
    }
    let last = step.stations.len().saturating_sub(1);
    for (number, station) in step.stations.iter().enumerate() {
        let lane = layout.lane(number);
        // The outermost ones stand inside the drawing.
        let (anchor, x) = match number {
            0 if !layout.beside => ("start", 2.0),
            _ if number == last => ("end", layout.width - 2.0),
            _ => ("middle", lane),
        };
        let is_lower = lower > 0.0 && !number.is_multiple_of(2);
        let top = if is_lower { lower } else { 0.0 };
        let gap = layout.lane(1) - layout.lane(0);
        let room = if layout.beside { 260.0 } else { gap * if lower > 0.0 { 2.0 } else { 1.0 } - 6.0 };
        let size = if layout.beside { 14.0 } else { 11.0 };
        drawing.text(
            Text { x, y: 35.0 + top, size, anchor, class: "name" },
            &cut(station.name(), columns(room, size)),
        );
        for (line, address) in words::station(station).iter().enumerate() {
            let y = 49.0 + top + 13.0 * count(line);
            drawing.text(Text { x, y, size: small, anchor, class: "faint" }, address);
        }
        drawing.line(
            "lane",
            (lane, if is_lower || lower == 0.0 { height - 8.0 } else { 70.0 }),
            (lane, height),
        );
    }
    drawing.finish("head", "Stations", (layout.width, height))
}

/// A text that is too long ends with an ellipsis.
fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

/// A packet: what it says, its arrows, and what was decided because of it. Gives where the next row begins.
fn packet_row(rows: &mut Drawing, step: &StepStory, layout: &Layout, packet: &Packet, top: f64) -> f64 {
    let mut drawing = Drawing::default();
    let arrow_at = if layout.beside {
        said_beside(&mut drawing, step, layout, packet, top)
    } else {
        said_below(&mut drawing, step, layout, packet, top)
    };
    arrows(&mut drawing, step, layout, packet, arrow_at);
    let mut y = arrow_at + 8.0;
    if let Some(more) = words::more(packet) {
        y += layout.leading - 4.0;
        let x = packet
            .span()
            .map_or(layout.gutter, |(from, to)| f64::midpoint(layout.lane(from), layout.lane(to)));
        let text = format!("… {more}");
        let half = advance(text.chars().count(), layout.size - 1.0) / 2.0;
        let x = x.clamp(half + 2.0, (layout.width - half - 2.0).max(half + 2.0));
        drawing
            .text(Text { x, y, size: layout.size - 1.0, anchor: "middle", class: "faint over-sheet" }, &text);
        y += 6.0;
    }
    let class = if packet.end == End::Arrived { "packet-link" } else { "packet-link stopped" };
    let first = packet.legs.first().and_then(|leg| leg.lines.first()).map_or("", |line| line.text.as_str());
    let title = format!("Packet {}, {}: {first}", packet.number, words::way(step, packet));
    let element = format!(
        r##"a class="{class}" id="{}{}-{}" href="#p{}-{}""##,
        layout.anchor, step.number, packet.number, step.number, packet.number
    );
    rows.begin(&element, &title);
    rows.rect("hit", (0.0, top), (layout.width, y - top));
    rows.append(&drawing);
    rows.end("a");
    for decision in &packet.decisions {
        y = boxed(rows, layout, decision.station, &words::decided(decision), decision.weight, y);
    }
    let is_told = packet.decisions.iter().any(|decision| Some(&decision.text) == words::end(packet).as_ref());
    if let (Some(end), false) = (words::end(packet), is_told) {
        y = boxed(rows, layout, packet.span().map(|(_, to)| to), &end, Weight::Ended, y);
    }
    y + 2.0
}

/// The views that a packet crossed, from client to server, each with what it says there.
fn crossed<'a>(step: &'a StepStory, packet: &'a Packet) -> Vec<(&'a View, &'a [Line])> {
    let leg = |view: &View| {
        packet.legs.iter().find(|leg| leg.wire.is_some_and(|wire| view.wires().contains(&wire)))
    };
    step.views.iter().filter_map(|view| leg(view).map(|leg| (view, leg.lines.as_slice()))).collect()
}

/// A line of text to be drawn.
struct Drawn {
    text: String,
    marks: Vec<std::ops::Range<usize>>,
    class: String,
}

/// What a packet says, cut to a width.
fn drawn(lines: &[Line], columns: usize, halo: &str) -> Vec<Drawn> {
    let mut drawn = Vec::new();
    for line in lines {
        for piece in marked_pieces(&line.text, &line.rewritten, columns) {
            drawn.push(Drawn { text: piece.text, marks: piece.marks, class: format!("said {halo}") });
        }
        if let Some(announces) = &line.announces {
            for piece in wrap(&format!("= {announces}"), columns) {
                drawn.push(Drawn { text: piece.text, marks: Vec::new(), class: format!("faint {halo}") });
            }
        }
    }
    drawn
}

fn put(drawing: &mut Drawing, layout: &Layout, line: &Drawn, (x, y): (f64, f64)) {
    for mark in &line.marks {
        let (from, wide) = (advance(mark.start, layout.size), advance(mark.len(), layout.size));
        drawing.rect("mark", (x + from - 1.0, y - layout.size + 1.0), (wide + 2.0, layout.size + 3.0));
    }
    drawing.text(Text { x, y, size: layout.size, anchor: "start", class: &line.class }, &line.text);
}

/// Texts between the lanes, above the arrow; gives where that is.
fn said_beside(drawing: &mut Drawing, step: &StepStory, layout: &Layout, packet: &Packet, top: f64) -> f64 {
    let cells: Vec<(f64, Vec<Drawn>)> = crossed(step, packet)
        .into_iter()
        .map(|(view, lines)| {
            let (left, right) = (layout.lane(view.from), layout.lane(view.to));
            let halo = if band(view) == "band wan" { "over-wan" } else { "over-lan" };
            let lines = drawn(lines, columns(right - left - 2.0 * PAD, layout.size), halo);
            // Beside its arrow, where that begins further right.
            let begins = packet.span().map_or(left, |(from, to)| layout.lane(from.min(to)));
            let longest = lines.iter().map(|line| line.text.chars().count()).max().unwrap_or_default();
            let last = right - PAD - advance(longest, layout.size);
            ((begins.max(left) + PAD).min(last).max(left + PAD), lines)
        })
        .collect();
    let height = cells.iter().map(|(_, lines)| lines.len()).max().unwrap_or_default();
    let arrow_at = top + layout.leading * count(height) + 9.0;
    for (x, lines) in &cells {
        for (number, line) in lines.iter().enumerate() {
            let y = arrow_at - 6.0 - layout.leading * count(lines.len() - 1 - number);
            put(drawing, layout, line, (*x, y));
        }
    }
    let place =
        Text { x: layout.gutter - 14.0, y: arrow_at + 4.0, size: 11.5, anchor: "end", class: "faint time" };
    drawing.text(place, &words::time(packet.at_us));
    arrow_at
}

/// Texts over the whole width, above the arrow: one for all views that say the same.
fn said_below(drawing: &mut Drawing, step: &StepStory, layout: &Layout, packet: &Packet, top: f64) -> f64 {
    let mut views = crossed(step, packet);
    if packet.towards == Towards::Client {
        views.reverse();
    }
    let is_same = views.iter().zip(views.iter().skip(1)).all(|((_, one), (_, other))| one == other);
    let mut y = top + 13.0;
    let left = layout.lane(0) + PAD - 4.0;
    drawing.text(
        Text { x: left, y, size: 10.0, anchor: "start", class: "faint time over-sheet" },
        &words::time(packet.at_us),
    );
    let shown = if is_same { 1 } else { views.len() };
    for (view, lines) in views.into_iter().take(shown) {
        if !is_same {
            y += layout.leading;
            drawing.text(
                Text { x: left, y, size: 10.0, anchor: "start", class: "faint over-sheet" },
                &view.name,
            );
        }
        for line in drawn(lines, columns(layout.width - 2.0 * left, layout.size), "over-sheet") {
            y += layout.leading;
            put(drawing, layout, &line, (left, y));
        }
    }
    y + 10.0
}

/// Arrows over the wires that a packet crossed, one for each view.
fn arrows(drawing: &mut Drawing, step: &StepStory, layout: &Layout, packet: &Packet, y: f64) {
    let wires: Vec<usize> = packet.legs.iter().filter_map(|leg| leg.wire).collect();
    let Some(last_wire) = wires.last() else { return };
    for view in &step.views {
        let within = || wires.iter().filter(|wire| view.wires().contains(wire));
        let (Some(first), Some(last)) = (within().min(), within().max()) else { continue };
        let (left, right) = (layout.lane(*first), layout.lane(last + 1));
        let is_last = within().any(|wire| wire == last_wire);
        let stopped = is_last && packet.end != End::Arrived;
        let (from, to) = if packet.towards == Towards::Server { (left, right) } else { (right, left) };
        // What a wire lost ends on it.
        let on_wire = stopped && matches!(packet.end, End::Stopped { station: None, .. });
        let to = if on_wire { from + (to - from) * 0.6 } else { to };
        let ahead = if packet.towards == Towards::Server { 1.0 } else { -1.0 };
        drawing.line("arrow", (from, y), (to - ahead * 2.0, y));
        if stopped {
            let x = to - ahead * if on_wire { 0.0 } else { 10.0 };
            drawing.line("cross", (x - 5.0, y - 5.0), (x + 5.0, y + 5.0));
            drawing.line("cross", (x - 5.0, y + 5.0), (x + 5.0, y - 5.0));
        } else {
            drawing
                .shape("head-of-arrow", &[(to, y), (to - ahead * 9.0, y - 4.5), (to - ahead * 9.0, y + 4.5)]);
        }
    }
}

/// A decision, in a box at the station that made it.
fn boxed(
    drawing: &mut Drawing,
    layout: &Layout,
    station: Option<usize>,
    text: &str,
    weight: Weight,
    top: f64,
) -> f64 {
    let size = layout.size - 1.0;
    let (left_edge, right_edge) =
        (layout.gutter.max(2.0) + if layout.beside { 6.0 } else { 0.0 }, layout.width - 4.0);
    let widest = if layout.beside { 560.0 } else { right_edge - left_edge };
    let pieces = wrap(&words::shown(text), columns(widest - 2.0 * PAD, size));
    let longest = pieces.iter().map(|piece| piece.text.chars().count()).max().unwrap_or_default();
    let width = (advance(longest, size) + 2.0 * PAD).min(widest);
    let height = layout.leading * count(pieces.len()) + 6.0;
    let centre = station.map_or(layout.width / 2.0, |station| layout.lane(station));
    let x = (centre - width / 2.0).clamp(left_edge, (right_edge - width).max(left_edge));
    let class = match weight {
        Weight::Ended => "decision ended",
        Weight::Helped => "decision helped",
        Weight::LeftAlone => "decision left-alone",
        Weight::Plain => "decision plain",
    };
    drawing.rect(class, (x, top + 2.0), (width, height));
    drawing.rect(&format!("{class} edge"), (x, top + 2.0), (3.0, height));
    for (number, piece) in pieces.iter().enumerate() {
        let y = top + 2.0 + layout.leading * count(number + 1) - 2.0;
        drawing.text(Text { x: x + PAD, y, size, anchor: "start", class: "decided" }, &piece.text);
    }
    top + height + 5.0
}
