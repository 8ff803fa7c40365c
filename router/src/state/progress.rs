//! How far a session has come, as a middlebox sees it: for TCP a pure function of flags, direction and the state before.

use quirknat_alg::Side;

use crate::packet::{Protocol, TcpFlags};

/// Which of the two ends have done what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// An ICMP query.
    Query,
    /// UDP: one end has sent something.
    OneWay(Side),
    /// UDP: both have.
    TwoWay,
    /// TCP: one end has sent a SYN.
    SynFrom(Side),
    /// Both have; a simultaneous open comes here too (RFC 5382 REQ-2).
    SynBoth,
    /// The handshake is complete.
    Established,
    /// One end has sent a FIN.
    FinFrom(Side),
    /// Both have.
    FinBoth,
    /// A RST was seen.
    Reset,
}

/// Which timeout a session has (RFC 4787 §4.3, RFC 5382 REQ-5, RFC 5508 REQ-2, RFC 7857 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Query,
    OneWay,
    TwoWay,
    Opening,
    Established,
    HalfClosed,
    Closing,
    Reset,
}

impl Class {
    pub(crate) const COUNT: usize = 8;
}

impl Progress {
    /// Of a session whose first packet comes from `side`; `flags` are those of a TCP segment.
    pub(crate) fn begin(protocol: Protocol, flags: TcpFlags, side: Side) -> Self {
        match protocol {
            Protocol::Icmp => Self::Query,
            Protocol::Udp => Self::OneWay(side),
            Protocol::Tcp => Self::first(flags, side),
        }
    }

    /// The state of a connection whose first segment seen has `flags` and comes from `side`.
    fn first(flags: TcpFlags, side: Side) -> Self {
        if flags.has(TcpFlags::RST) {
            Self::Reset
        } else if flags.has(TcpFlags::SYN) {
            Self::SynFrom(side)
        } else {
            // Picked up in the middle.
            Self::Established.next(flags, side)
        }
    }

    /// The state after a segment with `flags` from `side`.
    #[must_use]
    pub(crate) fn next(self, flags: TcpFlags, side: Side) -> Self {
        if flags.has(TcpFlags::RST) {
            return Self::Reset;
        }
        if flags.has(TcpFlags::SYN) {
            return match self {
                Self::SynFrom(first) if first != side => Self::SynBoth,
                // A new connection on the same ports.
                Self::FinBoth | Self::Reset => Self::SynFrom(side),
                other => other,
            };
        }
        if flags.has(TcpFlags::FIN) {
            return match self {
                Self::FinFrom(first) if first != side => Self::FinBoth,
                Self::FinBoth => Self::FinBoth,
                Self::Reset => Self::Reset,
                _ => Self::FinFrom(side),
            };
        }
        match self {
            Self::SynBoth if flags.has(TcpFlags::ACK) => Self::Established,
            other => other,
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
            Self::SynFrom(first) if first == side => syn && !ack,
            Self::SynFrom(_) => syn,
            // A SYN with an acknowledgement may be the handshake's, sent again.
            Self::Established | Self::FinFrom(_) => !syn || ack,
            Self::Reset => syn && !ack,
            Self::SynBoth | Self::FinBoth | Self::Query | Self::OneWay(_) | Self::TwoWay => true,
        }
    }

    /// Its timeout's class.
    #[inline]
    pub(crate) fn class(self) -> Class {
        match self {
            Self::Query => Class::Query,
            Self::OneWay(_) => Class::OneWay,
            Self::TwoWay => Class::TwoWay,
            Self::SynFrom(_) | Self::SynBoth => Class::Opening,
            Self::Established => Class::Established,
            Self::FinFrom(_) => Class::HalfClosed,
            Self::FinBoth => Class::Closing,
            Self::Reset => Class::Reset,
        }
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
        assert_eq!(after(&[&half[..], &[(FIN, Outside)]].concat()), Progress::FinFrom(Outside));
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
    fn a_simultaneous_open_establishes() {
        assert_eq!(
            after(&[(SYN, Inside), (SYN, Outside), (SYN_ACK, Inside), (ACK, Outside)]),
            Progress::Established
        );
    }

    #[test]
    fn a_syn_after_the_end_opens_anew_and_one_in_between_does_not() {
        assert_eq!(after(&[(ACK, Inside), (RST, Outside), (SYN, Inside)]), Progress::SynFrom(Inside));
        assert_eq!(after(&[(ACK, Inside), (SYN, Inside)]), Progress::Established);
    }

    #[test]
    fn a_connection_is_picked_up_in_the_middle() {
        assert_eq!(after(&[(ACK, Inside)]), Progress::Established);
        assert_eq!(after(&[(FIN, Inside)]), Progress::FinFrom(Inside));
    }
}
