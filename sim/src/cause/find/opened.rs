//! Why a session failed whose data connection was established, or needed none.

use super::case::{Case, wire_found};
use super::seen::{Forgotten, Why};
use crate::cause::{Cause, Details, Found};
use crate::session::{Announcement, Fate, Speaker};

impl Case<'_> {
    /// What befell the connections while they were in use.
    pub(super) fn opened(&self) -> Option<Found> {
        let seen = self.seen.as_ref()?;
        if let Some(forgotten) = seen.forgotten() {
            return Some(self.forgotten(&forgotten));
        }
        if let Some(found) = self.no_room() {
            return Some(found);
        }
        if let Some(router) = seen.fragment_dropped() {
            let details = Details { router: Some(router.to_owned()), ..Details::default() };
            return Some(Found { cause: Cause::FragmentsDropped, details });
        }
        seen.lost_for_good().map(wire_found)
    }

    fn forgotten(&self, forgotten: &Forgotten<'_>) -> Found {
        let server = self.control_port();
        let is_control = [forgotten.from, forgotten.to].iter().any(|end| Some(end.port()) == server);
        let has_data = self.attempts().any(|attempt| attempt.fate == Fate::Opened);
        let cause = match forgotten.why {
            Why::Restarted => Cause::RouterRestarted,
            Why::AddressChanged => Cause::WanAddressChanged,
            Why::Evicted => Cause::TranslationEvicted,
            Why::Expired if is_control && has_data => Cause::IdleControlExpired,
            Why::Expired => Cause::TranslationExpired,
        };
        let details = Details { router: Some(forgotten.router.to_owned()), ..Details::default() };
        Found { cause, details }
    }

    /// Somebody else than the client came to the server's port, or the client did by another address, and was turned
    /// away.
    pub(super) fn passive_peer_refused(&self) -> Option<Found> {
        let known_as = self.known_as()?;
        let server = self.evidence.at_server?;
        if self.is_opened() && !matches!(self.transfer_code(), Some(425 | 426)) {
            return None;
        }
        let port = match server.dialogue.announced_last_by(Speaker::Server)? {
            Announcement::Passive(end) => end.port(),
            Announcement::ExtendedPassive(port) => port,
            Announcement::Port(_) | Announcement::ExtendedPort(_) => return None,
        };
        let stranger = Self::attempts_of(Some(server)).find(|attempt| {
            attempt.fate == Fate::Opened
                && attempt.to.is_some_and(|to| to.port() == port)
                && attempt.from.is_some_and(|from| *from.ip() != known_as)
        })?;
        let details = Details {
            dialled: stranger.to,
            known_as: Some(known_as),
            because: stranger.from.map(|from| format!("it came from {from}")),
            reply: self.transfer_code(),
            ..Details::default()
        };
        Some(Found { cause: Cause::PassivePeerRefused, details })
    }
}
