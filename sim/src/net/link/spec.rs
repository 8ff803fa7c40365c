//! What a link does to packets, as a scenario's author says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::net::units::{Mtu, Probability, Rate, TimeSpan};

/// How many packets a queue holds if nothing is said: netem's limit (tc-netem(8)), and a Linux Ethernet device's.
pub const DEFAULT_QUEUE: u32 = 1000;

/// What one direction of a link does to packets. What is left out is perfect: at once, all, in order, unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LinkSpec {
    /// How long a packet is under way once it is transmitted.
    pub delay: TimeSpan,
    /// The delay is uniform from `delay - jitter` to `delay + jitter`, and never less than none. Unlike netem's, jitter
    /// alone puts no packet before another: an early one waits.
    pub jitter: TimeSpan,
    /// How often a packet is lost, each independently of all others. A lost packet takes up no time of the transmitter,
    /// as with netem.
    pub loss: Probability,
    /// Loss in bursts, besides `loss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst_loss: Option<BurstLoss>,
    /// How often a packet overtakes all that are under way: once transmitted it arrives at once, without delay or
    /// jitter. netem's `reorder` with a gap of 1; but there such a packet passes the rate's queue as well.
    pub reorder: Probability,
    /// How often a packet is sent twice. The copy takes the next place in the queue, and is left out if there is none;
    /// it has a delay, an overtaking and a damage of its own, but is not lost and not doubled again.
    pub duplicate: Probability,
    /// How often one bit of a packet, any of them, is flipped. Checksums are not mended.
    pub corrupt: Probability,
    /// How fast packets are transmitted, one after the other; without it, all at once. Lengths are those of the IP
    /// packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// How many packets can wait for the transmitter, besides the one it is at, as in ns-3; what comes after them is
    /// lost (drop-tail). 1000 if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<u32>,
    /// The longest packet it takes, in bytes of IP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<Mtu>,
    /// Whether it lets nothing in. What is under way still arrives.
    pub down: bool,
}

/// Loss in bursts: the two-state model of Gilbert and Elliott. It starts in the good state.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BurstLoss {
    /// How often, per packet, a burst begins: `p` of netem's `loss gemodel`.
    pub good_to_bad: Probability,
    /// How often, per packet, a burst ends: netem's `r`. Bursts are 1/r packets long on average.
    pub bad_to_good: Probability,
    /// How often a packet is lost in a burst: netem's `1-h`, and like it 1 if not given.
    #[serde(default = "always")]
    pub loss_in_bad: Probability,
    /// How often a packet is lost between bursts: netem's `1-k`, and like it 0 if not given.
    #[serde(default)]
    pub loss_in_good: Probability,
}

fn always() -> Probability {
    Probability::ALWAYS
}

/// Why a link cannot be what its author means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkSpecError {
    /// Without a rate nothing ever waits in a queue.
    #[error(
        "`queue` without `rate` holds nothing: say how fast the link transmits, as in rate = \"10 Mbit/s\""
    )]
    QueueWithoutRate,
    /// Without a delay nothing is ever overtaken.
    #[error("`reorder` without `delay` or `jitter` overtakes nothing: say how long packets are under way")]
    ReorderWithoutDelay,
    /// A burst that never ends is a link that is down.
    #[error("`bad-to-good` of 0 never ends a burst: to cut a link, say that it is down")]
    EndlessBurst,
}

impl LinkSpec {
    /// Whether all that is said has an effect. A link works without, but not as its author thinks.
    pub fn check(&self) -> Result<(), LinkSpecError> {
        if self.queue.is_some() && self.rate.is_none() {
            return Err(LinkSpecError::QueueWithoutRate);
        }
        if self.reorder > Probability::NEVER && self.delay.max(self.jitter) == TimeSpan::ZERO {
            return Err(LinkSpecError::ReorderWithoutDelay);
        }
        if self.burst_loss.as_ref().is_some_and(|burst| burst.bad_to_good == Probability::NEVER) {
            return Err(LinkSpecError::EndlessBurst);
        }
        Ok(())
    }

    pub(super) fn queue_limit(&self) -> u32 {
        self.queue.unwrap_or(DEFAULT_QUEUE)
    }
}
