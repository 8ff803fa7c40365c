//! Wires: whether all that is said of them has an effect.

use quirknat_router::diagnostic::Diagnostic;

use super::Check;
use super::place::{self, Part};
use crate::net::WireSpec;
use crate::net::link::LinkSpecError;
use crate::scenario::resolve;

impl Check<'_> {
    /// The wires as they are at first.
    pub(super) fn links(&self) -> Result<(), Diagnostic> {
        let keys = ["uplink", "downlink", "link"];
        for (name, network) in &self.scenario.network {
            let at = [Part::Key("network"), Part::Key(name), Part::Key("router")];
            self.wire(&resolve::router_wire(&network.router), &at, keys)?;
        }
        for (name, host) in &self.scenario.host {
            let at = [Part::Key("host"), Part::Key(name)];
            self.wire(&resolve::host_wire(host), &at, keys)?;
        }
        Ok(())
    }

    /// One wire, as the tables `keys` say in the one at `path`: for up, for down, and for both.
    pub(super) fn wire(
        &self,
        wire: &WireSpec,
        path: &[Part<'_>],
        [up, down, both]: [&str; 3],
    ) -> Result<(), Diagnostic> {
        for (direction, own) in [(&wire.up, up), (&wire.down, down)] {
            let Err(error) = direction.check() else { continue };
            let key = match error {
                LinkSpecError::QueueWithoutRate => "queue",
                LinkSpecError::ReorderWithoutDelay => "reorder",
                LinkSpecError::EndlessBurst => "burst-loss",
            };
            let at = |table| {
                let path: Vec<Part<'_>> =
                    path.iter().copied().chain([Part::Key(table), Part::Key(key)]).collect();
                place::key(self.document, &path)
            };
            // What makes it so may have been said in an earlier step.
            let place = at(own).or_else(|| at(both)).or_else(|| place::key(self.document, path));
            let (message, help) = split(&error.to_string());
            let diagnostic = self.whole(message).with_help(help);
            return Err(match place {
                Some(place) => diagnostic.at(place),
                None => diagnostic,
            });
        }
        Ok(())
    }
}

/// What is wrong, and what to do.
fn split(words: &str) -> (String, String) {
    let (message, help) = words.split_once(": ").unwrap_or((words, ""));
    (message.to_owned(), help.to_owned())
}
