//! A capture's packets through a router of one's choice, on the capture's clock.
//!
//! What LAN hosts sent goes in on the LAN as it was recorded. What came to them goes in on the WAN, as it must have been
//! there for this router to bring it where it was seen: [`Router::turn_outside`]. Hosts do not react: what was recorded
//! is sent whatever becomes of it.

mod repair;
mod survey;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use quirknat_router::event::{Event, Interface};
use quirknat_router::{NotTurned, Router};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::Ipv4Cidr;

use crate::capture::{CaptureError, CaptureReader, CaptureWriter, Captured, Network, network_layer};
use crate::record::{comment, write_json_line};
use repair::{Repaired, repair};
pub use survey::{Survey, survey};

/// The wires of the capture that comes out.
pub const WIRES: [&str; 2] = ["lan", "wan"];

/// What became of the capture's packets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// From LAN hosts, given to the router.
    pub outbound: u64,
    /// To LAN hosts, given to the router on the WAN.
    pub inbound: u64,
    /// Given a checksum or a length that their sender had left to the network card.
    pub repaired: u64,
    /// Left out, and why.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// Where the file ends in the middle of a packet.
    pub cut_off: Option<u64>,
}

/// Why a packet is not replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum LeftOut {
    /// It was seen elsewhere.
    #[error("on another interface")]
    OtherInterface,
    /// IPv6, ARP and the like.
    #[error("not IPv4")]
    NotIpv4,
    /// The capture has only a part of it.
    #[error("cut short by the capture's snapshot length")]
    CutShort,
    /// Between two hosts of the LAN, or with the router itself.
    #[error("within the LAN, also to and from the router")]
    WithinLan,
    /// Neither end is in the LAN.
    #[error("neither to nor from the LAN")]
    NotOfLan,
    /// It was none on the WAN.
    #[error("to the LAN: {0}")]
    NotTurned(NotTurned),
}

/// Why a replay ends early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The capture is at fault.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// What comes out cannot be written.
    #[error("cannot write what comes out: {0}")]
    Output(#[from] io::Error),
}

/// Where what comes out goes.
pub struct Output<C: Write, E: Write> {
    /// The capture, with [`WIRES`].
    pub capture: CaptureWriter<C>,
    /// The events, a JSON object a line.
    pub events: Option<E>,
}

/// A replay under way.
struct Replay<'a, C: Write, E: Write> {
    router: &'a mut Router,
    lan: Ipv4Cidr,
    output: &'a mut Output<C, E>,
    tally: Tally,
    /// The first packet's time: the router's clock begins there.
    start: Option<Instant>,
    now: Instant,
}

/// Sends the packets of one interface through `router`, whose LAN is `lan`.
pub fn replay<C: Write, E: Write>(
    capture: impl Read,
    interface: usize,
    lan: Ipv4Cidr,
    router: &mut Router,
    output: &mut Output<C, E>,
) -> Result<Tally, ReplayError> {
    let mut reader = CaptureReader::new(capture)?;
    let mut replay = Replay { router, lan, output, tally: Tally::default(), start: None, now: Instant::ZERO };
    while let Some(packet) = reader.next_packet()? {
        let left_out = if packet.interface == interface {
            replay.packet(&packet)?
        } else {
            Some(LeftOut::OtherInterface)
        };
        if let Some(reason) = left_out {
            *replay.tally.left_out.entry(reason).or_default() += 1;
        }
    }
    replay.tally.cut_off = reader.cut_off();
    Ok(replay.tally)
}

impl<C: Write, E: Write> Replay<'_, C, E> {
    fn packet(&mut self, packet: &Captured<'_>) -> io::Result<Option<LeftOut>> {
        let bytes = match network_layer(packet.link, packet.bytes) {
            Network::Ipv4(bytes) => bytes,
            Network::Cut => return Ok(Some(LeftOut::CutShort)),
            Network::Ipv6(_) | Network::Other | Network::UnknownLink => return Ok(Some(LeftOut::NotIpv4)),
        };
        let mut bytes = bytes.to_vec();
        match repair(&mut bytes) {
            Repaired::CutShort => return Ok(Some(LeftOut::CutShort)),
            Repaired::Changed => self.tally.repaired += 1,
            Repaired::Unchanged => {}
        }
        self.set_clock(packet.at);
        match survey::way(self.lan, &bytes) {
            survey::Way::Outbound => {
                self.tally.outbound += 1;
                self.through(Interface::Lan(0), bytes)?;
            }
            survey::Way::Inbound => match self.router.turn_outside(self.now, &mut bytes) {
                Ok(()) => {
                    self.tally.inbound += 1;
                    self.through(Interface::Wan, bytes)?;
                }
                Err(why) => return Ok(Some(LeftOut::NotTurned(why))),
            },
            survey::Way::Within => return Ok(Some(LeftOut::WithinLan)),
            survey::Way::Neither => return Ok(Some(LeftOut::NotOfLan)),
        }
        Ok(None)
    }

    /// The router's clock begins with the capture, and never runs backwards.
    fn set_clock(&mut self, at: Instant) {
        let start = *self.start.get_or_insert(at);
        let since = at.total_micros().saturating_sub(start.total_micros()).max(0);
        self.now = self.now.max(Instant::from_micros(since));
    }

    fn through(&mut self, ingress: Interface, mut bytes: Vec<u8>) -> io::Result<()> {
        let seen = bytes.clone();
        let egress = self.router.forward(self.now, ingress, &mut bytes);
        let events: Vec<Event> = std::iter::from_fn(|| self.router.poll_event()).collect();
        self.write(ingress, &seen, comment(&events).as_deref())?;
        if let Some(egress) = egress {
            self.write(egress, &bytes, None)?;
        }
        while let Some((egress, bytes)) = self.router.poll_transmit() {
            self.write(egress, &bytes, None)?;
        }
        self.tell(events)
    }

    fn write(&mut self, wire: Interface, bytes: &[u8], comment: Option<&str>) -> io::Result<()> {
        let wire = usize::from(wire == Interface::Wan);
        let at = self.on_the_captures_clock(self.now);
        self.output.capture.write(wire, at, bytes, comment)
    }

    fn tell(&mut self, events: Vec<Event>) -> io::Result<()> {
        let start = self.on_the_captures_clock(Instant::ZERO);
        let Some(out) = &mut self.output.events else { return Ok(()) };
        for mut event in events {
            event.at = later(start, event.at);
            write_json_line(out, &event)?;
        }
        Ok(())
    }

    fn on_the_captures_clock(&self, at: Instant) -> Instant {
        later(self.start.unwrap_or(Instant::ZERO).max(Instant::ZERO), at)
    }
}

/// `at` after `start`, without the overflow that a hostile clock could cause.
fn later(start: Instant, at: Instant) -> Instant {
    let since = Duration::from_micros(at.total_micros().unsigned_abs());
    let micros = i64::try_from(since.total_micros()).unwrap_or(i64::MAX);
    Instant::from_micros(start.total_micros().saturating_add(micros))
}
