//! One thread that polls the devices and moves each packet through the router.

use std::io;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use smoltcp::time::Instant;

use super::Device;
use crate::Router;
use crate::event::{Event, Interface};

/// Packets taken from one device before the others have their turn.
const BATCH: usize = 64;

/// A device and the interface of the router that it is.
#[derive(Debug)]
pub struct Port<D> {
    /// Which interface.
    pub interface: Interface,
    /// Its device.
    pub device: D,
    /// Packets that it had no room for.
    pub lost: u64,
}

/// Which way a packet crosses a wire, as the router sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the router.
    In,
    /// From the router.
    Out,
}

/// Who watches a live router.
pub trait Observer {
    /// A packet crosses a wire. `events` are what the router did with the packet that came in.
    fn packet(&mut self, at: Instant, wire: Interface, direction: Direction, bytes: &[u8], events: &[Event]);

    /// What happened, in order.
    fn events(&mut self, events: &[Event]);

    /// Whether it wants to see packets; asked once.
    fn wants_packets(&self) -> bool;
}

/// Why a live router ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// A device is gone.
    #[error("interface `{name}` is gone ({source}): was it deleted, or its namespace?")]
    DeviceGone {
        /// Its name.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel would not wait.
    #[error("cannot wait for packets: {0}")]
    Wait(#[from] Errno),
}

/// Moves packets until `stop` becomes readable. The router's clock is read off `clock`.
pub fn run<D: Device>(
    router: &mut Router,
    ports: &mut [Port<D>],
    stop: BorrowedFd<'_>,
    clock: impl Fn() -> Instant,
    observer: &mut impl Observer,
) -> Result<(), LiveError> {
    let mut pump = Pump {
        watches_packets: observer.wants_packets(),
        router,
        ports,
        clock,
        observer,
        ready: Vec::new(),
        packet: Vec::new(),
        seen: Vec::new(),
        events: Vec::new(),
    };
    loop {
        if pump.wait(stop)? {
            return Ok(());
        }
        pump.turn()?;
    }
}

struct Pump<'a, D, C, O> {
    router: &'a mut Router,
    ports: &'a mut [Port<D>],
    clock: C,
    observer: &'a mut O,
    watches_packets: bool,
    /// Which ports have a packet waiting, by their place.
    ready: Vec<usize>,
    /// The packet under way.
    packet: Vec<u8>,
    /// As it came in, for the observer.
    seen: Vec<u8>,
    events: Vec<Event>,
}

impl<D: Device, C: Fn() -> Instant, O: Observer> Pump<'_, D, C, O> {
    /// Waits for a packet, the router's next timeout, or `stop`; says whether it was `stop`.
    fn wait(&mut self, stop: BorrowedFd<'_>) -> Result<bool, LiveError> {
        let timeout = match self.router.poll_timeout() {
            // Rounded up, so as not to come round early and find nothing to do.
            Some(at) => {
                let millis = (at - (self.clock)()).total_millis().saturating_add(1);
                PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
            }
            None => PollTimeout::NONE,
        };
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(self.ports.len() + 1);
        fds.push(PollFd::new(stop, PollFlags::POLLIN));
        fds.extend(self.ports.iter().map(|port| PollFd::new(port.device.as_fd(), PollFlags::POLLIN)));
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_ready = |fd: &PollFd<'_>| fd.any().unwrap_or_default();
        self.ready.clear();
        self.ready
            .extend(fds.iter().skip(1).enumerate().filter(|(_, fd)| is_ready(fd)).map(|(place, _)| place));
        Ok(fds.first().is_some_and(is_ready))
    }

    /// One turn: what time brings about, then a batch from every device that has packets waiting.
    fn turn(&mut self) -> Result<(), LiveError> {
        let now = (self.clock)();
        self.router.handle_timeout(now);
        self.drain(now)?;
        let ready = std::mem::take(&mut self.ready);
        for place in &ready {
            // A batch takes a fraction of a millisecond: one look at the clock is enough, but for a capture.
            let mut now = (self.clock)();
            for _ in 0..BATCH {
                if self.watches_packets {
                    now = (self.clock)();
                }
                if !self.take(*place, now)? {
                    break;
                }
            }
        }
        self.ready = ready;
        Ok(())
    }

    /// One packet from one device through the router; false: there was none.
    fn take(&mut self, index: usize, now: Instant) -> Result<bool, LiveError> {
        let Some(port) = self.ports.get_mut(index) else { return Ok(false) };
        let interface = port.interface;
        match port.device.receive(&mut self.packet) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(source) => {
                return Err(LiveError::DeviceGone { name: port.device.name().to_owned(), source });
            }
        }
        if self.watches_packets {
            self.seen.clone_from(&self.packet);
        }
        let egress = self.router.forward(now, interface, &mut self.packet);
        self.events.clear();
        while let Some(event) = self.router.poll_event() {
            self.events.push(event);
        }
        if self.watches_packets {
            self.observer.packet(now, interface, Direction::In, &self.seen, &self.events);
        }
        if let Some(egress) = egress {
            let packet = std::mem::take(&mut self.packet);
            let sent = self.send(now, egress, &packet);
            self.packet = packet;
            sent?;
        }
        if !self.events.is_empty() {
            self.observer.events(&self.events);
        }
        self.drain(now)?;
        Ok(true)
    }

    /// Sends what the router sends of itself, and hands on what it tells.
    fn drain(&mut self, now: Instant) -> Result<(), LiveError> {
        while let Some((egress, packet)) = self.router.poll_transmit() {
            self.send(now, egress, &packet)?;
        }
        self.events.clear();
        while let Some(event) = self.router.poll_event() {
            self.events.push(event);
        }
        if !self.events.is_empty() {
            self.observer.events(&self.events);
        }
        Ok(())
    }

    fn send(&mut self, now: Instant, egress: Interface, packet: &[u8]) -> Result<(), LiveError> {
        let Some(port) = self.ports.iter_mut().find(|port| port.interface == egress) else { return Ok(()) };
        if self.watches_packets {
            self.observer.packet(now, egress, Direction::Out, packet, &[]);
        }
        match port.device.send(packet) {
            Ok(true) => Ok(()),
            Ok(false) => {
                port.lost += 1;
                Ok(())
            }
            Err(source) => Err(LiveError::DeviceGone { name: port.device.name().to_owned(), source }),
        }
    }
}
