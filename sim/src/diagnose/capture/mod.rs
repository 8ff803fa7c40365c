//! Captures: the sessions in them, found by what is said on a connection, on whatever port, from the middle too.

mod flows;
mod guess;
mod packet;
mod tracker;

use std::collections::BTreeSet;
use std::net::{Ipv6Addr, SocketAddrV6};

use super::material::{Material, Medium, Observed, Source};
use crate::capture::{CaptureError, CaptureReader, Network, network_layer};
use tracker::{Tracked, Tracker};

/// IPv6 control connections that are named.
const MOST_IPV6: usize = 64;

/// Adds what a capture tells, packet by packet.
pub(super) fn read_capture(
    material: &mut Material,
    name: &str,
    file: impl std::io::Read,
) -> Result<(), CaptureError> {
    let mut reader = CaptureReader::new(file)?;
    let mut trackers: Vec<Tracker> = Vec::new();
    let mut aside = Aside::default();
    while let Some(packet) = reader.next_packet()? {
        aside.packets += 1;
        while trackers.len() <= packet.interface {
            trackers.push(Tracker::default());
        }
        match network_layer(packet.link, packet.bytes) {
            Network::Ipv4(bytes) => {
                if let Some(tracker) = trackers.get_mut(packet.interface) {
                    tracker.packet(packet.at, &packet::read(bytes));
                }
            }
            Network::Ipv6(bytes) => aside.ipv6(bytes),
            Network::UnknownLink => {
                aside.unknown_links.insert(packet.link.to_string());
            }
            Network::Cut => aside.cut += 1,
            Network::Other => {}
        }
    }
    let several = reader.interfaces().len() > 1;
    let cut_off = reader.cut_off();
    let first = material.sources.len();
    for (number, (interface, tracker)) in reader.interfaces().iter().zip(trackers).enumerate() {
        let name = match &interface.name {
            Some(interface) if several => format!("{name}, {interface}"),
            None if several => format!("{name}, interface {number}"),
            _ => name.to_owned(),
        };
        add(material, name, first, tracker);
    }
    if material.sources.len() == first {
        let nothing = Tracker::default();
        add(material, name.to_owned(), first, nothing);
    }
    if let Some(source) = material.sources.get_mut(first) {
        source.notes.extend(aside.notes(cut_off));
    }
    Ok(())
}

fn add(material: &mut Material, name: String, clock: usize, tracker: Tracker) {
    let source = material.sources.len();
    let seen = tracker.seen().clone();
    let mut notes = Vec::new();
    let mut note = |count: u64, what: &str| {
        if count > 0 {
            notes.push(format!("{count} {what}"));
        }
    };
    note(
        seen.fragments,
        "fragments of IPv4 packets: they are not put together, and what is in them is not seen",
    );
    note(seen.cut, "packets are cut short before their headers end: capture with a larger snapshot length");
    note(seen.sessions_beyond, "connections like FTP's beyond those that are kept: they are not looked at");
    let span = tracker.span();
    for tracked in tracker.into_sessions() {
        let Tracked { account, began, joined, encrypted, beyond } = tracked;
        let mut notes = Vec::new();
        if beyond > 0 {
            notes.push(format!("{beyond} lines of its dialogue beyond those that are kept"));
        }
        material.observed.push(Observed { source, account, began: Some(began), joined, encrypted, notes });
    }
    let sees_data = seen.beside > 0;
    let medium = Medium::Capture;
    material.sources.push(Source { name, medium, clock, stated: None, span, sees_data, notes });
}

/// What a capture tells besides its IPv4 sessions.
#[derive(Debug, Default)]
struct Aside {
    packets: u64,
    cut: u64,
    ipv6: BTreeSet<String>,
    ipv6_beyond: bool,
    unknown_links: BTreeSet<String>,
}

impl Aside {
    /// Notes an FTP server on IPv6.
    fn ipv6(&mut self, bytes: &[u8]) {
        let Some((server, client)) = ipv6_ends(bytes) else { return };
        if self.ipv6.len() < MOST_IPV6 {
            self.ipv6.insert(format!("{client} with {server}"));
        } else {
            self.ipv6_beyond = true;
        }
    }

    fn notes(&self, cut_off: Option<u64>) -> Vec<String> {
        let mut notes = Vec::new();
        if self.packets == 0 {
            notes.push("there is no packet in it".to_owned());
        }
        if let Some(offset) = cut_off {
            notes.push(format!(
                "the file ends in the middle of a packet, at offset {offset}: read up to there"
            ));
        }
        if self.cut > 0 {
            notes.push(format!("{} packets are cut short before the network layer", self.cut));
        }
        if !self.unknown_links.is_empty() {
            let links: Vec<&str> = self.unknown_links.iter().map(String::as_str).collect();
            notes.push(format!("packets with {}, which is not read here", links.join(", ")));
        }
        let more = if self.ipv6_beyond { ", and others" } else { "" };
        if !self.ipv6.is_empty() {
            let sessions: Vec<&str> = self.ipv6.iter().map(String::as_str).collect();
            let sessions = sessions.join("; ");
            notes.push(format!("FTP over IPv6, which is recognised and not analysed: {sessions}{more}"));
        }
        notes
    }
}

/// The server and the client of an IPv6 packet that carries a greeting of FTP. Extension headers are not looked behind.
fn ipv6_ends(bytes: &[u8]) -> Option<(SocketAddrV6, SocketAddrV6)> {
    const TCP: u8 = 6;
    if *bytes.get(6)? != TCP {
        return None;
    }
    let address = |at: usize| bytes.get(at..)?.first_chunk::<16>().copied().map(Ipv6Addr::from);
    let port = |at: usize| bytes.get(at..)?.first_chunk::<2>().copied().map(u16::from_be_bytes);
    let header = usize::from(*bytes.get(52)? >> 4) * 4;
    let payload = bytes.get(40 + header..).filter(|payload| payload.starts_with(b"220"))?;
    let line = String::from_utf8_lossy(payload.get(..payload.len().min(512))?).to_ascii_uppercase();
    let source = SocketAddrV6::new(address(8)?, port(40)?, 0, 0);
    let destination = SocketAddrV6::new(address(24)?, port(42)?, 0, 0);
    (source.port() == 21 || line.contains("FTP")).then_some((source, destination))
}
