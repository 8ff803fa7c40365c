//! Probes side by side: each is a future that waits for packets to hosts of its own, or for a time. One wait of the
//! subject's serves all of them, so that measuring takes as long as the longest, and not as long as all together.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use smoltcp::time::{Duration, Instant};

use super::findings::Findings;
use super::packets::Seen;
use super::site::{HOSTS, Limits, Site};
use super::subject::{Side, Subject, SubjectError};

/// A probe under way.
pub(super) type Running = Pin<Box<dyn Future<Output = Findings>>>;

/// Runs probes until all are done.
pub(super) struct Executor<'a> {
    subject: &'a mut dyn Subject,
    wires: Rc<RefCell<Wires>>,
    running: Vec<Option<Running>>,
}

/// What probes and executor share.
#[derive(Debug)]
struct Wires {
    now: Instant,
    outgoing: Vec<(Side, Vec<u8>)>,
    arrived: BTreeMap<(Side, Ipv4Addr), VecDeque<Seen>>,
    /// When the first of those that wait gives up.
    alarm: Option<Instant>,
}

impl<'a> Executor<'a> {
    pub(super) fn new(subject: &'a mut dyn Subject) -> Self {
        let wires = Wires { now: subject.now(), outgoing: Vec::new(), arrived: BTreeMap::new(), alarm: None };
        Self { subject, wires: Rc::new(RefCell::new(wires)), running: Vec::new() }
    }

    /// The bench of the probe at `place` of the list: its addresses and ports depend on nothing else.
    pub(super) fn bench(&self, place: u32, site: &Site, limits: Limits) -> Bench {
        Bench { wires: Rc::clone(&self.wires), place, site: *site, limits }
    }

    pub(super) fn spawn(&mut self, probe: Running) {
        self.running.push(Some(probe));
    }

    /// What the probes found, in their order.
    pub(super) fn run(mut self) -> Result<Vec<Findings>, SubjectError> {
        let mut found: Vec<Option<Findings>> = self.running.iter().map(|_| None).collect();
        loop {
            self.wires.borrow_mut().alarm = None;
            for (running, found) in self.running.iter_mut().zip(&mut found) {
                let Some(probe) = running else { continue };
                let mut context = Context::from_waker(Waker::noop());
                if let Poll::Ready(findings) = probe.as_mut().poll(&mut context) {
                    *found = Some(findings);
                    *running = None;
                }
            }
            let outgoing = std::mem::take(&mut self.wires.borrow_mut().outgoing);
            for (side, packet) in outgoing {
                self.subject.send(side, &packet)?;
            }
            let Some(alarm) = self.wires.borrow().alarm else { break };
            let arrived = self.subject.receive(alarm)?;
            let mut wires = self.wires.borrow_mut();
            wires.now = self.subject.now();
            if let Some((side, seen)) = arrived.and_then(|(side, bytes)| Some((side, Seen::read(bytes)?))) {
                let host = *seen.destination.ip();
                wires.arrived.entry((side, host)).or_default().push_back(seen);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }
}

/// A host on one side, and a port of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) side: Side,
    pub(super) at: SocketAddrV4,
}

/// What one probe has: hosts and ports of its own, the wires, the time.
#[derive(Debug, Clone)]
pub(super) struct Bench {
    wires: Rc<RefCell<Wires>>,
    place: u32,
    site: Site,
    limits: Limits,
}

impl Bench {
    /// The `number`th of the probe's LAN hosts, at the probe's `port`th port.
    pub(super) fn inside(&self, number: u32, port: u16) -> End {
        self.inside_at(number, Site::port(self.place, port))
    }

    /// The same at any port.
    pub(super) fn inside_at(&self, number: u32, port: u16) -> End {
        let host = self.site.lan_host(self.place * HOSTS + number % HOSTS);
        End { side: Side::Lan, at: SocketAddrV4::new(host, port) }
    }

    /// The `number`th of the probe's hosts in the world.
    pub(super) fn remote(&self, number: u32, port: u16) -> End {
        End { side: Side::Wan, at: SocketAddrV4::new(Site::remote(self.place, number), port) }
    }

    pub(super) fn site(&self) -> &Site {
        &self.site
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// A number that no other probe has.
    pub(super) fn place(&self) -> u16 {
        u16::try_from(self.place).unwrap_or_default()
    }

    pub(super) fn now(&self) -> Instant {
        self.wires.borrow().now
    }

    /// Puts a packet onto the wire of `side`.
    pub(super) fn send(&self, side: Side, packet: Vec<u8>) {
        self.wires.borrow_mut().outgoing.push((side, packet));
    }

    /// The next packet to a host on a side, within the limits' patience.
    pub(super) async fn receive(&self, side: Side, host: Ipv4Addr) -> Option<Seen> {
        let until = self.now() + self.limits.patience;
        self.receive_until(side, host, until).await
    }

    /// The same, up to a time.
    pub(super) async fn receive_until(&self, side: Side, host: Ipv4Addr, until: Instant) -> Option<Seen> {
        poll_fn(|_| {
            let mut wires = self.wires.borrow_mut();
            if let Some(seen) = wires.arrived.get_mut(&(side, host)).and_then(VecDeque::pop_front) {
                return Poll::Ready(Some(seen));
            }
            if wires.now >= until { Poll::Ready(None) } else { wires.wait(until) }
        })
        .await
    }

    /// The next packet to a host's port on a side that `wanted` is true of; others on the way are passed over. Port 0
    /// stands for all.
    pub(super) async fn expect(&self, to: End, wanted: impl Fn(&Seen) -> bool) -> Option<Seen> {
        let until = self.now() + self.limits.patience;
        loop {
            let seen = self.receive_until(to.side, *to.at.ip(), until).await?;
            // What has no port, as an ICMP error, is for all of them.
            let ports = [to.at.port(), seen.destination.port()];
            if (ports[0] == ports[1] || ports.contains(&0)) && wanted(&seen) {
                return Some(seen);
            }
        }
    }

    /// Lets time pass.
    pub(super) async fn sleep_until(&self, at: Instant) {
        poll_fn(|_| {
            let mut wires = self.wires.borrow_mut();
            if wires.now >= at { Poll::Ready(()) } else { wires.wait(at) }
        })
        .await;
    }

    pub(super) async fn sleep(&self, time: Duration) {
        self.sleep_until(self.now() + time).await;
    }

    /// Throws away what has come to a host on a side.
    pub(super) fn forget(&self, side: Side, host: Ipv4Addr) {
        self.wires.borrow_mut().arrived.remove(&(side, host));
    }
}

impl Wires {
    fn wait<T>(&mut self, until: Instant) -> Poll<T> {
        self.alarm = Some(self.alarm.map_or(until, |alarm| alarm.min(until)));
        Poll::Pending
    }
}
