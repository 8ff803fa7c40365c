//! Lines that are held until they are complete (RFC 6384 §5), of one direction of a control connection. All numbers are
//! the sender's.
//!
//! ```text
//!                 sent on, and not yet             not sent on:
//!                 acknowledged by the receiver     an incomplete line
//!   ──────────────┬──── carried ────┬──────────────┬──── held ────┬─────
//!                 ↑ the receiver's  ↑ the router's │              ↑ the router's next,
//!                   acknowledgement   own                           once all before it has arrived
//! ```
//!
//! What the router has acknowledged itself, its sender will not send again: until the receiver has it, it goes along with
//! whatever its sender sends from there on.

use super::numbers::before;

/// What is kept of one direction.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    carried: Piece,
    held: Piece,
    /// How far the router has acknowledged itself what it held, where that is beyond what the receiver has.
    acknowledged: Option<u32>,
    /// How far the receiver has acknowledged.
    received: Option<u32>,
    /// Whether the last byte sent on is in the middle of a line.
    in_line: bool,
}

/// Bytes at their place.
#[derive(Debug, Default)]
struct Piece {
    start: u32,
    bytes: Vec<u8>,
}

impl Piece {
    fn end(&self) -> u32 {
        self.start.wrapping_add(length(&self.bytes))
    }

    /// Its bytes before `sequence`, where that is within it or at its end.
    fn up_to(&self, sequence: u32) -> Option<&[u8]> {
        let into = sequence.wrapping_sub(self.start);
        (!self.bytes.is_empty() && into > 0 && into <= length(&self.bytes))
            .then(|| self.bytes.get(..into as usize).unwrap_or_default())
    }

    /// Its bytes from `sequence` on, where that is within it or at its start.
    fn from(&self, sequence: u32) -> Option<&[u8]> {
        let into = sequence.wrapping_sub(self.start);
        (into < length(&self.bytes)).then(|| self.bytes.get(into as usize..).unwrap_or_default())
    }
}

/// A segment with what is kept put to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) sequence: u32,
    pub(crate) payload: Vec<u8>,
}

impl Lines {
    /// The sender begins a new connection.
    pub(crate) fn begin(&mut self) {
        *self = Self::default();
    }

    /// What goes on its way in place of a segment, line ends not yet looked at; `None` if it is the segment itself.
    pub(crate) fn join(&self, sequence: u32, payload: &[u8]) -> Option<Joined> {
        let head = self.carried.up_to(sequence).or_else(|| self.held.up_to(sequence));
        let end = sequence.wrapping_add(length(payload));
        let begins = sequence.wrapping_sub(head.map_or(0, length));
        // A part of what is held came again: all of it is decided on together.
        let tail = self.held.from(end).filter(|_| !before(self.held.start, begins) && end != sequence);
        if head.is_none() && tail.is_none() {
            return None;
        }
        let payload = [head.unwrap_or_default(), payload, tail.unwrap_or_default()].concat();
        Some(Joined { sequence: begins, payload })
    }

    /// Where the line begins that `payload` ends in the middle of, if it may be held; `seen` of its bytes were sent on
    /// before. The end of the payload where there is none.
    pub(crate) fn incomplete(&self, payload: &[u8], seen: usize, may_hold: impl Fn(&[u8]) -> bool) -> usize {
        let new = payload.get(seen..).unwrap_or_default();
        let start = match new.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => seen + newline + 1,
            None if self.in_line => return payload.len(),
            None => seen,
        };
        let line = payload.get(start..).unwrap_or_default();
        if !line.is_empty() && may_hold(line) { start } else { payload.len() }
    }

    /// Of a segment that goes on its way from `sequence` on, the bytes from `cut` on are held; those of `seen` were sent
    /// on before. Gives how many octets wait.
    pub(crate) fn hold(&mut self, sequence: u32, payload: &[u8], seen: usize, cut: usize) -> usize {
        if cut < seen || (cut == seen && seen == payload.len()) {
            return 0;
        }
        if let Some(last) = payload.get(seen..cut).and_then(<[u8]>::last) {
            self.in_line = *last != b'\n';
        }
        let start = sequence.wrapping_add(u32::try_from(cut).unwrap_or_default());
        let was_held = std::mem::take(&mut self.held);
        if let Some(acknowledged) = self.acknowledged.filter(|_| before(was_held.start, start)) {
            // What the router has acknowledged is on its way now.
            let count = acknowledged.wrapping_sub(was_held.start) as usize;
            let bytes = was_held.bytes.get(..count).unwrap_or_default().to_vec();
            if !bytes.is_empty() {
                self.carried = Piece { start: was_held.start, bytes };
            }
        }
        let bytes = payload.get(cut..).unwrap_or_default().to_vec();
        self.held = Piece { start, bytes };
        self.held.bytes.len()
    }

    /// What the router may acknowledge to the sender now, of what it holds: once the receiver has all that went before,
    /// nothing is acknowledged that could still be lost.
    pub(crate) fn acknowledge_held(&mut self) -> Option<u32> {
        let has_all = self.received.is_some_and(|received| !before(received, self.held.start));
        if self.held.bytes.is_empty() || !has_all {
            return None;
        }
        self.acknowledged = Some(self.held.end());
        self.acknowledged
    }

    /// The receiver acknowledges up to `number`; gives what the sender is told.
    pub(crate) fn received(&mut self, number: u32) -> u32 {
        if self.received.is_none_or(|received| before(received, number)) {
            self.received = Some(number);
        }
        if !before(number, self.carried.end()) {
            self.carried = Piece::default();
        }
        self.acknowledge_held();
        match self.acknowledged {
            Some(acknowledged) if before(number, acknowledged) => acknowledged,
            Some(_) => {
                self.acknowledged = None;
                number
            }
            None => number,
        }
    }

    /// Where the bytes begin that were not sent on, if there are any.
    pub(crate) fn held_from(&self) -> Option<u32> {
        (!self.held.bytes.is_empty()).then_some(self.held.start)
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
