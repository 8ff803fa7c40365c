//! The attacks that FTP gateways are known for, each a built-in scenario: what one router lets them do.
//!
//! [`suffer`] plays them all with a router of one's choice in the victim's home and reads off its events and off the
//! wires which hole opens, to whom and for how long. A scenario's own expectations are those of the router it names;
//! here they do not count.

mod text;

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::alg::AllowedPeer;
use quirknat_router::event::{Event, EventKind};
use quirknat_router::packet::{Packet, TcpFlags};
use quirknat_router::profile::Profile;
use serde::Serialize;
use smoltcp::time::Instant;

use crate::net::{Crossing, Direction, Network, NetworkEvent};
use crate::scenario::{Builtin, Played, Scenario, builtin, play};
use crate::session::{Line, connections};

pub use text::{markdown, text};

/// The victim's home, and the attacker's host, in each of the scenarios.
const HOME: &str = "home";
const ATTACKER: &str = "attacker";
const SEED: u64 = 0;
/// What a link takes (Ethernet's MTU, RFC 894): the scenarios make the victim's no smaller.
const MTU: usize = 1500;

/// Those that open nothing: a forward in them is for who announced it.
const FAULTS: [&str; 3] = ["attack-long-line", "attack-oversize", "attack-split"];

/// What came of one attack on one router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suffered {
    /// The scenario's name.
    pub attack: &'static str,
    /// Its title.
    pub title: String,
    /// The holes that the gateway opened.
    pub holes: Vec<Hole>,
    /// The announcement as it left the home, if one did.
    pub announced: Option<String>,
    /// Whether it left otherwise than it was sent.
    pub rewritten: bool,
    /// What the gateway said of what it did not follow.
    pub left_alone: Vec<String>,
    /// Octets of the largest packet that left larger than the link takes; 0 if none did.
    pub oversize: usize,
}

/// A forward that an attack had a gateway open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hole {
    /// Where on the WAN.
    pub external: SocketAddrV4,
    /// Where it leads.
    pub target: SocketAddrV4,
    /// Who may use it, in words.
    pub allowed: String,
    /// How long it is open, in seconds, if nobody uses it; 0: until the control connection ends.
    pub open_for_s: u32,
    /// Whether the attacker's SYN got to the target.
    pub got_in: bool,
}

impl Suffered {
    /// Whether a hole opened that the announcing host's user would not want.
    pub fn is_open(&self) -> bool {
        !self.holes.is_empty() && !self.is_about_faults()
    }

    /// Whether the attack makes a gateway do wrong what it was asked for, by one who may ask for it.
    fn is_about_faults(&self) -> bool {
        FAULTS.contains(&self.attack)
    }
}

/// The scenarios, in the order of their names.
pub fn attacks() -> impl Iterator<Item = &'static Builtin> {
    builtin().iter().filter(|entry| entry.name.starts_with("attack-"))
}

/// Plays all attacks on a router of this profile. Where the profile cannot stand in a scenario's home, as one without
/// forwards cannot where a server is attacked, that attack is left out.
pub fn suffer(profile: &Profile) -> Vec<Suffered> {
    attacks().filter_map(|entry| suffer_one(entry, profile)).collect()
}

fn suffer_one(entry: &'static Builtin, profile: &Profile) -> Option<Suffered> {
    let mut scenario = Scenario::from_toml(entry.name, entry.toml).ok()?;
    *scenario.router_mut(HOME)?.profile_mut()? = profile.clone();
    scenario.can_be_built().then(|| read_off(entry.name, &scenario))
}

fn read_off(name: &'static str, scenario: &Scenario) -> Suffered {
    let Played { network, .. } = play(name, scenario, SEED);
    let attacker = *scenario.host[ATTACKER].address.get_ref();
    let mut suffered = Suffered {
        attack: name,
        title: scenario.title.clone(),
        holes: Vec::new(),
        announced: None,
        rewritten: false,
        left_alone: Vec::new(),
        oversize: oversize(&network),
    };
    for event in network.events() {
        let NetworkEvent::Router { event, .. } = event else { continue };
        suffered.take(event, &network, attacker);
    }
    suffered.announced = announced(&network);
    suffered
}

impl Suffered {
    fn take(&mut self, event: &Event, network: &Network, attacker: Ipv4Addr) {
        match &event.kind {
            EventKind::ForwardOpened { external, target, allowed, expires_s, .. } => {
                // A lifetime counts from the next whole second.
                let from = (event.at.total_micros() + 999_999) / 1_000_000;
                let seconds = expires_s.map_or(0, |expires| i64::from(expires) - from);
                self.holes.push(Hole {
                    external: *external,
                    target: *target,
                    allowed: who(*allowed).to_owned(),
                    open_for_s: u32::try_from(seconds).unwrap_or_default(),
                    got_in: gets_in(network, attacker, *target),
                });
            }
            EventKind::CommandRewritten { .. } => self.rewritten = true,
            EventKind::CommandLeftAlone { reason, .. } => self.say(reason.to_string()),
            EventKind::PacketDropped { reason, packet_source: Some(source), .. } if *source != attacker => {
                self.say(format!("dropped: {reason}"));
            }
            _ => {}
        }
    }

    fn say(&mut self, what: String) {
        if !self.left_alone.contains(&what) {
            self.left_alone.push(what);
        }
    }
}

/// The attacker's host is the other end of each scenario's control connection.
fn who(allowed: AllowedPeer) -> &'static str {
    match allowed {
        AllowedPeer::Peer => "the attacker's host",
        AllowedPeer::PeerDataPort => "the attacker's data port",
        AllowedPeer::Anyone => "anyone",
    }
}

/// Whether a connection of the attacker's came to `target` on the LAN.
fn gets_in(network: &Network, attacker: Ipv4Addr, target: SocketAddrV4) -> bool {
    let lan = format!("{HOME}.lan.");
    let wires = network.wires();
    let on_lan = |crossing: &&Crossing| {
        let is_lan = wires.get(crossing.wire).is_some_and(|name| name.starts_with(&lan));
        is_lan && crossing.direction == Direction::Down && !crossing.lost
    };
    network.record().iter().filter(on_lan).any(|crossing| {
        let mut bytes = crossing.bytes.clone();
        let Ok(packet) = Packet::parse(&mut bytes) else { return false };
        let ends = packet.session().map(|(_, source, destination)| (*source.ip(), destination));
        let opens =
            packet.tcp().is_some_and(|tcp| tcp.flags.0 & (TcpFlags::SYN | TcpFlags::ACK) == TcpFlags::SYN);
        opens && ends == Some((attacker, target))
    })
}

/// What leaves the home to the WAN.
fn leaving(network: &Network) -> impl Iterator<Item = &Crossing> {
    let wan = format!("{HOME}.wan");
    let wire = network.wires().iter().position(|name| *name == wan);
    let leaves =
        move |crossing: &&Crossing| Some(crossing.wire) == wire && crossing.direction == Direction::Up;
    network.record().iter().filter(leaves)
}

/// The largest packet that left larger than the link takes.
fn oversize(network: &Network) -> usize {
    leaving(network)
        .map(|crossing| crossing.bytes.len())
        .filter(|length| *length > MTU)
        .max()
        .unwrap_or_default()
}

/// The last announcement that left the home.
fn announced(network: &Network) -> Option<String> {
    let wire = leaving(network).next()?.wire;
    let all = connections(network.record(), wire, Instant::ZERO);
    let mut lines = all.iter().flat_map(|connection| connection.dialogue().lines);
    lines.by_ref().filter(|line: &Line| line.announces().is_some()).map(|line| line.text).last()
}

#[cfg(test)]
mod tests;
