//! A wire: two links between a host or home and what it is plugged into.

use super::link::{Link, LinkSpec};
use super::random::seed_for;
use super::units::Probability;

/// What a wire is like in its two directions: away from the host or home at its end, and towards it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WireSpec {
    /// From the host or home.
    pub up: LinkSpec,
    /// To it.
    pub down: LinkSpec,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the host or home at the wire's end.
    Up,
    /// To it.
    Down,
}

#[derive(Debug)]
pub(super) struct Wire {
    pub(super) name: String,
    spec: WireSpec,
    up: Link,
    down: Link,
}

impl Wire {
    pub(super) fn new(name: String, spec: &WireSpec, seed: u64) -> Self {
        let up = Link::new(&spec.up, seed_for(seed, &format!("{name}.up")));
        let down = Link::new(&spec.down, seed_for(seed, &format!("{name}.down")));
        Self { name, spec: spec.clone(), up, down }
    }

    pub(super) fn link(&mut self, direction: Direction) -> &mut Link {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    pub(super) fn leaves_to_chance(&self) -> bool {
        let chance = |spec: &LinkSpec| {
            let effects = [spec.loss, spec.reorder, spec.duplicate, spec.corrupt];
            effects.into_iter().any(|effect| effect > Probability::NEVER) || spec.burst_loss.is_some()
        };
        chance(&self.spec.up) || chance(&self.spec.down)
    }

    pub(super) fn mtu(&self, direction: Direction) -> Option<u16> {
        match direction {
            Direction::Up => self.up.mtu(),
            Direction::Down => self.down.mtu(),
        }
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut WireSpec)) {
        change(&mut self.spec);
        self.up.change(&self.spec.up);
        self.down.change(&self.spec.down);
    }
}
