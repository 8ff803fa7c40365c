//! What can be told without a word of any router: from captures and logs of the ends.

use super::case::{Case, is_private};
use super::said::last_setup;
use crate::cause::{Cause, Details, Found};
use crate::session::{DataAttempt, Fate, Speaker};

impl Case<'_> {
    /// Why no data connection was established, where both ends' captures show it: the dialled end is behind a router,
    /// the SYN left the one end, and did not come to the other.
    pub(super) fn unopened_alone(&self) -> Option<Found> {
        let (client, server) = (self.evidence.at_client?, self.evidence.at_server?);
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
}
