//! A TCP connection as a filter that keeps both ends' windows sees it, after G. van Rooij, "Real Stateful TCP Packet
//! Filtering in IP Filter" (SANE 2000): a pure function of the segments, in the router's order.
//!
//! The filter stands between the ends and may miss segments, so it errs on the side of a passing one: a segment that may
//! show that it is the filter which is out of step is let through and changes nothing ([`Verdict::Aside`]).

mod end;
mod options;
mod reset;
mod state;

use end::{End, Fit};
pub(crate) use state::{Kind, State};
use state::{Next, next};

use crate::packet::TcpFlags;

/// Which end a segment is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The one whose segment was the first.
    Original,
    /// The other one.
    Reply,
}

/// What is read of a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub(crate) flags: TcpFlags,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    /// How much the receiver's stream had grown by rewriting where it is acknowledged.
    pub(crate) rewritten_by: u32,
    pub(crate) window: u16,
    /// Octets of payload.
    pub(crate) length: u32,
    pub(crate) options: &'a [u8],
}

impl Segment<'_> {
    fn kind(&self) -> Kind {
        Kind::of(self.flags)
    }

    /// The number after its last one; SYN and FIN have one each.
    fn end(&self) -> u32 {
        let control = [TcpFlags::SYN, TcpFlags::FIN].map(|flag| u32::from(self.flags.has(flag)));
        self.sequence.wrapping_add(self.length).wrapping_add(control.iter().sum())
    }
}

/// What becomes of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is its connection's next, and sets this timeout, in seconds, if any.
    Passes { refresh: Option<u32> },
    /// It passes and ends the connection's entry: a reset before anything was answered.
    Ends,
    /// It passes and says nothing of the connection.
    Aside,
    /// It opens another connection between the same ends; this one is over.
    BeginsAnew,
    /// Its kind cannot come now.
    OutOfState,
    /// Its numbers do not fit. `distrust`: both ends' attempts to end the connection were refused, so that its timeout
    /// should be no longer than that of one with unacknowledged data.
    OutOfWindow { distrust: bool },
}

/// How long a connection lives after a segment, in seconds, and what counts as a retransmission.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) syn_sent: u32,
    pub(crate) syn_received: u32,
    pub(crate) established: u32,
    pub(crate) fin_wait: u32,
    pub(crate) close_wait: u32,
    pub(crate) last_ack: u32,
    pub(crate) time_wait: u32,
    pub(crate) close: u32,
    /// At most so long, while an end repeats itself.
    pub(crate) retransmitted: u32,
    /// At most so long, while data waits for an acknowledgement.
    pub(crate) unacknowledged: u32,
    /// The same acknowledgement so many times more.
    pub(crate) most_repeated: u8,
}

impl Limits {
    fn of(&self, state: State) -> u32 {
        match state {
            State::None | State::SynSent | State::SynSent2 => self.syn_sent,
            State::SynReceived => self.syn_received,
            State::Established => self.established,
            State::FinWait => self.fin_wait,
            State::CloseWait => self.close_wait,
            State::LastAck => self.last_ack,
            State::TimeWait => self.time_wait,
            State::Close => self.close,
        }
    }
}

/// What a connection's latest segment was, or the latest that passed aside.
#[derive(Debug, Clone, Copy)]
struct Last {
    way: Way,
    kind: Kind,
    sequence: u32,
    acknowledgement: u32,
    end: u32,
    window: u16,
    /// What a SYN that passed aside offered.
    scale: Option<u8>,
    sack: bool,
}

/// One connection.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and all combinations occur")]
pub(crate) struct Windows {
    state: State,
    original: End,
    reply: End,
    last: Last,
    /// The same acknowledgement so many times in a row.
    repeated: u8,
    is_answered: bool,
    /// A handshake, or data both ways, was seen.
    is_assured: bool,
    /// A SYN passed aside that its receiver may answer with a challenge (RFC 5961 §4).
    may_be_challenged: bool,
    /// Both ends have sent a SYN.
    is_simultaneous: bool,
}

impl Windows {
    /// Whether a segment with `flags` can be one at all, in any connection.
    pub(crate) fn is_possible(flags: TcpFlags) -> bool {
        const SYN: u8 = TcpFlags::SYN;
        const ACK: u8 = TcpFlags::ACK;
        const FIN: u8 = TcpFlags::FIN;
        const RST: u8 = TcpFlags::RST;
        const URG: u8 = TcpFlags::URG;
        let flags = flags.0 & (SYN | ACK | FIN | RST | URG);
        let urgent = flags & URG != 0;
        match flags & !URG {
            SYN | ACK => true,
            kind if kind == FIN | ACK => true,
            kind if kind == SYN | ACK || kind == RST || kind == RST | ACK => !urgent,
            _ => false,
        }
    }

    /// Whether a segment with `flags` can be the first that is seen of a connection: a SYN, or an acknowledgement in
    /// mid-stream.
    pub(crate) fn may_begin(flags: TcpFlags) -> bool {
        Self::is_possible(flags) && matches!(next(Kind::of(flags), Way::Original, State::None), Next::To(_))
    }

    /// Of a connection whose first segment is to be judged next.
    pub(crate) fn begin(first: &Segment<'_>) -> Self {
        let is_syn = first.kind() == Kind::Syn;
        let last = Last {
            way: Way::Original,
            kind: Kind::Nothing,
            sequence: 0,
            acknowledgement: 0,
            end: 0,
            window: 0,
            scale: None,
            sack: false,
        };
        let (original, reply) =
            if is_syn { (End::opened(first), End::default()) } else { (End::picked_up(first), End::LIBERAL) };
        Self {
            state: State::None,
            original,
            reply,
            last,
            repeated: 0,
            is_answered: false,
            is_assured: false,
            may_be_challenged: false,
            is_simultaneous: false,
        }
    }

    /// Judges the connection's next segment.
    pub(crate) fn judge(&mut self, way: Way, segment: &Segment<'_>, limits: &Limits) -> Verdict {
        if !Self::is_possible(segment.flags) {
            return Verdict::OutOfState;
        }
        let verdict = self.follow(way, segment, limits);
        let passes =
            !matches!(verdict, Verdict::OutOfState | Verdict::OutOfWindow { .. } | Verdict::BeginsAnew);
        self.is_answered |= passes && way == Way::Reply;
        verdict
    }

    fn follow(&mut self, way: Way, segment: &Segment<'_>, limits: &Limits) -> Verdict {
        let kind = segment.kind();
        let mut before = self.state;
        let mut state = match next(kind, way, before) {
            Next::Never => return Verdict::OutOfState,
            Next::To(State::SynSent) if before >= State::TimeWait => {
                let was_closed = self.original.began_to_close || self.reply.began_to_close;
                if was_closed || (self.last.way == way && self.last.kind == Kind::Rst) {
                    return Verdict::BeginsAnew;
                }
                return self.aside(way, segment);
            }
            Next::Aside => {
                if !self.answers_what_passed_aside(way, segment) {
                    return self.aside(way, segment);
                }
                before = State::SynSent;
                self.fall_in_step(way);
                State::SynReceived
            }
            Next::To(state) => state,
        };
        let mut skips_windows = false;
        match state {
            State::TimeWait if self.is_challenge(before, way, kind) => {
                self.may_be_challenged = false;
                return Verdict::Aside;
            }
            State::SynSent2 => self.is_simultaneous = true,
            State::SynReceived if way == Way::Reply && kind == Kind::Ack && self.is_simultaneous => {
                state = State::Established;
            }
            State::Close if kind == Kind::Rst => match self.reset(way, segment) {
                reset::Reset::Refused => return Verdict::OutOfWindow { distrust: false },
                reset::Reset::Closes => {}
                reset::Reset::ClosesUnseen => skips_windows = true,
                reset::Reset::MayBeChallenged => state = before,
            },
            _ => {}
        }
        if !skips_windows {
            match self.fit(way, segment) {
                Fit::Fits => {}
                Fit::Aside => return Verdict::Aside,
                Fit::Never => return Verdict::OutOfWindow { distrust: self.distrust(way, kind) },
            }
        }
        self.moved(way, kind, before, state, limits)
    }

    /// A segment that fits moves the connection on.
    fn moved(&mut self, way: Way, kind: Kind, before: State, state: State, limits: &Limits) -> Verdict {
        (self.last.way, self.last.kind) = (way, kind);
        self.state = state;
        if before != state && state == State::FinWait {
            self.end_mut(way).began_to_close = true;
        }
        let timeout = self.timeout(kind, limits);
        if !self.is_answered {
            if kind == Kind::Rst {
                return Verdict::Ends;
            }
            if kind == Kind::Syn && before == State::SynSent {
                // A SYN that is sent again and again would keep an entry for ever.
                return Verdict::Passes { refresh: None };
            }
            if state == State::Established {
                // Picked up in the middle, and nothing came back yet.
                return Verdict::Passes { refresh: Some(timeout.min(limits.unacknowledged)) };
            }
        } else if matches!(before, State::SynReceived | State::Established) && state == State::Established {
            self.is_assured = true;
        }
        Verdict::Passes { refresh: Some(timeout) }
    }

    /// How long the connection lives after a segment of `kind` that fits.
    fn timeout(&self, kind: Kind, limits: &Limits) -> u32 {
        let own = limits.of(self.state);
        let owes = self.original.is_unacknowledged || self.reply.is_unacknowledged;
        if self.repeated >= limits.most_repeated && own > limits.retransmitted {
            limits.retransmitted
        } else if kind == Kind::Rst {
            limits.close
        } else if owes && own > limits.unacknowledged {
            limits.unacknowledged
        } else if self.last.window == 0 && own > limits.retransmitted {
            limits.retransmitted
        } else {
            own
        }
    }

    /// Notes a segment that passes and changes nothing, and what a SYN among them offers.
    fn aside(&mut self, way: Way, segment: &Segment<'_>) -> Verdict {
        let kind = segment.kind();
        self.last.way = way;
        self.last.kind = kind;
        self.last.sequence = segment.sequence;
        self.last.end = segment.end();
        self.last.window = segment.window;
        if kind == Kind::Syn && way == Way::Original {
            let offered = options::of_syn(segment.options);
            self.last.scale = offered.scale;
            self.last.sack = offered.sack;
            self.is_simultaneous = false;
            self.may_be_challenged = self.state == State::LastAck;
        }
        if self.state == State::SynSent && kind == Kind::Ack && way == Way::Reply {
            self.last.acknowledgement = segment.acknowledgement;
        }
        Verdict::Aside
    }

    /// Whether a SYN with an acknowledgement answers a SYN that passed aside: both ends are in step, the filter is not.
    fn answers_what_passed_aside(&self, way: Way, segment: &Segment<'_>) -> bool {
        segment.kind() == Kind::SynAck
            && self.last.kind == Kind::Syn
            && self.last.way != way
            && segment.acknowledgement == self.last.end
    }

    fn fall_in_step(&mut self, way: Way) {
        let Last { end, window, scale, sack, .. } = self.last;
        self.may_be_challenged = false;
        let (opener, other) = match way {
            Way::Reply => (&mut self.original, &mut self.reply),
            Way::Original => (&mut self.reply, &mut self.original),
        };
        opener.fall_in_step(end, window, scale, sack);
        other.forget();
    }

    /// Whether an acknowledgement answers a SYN that passed aside, rather than the last FIN (RFC 5961 §4).
    fn is_challenge(&self, before: State, way: Way, kind: Kind) -> bool {
        before == State::LastAck
            && kind == Kind::Ack
            && self.last.way != way
            && self.last.kind == Kind::Syn
            && self.may_be_challenged
    }

    /// A segment that should have ended the connection does not fit: whether the other end's did not fit either.
    fn distrust(&mut self, way: Way, kind: Kind) -> bool {
        let ends = |kind| matches!(kind, Kind::Fin | Kind::Rst);
        if !self.is_assured || !ends(kind) {
            return false;
        }
        if self.last.way != way && ends(self.last.kind) {
            return true;
        }
        (self.last.way, self.last.kind) = (way, kind);
        false
    }

    fn end_mut(&mut self, way: Way) -> &mut End {
        match way {
            Way::Original => &mut self.original,
            Way::Reply => &mut self.reply,
        }
    }
}

#[cfg(test)]
mod tests;
