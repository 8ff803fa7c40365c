//! Loss in bursts: the model of Gilbert and Elliott.

use super::BurstLoss;
use super::chance::Chance;

/// Where the model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum BurstState {
    #[default]
    Good,
    Bad,
}

impl BurstState {
    /// Whether the packet of this number is lost. As in netem (`loss_gilb_ell`), the state for the next packet is drawn
    /// along with it, and its own fate depends on the state before.
    pub(super) fn loses(&mut self, number: u64, model: &BurstLoss, chance: &mut Chance) -> bool {
        let (leave, loss, other) = match self {
            Self::Good => (model.good_to_bad, model.loss_in_good, Self::Bad),
            Self::Bad => (model.bad_to_good, model.loss_in_bad, Self::Good),
        };
        if chance.burst_change.happens(number, leave) {
            *self = other;
        }
        chance.burst_loss.happens(number, loss)
    }
}
