//! What would help after a failure, most practical first. Nothing is offered on faith: each remedy is a change to the
//! scenario, which is played anew, and offered only if the transfer that failed works then.
//!
//! Call [`suggest`] with the scenario as it was played, the place of the step that failed in its verdict, and the cause.
//! A [`Remedy`] reads as a line by itself; [`Remedy::by`] says who can do it.

mod change;
mod measures;
mod modes;
mod routers;

use serde::{Deserialize, Serialize};

use crate::cause::{Cause, Found};
use crate::scenario::language::BackendName;
use crate::scenario::{Scenario, play};
use change::Try;

/// Something that helps: it was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// What kind of thing is to be done.
    pub measure: Measure,
    /// Who can do it.
    pub by: Who,
    /// What is to be done, as an imperative with the case's own numbers.
    pub text: String,
}

/// Who can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The client's user.
    Client,
    /// The server's administrator.
    Server,
    /// The owner of a router.
    Router,
    /// The client's user and the owner of a router.
    ClientAndRouter,
    /// The server's administrator and the owner of a router.
    ServerAndRouter,
}

impl std::fmt::Display for Who {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Client => "the client's user",
            Self::Server => "the server's administrator",
            Self::Router => "the router's owner",
            Self::ClientAndRouter => "the client's user and the router's owner",
            Self::ServerAndRouter => "the server's administrator and the router's owner",
        })
    }
}

/// The kinds of things to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Have data connections made in another way: PASV, EPSV, PORT, EPRT.
    OtherMode,
    /// Run the control connection on a port that the gateway watches.
    WatchedControlPort,
    /// Dial another address or port.
    DialElsewhere,
    /// Dial the control connection's address, not the one in a 227.
    DistrustPassiveAddress,
    /// Announce the address that the other end can reach, with a range of ports that is forwarded.
    AnnounceAndForward,
    /// Announce another address or port, or none other than one's own.
    AnnounceElse,
    /// Forward ports to the host.
    Forward,
    /// Send each command in one segment.
    OneSegment,
    /// Leave the control connection unencrypted.
    PlainControl,
    /// Set the server up otherwise.
    ServerSetting,
    /// Have the gateway watch the port, and rewrite the command.
    TeachGateway,
    /// Give the router more room, more ports, more time.
    LargerRouter,
}

/// The remedy with who can do it: `use PASV (the client's user)`.
impl std::fmt::Display for Remedy {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} ({})", self.text, self.by)
    }
}

/// At most so many are offered.
const OFFERED: usize = 5;
/// At most so many are tried,
const TRIED: usize = 32;
/// and so many bytes of files transferred for it: with a large file fewer are tried.
const TRANSFERRED: usize = 64 << 20;

/// What would help the FTP session at `position` of a scenario's verdict, from 0, which failed by this cause: at most
/// five remedies, most practical first, each tried with `seed`. None where the network is not at fault, where real programs
/// have a part in it, or where nothing that is known to help does.
pub fn suggest(scenario: &Scenario, position: usize, found: &Found, seed: u64) -> Vec<Remedy> {
    if scenario.runs_only_on().is_some_and(|(backend, _)| backend == BackendName::Netns)
        || scenario.ftp_step(position).is_none()
    {
        return Vec::new();
    }
    let scenario = scenario.up_to(position);
    let tries = measures::of(&Failed { scenario: &scenario, position, found });
    let affordable = (TRANSFERRED / scenario.bytes_of_files().max(1)).clamp(1, TRIED);
    let mut offered: Vec<Remedy> = Vec::new();
    for Try { remedy, scenario } in tries.into_iter().take(affordable) {
        // What is offered already with something added to it is no other remedy.
        let only_adds = offered.iter().any(|known| remedy.text.starts_with(&format!("{}, ", known.text)));
        if !only_adds && scenario.can_be_built() && transfers(&scenario, position, seed) {
            offered.push(remedy);
        }
        if offered.len() == OFFERED {
            break;
        }
    }
    offered
}

/// Whether the transfer at `position` works when the scenario is played.
fn transfers(scenario: &Scenario, position: usize, seed: u64) -> bool {
    let verdict = play("remedy", scenario, seed).verdict;
    let is_ok = |what: &str| {
        let step = verdict.steps.get(position);
        step.is_some_and(|step| step.seen.iter().any(|seen| seen.what == what && seen.was == "ok"))
    };
    is_ok("control") && is_ok("data")
}

/// What failed, and why.
struct Failed<'a> {
    /// Up to the step that failed.
    scenario: &'a Scenario,
    position: usize,
    found: &'a Found,
}

impl Failed<'_> {
    fn cause(&self) -> Cause {
        self.found.cause
    }
}

#[cfg(test)]
mod tests;
