//! Any router between two interfaces, in real time.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::time::Instant as Clock;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use quirknat_router::device::Device;
use smoltcp::time::{Duration, Instant};

use super::packets::{Seen, What, echo};
use super::site::Site;
use super::subject::{Side, Subject, SubjectError};

/// A router whose neighbours on both sides are this program.
pub struct Outside<'a> {
    lan: Box<dyn Device + 'a>,
    wan: Box<dyn Device + 'a>,
    begin: Clock,
    arrived: VecDeque<(Side, Vec<u8>)>,
    buffer: Vec<u8>,
}

/// The router cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing passes the router after {0}: are both interfaces up, is the router's address on each, does it forward, and does it \
     answer pings on the LAN or let them out?"
)]
pub struct NotReady(pub Duration);

impl<'a> Outside<'a> {
    /// Between two devices, on which its neighbours' packets come and go.
    #[expect(
        clippy::disallowed_methods,
        reason = "measuring from outside takes real time; here alone it is read"
    )]
    pub fn new(lan: Box<dyn Device + 'a>, wan: Box<dyn Device + 'a>) -> Self {
        Self { lan, wan, begin: Clock::now(), arrived: VecDeque::new(), buffer: Vec::new() }
    }

    /// Waits until a ping passes from a LAN host to the world: that the interfaces are there says little of what is
    /// behind them.
    pub fn wait_until_ready(
        &mut self,
        site: &Site,
        patience: Duration,
    ) -> Result<Result<(), NotReady>, SubjectError> {
        const EVERY: Duration = Duration::from_millis(100);
        // A host and a remote that no probe has.
        let (host, remote) = (site.lan_host(250), Site::remote(250, 0));
        let end = self.now() + patience;
        while self.now() < end {
            // Until its other end is up, a device takes nothing.
            self.send(Side::Lan, &echo(true, host, remote, 1))?;
            let next = self.now() + EVERY;
            while let Some((side, packet)) = self.receive(next)? {
                let seen = Seen::read(packet);
                if side == Side::Wan
                    && seen.is_some_and(|seen| {
                        seen.what == What::Echo { request: true } && *seen.destination.ip() == remote
                    })
                {
                    self.settle()?;
                    return Ok(Ok(()));
                }
            }
        }
        Ok(Err(NotReady(patience)))
    }

    /// Lets what is still on the wires pass.
    fn settle(&mut self) -> Result<(), SubjectError> {
        let until = self.now() + Duration::from_millis(100);
        while self.receive(until)?.is_some() {}
        Ok(())
    }

    fn device(&mut self, side: Side) -> &mut (dyn Device + 'a) {
        match side {
            Side::Lan => &mut *self.lan,
            Side::Wan => &mut *self.wan,
        }
    }

    fn gone(&mut self, side: Side, source: io::Error) -> SubjectError {
        SubjectError::Gone(side, self.device(side).name().to_owned(), source)
    }

    /// Takes in all that waits on one side.
    fn take(&mut self, side: Side) -> Result<(), SubjectError> {
        loop {
            let mut buffer = std::mem::take(&mut self.buffer);
            let received = self.device(side).receive(&mut buffer);
            match received {
                Ok(true) => self.arrived.push_back((side, buffer)),
                Ok(false) => {
                    self.buffer = buffer;
                    return Ok(());
                }
                Err(error) => return Err(self.gone(side, error)),
            }
        }
    }
}

impl Subject for Outside<'_> {
    fn now(&self) -> Instant {
        Instant::from_micros(i64::try_from(self.begin.elapsed().as_micros()).unwrap_or(i64::MAX))
    }

    fn send(&mut self, side: Side, packet: &[u8]) -> Result<(), SubjectError> {
        match self.device(side).send(packet) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.gone(side, error)),
        }
    }

    fn receive(&mut self, until: Instant) -> Result<Option<(Side, Vec<u8>)>, SubjectError> {
        loop {
            if let Some(arrived) = self.arrived.pop_front() {
                return Ok(Some(arrived));
            }
            let now = self.now();
            if now >= until {
                return Ok(None);
            }
            let left = (until - now).total_millis().saturating_add(1);
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut fds = [&self.lan, &self.wan].map(|device| PollFd::new(device.as_fd(), PollFlags::POLLIN));
            match poll(&mut fds, timeout) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(SubjectError::Wait(errno.into())),
            }
            self.take(Side::Lan)?;
            self.take(Side::Wan)?;
        }
    }
}
