//! The scenario language: the types that a file is read as, and that its schema and its reference page are made from.
//!
//! What a field means is said in its documentation here, which the reference page repeats.

mod content;
mod expect;
mod link;
mod place;
pub mod schema;
mod segments;
mod step;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

pub use content::Content;
pub use expect::{Expect, Outcome};
pub use link::LinkChange;
pub use place::{
    DataSource, ForeignAddress, FtpServer, HostSpec, NetworkSpec, Program, RouterSpec, SetupCommand,
};
pub use segments::Segments;
pub use step::{
    ExchangeStep, FtpStep, LinkStep, Mode, PacketStep, PingStep, Put, RestartStep, RunStep, Step, Trouble,
    WanAddressStep,
};

use crate::net::InternetSpec;

/// A small internet, and what happens in it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "quirknat scenario")]
pub struct Scenario {
    /// One line for people.
    pub title: String,
    /// More than a line for people: what it shows, and why it is so.
    #[serde(default)]
    pub about: Option<String>,
    /// Which claim of the quirk catalogue it shows.
    #[serde(default)]
    pub quirk: Option<String>,
    /// Where alone it can run, and why. A scenario with real programs runs on `netns` alone without saying so.
    #[serde(default)]
    pub only: Option<Only>,
    /// How the public network treats packets.
    #[serde(default)]
    pub internet: InternetSpec,
    /// The networks behind a router, by name.
    #[serde(default)]
    #[schemars(transform = schema::named)]
    pub network: BTreeMap<String, NetworkSpec>,
    /// The hosts, by name.
    #[schemars(transform = schema::named)]
    pub host: BTreeMap<String, HostSpec>,
    /// What happens, in order.
    #[schemars(length(min = 1))]
    pub step: Vec<Step>,
    /// Multiplies the scenario: each name is a variable, each list its values. `${name}` stands for the value wherever
    /// text stands; where a number or another value stands, write `"${name}"`. A value that is a table sets several
    /// variables at once, each called by its key; the first names the cell.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Vec<serde_json::Value>>")]
    pub matrix: BTreeMap<String, Vec<toml::Value>>,
    /// Cells that are left out: those where every variable named here has the value, or one of the listed values.
    #[serde(default)]
    #[schemars(with = "Vec<BTreeMap<String, serde_json::Value>>")]
    pub matrix_exclude: Vec<toml::Table>,
    /// Where its file lies; files it names may lie beside it.
    #[serde(skip)]
    pub(super) folder: PathBuf,
}

/// Where alone a scenario can run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Only {
    /// On which backend.
    pub backend: BackendName,
    /// Why it cannot run on the other.
    pub because: String,
}

/// A ground for worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BackendName {
    /// Simulated hosts on a virtual clock.
    Sim,
    /// Network namespaces on the machine's clock.
    Netns,
}

impl Scenario {
    /// Where alone it can run, and why: what `only` says, or that it has real programs.
    pub fn runs_only_on(&self) -> Option<(BackendName, &str)> {
        fn runs(step: &Step) -> bool {
            let beside = step.parallel.as_ref().map(Spanned::get_ref);
            step.run.is_some() || beside.is_some_and(|steps| steps.iter().any(runs))
        }
        let has_programs =
            self.host.values().any(|host| !host.program.is_empty()) || self.step.iter().any(runs);
        let stated = self.only.as_ref().map(|only| (only.backend, only.because.as_str()));
        stated.or(has_programs.then_some((BackendName::Netns, "it runs real programs")))
    }
}

impl BackendName {
    /// As it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Netns => "netns",
        }
    }
}

/// A text with its place in the file.
pub(super) type Text = Spanned<String>;

#[cfg(test)]
mod tests;
