//! Where scenarios are played: simulated, in namespaces, or on both and compared.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use clap::ValueEnum;
use tempfile::TempDir;

use super::programs;
use crate::exit::Failure;
use crate::host::ProgramFailure;
use crate::lab;
use crate::net::Network;
use crate::scenario::language::BackendName;
use crate::scenario::{PlayError, Played, Scenario, Verdict, compare, play};

/// Where the hosts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::commands) enum Backend {
    /// Simulated, on a virtual clock
    Sim,
    /// Network namespaces, on the machine's clock
    Netns,
    /// One after the other, and compared
    Both,
}

/// What came of a scenario: a verdict, and what is left of each network that was made for it.
pub(in crate::commands) enum Outcome {
    Played {
        verdict: Verdict,
        networks: Vec<(BackendName, Network)>,
    },
    /// It cannot be played here, for this reason.
    Skipped(String),
    /// It could not be played to its end.
    Failed(String),
    /// The same, because the machine lacks something.
    Lacking(String),
}

impl Backend {
    pub(in crate::commands) fn name(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Netns => "netns",
            Self::Both => "both",
        }
    }

    /// Makes this process one that can play there. Before any thread starts. Programs have their folders in the one that
    /// is given back: an interrupted run abandons its scenarios, and they cannot remove them.
    pub(in crate::commands) fn prepare(self) -> Result<Option<TempDir>, Failure> {
        if self == Self::Sim {
            return Ok(None);
        }
        lab::enter().map_err(|missing| {
            Failure::environment(format!("{missing}; --backend sim needs nothing of it"))
        })?;
        // Servers that give up their rights go through it.
        let open = Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().prefix("quirknat-run-").permissions(open).tempdir();
        let folder = folder.map_err(|error| Failure::environment(ProgramFailure::Folder(error)))?;
        // It fails where somebody was here before: then folders are where they were.
        let _ = tempfile::env::override_temp_dir(folder.path());
        Ok(Some(folder))
    }

    /// Plays a scenario.
    pub(in crate::commands) fn play(self, name: &str, scenario: &Scenario, seed: u64) -> Outcome {
        let wanted: &[BackendName] = match self {
            Self::Sim => &[BackendName::Sim],
            Self::Netns => &[BackendName::Netns],
            Self::Both => &[BackendName::Sim, BackendName::Netns],
        };
        let only = scenario.runs_only_on();
        let can = |backend: &BackendName| only.is_none_or(|(only, _)| only == *backend);
        let mut verdicts = Vec::new();
        let mut networks = Vec::new();
        for backend in wanted.iter().filter(|backend| can(backend)) {
            let played = match play_on_one(*backend, name, scenario, seed) {
                Ok(played) => played,
                Err(outcome) => return outcome,
            };
            verdicts.push(played.verdict);
            networks.push((*backend, played.network));
        }
        let verdict = match (verdicts.pop(), verdicts.pop()) {
            (Some(second), Some(first)) => compare(first, second, ["sim", "netns"]),
            (Some(only), None) => only,
            (None, _) => {
                let because = only.map_or("", |(_, because)| because);
                return Outcome::Skipped(because.to_owned());
            }
        };
        Outcome::Played { verdict, networks }
    }
}

/// Plays a scenario on one ground, where it can be played; else an outcome says why not.
pub(in crate::commands) fn play_on_one(
    backend: BackendName,
    name: &str,
    scenario: &Scenario,
    seed: u64,
) -> Result<Played, Outcome> {
    match (backend, scenario.runs_only_on()) {
        (_, Some((only, because))) if only != backend => Err(Outcome::Skipped(because.to_owned())),
        (BackendName::Sim, _) => Ok(play(name, scenario, seed)),
        (BackendName::Netns, _) => play_in_lab(name, scenario, seed),
    }
}

/// What a scenario needs and is not installed is told before anything of it is played.
fn play_in_lab(name: &str, scenario: &Scenario, seed: u64) -> Result<Played, Outcome> {
    if let Some(missing) = programs::missing(scenario) {
        return Err(Outcome::Lacking(missing));
    }
    lab::play(name, scenario, seed).map_err(|error| match &error {
        PlayError::Ground(_) | PlayError::Start { source: ProgramFailure::Folder(_), .. } => {
            Outcome::Lacking(error.to_string())
        }
        _ => Outcome::Failed(error.to_string()),
    })
}
