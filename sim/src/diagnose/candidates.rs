//! Which routers would do what was seen: the session is rebuilt as a scenario, played under each profile, and looked at in
//! the same way as the material.

use quirknat_router::profile::builtin;
use serde::Serialize;
use smoltcp::time::Instant;

use super::facts::Facts;
use super::material::{Material, Medium, Observed, Source};
use super::rebuild::{CLIENT, NotRebuilt, SERVER, in_a_line, rebuild, stand_ins};
use super::sessions::Session;
use crate::net::Network;
use crate::remedy::{Remedy, suggest};
use crate::scenario::{ScenarioError, StepVerdict, play};
use crate::session::{Account, View, beyond_routers};

/// What was compared, and what each router would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// What was seen, in words.
    pub seen: Vec<String>,
    /// Which addresses below are none of the material's, in words.
    pub stand_ins: Vec<String>,
    /// The routers.
    pub routers: Vec<Candidate>,
    /// What would have helped behind those that would do exactly this; what helps behind all of them comes first.
    pub remedies: Vec<Helping>,
}

/// A remedy, and where it was tried and helped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Helping {
    /// The remedy.
    #[serde(flatten)]
    pub remedy: Remedy,
    /// The profiles behind whose routers it helps, of those that would do exactly what was seen.
    pub behind: Vec<String>,
}

/// What a profile's router would do, beside what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The profile.
    pub profile: String,
    /// Where it differs from what was seen; none: it would do exactly this.
    pub differs: Vec<Difference>,
    /// Why the transfer fails there, by all that the router itself says of it.
    pub cause: Option<String>,
}

/// One thing that would be otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What.
    pub what: &'static str,
    /// As it was seen.
    pub seen: String,
    /// As it would be.
    pub would_be: String,
}

/// What is compared, as far as it is known.
fn signature(facts: &Facts<'_>) -> Vec<(&'static str, String)> {
    let mut known = Vec::new();
    let mut add = |what, value: Option<String>| known.extend(value.map(|value| (what, value)));
    let words = |yes: &str, no: &str, it: bool| if it { yes.to_owned() } else { no.to_owned() };
    let sent = facts.at_client.and_then(Facts::announced);
    let seen = facts.at_server.and_then(Facts::announced);
    add("the announcement arrives", facts.rewritten().map(|it| words("rewritten", "as it was sent", it)));
    add(
        "the announced port arrives",
        sent.zip(seen)
            .map(|(sent, seen)| words("as it was sent", "as another one", sent.to.port() == seen.to.port())),
    );
    add("PORT is", facts.port_taken().map(|it| words("taken by the server", "refused by the server", it)));
    add("the transfer", facts.data_works().map(|it| words("works", "fails", it)));
    known
}

/// Each profile's router beside what was seen. The names are those of built-in profiles or paths of files.
pub(super) fn candidates(facts: &Facts<'_>, profiles: &[String]) -> Result<Comparison, NotRebuilt> {
    let seen = signature(facts);
    if seen.is_empty() {
        return Err(NotRebuilt::NothingSeen);
    }
    let mut routers = Vec::new();
    let mut remedies: Vec<Helping> = Vec::new();
    let mut impossible = None;
    let all = builtin().iter().map(|entry| entry.name.to_owned()).chain(profiles.iter().cloned());
    for profile in all {
        let scenario = match rebuild(facts, &profile) {
            Ok(scenario) => scenario,
            // One router has no forwards, say; others may have been it.
            Err(NotRebuilt::Impossible(error)) => {
                routers.push(Candidate { profile, differs: vec![cannot_be_so(&error)], cause: None });
                impossible = Some(error);
                continue;
            }
            Err(other) => return Err(other),
        };
        let played = play(&profile, &scenario, 0);
        let found = played.verdict.steps.first().and_then(StepVerdict::found);
        let candidate = Candidate {
            profile,
            differs: differences(&seen, &played.network),
            cause: found.as_ref().map(ToString::to_string),
        };
        if let Some(found) = found.filter(|_| candidate.differs.is_empty()) {
            for remedy in suggest(&scenario, 0, &found, 0) {
                helps(&mut remedies, remedy, &candidate.profile);
            }
        }
        routers.push(candidate);
    }
    if let Some(error) = impossible.filter(|_| routers.iter().all(Candidate::is_impossible)) {
        return Err(NotRebuilt::Impossible(error));
    }
    // The sort is stable: what is as widely of use stays in the order of what is practical.
    remedies.sort_by_key(|helping| std::cmp::Reverse(helping.behind.len()));
    let seen = seen.iter().map(|(what, value)| format!("{what} {value}")).collect();
    Ok(Comparison { seen, stand_ins: stand_ins(facts)?, routers, remedies })
}

/// What is compared of a router that cannot be set up as the one that was seen.
const SET_UP: &str = "it cannot be set up so:";

/// That a router cannot be set up as the one that was seen.
fn cannot_be_so(error: &ScenarioError) -> Difference {
    Difference { what: SET_UP, seen: "it was".to_owned(), would_be: in_a_line(error) }
}

impl Candidate {
    fn is_impossible(&self) -> bool {
        self.differs.iter().any(|difference| difference.what == SET_UP)
    }
}

/// Where the session as it was played differs from what was seen.
fn differences(seen: &[(&'static str, String)], network: &Network) -> Vec<Difference> {
    let (material, session) = as_material(network);
    let would_be = signature(&Facts::of(&material, &session));
    let differs = seen.iter().filter_map(|(what, seen)| {
        let would_be = would_be.iter().find(|(other, _)| other == what).map(|(_, value)| value.clone());
        let would_be = would_be.unwrap_or_else(|| "not at all".to_owned());
        (would_be != *seen).then(|| Difference { what, seen: seen.clone(), would_be })
    });
    differs.collect()
}

/// Notes that a remedy helps behind this profile's router.
fn helps(remedies: &mut Vec<Helping>, remedy: Remedy, profile: &str) {
    match remedies.iter_mut().find(|helping| helping.remedy == remedy) {
        Some(helping) => helping.behind.push(profile.to_owned()),
        None => remedies.push(Helping { remedy, behind: vec![profile.to_owned()] }),
    }
}

/// Both hosts' wires of the scenario played, as if they had been recorded.
fn as_material(network: &Network) -> (Material, Session) {
    let wire = |host: &str| {
        let ends_so = |wire: &&str| wire.rsplit('.').next() == Some(host);
        network.wires().iter().position(ends_so).unwrap_or_default()
    };
    let at_client = View::new(network, wire(CLIENT), Instant::ZERO, None);
    let known = at_client.control.as_ref().map(|control| (control.from, control.to));
    let beyond = known.map(|ends| beyond_routers(network, Instant::ZERO, ends));
    let at_server = View::new(network, wire(SERVER), Instant::ZERO, beyond);
    let source = |name: &str| Source {
        name: name.to_owned(),
        medium: Medium::Capture,
        clock: 0,
        stated: None,
        span: None,
        sees_data: true,
        notes: Vec::new(),
    };
    let observed = |source, view: &View| Observed {
        source,
        account: Account::from(view),
        began: view.control.as_ref().map(|control| control.opened_at),
        joined: false,
        encrypted: false,
        notes: Vec::new(),
    };
    let material = Material {
        sources: vec![source(CLIENT), source(SERVER)],
        observed: vec![observed(0, &at_client), observed(1, &at_server)],
    };
    let session = Session { at_client: Some(0), at_server: Some(1), ..Session::default() };
    (material, session)
}
