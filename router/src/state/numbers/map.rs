//! A TCP stream with rewritten pieces: which bytes leave, under which sequence numbers, and what an acknowledgement
//! of them means to their sender (RFC 2663 §7.1, RFC 3022 §4.4).
//!
//! Two number spaces: *original*, as the sender counts, and *rewritten*, as the receiver does. One monotone function
//! leads from the first to the second, and everything follows from it: a segment of any length and at any place, sent
//! for the first time or again, leaves as the rewritten bytes between the images of its two ends. So every receiver
//! sees one and the same rewritten stream however the original one is cut, lost, repeated or reordered.

use std::collections::VecDeque;

use super::before;

/// An edit this far behind the newest byte (in bytes of the stream) can meet no segment any more, since a sender's
/// window is at most 2^30 (RFC 7323 §2.3). It must go before 2^31, where comparing sequence numbers turns round.
const FORGET_BEHIND: u32 = 1 << 30;

/// The rewritten pieces of one direction of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    /// Oldest first, by original sequence number; they do not overlap.
    edits: VecDeque<Edit>,
    /// How many are remembered.
    limit: usize,
    /// Rewritten minus original before the oldest remembered edit.
    base: u32,
    /// The first byte's original sequence number, where the SYN was seen.
    first: Option<u32>,
    /// The original sequence number after the last byte seen; `None` before the first segment.
    next: Option<u32>,
}

#[derive(Debug, Clone)]
struct Edit {
    /// Original sequence number of the first replaced byte.
    start: u32,
    /// How many bytes were replaced.
    old_length: u32,
    /// What stands in their place.
    new: quirknat_alg::ReplacementText,
    /// Rewritten minus original up to `start`.
    before: u32,
}

impl Edit {
    fn new_length(&self) -> u32 {
        u32::try_from(self.new.len()).unwrap_or_default()
    }

    fn end(&self) -> u32 {
        self.start.wrapping_add(self.old_length)
    }

    /// Rewritten minus original from its end on.
    fn after(&self) -> u32 {
        self.before.wrapping_add(self.new_length()).wrapping_sub(self.old_length)
    }
}

/// Where a segment's payload stands against what was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Its bytes from this offset on are new; the ones before were seen. All were seen if it is the length.
    NewFrom(usize),
    /// Bytes before it are missing.
    Gap,
}

impl Stream {
    pub(crate) fn new(limit: usize) -> Self {
        Self { edits: VecDeque::new(), limit, base: 0, first: None, next: None }
    }

    /// A SYN: the stream's first byte will have `sequence`. The same SYN again, as a network may deliver it at any
    /// time, begins nothing.
    pub(crate) fn begin(&mut self, sequence: u32) {
        if self.first != Some(sequence) {
            *self = Self { first: Some(sequence), next: Some(sequence), ..Self::new(self.limit) };
        }
    }

    /// Whether anything was ever rewritten. If not, both number spaces are one.
    pub(crate) fn is_rewritten(&self) -> bool {
        self.base != 0 || !self.edits.is_empty()
    }

    /// Places a payload that begins at `sequence`.
    pub(crate) fn place(&self, sequence: u32, length: usize) -> Arrival {
        let Some(next) = self.next else { return Arrival::NewFrom(0) };
        if before(next, sequence) {
            return Arrival::Gap;
        }
        Arrival::NewFrom(length.min(usize::try_from(next.wrapping_sub(sequence)).unwrap_or(usize::MAX)))
    }

    /// The bytes up to `payload`'s end are seen now.
    pub(crate) fn advance(&mut self, sequence: u32, payload: &[u8]) {
        if payload.is_empty() {
            return;
        }
        let end = sequence.wrapping_add(u32::try_from(payload.len()).unwrap_or_default());
        if self.next.is_none_or(|next| before(next, end)) {
            self.next = Some(end);
            while self.edits.front().is_some_and(|edit| end.wrapping_sub(edit.end()) > FORGET_BEHIND) {
                self.forget_oldest();
            }
        }
    }

    /// The `old_length` bytes at original sequence number `start` give way to `new`. They lie behind all earlier
    /// edits: only bytes not seen before are ever rewritten. Those of a segment that was dropped after all, and is decided
    /// on again, give way.
    pub(crate) fn replace(&mut self, start: u32, old_length: usize, new: quirknat_alg::ReplacementText) {
        while self.edits.back().is_some_and(|edit| !before(edit.start, start)) {
            self.edits.pop_back();
        }
        if self.edits.len() >= self.limit {
            self.forget_oldest();
        }
        let before = self.edits.back().map_or(self.base, Edit::after);
        let old_length = u32::try_from(old_length).unwrap_or_default();
        self.edits.push_back(Edit { start, old_length, new, before });
    }

    fn forget_oldest(&mut self) {
        if let Some(edit) = self.edits.pop_front() {
            self.base = edit.after();
        }
    }

    /// The rewritten sequence number of an original one. A number inside a replaced piece leads as far into the new
    /// piece as it lies in the old, at most to its end.
    pub(crate) fn to_rewritten(&self, original: u32) -> u32 {
        match self.edits.iter().rev().find(|edit| !before(original, edit.start)) {
            None => original.wrapping_add(self.base),
            Some(edit) => {
                let into = original.wrapping_sub(edit.start);
                if into >= edit.old_length {
                    original.wrapping_add(edit.after())
                } else {
                    edit.start.wrapping_add(edit.before).wrapping_add(into.min(edit.new_length()))
                }
            }
        }
    }

    /// The original number that an acknowledgement of a rewritten one reaches: the largest whose image is not beyond
    /// it, so that nothing is acknowledged that did not arrive.
    pub(crate) fn to_original(&self, rewritten: u32) -> u32 {
        let Some(edit) =
            self.edits.iter().rev().find(|edit| !before(rewritten, edit.start.wrapping_add(edit.before)))
        else {
            return rewritten.wrapping_sub(self.base);
        };
        let into = rewritten.wrapping_sub(edit.start.wrapping_add(edit.before));
        if into >= edit.new_length() {
            rewritten.wrapping_sub(edit.after())
        } else {
            edit.start.wrapping_add(into.min(edit.old_length.saturating_sub(1)))
        }
    }

    /// A SACK block's edges for the sender. Neither edge claims a byte that did not arrive.
    pub(crate) fn sack_to_original(&self, left: u32, right: u32) -> (u32, u32) {
        let mut start = self.to_original(left);
        if self.to_rewritten(start) != left {
            start = start.wrapping_add(1);
        }
        (start, self.to_original(right))
    }

    /// What leaves in place of `payload`, which begins at original `sequence`; `None` if it leaves as it is.
    pub(crate) fn rewritten_payload(&self, sequence: u32, payload: &[u8]) -> Option<Vec<u8>> {
        let length = u32::try_from(payload.len()).unwrap_or_default();
        let end = sequence.wrapping_add(length);
        let touched = |edit: &&Edit| before(edit.start, end) && before(sequence, edit.end());
        self.edits.iter().find(touched)?;

        let mut out = Vec::with_capacity(payload.len() + 16);
        let mut at = sequence;
        for edit in self.edits.iter().filter(touched) {
            out.extend_from_slice(slice(payload, sequence, at, edit.start));
            let from = if before(edit.start, at) { at } else { edit.start };
            let to = if before(end, edit.end()) { end } else { edit.end() };
            let offset = |original: u32| {
                let image = self.to_rewritten(original).wrapping_sub(edit.start.wrapping_add(edit.before));
                usize::try_from(image).unwrap_or_default()
            };
            out.extend_from_slice(edit.new.as_bytes().get(offset(from)..offset(to)).unwrap_or_default());
            at = to;
        }
        out.extend_from_slice(slice(payload, sequence, at, end));
        Some(out)
    }
}

/// The part of `payload` (which begins at `sequence`) from one sequence number to another.
fn slice(payload: &[u8], sequence: u32, from: u32, to: u32) -> &[u8] {
    if !before(from, to) {
        return &[];
    }
    let offset = |at: u32| usize::try_from(at.wrapping_sub(sequence)).unwrap_or_default();
    payload.get(offset(from)..offset(to)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
