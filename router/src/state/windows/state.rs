//! How far a connection has come, and where each kind of segment leads it from there.

use super::Way;
use crate::packet::TcpFlags;

/// How far a connection has come. The order counts: from [`State::TimeWait`] on it is over or not yet open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Nothing was judged yet.
    None,
    /// A SYN came.
    SynSent,
    /// It was answered.
    SynReceived,
    /// The answer was acknowledged.
    Established,
    /// A FIN came.
    FinWait,
    /// It was acknowledged.
    CloseWait,
    /// A FIN came after a FIN.
    LastAck,
    /// That was acknowledged.
    TimeWait,
    /// A RST came.
    Close,
    /// A SYN came from either end.
    SynSent2,
}

/// What a segment is for, by its flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Syn,
    SynAck,
    Fin,
    Ack,
    Rst,
    /// None of them.
    Nothing,
}

impl Kind {
    pub(crate) fn of(flags: TcpFlags) -> Self {
        let ack = flags.has(TcpFlags::ACK);
        if flags.has(TcpFlags::RST) {
            Self::Rst
        } else if flags.has(TcpFlags::SYN) {
            if ack { Self::SynAck } else { Self::Syn }
        } else if flags.has(TcpFlags::FIN) {
            Self::Fin
        } else if ack {
            Self::Ack
        } else {
            Self::Nothing
        }
    }
}

/// Where a segment leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    To(State),
    /// Nowhere, and it passes: it may be the filter that is out of step.
    Aside,
    /// It cannot come now.
    Never,
}

/// Where a segment of `kind` leads a connection from `state`.
#[expect(clippy::match_same_arms, reason = "a table: one line for each kind and way")]
pub(super) fn next(kind: Kind, way: Way, state: State) -> Next {
    use State::{
        Close, CloseWait, Established, FinWait, LastAck, None, SynReceived, SynSent, SynSent2, TimeWait,
    };
    let to = match (kind, way, state) {
        (Kind::Nothing, ..) | (Kind::Rst, _, None) => return Next::Never,
        (Kind::Rst, ..) => Close,

        (Kind::Syn, Way::Original, None | SynSent | TimeWait | Close) => SynSent,
        (Kind::Syn, Way::Original, SynSent2) => SynSent2,
        (Kind::Syn, Way::Original, _) => return Next::Aside,
        (Kind::Syn, Way::Reply, SynSent | SynSent2) => SynSent2,
        // The roles may have changed.
        (Kind::Syn, Way::Reply, TimeWait) => SynSent,

        (Kind::SynAck, Way::Original, SynReceived | SynSent2) => SynReceived,
        (Kind::SynAck, Way::Reply, SynSent | SynSent2) => SynReceived,
        (Kind::SynAck, Way::Original, _) | (Kind::Syn | Kind::SynAck, Way::Reply, None) => {
            return Next::Never;
        }
        (Kind::Syn, Way::Reply, _) => return Next::Never,
        (Kind::SynAck, Way::Reply, _) => return Next::Aside,

        (Kind::Fin, _, None | SynSent | SynSent2) => return Next::Never,
        (Kind::Fin, _, SynReceived | Established) => FinWait,
        (Kind::Fin, _, FinWait | CloseWait | LastAck) => LastAck,

        (Kind::Ack, Way::Original, None) => Established,
        (Kind::Ack, Way::Reply, None) | (Kind::Ack, Way::Original, SynSent | SynSent2) => return Next::Never,
        (Kind::Ack, Way::Reply, SynSent | SynSent2) => return Next::Aside,
        (Kind::Ack, Way::Original, SynReceived) => Established,
        (Kind::Ack, Way::Reply, SynReceived) => SynReceived,
        (Kind::Ack, _, Established) => Established,
        (Kind::Ack, _, FinWait | CloseWait) => CloseWait,
        (Kind::Ack, _, LastAck) => TimeWait,

        (Kind::Fin | Kind::Ack, _, TimeWait) => TimeWait,
        (Kind::Fin | Kind::Ack, _, Close) => Close,
    };
    Next::To(to)
}
