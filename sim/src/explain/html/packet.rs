//! A packet's bytes, as a page shows them on demand: its copies beside each other, and its fields.

use super::Prose;
use crate::explain::story::{Leg, Packet, StepStory, Weight};
use crate::explain::words;

/// Octets of a row. Two copies beside each other fit a page, and one a telephone.
const ROW: usize = 8;

/// A packet for the page.
pub(super) struct Panel {
    pub(super) number: usize,
    /// Its place on the page.
    pub(super) id: String,
    pub(super) time: String,
    pub(super) way: String,
    pub(super) end: Option<String>,
    /// What was decided because of it.
    pub(super) decisions: Vec<Prose>,
    pub(super) more: Option<String>,
    pub(super) copies: Vec<Copy>,
    pub(super) fields: Vec<FieldRow>,
    /// Whether its payload was rewritten, it announces something, or it ended on its way.
    pub(super) is_of_note: bool,
}

/// A packet as one view had it.
pub(super) struct Copy {
    pub(super) view: String,
    pub(super) wire: String,
    pub(super) time: String,
    pub(super) rows: Vec<DumpRow>,
    /// Wires of the same view that it crossed as well.
    pub(super) also: Vec<String>,
}

/// A row of a dump.
pub(super) struct DumpRow {
    pub(super) offset: String,
    pub(super) octets: Vec<Octet>,
    /// Blanks where the last row ends early.
    pub(super) rest: String,
}

/// An octet.
pub(super) struct Octet {
    pub(super) hex: String,
    pub(super) character: char,
    pub(super) is_rewritten: bool,
}

/// A field, with its value in each view.
pub(super) struct FieldRow {
    pub(super) of: &'static str,
    pub(super) name: &'static str,
    /// By copy; none where the copy lacks it.
    pub(super) values: Vec<Option<(String, bool)>>,
}

impl Panel {
    pub(super) fn new(step: &StepStory, packet: &Packet) -> Self {
        let copies = copies(step, packet);
        let legs: Vec<&Leg> = copies.iter().map(|(leg, _)| *leg).collect();
        let announces = packet.legs.iter().flat_map(|leg| &leg.lines).any(|line| line.announces.is_some());
        let decided = packet.decisions.iter().any(|decision| decision.weight != Weight::Plain);
        Self {
            number: packet.number,
            id: format!("p{}-{}", step.number, packet.number),
            time: words::time(packet.at_us),
            way: words::way(step, packet),
            end: words::end(packet),
            decisions: packet
                .decisions
                .iter()
                .map(|decision| Prose::new(&words::decided(decision)))
                .collect(),
            more: words::more(packet),
            fields: fields(&legs),
            is_of_note: announces || decided,
            copies: copies.into_iter().map(|(_, copy)| copy).collect(),
        }
    }
}

/// One copy for each view, in the direction of travel.
fn copies<'a>(step: &StepStory, packet: &'a Packet) -> Vec<(&'a Leg, Copy)> {
    let mut copies: Vec<(usize, &Leg, Copy)> = Vec::new();
    for leg in &packet.legs {
        let view =
            step.views.iter().position(|view| leg.wire.is_some_and(|wire| view.wires().contains(&wire)));
        let also = format!("{} at {}", words::shown(&leg.wire_name), words::time(leg.at_us));
        if let Some((_, _, copy)) = copies.iter_mut().find(|(of, _, _)| Some(*of) == view) {
            copy.also.push(also);
            continue;
        }
        let name = view.and_then(|view| step.views.get(view)).map_or("elsewhere", |view| view.name.as_str());
        let copy = Copy {
            view: words::shown(name),
            wire: words::shown(&leg.wire_name),
            time: words::time(leg.at_us),
            rows: dump(leg),
            also: Vec::new(),
        };
        copies.push((view.unwrap_or(usize::MAX), leg, copy));
    }
    copies.into_iter().map(|(_, leg, copy)| (leg, copy)).collect()
}

fn dump(leg: &Leg) -> Vec<DumpRow> {
    let is_rewritten = |at: usize| leg.rewritten.iter().any(|range| range.contains(&at));
    let rows = leg.bytes.chunks(ROW).enumerate();
    rows.map(|(row, bytes)| DumpRow {
        offset: format!("{:04x}", row * ROW),
        octets: bytes
            .iter()
            .enumerate()
            .map(|(column, byte)| Octet {
                hex: format!("{byte:02x}"),
                character: if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '·' },
                is_rewritten: is_rewritten(row * ROW + column),
            })
            .collect(),
        rest: "   ".repeat(ROW - bytes.len()),
    })
    .collect()
}

/// The fields of the first copy, and what the others have there.
fn fields(legs: &[&Leg]) -> Vec<FieldRow> {
    let Some(first) = legs.first() else { return Vec::new() };
    let row = |of, name| {
        let value = |leg: &&Leg| {
            let field = leg.fields.iter().find(|field| (field.of, field.name) == (of, name))?;
            Some((words::shown(&field.value), field.rewritten))
        };
        FieldRow { of, name, values: legs.iter().map(value).collect() }
    };
    first.fields.iter().map(|field| row(field.of, field.name)).collect()
}
