//! What is known of one end's stream, and whether a segment fits.

use super::options::{highest_acknowledged, of_syn};
use super::{Kind, Segment, State, Way, Windows};
use crate::packet::TcpFlags;

/// One end of a connection.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and all combinations occur")]
pub(super) struct End {
    /// The number after the last one it has sent.
    pub(super) sent: u32,
    /// The highest number that the other end's window admits of it.
    admitted: u32,
    /// The largest window it has offered; 0 as long as nothing was seen of it.
    pub(super) window: u32,
    /// The highest number it has acknowledged.
    pub(super) acknowledged: Option<u32>,
    scale: u8,
    scales: bool,
    sacks: bool,
    /// Its segments pass whatever their numbers: the connection was picked up in the middle, and its scale is not known.
    pub(super) is_liberal: bool,
    /// It was the first to send a FIN.
    pub(super) began_to_close: bool,
    /// It has sent what was not acknowledged yet.
    pub(super) is_unacknowledged: bool,
}

/// Whether a segment fits into the windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Fits,
    /// It may do no harm, and says nothing.
    Aside,
    Never,
}

/// The oldest acknowledgement that may still come lies so far back, or the largest window if that is more.
const OLDEST_ACKNOWLEDGEMENT: u32 = 66_000;

impl End {
    pub(super) const LIBERAL: Self = Self {
        sent: 0,
        admitted: 0,
        window: 0,
        acknowledged: None,
        scale: 0,
        scales: false,
        sacks: true,
        is_liberal: true,
        began_to_close: false,
        is_unacknowledged: false,
    };

    /// The end that sends a connection's first SYN.
    pub(super) fn opened(syn: &Segment<'_>) -> Self {
        let mut end = Self::default();
        end.offer(syn);
        end
    }

    /// The end whose segment was the first that was seen.
    pub(super) fn picked_up(segment: &Segment<'_>) -> Self {
        let window = u32::from(segment.window).max(1);
        let sent = segment.end();
        Self { sent, admitted: sent.wrapping_add(window), window, ..Self::LIBERAL }
    }

    /// Its SYN says where its stream begins and what it offers. Options that are not there change nothing.
    fn offer(&mut self, syn: &Segment<'_>) {
        self.sent = syn.end();
        self.admitted = self.sent;
        self.window = u32::from(syn.window).max(1);
        if syn.options.is_empty() {
            return;
        }
        let offered = of_syn(syn.options);
        *self = Self {
            sent: self.sent,
            admitted: self.admitted,
            window: self.window,
            scale: offered.scale.unwrap_or_default(),
            scales: offered.scale.is_some(),
            sacks: offered.sack,
            is_liberal: self.is_liberal,
            ..Self::default()
        };
    }

    /// It has opened anew, with what its SYN said when it passed aside.
    pub(super) fn fall_in_step(&mut self, sent: u32, window: u16, scale: Option<u8>, sacks: bool) {
        *self = Self {
            sent,
            admitted: sent,
            window: u32::from(window).max(1),
            scale: scale.unwrap_or_default(),
            scales: scale.is_some(),
            sacks,
            ..Self::default()
        };
    }

    /// Nothing of it is known any more.
    pub(super) fn forget(&mut self) {
        *self = Self { is_liberal: self.is_liberal, ..Self::default() };
    }

    /// How much its acknowledgements may lag behind.
    fn lag(&self) -> u32 {
        self.window.max(OLDEST_ACKNOWLEDGEMENT)
    }
}

/// The numbers of a segment as they are held against the windows.
struct Numbers {
    sequence: u32,
    end: u32,
    acknowledgement: u32,
    /// The highest number acknowledged, selectively or not.
    highest: u32,
}

impl Windows {
    /// Whether a segment fits, and what it says of the windows if it does.
    pub(super) fn fit(&mut self, way: Way, segment: &Segment<'_>) -> Fit {
        let state = self.state;
        let (sender, receiver) = match way {
            Way::Original => (&mut self.original, &mut self.reply),
            Way::Reply => (&mut self.reply, &mut self.original),
        };
        let mut numbers = Numbers::of(segment, receiver);
        let is_syn = segment.flags.has(TcpFlags::SYN);
        let only_syn = is_syn && !segment.flags.has(TcpFlags::ACK);
        if sender.window == 0 {
            if is_syn {
                begin(way, segment, sender, receiver);
                if only_syn {
                    return Fit::Fits;
                }
            } else {
                pick_up(segment, &numbers, sender, receiver);
            }
        } else if is_syn
            && is_after(numbers.end, sender.sent)
            && matches!(state, State::SynSent | State::SynReceived)
        {
            begin(way, segment, sender, receiver);
            if only_syn && way == Way::Reply {
                return Fit::Fits;
            }
        }
        numbers.pretend(segment, state, sender, receiver);
        match is_within(&numbers, sender, receiver) {
            Fit::Fits => {}
            _ if sender.is_liberal => return Fit::Fits,
            other => return other,
        }
        update(segment, &numbers, sender, receiver);
        if segment.kind() == Kind::Ack {
            self.count_repeated(way, segment, &numbers);
        }
        Fit::Fits
    }

    fn count_repeated(&mut self, way: Way, segment: &Segment<'_>, numbers: &Numbers) {
        let Numbers { sequence, end, acknowledgement, .. } = *numbers;
        let last = &mut self.last;
        let same = last.way == way
            && (last.sequence, last.acknowledgement, last.end) == (sequence, acknowledgement, end)
            && last.window == segment.window;
        if same {
            self.repeated = self.repeated.wrapping_add(1);
            return;
        }
        last.way = way;
        (last.sequence, last.acknowledgement, last.end) = (sequence, acknowledgement, end);
        last.window = segment.window;
        self.repeated = 0;
    }
}

impl Numbers {
    fn of(segment: &Segment<'_>, receiver: &End) -> Self {
        let acknowledgement = segment.acknowledgement;
        let highest = if receiver.sacks {
            highest_acknowledged(segment.options, acknowledgement)
        } else {
            acknowledgement
        };
        Self {
            sequence: segment.sequence,
            end: segment.end(),
            acknowledgement: acknowledgement.wrapping_sub(segment.rewritten_by),
            highest: highest.wrapping_sub(segment.rewritten_by),
        }
    }

    /// A segment without an acknowledgement, or a reset with one of zero, is taken as if it acknowledged all; a reset
    /// that answers a SYN as if its number were the next.
    fn pretend(&mut self, segment: &Segment<'_>, state: State, sender: &End, receiver: &End) {
        let is_reset = segment.flags.has(TcpFlags::RST);
        let acknowledges = segment.flags.has(TcpFlags::ACK);
        if !acknowledges || (is_reset && self.acknowledgement == 0) {
            (self.acknowledgement, self.highest) = (receiver.sent, receiver.sent);
        }
        if is_reset && self.sequence == 0 && state == State::SynSent {
            (self.sequence, self.end) = (sender.sent, sender.sent);
        }
    }
}

/// The sender's SYN, or one that takes another's place.
fn begin(way: Way, syn: &Segment<'_>, sender: &mut End, receiver: &mut End) {
    sender.offer(syn);
    // RFC 7323 §1.3: both ends must offer a scale for either to use one.
    if way == Way::Reply && !(sender.scales && receiver.scales) {
        (sender.scale, receiver.scale) = (0, 0);
    }
}

/// Nothing was seen of the sender before: this segment has to do.
fn pick_up(segment: &Segment<'_>, numbers: &Numbers, sender: &mut End, receiver: &mut End) {
    sender.sent = numbers.end;
    sender.window = (u32::from(segment.window) << sender.scale).max(1);
    sender.admitted = numbers.end.wrapping_add(sender.window);
    if receiver.window == 0 {
        (receiver.sent, receiver.admitted) = (numbers.highest, numbers.highest);
    } else if numbers.highest == receiver.sent.wrapping_add(1) {
        // It answers a keepalive.
        receiver.sent = receiver.sent.wrapping_add(1);
    }
}

fn is_within(numbers: &Numbers, sender: &mut End, receiver: &End) -> Fit {
    let Numbers { sequence, end, highest, .. } = *numbers;
    let lowest_end = sender.sent.wrapping_sub(receiver.window).wrapping_sub(1);
    let lowest_acknowledgement = receiver.sent.wrapping_sub(sender.lag()).wrapping_sub(1);
    let acknowledges_what_was_sent = is_after(receiver.sent.wrapping_add(1), highest);
    if !is_after(sender.admitted.wrapping_add(1), sequence) {
        let excess = end.wrapping_sub(sender.admitted).wrapping_add(1);
        let is_tolerable = receiver.window != 0
            && is_after(end, lowest_end)
            && is_after(highest, lowest_acknowledgement)
            && excess <= receiver.window
            && acknowledges_what_was_sent;
        if !is_tolerable {
            return Fit::Never;
        }
        // It may be let in and acknowledged: without this, all that follows would not fit.
        sender.sent = end;
        sender.is_unacknowledged = true;
        return Fit::Aside;
    }
    if !acknowledges_what_was_sent {
        return Fit::Never;
    }
    let is_old = receiver.window != 0 && !is_after(end, lowest_end);
    if is_old || !is_after(highest, lowest_acknowledgement) {
        return Fit::Aside;
    }
    Fit::Fits
}

fn update(segment: &Segment<'_>, numbers: &Numbers, sender: &mut End, receiver: &mut End) {
    let Numbers { end, acknowledgement, highest, .. } = *numbers;
    let is_syn = segment.flags.has(TcpFlags::SYN);
    let window = u32::from(segment.window) << if is_syn { 0 } else { sender.scale };
    sender.window = sender.window.max(window.wrapping_add(highest.wrapping_sub(acknowledgement)));
    if is_after(end, sender.sent) {
        sender.sent = end;
        sender.is_unacknowledged = true;
    }
    if segment.flags.has(TcpFlags::ACK)
        && sender.acknowledged.is_none_or(|highest| is_after(acknowledgement, highest))
    {
        sender.acknowledged = Some(acknowledgement);
    }
    if receiver.window != 0 && is_after(end, sender.admitted) {
        receiver.window = receiver.window.wrapping_add(end.wrapping_sub(sender.admitted));
    }
    let admitted = highest.wrapping_add(window);
    if is_after(admitted, receiver.admitted.wrapping_sub(1)) {
        receiver.admitted = admitted.wrapping_add(u32::from(window == 0));
    }
    if acknowledgement == receiver.sent {
        receiver.is_unacknowledged = false;
    }
}

/// Whether a sequence number comes after another one.
pub(super) fn is_after(one: u32, other: u32) -> bool {
    other.wrapping_sub(one).cast_signed() < 0
}
