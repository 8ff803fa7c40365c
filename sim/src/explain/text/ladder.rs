//! The ladder in characters.

use std::ops::Range;

use anstyle::Style;

use super::canvas::Canvas;
use super::{Page, TIME};
use crate::explain::story::{Decision, End, Line, Packet, Row, StepStory, Towards, View};
use crate::explain::words;
use crate::explain::wrap::{marked_pieces, width, wrap};

/// So many columns a view has at least, where views are beside each other.
const VIEW: usize = 34;

/// Where things are on a line.
struct Layout {
    /// The column of each station.
    lanes: Vec<usize>,
    beside: bool,
}

impl Layout {
    fn new(step: &StepStory, total: usize) -> Self {
        let views = step.views.len().max(1);
        let room = total.saturating_sub(TIME + 1);
        let beside = room / views >= VIEW;
        let mut lanes = vec![TIME; step.stations.len()];
        for (number, view) in step.views.iter().enumerate() {
            let (left, right) = (TIME + room * number / views, TIME + room * (number + 1) / views);
            let gaps = (view.to - view.from).max(1);
            for station in view.from..=view.to {
                if let Some(lane) = lanes.get_mut(station) {
                    *lane = left + (right - left) * (station - view.from) / gaps;
                }
            }
        }
        Self { lanes, beside }
    }

    fn lane(&self, station: usize) -> usize {
        self.lanes.get(station).copied().unwrap_or(TIME)
    }

    /// The columns between a view's outer stations.
    fn inside(&self, view: &View) -> (usize, usize) {
        (self.lane(view.from) + 1, self.lane(view.to))
    }
}

pub(super) fn ladder(page: &mut Page, step: &StepStory) {
    let layout = Layout::new(step, page.width);
    if layout.beside {
        header(page, step, &layout);
    }
    for row in &step.rows {
        match row {
            Row::Packet(packet) if layout.beside => beside(page, step, &layout, packet),
            Row::Packet(packet) => below(page, step, packet),
            Row::Note(note) => said(page, &layout, Some(&words::time(note.at_us)), note),
        }
    }
    if step.acknowledgements > 0 {
        let what =
            format!("bare acknowledgements not shown: {} (--all-packets shows them)", step.acknowledgements);
        page.paragraph(TIME, &what, page.style.faint);
    }
}

/// Names and addresses above the lanes.
fn header(page: &mut Page, step: &StepStory, layout: &Layout) {
    let mut views = Canvas::new(page.width);
    for view in &step.views {
        let (left, right) = layout.inside(view);
        let name = words::shown(&view.name);
        let column = left + (right - left).saturating_sub(width(&name)) / 2;
        views.text(column, &name, page.style.faint);
    }
    page.line(&views);
    let mut names = Canvas::new(page.width);
    let mut addresses = [Canvas::new(page.width), Canvas::new(page.width)];
    let last = step.stations.len().saturating_sub(1);
    for (place, station) in step.stations.iter().enumerate() {
        let column = |text: &str| {
            let (lane, length) = (layout.lane(place), width(text));
            match place {
                0 => lane,
                _ if place == last => (lane + 1).saturating_sub(length),
                _ => lane.saturating_sub(length / 2),
            }
        };
        let name = words::shown(station.name());
        names.text(column(&name), &name, page.style.title);
        for (text, canvas) in words::station(station).iter().zip(&mut addresses) {
            canvas.text(column(text), text, page.style.faint);
        }
    }
    page.line(&names);
    let has_routers = step.stations.iter().any(|station| words::station(station).len() > 1);
    let [first, second] = &addresses;
    page.line(first);
    if has_routers {
        page.line(second);
    }
    let canvas = lifelines(page, layout);
    page.line(&canvas);
}

fn lifelines(page: &Page, layout: &Layout) -> Canvas {
    let mut canvas = Canvas::new(page.width);
    for lane in &layout.lanes {
        canvas.put(*lane, '│', page.style.lane);
    }
    canvas
}

/// A packet with its views beside each other.
fn beside(page: &mut Page, step: &StepStory, layout: &Layout, packet: &Packet) {
    // One cell a view that it crossed, each some lines high.
    let cells: Vec<(usize, Vec<CellLine>)> = crossed(step, packet)
        .into_iter()
        .map(|(number, view, lines)| {
            let (left, right) = layout.inside(view);
            (number, cell(lines, (right - left).saturating_sub(5)))
        })
        .collect();
    let height = cells.iter().map(|(_, lines)| lines.len()).max().unwrap_or_default();
    for at in 0..height {
        let mut canvas = lifelines(page, layout);
        if at == 0 {
            canvas.text(0, &words::time(packet.at_us), page.style.faint);
            arrows(&mut canvas, page, step, layout, packet);
        }
        for (number, lines) in &cells {
            let (Some(line), Some(view)) = (lines.get(at), step.views.get(*number)) else { continue };
            put_cell_line(&mut canvas, page, layout.inside(view).0 + 2, line);
        }
        page.line(&canvas);
    }
    if let Some(more) = words::more(packet) {
        let mut canvas = lifelines(page, layout);
        canvas.text(TIME + 3, &format!("… {more}"), page.style.faint);
        page.line(&canvas);
    }
    decisions(page, layout, packet);
}

/// The views that a packet crossed, each with what it says there.
fn crossed<'a>(step: &'a StepStory, packet: &'a Packet) -> Vec<(usize, &'a View, &'a [Line])> {
    let legs = |view: &View| {
        packet.legs.iter().find(|leg| leg.wire.is_some_and(|wire| view.wires().contains(&wire)))
    };
    let views = step.views.iter().enumerate();
    views.filter_map(|(number, view)| legs(view).map(|leg| (number, view, leg.lines.as_slice()))).collect()
}

/// Arrows over the wires that a packet crossed.
fn arrows(canvas: &mut Canvas, page: &Page, step: &StepStory, layout: &Layout, packet: &Packet) {
    let style = if packet.end == End::Arrived { page.style.plain } else { page.style.bad };
    let wires: Vec<usize> = packet.legs.iter().filter_map(|leg| leg.wire).collect();
    for wire in &wires {
        let (left, right) = (layout.lane(*wire), layout.lane(wire + 1));
        canvas.fill(left + 1..right, '─', style);
    }
    let ends = step.views.iter().filter_map(|view| {
        let within: Vec<usize> = wires.iter().copied().filter(|wire| view.wires().contains(wire)).collect();
        let (first, last) = (within.iter().min().copied(), within.iter().max().copied());
        first.zip(last)
    });
    for (first, last) in ends {
        // The last wire of all, in the direction of travel, ends as the packet did.
        let is_last = match packet.towards {
            Towards::Server => wires.iter().max() == Some(&last),
            Towards::Client => wires.iter().min() == Some(&first),
        };
        let stopped = is_last && packet.end != End::Arrived;
        match packet.towards {
            Towards::Server => canvas.put(layout.lane(last + 1) - 1, if stopped { '✗' } else { '▶' }, style),
            Towards::Client => canvas.put(layout.lane(first) + 1, if stopped { '✗' } else { '◀' }, style),
        }
    }
    // The public network is passed, not entered.
    for (place, lane) in layout.lanes.iter().enumerate() {
        let is_passed = place > 0 && wires.contains(&(place - 1)) && wires.contains(&place);
        let is_edge = step.views.iter().any(|view| view.from == place || view.to == place);
        canvas.put(*lane, if is_passed && !is_edge { '┼' } else { '│' }, page.style.lane);
    }
}

/// A line of a cell.
struct CellLine {
    text: String,
    kind: CellKind,
    /// Characters that were rewritten.
    marked: Vec<Range<usize>>,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum CellKind {
    /// What the packet says.
    Text,
    /// Marks below it.
    Marks,
    /// What it announces.
    Announces,
}

fn cell(lines: &[Line], columns: usize) -> Vec<CellLine> {
    let mut cell = Vec::new();
    for line in lines {
        for piece in marked_pieces(&line.text, &line.rewritten, columns) {
            let marks = (!piece.marks.is_empty()).then(|| piece.marks_below());
            cell.push(CellLine { text: piece.text, kind: CellKind::Text, marked: piece.marks });
            cell.extend(marks.map(|text| CellLine { text, kind: CellKind::Marks, marked: Vec::new() }));
        }
        if let Some(announces) = &line.announces {
            let pieces = wrap(&format!("= {announces}"), columns).into_iter();
            let kind = CellKind::Announces;
            cell.extend(pieces.map(|piece| CellLine { text: piece.text, kind, marked: Vec::new() }));
        }
    }
    cell
}

fn put_cell_line(canvas: &mut Canvas, page: &Page, column: usize, line: &CellLine) {
    let style = match line.kind {
        CellKind::Text => page.style.plain,
        CellKind::Marks => page.style.warning,
        CellKind::Announces => page.style.faint,
    };
    // Blanks set text apart from the arrow that it stands in.
    canvas.text(column - 1, " ", Style::new());
    let mut at = column;
    for (number, character) in line.text.chars().enumerate() {
        let is_marked = line.marked.iter().any(|range| range.contains(&number));
        let style = if is_marked { page.style.rewritten } else { style };
        at = canvas.text(at, character.encode_utf8(&mut [0; 4]), style);
    }
    if line.kind == CellKind::Text {
        canvas.text(at, " ", Style::new());
    }
}

/// A packet with its views below each other.
fn below(page: &mut Page, step: &StepStory, packet: &Packet) {
    let mut canvas = Canvas::new(page.width);
    let arrow = match packet.end {
        End::Arrived => page.style.plain,
        _ => page.style.bad,
    };
    canvas.text(0, &words::time(packet.at_us), page.style.faint);
    let behind = canvas.text(TIME, &words::way(step, packet), arrow);
    let names = step.views.iter().map(|view| width(&view.name)).max().unwrap_or_default();
    let column = TIME + 2 + names + 3;
    let mut shown = crossed(step, packet);
    if packet.towards == Towards::Client {
        shown.reverse();
    }
    // What is the same everywhere is said once.
    let is_same = shown.iter().zip(shown.iter().skip(1)).all(|((_, _, one), (_, _, other))| one == other);
    if is_same {
        shown.truncate(1);
    }
    // … and beside the way, if that leaves room.
    if !is_same || behind + 1 >= column {
        page.line(&canvas);
        canvas = Canvas::new(page.width);
    }
    for (_, view, lines) in shown {
        for (number, line) in cell(lines, page.width.saturating_sub(column)).iter().enumerate() {
            if number == 0 && !is_same {
                canvas.text(TIME + 2, &words::shown(&view.name), page.style.faint);
            }
            put_cell_line(&mut canvas, page, column, line);
            page.line(&canvas);
            canvas = Canvas::new(page.width);
        }
    }
    if let Some(more) = words::more(packet) {
        page.paragraph(TIME + 2, &format!("… {more}"), page.style.faint);
    }
    let layout = Layout { lanes: Vec::new(), beside: false };
    decisions(page, &layout, packet);
}

/// What was decided because of a packet.
fn decisions(page: &mut Page, layout: &Layout, packet: &Packet) {
    for decision in &packet.decisions {
        said(page, layout, None, decision);
    }
    let is_told = packet.decisions.iter().any(|decision| Some(&decision.text) == words::end(packet).as_ref());
    if let Some(end) = words::end(packet).filter(|_| !is_told) {
        let text = format!("✗ {end}");
        lines(page, layout, None, &text, page.style.bad);
    }
}

fn said(page: &mut Page, layout: &Layout, time: Option<&str>, decision: &Decision) {
    let style = page.style.of(decision.weight);
    lines(page, layout, time, &words::shown(&words::decided(decision)), style);
}

/// Text across the lanes, beside that of the client.
fn lines(page: &mut Page, layout: &Layout, time: Option<&str>, text: &str, style: Style) {
    let column = TIME + 3;
    for (number, piece) in wrap(text, page.width.saturating_sub(column + 3)).iter().enumerate() {
        let mut canvas = Canvas::new(page.width);
        if layout.beside {
            canvas.put(TIME, '│', page.style.lane);
            if let Some(last) = layout.lanes.last() {
                canvas.put(*last, '│', page.style.lane);
            }
        }
        if let (0, Some(time)) = (number, time) {
            canvas.text(0, time, page.style.faint);
        }
        if number == 0 {
            canvas.text(column - 1, "•", style);
        }
        canvas.text(column + 1, &piece.text, style);
        page.line(&canvas);
    }
}
