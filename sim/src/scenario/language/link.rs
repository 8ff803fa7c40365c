//! What a wire is like, or is like from now on.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::net::link::{BurstLoss, LinkSpec};
use crate::net::units::{Mtu, Probability, Rate, TimeSpan};

/// What a wire does to packets, where it differs from what it did before. A wire that nothing is said about has a delay
/// of 5 ms on the public network and of 100 µs in a home, and is perfect otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LinkChange {
    /// How long a packet is under way once it is transmitted.
    pub delay: Option<TimeSpan>,
    /// The delay is uniform from `delay - jitter` to `delay + jitter`. Jitter alone puts no packet before another.
    pub jitter: Option<TimeSpan>,
    /// How often a packet is lost, each independently of all others: `0.01` or `"1%"`.
    pub loss: Option<Probability>,
    /// Loss in bursts, besides `loss`: the two-state model of Gilbert and Elliott.
    pub burst_loss: Option<BurstLoss>,
    /// How often a packet overtakes all that are under way: it arrives without delay.
    pub reorder: Option<Probability>,
    /// How often a packet arrives twice.
    pub duplicate: Option<Probability>,
    /// How often one bit of a packet, any of them, is flipped.
    pub corrupt: Option<Probability>,
    /// How fast packets are transmitted, one after the other: `"10 Mbit/s"`; all at once without this.
    pub rate: Option<Rate>,
    /// How many packets wait for the transmitter at most, 1000 without this; what comes after them is lost. It needs a
    /// `rate`.
    pub queue: Option<u32>,
    /// The longest packet it takes, in bytes of IP. Hosts know that of their own wire, which is 1500 without this.
    pub mtu: Option<Mtu>,
    /// Whether it lets nothing in. What is under way still arrives.
    pub down: Option<bool>,
}

impl LinkChange {
    /// Makes `spec` what this says.
    pub fn apply(&self, spec: &mut LinkSpec) {
        fn set<T: Clone>(place: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                place.clone_from(value);
            }
        }
        set(&mut spec.delay, self.delay.as_ref());
        set(&mut spec.jitter, self.jitter.as_ref());
        set(&mut spec.loss, self.loss.as_ref());
        set(&mut spec.reorder, self.reorder.as_ref());
        set(&mut spec.duplicate, self.duplicate.as_ref());
        set(&mut spec.corrupt, self.corrupt.as_ref());
        set(&mut spec.down, self.down.as_ref());
        spec.burst_loss = self.burst_loss.clone().or(spec.burst_loss.take());
        spec.rate = self.rate.or(spec.rate);
        spec.queue = self.queue.or(spec.queue);
        spec.mtu = self.mtu.or(spec.mtu);
    }
}
