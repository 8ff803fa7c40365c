//! A TCP connection's state as a middlebox sees it: a pure function of flags, direction and the state before.

use quirknat_alg::Side;

use crate::packet::TcpFlags;

/// Which of the two ends have done what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TcpState {
    /// One end has sent a SYN.
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

/// Which timeout a state has (RFC 5382 REQ-5, RFC 7857 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TcpClass {
    Opening,
    Established,
    Closing,
}

impl TcpState {
    /// The state of a connection whose first segment seen has `flags` and comes from `side`.
    pub(crate) fn first(flags: TcpFlags, side: Side) -> Self {
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

    pub(crate) fn class(self) -> TcpClass {
        match self {
            Self::SynFrom(_) | Self::SynBoth => TcpClass::Opening,
            Self::Established | Self::FinFrom(_) => TcpClass::Established,
            Self::FinBoth | Self::Reset => TcpClass::Closing,
        }
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

    fn after(segments: &[(TcpFlags, Side)]) -> TcpState {
        let (flags, side) = segments[0];
        segments[1..]
            .iter()
            .fold(TcpState::first(flags, side), |state, (flags, side)| state.next(*flags, *side))
    }

    #[test]
    fn a_life_from_handshake_to_both_fins() {
        let open = [(SYN, Inside), (SYN_ACK, Outside), (ACK, Inside)];
        assert_eq!(after(&open[..1]).class(), TcpClass::Opening);
        assert_eq!(after(&open[..2]).class(), TcpClass::Opening);
        assert_eq!(after(&open), TcpState::Established);
        let half = [&open[..], &[(FIN, Outside)]].concat();
        assert_eq!(
            after(&half).class(),
            TcpClass::Established,
            "a half-closed connection may go on for long"
        );
        assert_eq!(after(&[&half[..], &[(FIN, Outside)]].concat()), TcpState::FinFrom(Outside));
        assert_eq!(after(&[&half[..], &[(FIN, Inside)]].concat()).class(), TcpClass::Closing);
    }

    #[test]
    fn a_simultaneous_open_establishes() {
        assert_eq!(
            after(&[(SYN, Inside), (SYN, Outside), (SYN_ACK, Inside), (ACK, Outside)]),
            TcpState::Established
        );
    }

    #[test]
    fn a_syn_after_the_end_opens_anew_and_one_in_between_does_not() {
        assert_eq!(after(&[(ACK, Inside), (RST, Outside), (SYN, Inside)]), TcpState::SynFrom(Inside));
        assert_eq!(after(&[(ACK, Inside), (SYN, Inside)]), TcpState::Established);
    }

    #[test]
    fn a_connection_is_picked_up_in_the_middle() {
        assert_eq!(after(&[(ACK, Inside)]), TcpState::Established);
        assert_eq!(after(&[(FIN, Inside)]), TcpState::FinFrom(Inside));
    }
}
