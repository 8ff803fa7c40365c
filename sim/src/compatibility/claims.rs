//! What the article says of cells, row by row of its catalogue. Written from the article; what playing a cell comes to
//! is held against it. Of a cell that is not here the article says nothing: it is what the profile's other values come to,
//! which are assumed, or a mode that is newer than the article.

use super::cell::{ARTICLE_PROFILE, Cell};
use super::coordinates::{Aware, Behind, ControlPort};
use crate::cause::Cause;
use crate::scenario::language::Mode;

/// What the article says of some cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The catalogue's rows that say it.
    pub rows: &'static [&'static str],
    /// Who is behind a router in these cells.
    pub behind: Behind,
    /// Their control ports.
    pub control: &'static [ControlPort],
    /// Their mode.
    pub mode: Mode,
    /// Whose software knows of its NAT.
    pub aware: Aware,
    /// What happens.
    pub expected: Expected,
}

/// What the article says that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The transfer arrives.
    Works,
    /// Login works, the transfer does not, and this is why.
    Fails(Cause),
}

const STANDARD: &[ControlPort] = &[ControlPort::Standard];
const OTHER: &[ControlPort] = &[ControlPort::Other];
const ANY: &[ControlPort] = &[ControlPort::Standard, ControlPort::Other];
const LEAKED_BY_PORT: Expected = Expected::Fails(Cause::ControlPortNotWatched);
const LEAKED_BY_227: Expected = Expected::Fails(Cause::LanAddressInPassiveReply);

const fn claim(
    rows: &'static [&'static str],
    behind: Behind,
    control: &'static [ControlPort],
    (mode, aware): (Mode, Aware),
    expected: Expected,
) -> Claim {
    Claim { rows, behind, control, mode, aware, expected }
}

static CLAIMS: &[Claim] = {
    use Aware::{Client as ClientKnows, Neither, Server as ServerKnows};
    use Behind::{Both, Client, Nobody, Server};
    use Expected::Works;
    use Mode::{NoCommand, Pasv, Port};
    &[
        claim(&["port-mode", "two-connections"], Nobody, ANY, (Port, Neither), Works),
        claim(&["pasv-mode", "two-connections"], Nobody, ANY, (Pasv, Neither), Works),
        // With port 20 as the server's end, so on the standard control port.
        claim(&["no-command"], Nobody, STANDARD, (NoCommand, Neither), Works),
        claim(
            &["port-21-rewritten", "port-21-forwarded", "log-fools-you"],
            Client,
            STANDARD,
            (Port, Neither),
            Works,
        ),
        claim(&["port-other-untouched"], Client, OTHER, (Port, Neither), LEAKED_BY_PORT),
        claim(&["pasv-21"], Client, STANDARD, (Pasv, Neither), Works),
        claim(&["pasv-other"], Client, OTHER, (Pasv, Neither), Works),
        claim(&["client-announces-wan"], Client, OTHER, (Port, ClientKnows), Works),
        claim(&["server-port-mode"], Server, ANY, (Port, Neither), Works),
        claim(&["server-pasv-leaks"], Server, ANY, (Pasv, Neither), LEAKED_BY_227),
        claim(&["server-pasv-aware"], Server, ANY, (Pasv, ServerKnows), Works),
        claim(&["both-21-port"], Both, STANDARD, (Port, Neither), Works),
        claim(&["both-21-pasv"], Both, STANDARD, (Pasv, Neither), LEAKED_BY_227),
        claim(&["both-other-port"], Both, OTHER, (Port, Neither), LEAKED_BY_PORT),
        claim(&["both-other-pasv"], Both, OTHER, (Pasv, Neither), LEAKED_BY_227),
        claim(&["both-other-aware"], Both, OTHER, (Port, ClientKnows), Works),
        claim(&["both-other-aware"], Both, OTHER, (Pasv, ServerKnows), Works),
    ]
};

/// All that the article says of cells.
pub fn claims() -> &'static [Claim] {
    CLAIMS
}

impl Cell {
    /// What the article says of this cell. It is about one router; of cells without any it speaks whatever the profile.
    pub fn claim(&self) -> Option<&'static Claim> {
        let essence = self.essence();
        let is_meant = self.behind == Behind::Nobody || *self.profile == *ARTICLE_PROFILE;
        CLAIMS.iter().filter(|_| is_meant).find(|claim| {
            claim.behind == essence.behind
                && claim.control.contains(&essence.control)
                && claim.mode == essence.mode
                && claim.aware == essence.aware
        })
    }
}
