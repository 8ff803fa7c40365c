//! A world: hosts, and the network between them, on a clock.
//!
//! There is one kind of world and two grounds for it to stand on ([`Backend`]). In the simulated one time moves from
//! event to event and never waits; what happens at one instant happens in the order it was scheduled, so that it gives
//! the same packets at the same times on every machine. In the other the hosts are namespaces and time is the
//! machine's.

mod backend;
mod simulated;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use smoltcp::time::{Duration, Instant};
use smoltcp::wire::Ipv4Cidr;

pub use backend::{Backend, HostPlace};
pub use simulated::{Simulated, SimulatedStack};

use crate::host::{ActivityId, Host, Stack};
use crate::net::random::seed_for;
use crate::net::units::Mtu;
use crate::net::{DEFAULT_MTU, HostId, InternetSpec, Network, Place, WireSpec};

/// So often something happens at one instant at most. More is a loop that no link's delay slows down, as between two
/// programs that answer each other's answers.
const STEPS_AT_ONE_INSTANT: u32 = 100_000;

/// A world.
pub struct World<B: Backend> {
    backend: B,
    now: Instant,
    seed: u64,
    hosts: Vec<Host<B::Stack>>,
    /// When each host has something to do next.
    wakes: Vec<Option<Instant>>,
    network: Network,
    /// Steps taken since time last moved.
    steps: u32,
}

/// Something a host does.
pub type Activity = (HostId, ActivityId);

impl<B: Backend> World<B> {
    /// An empty world. `seed` is for all that is random in it.
    pub fn new(backend: B, internet: InternetSpec, seed: u64) -> Self {
        let network = Network::new(internet, seed);
        Self { backend, now: Instant::ZERO, seed, hosts: Vec::new(), wakes: Vec::new(), network, steps: 0 }
    }

    /// Places a host. Its address comes with the prefix length of its network.
    pub fn add_host(
        &mut self,
        name: &str,
        address: Ipv4Cidr,
        place: Place,
        wire: &WireSpec,
    ) -> Result<HostId, B::Error> {
        let mtu = wire.up.mtu.map_or(DEFAULT_MTU, Mtu::bytes);
        // Each host has its own initial sequence numbers and ports, whoever else is there.
        let seed = seed_for(self.seed, &format!("host {name}"));
        let place_of_host = HostPlace { name, address, mtu: usize::from(mtu), seed };
        let stack = self.backend.stack(&place_of_host)?;
        self.hosts.push(Host::new(name, stack, seed));
        self.wakes.push(None);
        Ok(self.network.add_host(name, address.address(), place, wire))
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The ground it stands on.
    pub fn backend(&mut self) -> &mut B {
        &mut self.backend
    }

    /// The network between the hosts.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The same, to build it up or to change it.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// A host.
    pub fn host(&mut self, HostId(id): HostId) -> Option<&mut Host<B::Stack>> {
        self.hosts.get_mut(id)
    }

    /// A packet leaves a host as if its stack had sent it.
    pub fn inject(&mut self, host: HostId, packet: Vec<u8>) {
        self.network.send(self.now, host, packet);
    }

    /// Makes a wire another one; see [`Network::change_wire`].
    pub fn change_wire(&mut self, wire: usize, change: impl FnOnce(&mut WireSpec)) {
        if let Some((HostId(id), mtu)) = self.network.change_wire(self.now, wire, change)
            && let Some(host) = self.hosts.get_mut(id)
        {
            host.stack.set_mtu(mtu);
        }
    }

    /// Whether something a host does has come to its end.
    pub fn is_finished(&mut self, (host, activity): Activity) -> bool {
        self.hosts.get_mut(host.0).is_none_or(|host| host.is_finished(activity))
    }

    /// Lets time pass until `deadline`.
    pub fn run_until(&mut self, deadline: Instant) {
        self.run(deadline, |_| false);
    }

    /// Lets time pass until `deadline`, or until `done` says so; it is asked after everything that happens.
    pub fn run(&mut self, deadline: Instant, mut done: impl FnMut(&mut Self) -> bool) {
        for host in 0..self.hosts.len() {
            self.poll_host(host);
        }
        while !done(self) && self.now < deadline {
            let next = self.next_instant().map_or(deadline, |next| next.min(deadline));
            let before = self.now;
            self.now = self.backend.wait(&mut self.hosts, self.now, next);
            if self.is_stuck(before) {
                log::error!(
                    "at {before} something happens without end; time goes on to {deadline} without it"
                );
                self.now = deadline;
                return;
            }
            self.step();
        }
    }

    /// Lets `time` pass in which nobody does anything new: on the virtual clock at once, in namespaces by setting the
    /// network's clock forward once what is under way has arrived. Routers age by it; the hosts' kernels do not.
    pub fn pass(&mut self, time: Duration) {
        /// Shorter times are waited for.
        const WORTH_SKIPPING: Duration = Duration::from_secs(2);
        let until = self.now + time;
        if time > WORTH_SKIPPING {
            self.run_until(self.now + WORTH_SKIPPING);
            let rest = until - self.now;
            if self.backend.skip(rest) {
                self.network.note_skip(self.now, rest);
            }
        }
        self.run_until(until);
    }

    /// Lets `time` pass in which what is under way arrives; on slow links more, and where time is the machine's less,
    /// if all is quiet.
    pub fn settle(&mut self, time: Duration) {
        /// So many times as long at most.
        const SLOWEST: u32 = 10;
        if B::WAITS {
            /// A kernel's last FINs and acknowledgements come within this time of one another.
            const SILENCE: Duration = Duration::from_millis(50);
            let deadline = self.now + time;
            loop {
                let before = self.network.crossings();
                self.run_until((self.now + SILENCE).min(deadline));
                if self.now >= deadline || (self.network.crossings() == before && !self.network.is_busy()) {
                    return;
                }
            }
        }
        self.run_until(self.now + time);
        // Slow links take longer.
        let longest = self.now + time * SLOWEST;
        while self.network.is_busy() && self.now < longest {
            let next = self.next_instant().map_or(longest, |next| next.min(longest));
            self.run_until(next.max(self.now + Duration::from_micros(1)));
        }
    }

    /// Whether no time passes any more.
    fn is_stuck(&mut self, before: Instant) -> bool {
        self.steps = if B::WAITS || self.now > before { 0 } else { self.steps + 1 };
        self.steps > STEPS_AT_ONE_INSTANT
    }

    /// The network at the end, with all that crossed its wires.
    pub fn into_network(self) -> Network {
        self.network
    }

    /// Forgets what hosts have done, and have no packet left to send for. Outcomes are to be read before.
    pub fn forget_finished(&mut self) {
        for host in &mut self.hosts {
            host.forget_finished();
        }
    }

    fn next_instant(&mut self) -> Option<Instant> {
        let now = self.now;
        let hosts = self.wakes.iter().flatten().min().copied();
        // smoltcp says "at once" as a time long past.
        hosts.into_iter().chain(self.network.poll_timeout()).min().map(|next| next.max(now))
    }

    /// All that happens at one instant.
    fn step(&mut self) {
        let now = self.now;
        self.network.handle_timeout(now);
        self.deliver();
        for host in 0..self.hosts.len() {
            if B::WAITS || self.wakes.get(host).copied().flatten().is_some_and(|at| at <= now) {
                self.poll_host(host);
            }
        }
    }

    fn deliver(&mut self) {
        while let Some((HostId(id), packet)) = self.network.poll_delivery() {
            if let Some(host) = self.hosts.get_mut(id) {
                host.stack.deliver(packet);
                self.poll_host(id);
            }
        }
    }

    fn poll_host(&mut self, id: usize) {
        let now = self.now;
        let Some(host) = self.hosts.get_mut(id) else { return };
        host.poll(now);
        while let Some(packet) = self.hosts.get_mut(id).and_then(|host| host.stack.collect()) {
            self.network.send(now, HostId(id), packet);
        }
        if let (Some(wake), Some(host)) = (self.wakes.get_mut(id), self.hosts.get_mut(id)) {
            *wake = host.poll_at(now);
        }
    }
}

/// The prefix length of a host on the public network, where nobody shares a subnet.
pub fn public(address: Ipv4Addr) -> Ipv4Cidr {
    Ipv4Cidr::new(address, 32)
}
