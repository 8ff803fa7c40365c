//! Resets: a connection's end, or an attempt at it from elsewhere (RFC 5961 §3).

use super::end::is_after;
use super::{Kind, Segment, State, Way, Windows};

/// What a reset does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reset {
    /// It lies before what its receiver has acknowledged.
    Refused,
    /// It closes the connection if it fits into the windows.
    Closes,
    /// It closes the connection without a look at the windows, which may be out of date.
    ClosesUnseen,
    /// Its number is not exactly the next: its receiver may ask back, so the connection stays as it is.
    MayBeChallenged,
}

impl Windows {
    pub(super) fn reset(&self, way: Way, segment: &Segment<'_>) -> Reset {
        let is_closing = matches!(
            self.state,
            State::FinWait | State::LastAck | State::TimeWait | State::Close | State::CloseWait
        );
        if is_closing {
            return Reset::ClosesUnseen;
        }
        let receiver = match way {
            Way::Original => &self.reply,
            Way::Reply => &self.original,
        };
        let is_established = self.state == State::Established && self.is_assured;
        if let Some(next) = receiver.acknowledged.filter(|_| self.last.kind != Kind::Syn) {
            let sequence = segment.sequence;
            if sequence == 0 && !is_established {
                return Reset::Closes;
            }
            if is_after(next, sequence) {
                return Reset::Refused;
            }
            let follows_its_segment =
                self.last.kind == Kind::Ack && self.last.way == way && sequence == self.last.end;
            return if !is_established || sequence == next || follows_its_segment {
                Reset::Closes
            } else {
                Reset::MayBeChallenged
            };
        }
        if self.refuses_what_passed_aside(way, segment) || self.follows_a_challenge(segment) {
            Reset::ClosesUnseen
        } else {
            Reset::Closes
        }
    }

    /// Whether it refuses the other end's SYN, or an acknowledgement in a half-open connection, that passed aside.
    fn refuses_what_passed_aside(&self, way: Way, segment: &Segment<'_>) -> bool {
        let to_syn = self.is_answered && self.last.kind == Kind::Syn && self.last.way != way;
        let to_acknowledgement = !self.is_assured && self.last.kind == Kind::Ack;
        (to_syn || to_acknowledgement) && segment.acknowledgement == self.last.end
    }

    /// Whether it is the opener's, sent for the acknowledgement with which its SYN was challenged.
    fn follows_a_challenge(&self, segment: &Segment<'_>) -> bool {
        self.state == State::SynSent
            && self.last.kind == Kind::Ack
            && self.last.way == Way::Reply
            && segment.sequence == self.last.acknowledgement
    }
}
