//! Why requests were not answered.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::event::TranslationRefusal;
use quirknat_router::reason::DropReason;

use super::Finding;
use super::case::wire_found;
use super::seen::{End, Seen, Why, Witness, is_unwanted, sources};
use crate::cause::{Cause, Details, Found};
use crate::net::LossReason;

/// Finds why requests of `client`, sent `to` an endpoint, were not answered.
pub fn find_exchange(witness: Witness<'_>, client: Ipv4Addr, to: SocketAddrV4) -> Finding {
    let seen = Seen::new(witness, sources(witness, client, to).chain([to]));
    let found = |cause, router: Option<&str>| {
        let router = router.map(str::to_owned);
        Finding::Cause(Found { cause, details: Details { dialled: Some(to), router, ..Details::default() } })
    };
    match seen.translation_refused() {
        Some((router, TranslationRefusal::TableFull | TranslationRefusal::HostLimit)) => {
            return found(Cause::TableFull, Some(router));
        }
        Some((router, TranslationRefusal::NoPortLeft)) => return found(Cause::NoPortLeft, Some(router)),
        // Not by a protocol with ports.
        Some((_, TranslationRefusal::RemoteTaken)) | None => {}
    }
    match seen.turned_away(&[to]).map(|ended| ended.end) {
        Some(End::Dropped(router, DropReason::Hairpinning)) => {
            return found(Cause::HairpinningOff, Some(router));
        }
        Some(end @ (End::Dropped(router, _) | End::Rejected(router))) if is_unwanted(end) => {
            return found(Cause::NotForwarded, Some(router));
        }
        Some(End::Lost(LossReason::PrivateDestination)) => return found(Cause::PrivateAddressDialled, None),
        _ => {}
    }
    if let Some(forgotten) = seen.forgotten() {
        let cause = match forgotten.why {
            Why::Restarted => Cause::RouterRestarted,
            Why::AddressChanged => Cause::WanAddressChanged,
            Why::Expired => Cause::TranslationExpired,
            Why::Evicted => Cause::TranslationEvicted,
        };
        return found(cause, Some(forgotten.router));
    }
    if let Some(router) = seen.fragment_dropped() {
        return found(Cause::FragmentsDropped, Some(router));
    }
    match seen.lost_for_good() {
        Some(fault) => Finding::Cause(wire_found(fault)),
        None => Finding::Undecided { wanted: Vec::new() },
    }
}
