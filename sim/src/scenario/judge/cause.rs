//! Why a session failed: from what its ends announced, and from what routers and wires said.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::event::{Event, EventKind, TranslationRefusal};
use quirknat_router::reason::DropReason;
use smoltcp::time::Instant;

use super::ftp::Session;
use crate::cause::Cause;
use crate::ftp::{find_host_port, parse_host_port};
use crate::net::{LossReason, Network, NetworkEvent};

/// Finds the cause, the deepest first; `None` where what was seen does not tell.
pub(super) fn find(
    network: &Network,
    since: Instant,
    session: &Session,
    [client, server]: [Option<Ipv4Addr>; 2],
) -> Option<Cause> {
    let events = || network.events().iter().filter(|event| event.at() >= since);
    if events().any(is_full_table) {
        return Some(Cause::TableFull);
    }
    if !session.was_connected() {
        return Some(if events().any(is_link_loss) { Cause::PacketsLost } else { Cause::ControlNotAnswered });
    }
    // An address that is the announcing end's own is of no use where the other end knows it by another one.
    let seen_by_server = session.at_server.control.as_ref().map(|control| *control.from.ip());
    let dialled_by_client = session.at_client.control.as_ref().map(|control| *control.to.ip());
    let announced = session.at_server.commands().iter().rev().find_map(|line| announced_by_client(line));
    let answered = session.at_client.replies().iter().rev().find_map(|line| announced_by_server(line));
    if let (Some(announced), Some(client)) = (announced, client)
        && *announced.ip() == client
        && seen_by_server.is_some_and(|seen| seen != client)
    {
        return Some(Cause::LanAddressInPort);
    }
    if let (Some(answered), Some(server)) = (answered, server)
        && *answered.ip() == server
        && dialled_by_client.is_some_and(|dialled| dialled != server)
    {
        return Some(Cause::LanAddressInPassiveReply);
    }
    if let (Some(announced), Some(500..=504)) = (announced, session.reply())
        && seen_by_server.is_some_and(|seen| seen != *announced.ip())
    {
        return Some(Cause::ForeignAddressRefused);
    }
    let data_port = announced.or(answered).map(|announced| announced.port());
    if events().any(|event| is_unforwarded(event)) && data_port.is_some() {
        return Some(Cause::DataPortNotForwarded);
    }
    events().any(is_link_loss).then_some(Cause::PacketsLost)
}

fn announced_by_client(line: &str) -> Option<SocketAddrV4> {
    let (verb, argument) = line.split_once(' ')?;
    match verb.to_ascii_uppercase().as_str() {
        "PORT" => parse_host_port(argument.trim()).ok(),
        "EPRT" => {
            let mut parts = argument.trim().split('|').skip(2);
            Some(SocketAddrV4::new(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        }
        _ => None,
    }
}

fn announced_by_server(line: &str) -> Option<SocketAddrV4> {
    if line.starts_with("227 ") { find_host_port(line).ok() } else { None }
}

fn is_full_table(event: &NetworkEvent) -> bool {
    matches!(
        event,
        NetworkEvent::Router {
            event: Event {
                kind: EventKind::TranslationRefused { reason: TranslationRefusal::TableFull, .. },
                ..
            },
            ..
        }
    )
}

fn is_unforwarded(event: &NetworkEvent) -> bool {
    matches!(
        event,
        NetworkEvent::Router {
            event: Event { kind: EventKind::PacketDropped { reason: DropReason::Unsolicited, .. }, .. },
            ..
        }
    )
}

fn is_link_loss(event: &NetworkEvent) -> bool {
    matches!(event, NetworkEvent::Lost(loss) if matches!(loss.reason, LossReason::Link(_)))
}
