//! Which hosts have data connections with one another, where a gateway's control connections outlive them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use quirknat_alg::ControlOutlives;

use super::flow::{ControlId, Flow};
use crate::event::Origin;
use crate::packet::Protocol;

/// The live translations that count, by their two hosts.
#[derive(Debug)]
pub(crate) struct Transfers {
    outlived: ControlOutlives,
    /// How many; by the inside host and the other one.
    between: BTreeMap<(Ipv4Addr, Ipv4Addr), u32>,
}

impl Transfers {
    pub(crate) fn new(outlived: ControlOutlives) -> Self {
        Self { outlived, between: BTreeMap::new() }
    }

    /// A translation was made.
    pub(crate) fn begin(&mut self, flow: &Flow) {
        if self.counts(flow) {
            *self.between.entry(hosts(flow)).or_default() += 1;
        }
    }

    /// A translation ended.
    pub(crate) fn end(&mut self, flow: &Flow) {
        if !self.counts(flow) {
            return;
        }
        if let Some(count) = self.between.get_mut(&hosts(flow)) {
            *count -= 1;
            if *count == 0 {
                self.between.remove(&hosts(flow));
            }
        }
    }

    /// Whether there are any between the hosts of a control connection.
    pub(crate) fn are_beside(&self, control: &Flow) -> bool {
        self.between.contains_key(&hosts(control))
    }

    fn counts(&self, flow: &Flow) -> bool {
        flow.protocol == Protocol::Tcp
            && match self.outlived {
                ControlOutlives::Nothing => false,
                ControlOutlives::Forwards => flow.origin == Origin::AlgForward,
                ControlOutlives::DataConnections => flow.control == ControlId::NONE,
            }
    }
}

fn hosts(flow: &Flow) -> (Ipv4Addr, Ipv4Addr) {
    (*flow.inside.ip(), *flow.remote.ip())
}
