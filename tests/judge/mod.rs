//! The kernel as judge: the same raw packets go to the machine's kernel and to the router with a profile, and every
//! byte that leaves on either side is compared.
//!
//! ```text
//! generate ─▶ conversation ─▶ resolve ─▶ packet ─┬─▶ kernel ─▶ what left ─┬─▶ the same?
//!    ▲                           ▲               └─▶ ours ──▶ what left ─┘
//!    └── shrink                  └── what reached the ends, as the kernel sent it
//! ```
//!
//! One thing is made equal before: the identification of packets that a router makes itself and sends back to where the
//! packet under way came from, which the kernel draws. Ports that the kernel draws are told to the router, whose own
//! draw they stand for.

mod announcements;
pub mod cases;
pub mod conversation;
pub mod generate;
mod kernel;
mod ours;
pub mod packets;
mod resolve;
mod scene;
mod script;
pub mod shrink;
mod tally;
pub mod tell;

use quirknat_router::profile::Profile;

use announcements::announced;
use conversation::Conversation;
pub use kernel::Kernel;
use ours::Ours;
use packets::{End, Left};
use resolve::Ends;
use tally::Tally;

/// The profile that says what the kernel does.
pub const PROFILE: &str = "linux-netfilter";

/// A packet that came in, and what both made of it.
pub struct Exchange {
    pub from: End,
    pub packet: Vec<u8>,
    pub kernel: Left,
    pub router: Left,
    /// The router's events.
    pub said: Vec<String>,
}

impl Exchange {
    pub fn differs(&self) -> bool {
        self.kernel != self.router
    }
}

/// A kernel and a profile, to be compared in conversation after conversation.
pub struct Judge {
    kernel: Kernel,
    profile: Profile,
    salt: u16,
    tally: Tally,
}

impl Judge {
    /// Judges a built-in profile, or one from a file. The thread that calls this has no other network afterwards. The
    /// error says what the machine lacks.
    pub fn open(profile: &str) -> Result<Self, String> {
        let profile = Profile::resolve(profile).map_err(|error| error.to_string())?;
        Ok(Self { kernel: Kernel::open()?, profile, salt: 0, tally: Tally::default() })
    }

    /// What the router has done in all conversations together.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Plays a conversation up to the first difference, which is then in the last exchange.
    pub fn play(&mut self, conversation: &Conversation) -> Vec<Exchange> {
        self.kernel.begin(conversation.wan_mtu);
        self.salt = self.salt.wrapping_add(101);
        let mut ours = Ours::new(&self.profile, conversation);
        let mut ends = Ends::new(conversation, self.salt);
        let mut exchanges = Vec::new();
        'steps: for step in &conversation.steps {
            for packet in ends.packets(step) {
                let kernel = self.kernel.take(step.from, &packet);
                let (router, said) = ours.take(step.from, &packet, drawn(&packet, step.from, &kernel));
                ends.learn(step, &kernel);
                let mut exchange = Exchange { from: step.from, packet, kernel, router, said };
                equal_identifications(&mut exchange);
                let differs = exchange.differs();
                exchanges.push(exchange);
                if differs {
                    break 'steps;
                }
            }
        }
        self.tally.add(ours.counters());
        exchanges
    }

    /// The exchanges up to the first difference, where there is one.
    pub fn difference(&mut self, conversation: &Conversation) -> Option<Vec<Exchange>> {
        Some(self.play(conversation)).filter(|exchanges| exchanges.last().is_some_and(Exchange::differs))
    }
}

/// The port that the kernel may have drawn for this packet: the one announced, or the one that it left from.
fn drawn(packet: &[u8], from: End, left: &Left) -> Option<u16> {
    let after = packets::read(left.at(from.other()).first()?)?;
    // What completes a packet that came in fragments may be any of them.
    let Some(before) = packets::read(packet) else { return Some(after.source.port()) };
    let announcement = |read: &packets::Read<'_>| announced(read.tcp?.2, *read.source.ip());
    match (announcement(&before), announcement(&after)) {
        (Some(before), Some(after)) if before.port() != after.port() => Some(after.port()),
        _ => (before.source.port() != after.source.port()).then(|| after.source.port()),
    }
}

/// Gives the router's own answers the identifications of the kernel's, where both headers are right.
fn equal_identifications(exchange: &mut Exchange) {
    let back = exchange.from;
    for (ours, theirs) in exchange.router.at_mut(back).iter_mut().zip(exchange.kernel.at(back)) {
        if packets::header_is_whole(ours) && packets::header_is_whole(theirs) {
            ours[4..6].copy_from_slice(&theirs[4..6]);
            packets::set_header_checksum(ours);
        }
    }
}
