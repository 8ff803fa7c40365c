//! What is sent, and what comes out when.

mod chance;
mod change;
mod spec;
mod time;

use smoltcp::time::Instant;

use super::{Arrival, Carried, Link, LinkLoss, LinkSpec};

fn at(micros: i64) -> Instant {
    Instant::from_micros(micros)
}

/// A link as a scenario file has it.
fn spec(toml: &str) -> LinkSpec {
    toml::from_str(toml).unwrap()
}

fn link(toml: &str) -> Link {
    Link::new(&spec(toml), 1)
}

/// An arrival at this microsecond with nothing else to tell.
fn intact(micros: i64) -> Carried {
    let packet = Arrival { at: at(micros), overtakes: false, flipped_bit: None };
    Carried::Arrives { packet, duplicate: None }
}

impl Carried {
    fn arrival(self) -> Option<Arrival> {
        match self {
            Self::Lost(_) => None,
            Self::Arrives { packet, .. } => Some(packet),
        }
    }

    fn duplicate(self) -> Option<Arrival> {
        match self {
            Self::Lost(_) => None,
            Self::Arrives { duplicate, .. } => duplicate,
        }
    }

    fn loss(self) -> Option<LinkLoss> {
        match self {
            Self::Lost(loss) => Some(loss),
            Self::Arrives { .. } => None,
        }
    }
}
