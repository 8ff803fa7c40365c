//! The real programs that a scenario needs, looked for before it is played.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::lab::{ProgramError, ProgramSpec};
use crate::scenario::Scenario;
use crate::scenario::language::Step;

/// Why one of them cannot be run, if one is not installed. A program in a folder of the scenario's own is not looked
/// for: it comes with it.
pub(super) fn missing(scenario: &Scenario) -> Option<String> {
    let on_hosts = scenario.host.values().flat_map(|host| &host.program);
    let mut needed: Vec<Needed<'_>> =
        on_hosts.map(|program| (program.command.get_ref().as_slice(), &program.environment)).collect();
    collect(&scenario.step, &mut needed);
    needed.into_iter().find_map(|(command, environment)| look_for(command, environment))
}

type Needed<'a> = (&'a [String], &'a BTreeMap<String, String>);

fn collect<'a>(steps: &'a [Step], needed: &mut Vec<Needed<'a>>) {
    for step in steps {
        needed.extend(step.run.iter().map(|run| {
            let run = run.get_ref();
            (run.command.as_slice(), &run.environment)
        }));
        if let Some(parallel) = &step.parallel {
            collect(parallel.get_ref(), needed);
        }
    }
}

fn look_for(command: &[String], environment: &BTreeMap<String, String>) -> Option<String> {
    let name = command.first()?;
    if name.contains('/') && !name.starts_with('/')
        || name.contains("{dir}")
        || environment.contains_key("PATH")
    {
        return None;
    }
    let spec = ProgramSpec {
        argv: vec![name.clone()],
        environment: Vec::new(),
        directory: PathBuf::from("/"),
        time_limit: None,
        output_limit: 0,
    };
    match spec.resolve() {
        Err(error @ (ProgramError::NotFound { .. } | ProgramError::NoFile(_))) => Some(error.to_string()),
        _ => None,
    }
}
