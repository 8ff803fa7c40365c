//! What came of a step, before it is judged.

use std::net::SocketAddrV4;

use smoltcp::time::Instant;

use crate::ftp::{ClientOutcome, TranscriptLine};
use crate::host::{ExchangeOutcome, PingOutcome, ProgramEnd, Seen};

/// What came of a step.
pub(super) struct Done {
    /// When it began.
    pub(super) since: Instant,
    pub(super) what: DoneWhat,
}

/// What came of a step's action; `None` where it did not come to an end.
pub(super) enum DoneWhat {
    Ftp {
        /// Both ends of the control connection as the client knows them, if it was opened.
        control: Option<(SocketAddrV4, SocketAddrV4)>,
        outcome: Option<ClientOutcome>,
        /// The client's log.
        log: Vec<TranscriptLine>,
        /// The logs of the server's sessions, each with its client as the server knows it.
        served: Vec<(SocketAddrV4, Vec<TranscriptLine>)>,
    },
    Exchange {
        outcome: Option<ExchangeOutcome>,
        seen: Seen,
    },
    Ping {
        outcome: Option<PingOutcome>,
    },
    Run {
        /// Its end, or why it did not start.
        end: Result<Option<ProgramEnd>, String>,
    },
    Plain,
}
