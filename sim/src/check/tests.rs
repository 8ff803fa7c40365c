//! The probes against routers that nobody would build.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use quirknat_router::packet::fragments;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::Ipv4Cidr;

use super::probe::PROBES;
use super::{Limits, REQUIREMENTS, Report, Side, Site, Subject, SubjectError, Verdict, measure};

/// Something between two wires, on a virtual clock.
struct Between {
    now: Instant,
    arrived: VecDeque<(Side, Vec<u8>)>,
    passes: bool,
}

impl Subject for Between {
    fn now(&self) -> Instant {
        self.now
    }

    fn send(&mut self, side: Side, packet: &[u8]) -> Result<(), SubjectError> {
        const MTU: usize = 1500;
        if self.passes {
            let other = if side == Side::Lan { Side::Wan } else { Side::Lan };
            self.arrived.extend(fragments(packet, MTU).into_iter().map(|part| (other, part)));
        }
        Ok(())
    }

    fn receive(&mut self, until: Instant) -> Result<Option<(Side, Vec<u8>)>, SubjectError> {
        let arrived = self.arrived.pop_front();
        if arrived.is_none() {
            self.now = self.now.max(until);
        }
        Ok(arrived)
    }
}

fn measured(passes: bool) -> Report {
    let lan = Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, 1), 24);
    let site = Site::new(lan, Ipv4Cidr::new(Ipv4Addr::new(203, 0, 113, 7), 24)).unwrap();
    let site = site.with_server(Ipv4Addr::new(10, 0, 0, 250)).unwrap();
    let limits = Limits { longest: 10_000, flows: 10, patience: Duration::from_millis(200) };
    let mut between = Between { now: Instant::ZERO, arrived: VecDeque::new(), passes };
    measure(&mut between, &site, limits, "").unwrap()
}

fn with(report: &Report, verdict: Verdict) -> Vec<&'static str> {
    let found = report.requirements.iter().filter(|finding| finding.verdict == verdict);
    found.map(|finding| finding.requirement.id).collect()
}

#[test]
fn each_requirement_is_measured_by_one_probe_and_reported() {
    let mut served: Vec<&str> = PROBES.iter().flat_map(|probe| probe.ids().iter().copied()).collect();
    let mut all: Vec<&str> = REQUIREMENTS.iter().map(|requirement| requirement.id).collect();
    assert_eq!(measured(false).requirements.len(), all.len());
    served.sort_unstable();
    all.sort_unstable();
    assert_eq!(served, all);
}

/// Whoever is silent answers no SYN; nothing else can be said for it.
#[test]
fn of_a_cut_cable_nothing_holds_but_silence() {
    assert_eq!(with(&measured(false), Verdict::Holds), ["5382-4"]);
}

/// A router that translates nothing and filters nothing breaks what a NAT is for.
#[test]
fn a_router_without_translation_is_told_from_one_with() {
    let report = measured(true);
    let broken = with(&report, Verdict::DoesNotHold);
    for id in ["4787-9", "4787-13", "5382-8", "5508-3", "5508-5", "5508-8"] {
        let is_broken = broken.contains(&id) || with(&report, Verdict::NotMeasured).contains(&id);
        assert!(is_broken, "{id} of {broken:?}");
    }
}
