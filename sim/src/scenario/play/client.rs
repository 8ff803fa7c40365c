//! What a step's FTP client is to do: as its software does, but for what the step says.

use crate::ftp::{ClientPlan, DataMode, DataType, Fallback, Transfer, Trouble, Trust};
use crate::scenario::contents::contents;
use crate::scenario::language::FtpStep;
use crate::software::Software;

pub(super) fn client_plan(step: &FtpStep) -> ClientPlan {
    let mut plan =
        ClientPlan { data_type: DataType::Image, transfers: vec![transfer(step)], ..ClientPlan::default() };
    let software = step.software.as_ref().and_then(|name| Software::named(name.get_ref()));
    if let Some(software) = software.and_then(|software| software.client) {
        software.apply(&mut plan);
    }
    plan.data_mode = step.mode.unwrap_or(plan.data_mode);
    if let Some(others) = &step.fallback {
        plan.fallbacks = chain(plan.data_mode, others, step.fallback_on.as_deref());
    }
    let ports = step.data_ports.map(|range| range.first..=range.last);
    plan.data_ports = step.data_port.map(|port| port..=port).or(ports);
    plan.announce = step.announce;
    plan.segments = step.segments.as_ref().map_or(plan.segments, Into::into);
    plan.tls = step.tls;
    plan.trust_passive_address = match step.trust_passive_address {
        Some(true) => Trust::Always,
        Some(false) => Trust::Never,
        None => plan.trust_passive_address,
    };
    if let Some(patience) = step.patience {
        (plan.reply_timeout, plan.data_timeout) = (patience.into(), patience.into());
    }
    plan
}

fn transfer(step: &FtpStep) -> Transfer {
    match (&step.get, &step.put) {
        (Some(file), _) => Transfer::Get { name: file.get_ref().clone() },
        (None, Some(put)) => Transfer::Put { name: put.name.clone(), bytes: contents(&put.name, put.size) },
        (None, None) => Transfer::List { path: None },
    }
}

/// From each way to the one behind it.
fn chain(first: DataMode, others: &[DataMode], on: Option<&[Trouble]>) -> Vec<Fallback> {
    let on = on.unwrap_or(&[Trouble::Refused, Trouble::NotOpened]);
    let from = [first].into_iter().chain(others.iter().copied());
    let steps = from.zip(others);
    steps.flat_map(|(from, to)| on.iter().map(move |on| Fallback { from, on: *on, to: *to })).collect()
}
