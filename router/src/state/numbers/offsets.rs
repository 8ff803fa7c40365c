//! Gateways that keep a few differences between the two ends' numbers. Each is what its source does, faults included:
//! with more rewrites under way than they have room for, or one that is sent again late, their numbers are wrong.

use quirknat_alg::Side;

use super::resized::Resized;
use super::slots::Slots;
use super::{before, moved};

/// One direction's differences.
#[derive(Debug, Clone)]
pub(crate) struct Offsets {
    /// The first byte's number, where the SYN was seen.
    first: Option<u32>,
    /// Whether a rewritten segment has become longer or shorter.
    is_moved: bool,
    model: Model,
    fresh: Model,
}

#[derive(Debug, Clone)]
enum Model {
    TwoOffsets(TwoOffsets),
    TwoDeltas(TwoDeltas),
    Ring(Ring),
    Latest(i32),
    Slots(Slots),
}

impl Offsets {
    pub(super) fn two_offsets() -> Self {
        Self::new(Model::TwoOffsets(TwoOffsets::default()))
    }

    pub(super) fn two_deltas() -> Self {
        Self::new(Model::TwoDeltas(TwoDeltas::default()))
    }

    pub(super) fn ring(room: usize) -> Self {
        Self::new(Model::Ring(Ring::new(room)))
    }

    pub(super) fn latest() -> Self {
        Self::new(Model::Latest(0))
    }

    /// Those of what the end on `side` sends.
    pub(super) fn two_slots(side: Side) -> Self {
        Self::new(Model::Slots(Slots::new(side)))
    }

    fn new(model: Model) -> Self {
        Self { first: None, is_moved: false, fresh: model.clone(), model }
    }

    /// A SYN: the first byte will have `sequence`. The same SYN again begins nothing.
    pub(crate) fn begin(&mut self, sequence: u32) {
        if self.first != Some(sequence) {
            self.first = Some(sequence);
            self.is_moved = false;
            self.model = self.fresh.clone();
        }
    }

    /// A segment with the sender's `sequence` passes, rewritten or as it is; gives the number it leaves with.
    pub(crate) fn pass(&mut self, sequence: u32, resized: Option<Resized>) -> u32 {
        self.is_moved |= resized.is_some_and(|resized| resized.change != 0);
        match &mut self.model {
            Model::TwoOffsets(offsets) => {
                if let Some(resized) = resized {
                    offsets.resize(sequence, resized.change);
                }
                offsets.sequence(sequence)
            }
            Model::TwoDeltas(deltas) => {
                let passed = deltas.sequence(sequence);
                if let Some(resized) = resized {
                    deltas.resize(sequence, resized.change);
                }
                passed
            }
            Model::Ring(ring) => {
                if let Some(resized) = resized {
                    ring.resize(sequence, resized);
                }
                moved(sequence, ring.delta_of(sequence))
            }
            Model::Latest(skew) => {
                let passed = moved(sequence, *skew);
                *skew = skew.wrapping_add(resized.map_or(0, |resized| resized.change));
                passed
            }
            Model::Slots(slots) => slots.pass(sequence, resized),
        }
    }

    /// What a number that the receiver acknowledges, or an edge of what it acknowledges selectively, is to the sender.
    pub(crate) fn acknowledge(&mut self, number: u32) -> u32 {
        match &mut self.model {
            Model::TwoOffsets(offsets) => offsets.acknowledge(number),
            Model::TwoDeltas(deltas) => deltas.acknowledge(number),
            Model::Ring(ring) => moved(number, ring.delta_acknowledged(number).wrapping_neg()),
            Model::Latest(skew) => moved(number, skew.wrapping_neg()),
            Model::Slots(slots) => slots.acknowledge(number),
        }
    }

    /// Whether a number may be another one on the other side.
    pub(crate) fn is_moved(&self) -> bool {
        self.is_moved
    }

    /// Whether an acknowledgement number is left alone where no flag says that it means anything: only Linux asks
    /// (`nf_ct_seq_adjust`).
    pub(crate) fn heeds_acknowledgement_flag(&self) -> bool {
        matches!(self.model, Model::TwoOffsets(_))
    }

    /// Where one difference holds for a connection, the newest counts whichever end's it is, on top of the one before.
    pub(crate) fn take_over(&mut self, other: &mut Self) {
        if let (Model::Latest(own), Model::Latest(others)) = (&mut self.model, &mut other.model) {
            *own = own.wrapping_add(std::mem::take(others));
        }
    }

    /// By how much the stream has grown where the receiver acknowledges this number.
    pub(super) fn grown_at(&self, acknowledged: u32) -> u32 {
        match &self.model {
            // As Linux asks for its windows (nf_ct_seq_offset): with the receiver's number of the last byte.
            Model::TwoOffsets(offsets) => {
                let last = acknowledged.wrapping_sub(1);
                offsets.sequence(last).wrapping_sub(last)
            }
            _ => acknowledged.wrapping_sub(self.clone().acknowledge(acknowledged)),
        }
    }

    /// A number of the receiver's that is acknowledged to the sender as `original`; `None` where there is no difference.
    pub(super) fn acknowledged_as(&self, original: u32) -> Option<u32> {
        let mut copy = self.clone();
        if copy.acknowledge(original) == original {
            return None;
        }
        let candidates = self.model.differences().into_iter().map(|change| moved(original, change));
        candidates.into_iter().find(|candidate| copy.acknowledge(*candidate) == original)
    }
}

impl Model {
    /// All that it may move a number by, the newest first.
    fn differences(&self) -> Vec<i32> {
        match self {
            Self::TwoOffsets(offsets) => vec![offsets.after, offsets.before],
            Self::TwoDeltas(deltas) => vec![deltas.delta.into(), deltas.previous.into()],
            Self::Ring(ring) => ring.records.iter().rev().map(|record| record.delta).collect(),
            Self::Latest(skew) => vec![*skew],
            Self::Slots(slots) => slots.offsets().to_vec(),
        }
    }
}

/// Linux, `net/netfilter/nf_conntrack_seqadj.c`: `nf_ct_seqadj_set`, `nf_ct_seq_adjust`, `nf_ct_sack_block_adjust`. The
/// position is that of the newest rewritten segment.
#[derive(Debug, Clone, Default)]
struct TwoOffsets {
    before: i32,
    after: i32,
    position: u32,
}

impl TwoOffsets {
    fn resize(&mut self, sequence: u32, change: i32) {
        if change != 0 && (self.before == self.after || before(self.position, sequence)) {
            self.position = sequence;
            self.before = self.after;
            self.after = self.after.wrapping_add(change);
        }
    }

    fn sequence(&self, sequence: u32) -> u32 {
        moved(sequence, if before(self.position, sequence) { self.after } else { self.before })
    }

    fn acknowledge(&self, number: u32) -> u32 {
        let earlier = moved(number, self.before.wrapping_neg());
        if before(self.position, earlier) { moved(number, self.after.wrapping_neg()) } else { earlier }
    }
}

/// Linux 2.2, `net/ipv4/ip_masq_app.c`: `masq_fix_seq`, `masq_fix_ack_seq`, `masq_seq_update`. As two offsets, but an
/// acknowledgement is compared with the position as it comes, in the receiver's numbers, and differences are of 16 bits.
#[derive(Debug, Clone, Default)]
struct TwoDeltas {
    delta: i16,
    previous: i16,
    position: u32,
    is_set: bool,
}

impl TwoDeltas {
    fn resize(&mut self, sequence: u32, change: i32) {
        if change != 0 && (!self.is_set || before(self.position, sequence)) {
            self.previous = self.delta;
            let [low, high, ..] = change.to_le_bytes();
            self.delta = self.delta.wrapping_add(i16::from_le_bytes([low, high]));
            self.position = sequence;
            self.is_set = true;
        }
    }

    fn at(&self, number: u32) -> i32 {
        if before(self.position, number) { self.delta } else { self.previous }.into()
    }

    fn sequence(&self, sequence: u32) -> u32 {
        moved(sequence, self.at(sequence))
    }

    fn acknowledge(&self, number: u32) -> u32 {
        moved(number, self.at(number).wrapping_neg())
    }
}

/// libalias, `alias_db.c`: `AddSeq`, `GetDeltaSeqOut`, `GetDeltaAckIn`. Each rewritten segment has a record of where it
/// ended in either end's numbers, and of the whole difference from there on.
#[derive(Debug, Clone)]
struct Ring {
    records: Vec<Record>,
    room: usize,
    next: usize,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    end: u32,
    rewritten_end: u32,
    delta: i32,
}

impl Ring {
    fn new(room: usize) -> Self {
        Self { records: Vec::new(), room, next: 0 }
    }

    fn resize(&mut self, sequence: u32, resized: Resized) {
        let delta = self.delta_of(sequence).wrapping_add(resized.change);
        let end = sequence.wrapping_add(resized.length);
        let record = Record { end, rewritten_end: moved(end, delta), delta };
        match self.records.get_mut(self.next) {
            Some(oldest) => *oldest = record,
            None => self.records.push(record),
        }
        self.next = (self.next + 1) % self.room.max(1);
    }

    fn delta_of(&self, sequence: u32) -> i32 {
        self.nearest(|record| sequence.wrapping_sub(record.end))
    }

    fn delta_acknowledged(&self, number: u32) -> i32 {
        self.nearest(|record| number.wrapping_sub(record.rewritten_end))
    }

    /// The difference of the record that lies least far behind; of two as far, the one that stands first in the ring.
    fn nearest(&self, distance: impl Fn(&Record) -> u32) -> i32 {
        self.records
            .iter()
            .map(|record| (distance(record).cast_signed(), record.delta))
            .filter(|(distance, _)| *distance >= 0)
            .min_by_key(|(distance, _)| *distance)
            .map_or(0, |(_, delta)| delta)
    }
}
