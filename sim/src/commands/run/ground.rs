//! Where scenarios are played: simulated, in namespaces, or on both and compared.

use clap::ValueEnum;

use crate::exit::Failure;
use crate::lab;
use crate::net::Network;
use crate::scenario::language::BackendName;
use crate::scenario::{Scenario, Verdict, compare, play};

/// Where the hosts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Backend {
    /// Simulated, on a virtual clock
    Sim,
    /// Network namespaces, on the machine's clock
    Netns,
    /// One after the other, and compared
    Both,
}

/// What came of a scenario: a verdict, and what is left of each network that was made for it.
pub(super) enum Outcome {
    Played {
        verdict: Verdict,
        networks: Vec<(BackendName, Network)>,
    },
    /// It cannot be played here, for this reason.
    Skipped(String),
    /// It could not be played to its end.
    Failed(String),
}

impl Backend {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Netns => "netns",
            Self::Both => "both",
        }
    }

    /// Makes this process one that can play there. Before any thread starts.
    pub(super) fn prepare(self) -> Result<(), Failure> {
        match self {
            Self::Sim => Ok(()),
            Self::Netns | Self::Both => lab::enter().map_err(|missing| {
                Failure::environment(format!("{missing}; --backend sim needs nothing of it"))
            }),
        }
    }

    /// Plays a scenario.
    pub(super) fn play(self, name: &str, scenario: &Scenario, seed: u64) -> Outcome {
        let wanted: &[BackendName] = match self {
            Self::Sim => &[BackendName::Sim],
            Self::Netns => &[BackendName::Netns],
            Self::Both => &[BackendName::Sim, BackendName::Netns],
        };
        let can = |backend: &BackendName| scenario.only.as_ref().is_none_or(|only| only.backend == *backend);
        let mut verdicts = Vec::new();
        let mut networks = Vec::new();
        for backend in wanted.iter().filter(|backend| can(backend)) {
            let played = match backend {
                BackendName::Sim => play(name, scenario, seed),
                BackendName::Netns => match lab::play(name, scenario, seed) {
                    Ok(played) => played,
                    Err(error) => return Outcome::Failed(error.to_string()),
                },
            };
            verdicts.push(played.verdict);
            networks.push((*backend, played.network));
        }
        let verdict = match (verdicts.pop(), verdicts.pop()) {
            (Some(second), Some(first)) => compare(first, second, ["sim", "netns"]),
            (Some(only), None) => only,
            (None, _) => {
                let because = scenario.only.as_ref().map_or("", |only| only.because.as_str());
                return Outcome::Skipped(because.to_owned());
            }
        };
        Outcome::Played { verdict, networks }
    }
}
