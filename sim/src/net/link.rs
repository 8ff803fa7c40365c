//! One direction of a link: when a packet that goes in comes out, and in what state, or why it does not.
//!
//! It holds no packet and reads no clock. What it does is what an engineer knows from Linux netem (tc-netem(8),
//! net/sched/sch_netem.c) and ns-3 (`PointToPointNetDevice`); where it differs, [`LinkSpec`] says so. In order:
//!
//! ```text
//! down? ─▶ longer than the MTU? ─▶ random loss ─▶ burst loss ─▶ queue ─▶ transmitter ─▶ delay ± jitter ─▶ out
//!                                                                ▲                    │
//!                                                   a duplicate ─┘                    └─▶ overtaking ─▶ out
//! ```

mod burst;
mod chance;
mod loss;
mod spec;
mod transmitter;

use smoltcp::time::Instant;

use super::units::Mtu;
use burst::BurstState;
use chance::{Chance, Fate};
use transmitter::{Nanos, Transmitter};

pub use loss::LinkLoss;
pub use spec::{BurstLoss, DEFAULT_QUEUE, LinkSpec, LinkSpecError};

/// One direction of a link.
#[derive(Debug, Clone)]
pub struct Link {
    spec: LinkSpec,
    transmitter: Transmitter,
    burst: BurstState,
    chance: Chance,
    /// How many packets were sent, lost ones too.
    sent: u64,
    /// When the last packet that kept its place arrives.
    last_arrival: Nanos,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// It does not arrive.
    Lost(LinkLoss),
    /// It arrives.
    Arrives {
        /// When and how.
        packet: Arrival,
        /// The same of a second copy, if one is made. It is a copy of what was sent: the first one's damage is not in it.
        duplicate: Option<Arrival>,
    },
}

/// When a copy of a packet comes out of a link, and in what state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// Whether it skipped the delay. There may have been nothing to overtake.
    pub overtakes: bool,
    /// The bit that is wrong in it, counted from the highest of its first byte.
    pub flipped_bit: Option<usize>,
}

impl Arrival {
    /// Does to `packet`, which is as it was sent, what the link did to this copy.
    pub fn damage(&self, packet: &mut [u8]) {
        if let Some(bit) = self.flipped_bit
            && let Some(byte) = packet.get_mut(bit / 8)
        {
            *byte ^= 0x80 >> (bit % 8);
        }
    }
}

impl Link {
    /// A link with nothing on it. What it leaves to chance depends on `seed` and on how many packets were sent before;
    /// [`seed_for`](super::random::seed_for) makes a seed of the link's name.
    pub fn new(spec: &LinkSpec, seed: u64) -> Self {
        Self {
            spec: spec.clone(),
            transmitter: Transmitter::default(),
            burst: BurstState::default(),
            chance: Chance::new(seed),
            sent: 0,
            last_arrival: Nanos::default(),
        }
    }

    /// Makes it another link for the packets to come. Those under way, in the queue too, keep their times; if the delay
    /// is shorter now, the next packet waits for the last of them, unless it overtakes.
    pub fn change(&mut self, spec: &LinkSpec) {
        self.spec = spec.clone();
        if self.spec.burst_loss.is_none() {
            self.burst = BurstState::default();
        }
    }

    /// What it does to packets at present.
    pub fn spec(&self) -> &LinkSpec {
        &self.spec
    }

    /// The longest packet it takes, in bytes; `None` if it takes any. Who sends over it has to know: it does not
    /// fragment.
    pub fn mtu(&self) -> Option<u16> {
        self.spec.mtu.map(Mtu::bytes)
    }

    /// Takes in a packet of `length` bytes at `now`, which must not go back from call to call.
    pub fn send(&mut self, now: Instant, length: usize) -> Carried {
        let number = self.sent;
        self.sent = self.sent.wrapping_add(1);
        if let Some(loss) = self.lose(number, length) {
            return Carried::Lost(loss);
        }
        let now = Nanos::from(now);
        let departure = match self.transmitter.take(now, length, &self.spec) {
            Ok(departure) => departure,
            Err(loss) => return Carried::Lost(loss),
        };
        let fate = self.chance.first.decide(number, length, &self.spec);
        let packet = self.arrive(departure, fate);
        let mut duplicate = None;
        if self.chance.duplicate.happens(number, self.spec.duplicate)
            && let Ok(departure) = self.transmitter.take(now, length, &self.spec)
        {
            let fate = self.chance.second.decide(number, length, &self.spec);
            duplicate = Some(self.arrive(departure, fate));
        }
        Carried::Arrives { packet, duplicate }
    }

    /// What keeps a packet from the queue.
    fn lose(&mut self, number: u64, length: usize) -> Option<LinkLoss> {
        // Bursts go on with every packet sent, so that which ones they hit does not hang on why others were lost.
        let in_burst = match &self.spec.burst_loss {
            Some(burst) => self.burst.loses(number, burst, &mut self.chance),
            None => false,
        };
        if self.spec.down {
            return Some(LinkLoss::Down);
        }
        if let Some(mtu) = self.mtu()
            && length > usize::from(mtu)
        {
            return Some(LinkLoss::TooBig { mtu });
        }
        if self.chance.loss.happens(number, self.spec.loss) {
            return Some(LinkLoss::Random);
        }
        in_burst.then_some(LinkLoss::Burst)
    }

    /// When what left the transmitter at `departure` arrives. Jitter alone puts nothing out of order: a link is a
    /// pipe, and a packet that would be early waits for the one before it.
    fn arrive(&mut self, departure: Nanos, fate: Fate) -> Arrival {
        let at = if fate.overtakes {
            departure
        } else {
            self.last_arrival = departure.plus_micros(fate.delay).max(self.last_arrival);
            self.last_arrival
        };
        Arrival { at: at.into(), overtakes: fate.overtakes, flipped_bit: fate.flipped_bit }
    }
}

#[cfg(test)]
mod tests;
