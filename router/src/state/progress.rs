//! How far a session has come, as a middlebox sees it: for TCP a pure function of flags, direction and the state before.

use quirknat_alg::Side;

use crate::packet::{Protocol, TcpFlags};

/// Which of the two ends have done what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// An ICMP query.
    Query,
    /// One that was answered.
    QueryAnswered,
    /// A protocol without ports.
    Other,
    /// The outside end has sent something.
    OtherAnswered,
    /// GRE, likewise.
    Gre,
    /// The outside end has sent something.
    GreAnswered,
    /// UDP: the inside end has sent something.
    OneWayFromInside,
    /// The outside end has.
    OneWayFromOutside,
    /// Both have.
    TwoWay,
    /// TCP: the inside end has sent a SYN.
    SynFromInside,
    /// The outside end has.
    SynFromOutside,
    /// Both have; a simultaneous open comes here too (RFC 5382 REQ-2).
    SynBoth,
    /// The handshake is complete.
    Established,
    /// The inside end has sent a FIN.
    FinFromInside,
    /// The outside end has.
    FinFromOutside,
    /// Both have.
    FinBoth,
    /// A RST was seen.
    Reset,
}

/// Which timeout a session has (RFC 4787 §4.3, RFC 5382 REQ-5, RFC 5508 REQ-2, RFC 7857 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Query,
    QueryAnswered,
    Other,
    OtherAnswered,
    Gre,
    GreAnswered,
    OneWay,
    TwoWay,
    Opening,
    Established,
    HalfClosed,
    Closing,
    Reset,
}

impl Progress {
    /// In the order of their numbers.
    pub(crate) const ALL: [Self; 17] = [
        Self::Query,
        Self::QueryAnswered,
        Self::Other,
        Self::OtherAnswered,
        Self::Gre,
        Self::GreAnswered,
        Self::OneWayFromInside,
        Self::OneWayFromOutside,
        Self::TwoWay,
        Self::SynFromInside,
        Self::SynFromOutside,
        Self::SynBoth,
        Self::Established,
        Self::FinFromInside,
        Self::FinFromOutside,
        Self::FinBoth,
        Self::Reset,
    ];

    /// Of a session whose first packet comes from `side`; `flags` are those of a TCP segment.
    pub(crate) fn begin(protocol: Protocol, flags: TcpFlags, side: Side) -> Self {
        match protocol {
            Protocol::Icmp => Self::Query,
            Protocol::Other(Protocol::GRE) => Self::Gre,
            Protocol::Other(_) => Self::Other,
            Protocol::Udp if side == Side::Inside => Self::OneWayFromInside,
            Protocol::Udp => Self::OneWayFromOutside,
            Protocol::Tcp => Self::first(flags, side),
        }
    }

    /// The state of a connection whose first segment seen has `flags` and comes from `side`.
    fn first(flags: TcpFlags, side: Side) -> Self {
        if flags.has(TcpFlags::RST) {
            Self::Reset
        } else if flags.has(TcpFlags::SYN) {
            Self::syn_from(side)
        } else {
            // Picked up in the middle.
            Self::Established.next(flags, side)
        }
    }

    fn syn_from(side: Side) -> Self {
        if side == Side::Inside { Self::SynFromInside } else { Self::SynFromOutside }
    }

    fn fin_from(side: Side) -> Self {
        if side == Side::Inside { Self::FinFromInside } else { Self::FinFromOutside }
    }

    /// After a datagram or query from `side`.
    #[inline]
    #[must_use]
    pub(crate) fn answered(self, side: Side) -> Self {
        match (self, side) {
            (Self::OneWayFromInside, Side::Outside) | (Self::OneWayFromOutside, Side::Inside) => Self::TwoWay,
            (Self::Query, Side::Outside) => Self::QueryAnswered,
            (Self::Other, Side::Outside) => Self::OtherAnswered,
            (Self::Gre, Side::Outside) => Self::GreAnswered,
            _ => self,
        }
    }

    /// After a segment with `flags` from `side`.
    #[inline]
    #[must_use]
    pub(crate) fn next(self, flags: TcpFlags, side: Side) -> Self {
        if flags.0 & (TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST) != 0 {
            return self.turned(flags, side);
        }
        if self == Self::SynBoth && flags.has(TcpFlags::ACK) { Self::Established } else { self }
    }

    /// After a segment that opens or ends something.
    fn turned(self, flags: TcpFlags, side: Side) -> Self {
        if flags.has(TcpFlags::RST) {
            return Self::Reset;
        }
        if flags.has(TcpFlags::SYN) {
            return match self {
                Self::SynFromInside | Self::SynFromOutside if self != Self::syn_from(side) => Self::SynBoth,
                // A new connection on the same ports.
                Self::FinBoth | Self::Reset => Self::syn_from(side),
                other => other,
            };
        }
        match self {
            Self::FinFromInside | Self::FinFromOutside if self != Self::fin_from(side) => Self::FinBoth,
            Self::FinBoth | Self::Reset => self,
            _ => Self::fin_from(side),
        }
    }

    /// Whether a segment with `flags` from `side` can come next in a connection that began with a handshake.
    pub(crate) fn expects(self, flags: TcpFlags, side: Side) -> bool {
        const CONTROL: u8 = TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST;
        let control = flags.0 & CONTROL;
        let [syn, ack] = [TcpFlags::SYN, TcpFlags::ACK].map(|flag| flags.has(flag));
        // At most one of the three, and without any of them an acknowledgement (RFC 9293 §3.10.7.4).
        if control.count_ones() > 1 || (!ack && control & (TcpFlags::SYN | TcpFlags::RST) == 0) {
            return false;
        }
        if flags.has(TcpFlags::RST) {
            return true;
        }
        match self {
            Self::SynFromInside | Self::SynFromOutside => syn && (!ack || self != Self::syn_from(side)),
            // A SYN with an acknowledgement may be the handshake's, sent again.
            Self::Established | Self::FinFromInside | Self::FinFromOutside => !syn || ack,
            Self::Reset => syn && !ack,
            _ => true,
        }
    }

    /// Its timeout's class.
    pub(crate) fn class(self) -> Class {
        match self {
            Self::Query => Class::Query,
            Self::QueryAnswered => Class::QueryAnswered,
            Self::Other => Class::Other,
            Self::OtherAnswered => Class::OtherAnswered,
            Self::Gre => Class::Gre,
            Self::GreAnswered => Class::GreAnswered,
            Self::OneWayFromInside | Self::OneWayFromOutside => Class::OneWay,
            Self::TwoWay => Class::TwoWay,
            Self::SynFromInside | Self::SynFromOutside | Self::SynBoth => Class::Opening,
            Self::Established => Class::Established,
            Self::FinFromInside | Self::FinFromOutside => Class::HalfClosed,
            Self::FinBoth => Class::Closing,
            Self::Reset => Class::Reset,
        }
    }

    /// Whether it is a TCP connection's.
    #[inline]
    pub(crate) fn is_tcp(self) -> bool {
        !matches!(
            self,
            Self::Query
                | Self::QueryAnswered
                | Self::Other
                | Self::OtherAnswered
                | Self::Gre
                | Self::GreAnswered
                | Self::OneWayFromInside
                | Self::OneWayFromOutside
                | Self::TwoWay
        )
    }

    /// Whether both ends count on it: a connection whose handshake was complete and that no RST has ended, or an exchange of
    /// which both have sent.
    pub(crate) fn is_established(self) -> bool {
        matches!(
            self.class(),
            Class::TwoWay | Class::GreAnswered | Class::Established | Class::HalfClosed | Class::Closing
        )
    }

    /// Whether both ends have closed the connection, or one has reset it.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::FinBoth | Self::Reset)
    }
}

#[cfg(test)]
mod tests {
    use Side::{Inside, Outside};

    use super::*;

    const SYN: TcpFlags = TcpFlags(TcpFlags::SYN);
    const SYN_ACK: TcpFlags = TcpFlags(TcpFlags::SYN | TcpFlags::ACK);
    const ACK: TcpFlags = TcpFlags(TcpFlags::ACK);
    const FIN: TcpFlags = TcpFlags(TcpFlags::FIN | TcpFlags::ACK);
    const RST: TcpFlags = TcpFlags(TcpFlags::RST);

    fn after(segments: &[(TcpFlags, Side)]) -> Progress {
        let (flags, side) = segments[0];
        segments[1..]
            .iter()
            .fold(Progress::first(flags, side), |state, (flags, side)| state.next(*flags, *side))
    }

    #[test]
    fn a_life_from_handshake_to_both_fins() {
        let open = [(SYN, Inside), (SYN_ACK, Outside), (ACK, Inside)];
        assert_eq!(after(&open[..1]).class(), Class::Opening);
        assert_eq!(after(&open[..2]).class(), Class::Opening);
        assert_eq!(after(&open), Progress::Established);
        let half = [&open[..], &[(FIN, Outside)]].concat();
        assert_eq!(after(&half).class(), Class::HalfClosed, "it may go on for long");
        assert_eq!(after(&[&half[..], &[(FIN, Outside)]].concat()), Progress::FinFromOutside);
        assert_eq!(after(&[&half[..], &[(FIN, Inside)]].concat()).class(), Class::Closing);
    }

    #[test]
    fn what_can_come_next_follows_the_handshake() {
        let open = [(SYN, Inside), (SYN_ACK, Outside), (ACK, Inside)];
        for (progress, expected, unexpected) in [
            (
                after(&open[..1]),
                vec![(SYN, Inside), (SYN_ACK, Outside), (SYN, Outside), (RST, Outside)],
                vec![(ACK, Inside), (ACK, Outside), (FIN, Inside)],
            ),
            (after(&open[..2]), vec![(ACK, Inside), (SYN_ACK, Outside), (RST, Inside)], vec![]),
            (
                after(&open),
                vec![(ACK, Outside), (FIN, Inside), (SYN_ACK, Outside)],
                vec![(SYN, Inside), (SYN, Outside)],
            ),
            (Progress::Reset, vec![(SYN, Inside), (RST, Outside)], vec![(ACK, Inside), (SYN_ACK, Outside)]),
        ] {
            for (segments, may) in [(expected, true), (unexpected, false)] {
                for (flags, side) in segments {
                    assert_eq!(progress.expects(flags, side), may, "{progress:?}: {flags:?} from {side:?}");
                }
            }
            for impossible in [0, TcpFlags::SYN | TcpFlags::FIN, TcpFlags::SYN | TcpFlags::RST, TcpFlags::FIN]
            {
                assert!(!progress.expects(TcpFlags(impossible), Inside), "{progress:?}: {impossible:#x}");
            }
        }
    }

    #[test]
    fn all_are_listed_in_the_order_of_their_numbers() {
        assert!(Progress::ALL.iter().enumerate().all(|(number, progress)| *progress as usize == number));
    }

    #[test]
    fn a_simultaneous_open_establishes() {
        assert_eq!(
            after(&[(SYN, Inside), (SYN, Outside), (SYN_ACK, Inside), (ACK, Outside)]),
            Progress::Established
        );
    }

    #[test]
    fn a_syn_after_the_end_opens_anew_and_one_in_between_does_not() {
        assert_eq!(after(&[(ACK, Inside), (RST, Outside), (SYN, Inside)]), Progress::SynFromInside);
        assert_eq!(after(&[(ACK, Inside), (SYN, Inside)]), Progress::Established);
    }

    #[test]
    fn a_connection_is_picked_up_in_the_middle() {
        assert_eq!(after(&[(ACK, Inside)]), Progress::Established);
        assert_eq!(after(&[(FIN, Inside)]), Progress::FinFromInside);
    }
}
