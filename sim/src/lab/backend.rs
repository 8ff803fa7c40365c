//! The namespace lab as the ground of a world: hosts are kernels in namespaces, and time is the machine's.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollTimeout};
use nix::sys::time::TimeSpec;
use smoltcp::time::{Duration, Instant};

use super::kernel_stack::{Ground, KernelStack};
use super::{LabFailure, Nowhere};
use crate::host::Host;
use crate::scenario::{PlayError, Played, Scenario, play_on};
use crate::world::{Backend, HostPlace};

/// This very binary.
const SUPERVISOR: &str = "/proc/self/exe";
/// Ready descriptors taken off the list at a time.
const EVENTS: usize = 256;

/// A lab, for one world. Its thread is in an empty namespace from its making on, for good.
///
/// Dropping its world closes all sockets, devices and namespaces, and ends all programs: nothing remains.
#[derive(Debug)]
pub struct Lab {
    nowhere: Nowhere,
    ground: Rc<Ground>,
    clock: LabClock,
    wake: Option<OwnedFd>,
    woken: bool,
}

/// Plays `scenario` in a lab made for it, on the calling thread, which has no network but the lab's afterwards.
pub fn play(name: &str, scenario: &Scenario, seed: u64) -> Result<Played, PlayError<LabFailure>> {
    let lab = Lab::enter().map_err(PlayError::Ground)?;
    play_on(lab, name, scenario, seed)
}

impl Lab {
    /// Takes the calling thread out of the machine's network.
    pub fn enter() -> Result<Self, LabFailure> {
        let nowhere = Nowhere::enter()?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(LabFailure::Wait)?;
        let ground = Rc::new(Ground::new(epoll, PathBuf::from(SUPERVISOR)));
        Ok(Self { nowhere, ground, clock: LabClock::default(), wake: None, woken: false })
    }

    /// Real programs run under this file, which is this project's binary; for a process that is another. To be said
    /// before the first host is made.
    #[must_use]
    pub fn with_supervisor(mut self, supervisor: PathBuf) -> Self {
        if let Some(ground) = Rc::get_mut(&mut self.ground) {
            ground.supervisor = supervisor;
        }
        self
    }

    /// Has every wait end when this becomes readable: a stop signal, a control socket.
    pub fn wake_on(&mut self, descriptor: OwnedFd) {
        self.wake = Some(descriptor);
    }

    /// Whether the descriptor of [`wake_on`](Self::wake_on) was readable since this was last asked. Until it is asked,
    /// waits do not look at that descriptor again.
    pub fn take_wake(&mut self) -> bool {
        std::mem::take(&mut self.woken)
    }
}

impl Backend for Lab {
    type Stack = KernelStack;
    type Error = LabFailure;
    const WAITS: bool = true;

    fn stack(&mut self, place: &HostPlace<'_>) -> Result<KernelStack, LabFailure> {
        KernelStack::open(&self.nowhere, place, &self.ground)
    }

    fn wait(&mut self, hosts: &mut [Host<KernelStack>], now: Instant, until: Instant) -> Instant {
        let before = self.clock.now();
        let left = if until > before { until - before } else { Duration::ZERO };
        let timeout = TimeSpec::from_duration(left.into());
        let mut waiting = vec![PollFd::new(self.ground.epoll.0.as_fd(), PollFlags::POLLIN)];
        let programs = hosts.iter().flat_map(|host| host.stack.descriptors());
        waiting.extend(programs.map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN)));
        let wake = self.wake.as_ref().filter(|_| !self.woken);
        waiting.extend(wake.map(|descriptor| PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)));
        match ppoll(&mut waiting, Some(timeout), None) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => {
                let ready = |place: Option<&PollFd<'_>>| place.and_then(PollFd::any).unwrap_or(false);
                self.woken |= wake.is_some() && ready(waiting.last());
                if ready(waiting.first()) {
                    clear(&self.ground.epoll);
                }
            }
            Err(errno) => log::error!("the lab cannot wait for its hosts: {errno}"),
        }
        self.clock.now().max(now)
    }

    fn skip(&mut self, time: Duration) -> bool {
        self.clock.skip(time);
        true
    }
}

/// Takes the changes off the list. Which they were does not matter: all hosts look at all they have.
fn clear(epoll: &Epoll) {
    let mut events = [EpollEvent::empty(); EVENTS];
    // Devices with packets stay on the list until these are collected, so one turn is enough.
    let _ = epoll.wait(&mut events, EpollTimeout::ZERO);
}

/// The machine's clock from the lab's first wait on, and what was skipped.
#[derive(Debug, Default)]
struct LabClock {
    start: Option<std::time::Instant>,
    skipped: Duration,
}

#[expect(clippy::disallowed_methods, reason = "the lab's edge: here the machine's time comes into its world")]
impl LabClock {
    fn now(&mut self) -> Instant {
        let start = *self.start.get_or_insert_with(std::time::Instant::now);
        let micros = i64::try_from(start.elapsed().as_micros()).unwrap_or(i64::MAX);
        Instant::from_micros(micros) + self.skipped
    }

    fn skip(&mut self, time: Duration) {
        self.skipped += time;
    }
}
