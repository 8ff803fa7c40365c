//! What can be told without a word of any router: from captures and logs of the ends.

use super::case::{Case, is_private};
use super::said::last_setup;
use crate::cause::{Cause, Details, Found};
use crate::session::{DataAttempt, Fate, Speaker};

impl Case<'_> {
    /// Why no data connection was established, where both ends' captures show it: the dialled end is behind a router,
    /// the SYN left the one end, and did not come to the other.
    pub(super) fn unopened_alone(&self) -> Option<Found> {
        let (Some(client), Some(server)) = (self.evidence.at_client, self.evidence.at_server) else {
            return self.unopened_instead();
        };
        let attempt = Self::attempts_of(Some(client)).chain(Self::attempts_of(Some(server))).last()?;
        let (far, own) = match attempt.dialled_by? {
            Speaker::Client => (server, self.server()?),
            Speaker::Server => (client, self.client()?),
        };
        let to = attempt.to?;
        let failed = matches!(attempt.fate, Fate::Refused | Fate::Unreachable | Fate::NoAnswer);
        let arrived = |seen: &DataAttempt| seen.to.is_some_and(|seen| seen.ip() == &own);
        // Its router has the dialled address; the host itself has another, behind it.
        if !failed || *to.ip() == own || !is_private(own) || far.data.iter().any(arrived) {
            return None;
        }
        let details = Details {
            command: last_setup(self.said()).map(|(setup, _)| setup.verb.clone()),
            dialled: Some(to),
            control_port: self.control_port(),
            ..Details::default()
        };
        Some(Found { cause: Cause::DataPortNotForwarded, details })
    }

    /// Why no data connection was established to an end that announced an address of its LAN, where the other end did
    /// not believe it, and dialled the address that it knows: one end's account shows that there is a router, and that
    /// what was dialled at it did not come through.
    fn unopened_instead(&self) -> Option<Found> {
        let account = self.evidence.at_client.or(self.evidence.at_server)?;
        let (setup, _) = last_setup(self.said())?;
        let announced = setup.announced()?;
        let attempt = Self::attempts_of(Some(account)).last()?;
        let to = attempt.to?;
        let by =
            if matches!(setup.verb.as_str(), "PORT" | "EPRT") { Speaker::Server } else { Speaker::Client };
        let failed = matches!(attempt.fate, Fate::Refused | Fate::Unreachable | Fate::NoAnswer);
        let instead = is_private(*announced.ip()) && !is_private(*to.ip()) && announced.port() == to.port();
        if !failed || !instead || attempt.dialled_by != Some(by) {
            return None;
        }
        let details = Details {
            command: Some(setup.verb.clone()),
            announced: Some(announced),
            dialled: Some(to),
            control_port: self.control_port(),
            ..Details::default()
        };
        Some(Found { cause: Cause::DataPortNotForwarded, details })
    }
}
