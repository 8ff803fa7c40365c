//! Why no data connection was established, with a router's and the wires' word for it.

use std::net::SocketAddrV4;

use quirknat_router::event::ForwardEnd;
use quirknat_router::reason::DropReason;

use super::case::Case;
use super::said::last_setup;
use super::seen::{End, Ended, is_unwanted};
use crate::cause::{Cause, Details, Found};
use crate::net::LossReason;
use crate::net::link::LinkLoss;
use crate::session::{Fate, Speaker};

impl Case<'_> {
    /// Why no data connection was established.
    pub(super) fn unopened(&self) -> Option<Found> {
        if let Some(found) = self.no_room().or_else(|| self.active()).or_else(|| self.passive()) {
            return Some(found);
        }
        let dialled: Vec<SocketAddrV4> = self.attempts().filter_map(|attempt| attempt.to).collect();
        let Some(seen) = &self.seen else { return self.unopened_alone() };
        if let Some(found) = seen.turned_away(&dialled).and_then(|ended| self.turned_away(&ended)) {
            return Some(found);
        }
        let refused = self.attempts().find(|attempt| attempt.fate == Fate::Refused)?;
        let details = Details { dialled: refused.to, ..Details::default() };
        Some(Found { cause: Cause::DataPortClosed, details })
    }

    /// What a router or the network did with the SYN.
    fn turned_away(&self, ended: &Ended<'_>) -> Option<Found> {
        let seen = self.seen.as_ref()?;
        let mut because = None;
        let (cause, router) = match ended.end {
            End::Dropped(router, DropReason::Hairpinning) => (Cause::HairpinningOff, Some(router)),
            End::Dropped(router, DropReason::ForwardForAnotherPeer) => {
                (Cause::ForwardForAnotherPeer, Some(router))
            }
            end @ (End::Dropped(router, _) | End::Rejected(router)) if is_unwanted(end) => {
                let cause = match seen.forward_ended(ended.to, ended.at) {
                    Some(ForwardEnd::Expired) => Cause::ForwardExpired,
                    Some(ForwardEnd::UsedUp) => Cause::ForwardUsedUp,
                    _ if self.needs_gateway(router) => Cause::ControlEncrypted,
                    _ => Cause::DataPortNotForwarded,
                };
                (cause, Some(router))
            }
            End::Dropped(router, DropReason::NoSuchStation) => (Cause::AnnouncedAddressUnknown, Some(router)),
            End::Lost(LossReason::PrivateDestination) => {
                let by_client = self.attempts().find(|attempt| attempt.to == Some(ended.to))?.dialled_by;
                let plain = match by_client? {
                    Speaker::Client => Cause::LanAddressInPassiveReply,
                    Speaker::Server => Cause::LanAddressInPort,
                };
                (if self.is_encrypted() { Cause::ControlEncrypted } else { plain }, None)
            }
            End::Lost(LossReason::NobodyThere) => (Cause::AnnouncedAddressUnknown, None),
            End::Lost(LossReason::TooBig | LossReason::Link(LinkLoss::TooBig { .. })) => {
                (Cause::PathMtu, None)
            }
            End::Lost(LossReason::Link(_) | LossReason::RouterOff) => (Cause::PacketsLost, None),
            End::Dropped(_, reason) => {
                log::debug!("a data connection was dropped: {reason}");
                return None;
            }
            End::Rejected(_) | End::Lost(_) => return None,
        };
        if let End::Dropped(_, reason) = ended.end {
            because = Some(reason.to_string());
        }
        let setup = last_setup(self.said()).map(|(setup, _)| setup);
        let details = Details {
            command: setup.map(|setup| setup.verb.clone()),
            dialled: Some(ended.to),
            control_port: self.control_port(),
            router: router.map(str::to_owned),
            because,
            ..Details::default()
        };
        Some(Found { cause, details })
    }

    /// Whether the gateway of this router would have opened the port, could it have read the control connection.
    fn needs_gateway(&self, router: &str) -> bool {
        let watches = |port: u16| {
            let dialect = self.seen.as_ref().and_then(|seen| seen.dialect(router));
            dialect
                .is_some_and(|dialect| dialect.control_ports.contains(&port) && !dialect.commands.is_empty())
        };
        // What can still be read was announced before the encryption began, or by an end that left it.
        self.is_encrypted() && self.control_port().is_some_and(watches)
    }
}
