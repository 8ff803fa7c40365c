//! Network namespaces, and the only place where this crate changes a thread's namespaces.
//!
//! Sockets and devices belong to the namespace of the thread that makes them, and stay there. So a lab's one thread
//! makes them with a short visit, and uses them from its nowhere.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;
use std::thread;

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use quirknat_router::device::{Tun, TunError};
use smoltcp::wire::Ipv4Cidr;

use super::netlink::{self, NetlinkError};

/// Why a host's namespace is not there, or is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The kernel makes no further network namespace.
    #[error("cannot make a network namespace: {0}; {advice}", advice = advice(*.0))]
    Create(Errno),
    /// The thread's own namespace cannot be opened.
    #[error("cannot open this thread's network namespace /proc/thread-self/ns/net: {0}; is /proc mounted?")]
    Open(#[source] io::Error),
    /// A namespace made before cannot be entered.
    #[error("cannot enter a network namespace of the lab: {0}; {advice}", advice = advice(*.0))]
    Enter(Errno),
    /// The thread is on a visit already.
    #[error("this thread is inside a host's namespace: leave it before another is made or entered")]
    Away,
    /// The host's device.
    #[error(transparent)]
    Device(#[from] TunError),
    /// The device's setting up.
    #[error(transparent)]
    Network(#[from] NetlinkError),
}

fn advice(errno: Errno) -> &'static str {
    match errno {
        Errno::EPERM => "run as root with CAP_SYS_ADMIN and CAP_NET_ADMIN, or call lab::enter at the start",
        Errno::ENOSPC | Errno::EUSERS => {
            "raise user.max_net_namespaces with sysctl, or run fewer labs at once"
        }
        Errno::EMFILE | Errno::ENFILE => "raise the limit of open files with ulimit -n",
        Errno::EINVAL | Errno::ENOSYS => "the kernel needs CONFIG_NET_NS",
        _ => "run fewer labs at once",
    }
}

/// The empty network namespace where a lab's thread stays between visits. It has not even a loopback that is up.
#[derive(Debug)]
pub struct Nowhere {
    descriptor: Rc<OwnedFd>,
}

thread_local! {
    /// Whether this thread is on a visit.
    static AWAY: Cell<bool> = const { Cell::new(false) };
}

/// A network namespace that exists as long as this value, a socket or device in it, or a process there.
///
/// It belongs to the thread whose nowhere it was made from.
#[derive(Debug)]
pub struct Namespace {
    descriptor: OwnedFd,
    nowhere: Rc<OwnedFd>,
}

impl Nowhere {
    /// Takes this thread to an empty network namespace, for good.
    pub fn enter() -> Result<Self, LabError> {
        if AWAY.get() {
            return Err(LabError::Away);
        }
        unshare(CloneFlags::CLONE_NEWNET).map_err(LabError::Create)?;
        let descriptor = current().map_err(LabError::Open)?;
        Ok(Self { descriptor: Rc::new(descriptor) })
    }
}

impl Namespace {
    /// Makes an empty network namespace. The thread is in nowhere again afterwards.
    pub fn create(nowhere: &Nowhere) -> Result<Self, LabError> {
        let visit = Visit::begin(&nowhere.descriptor)?;
        unshare(CloneFlags::CLONE_NEWNET).map_err(LabError::Create)?;
        let descriptor = current().map_err(LabError::Open)?;
        drop(visit);
        Ok(Self { descriptor, nowhere: Rc::clone(&nowhere.descriptor) })
    }

    /// Does something with this thread inside, and comes back to nowhere, also from a panic. Visits do not nest.
    ///
    /// Where the kernel refuses the way back the process is aborted: it must not go on in the wrong namespace.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> Result<T, LabError> {
        let _visit = Visit::begin(&self.nowhere)?;
        setns(&self.descriptor, CloneFlags::CLONE_NEWNET).map_err(LabError::Enter)?;
        Ok(work())
    }
}

impl AsFd for Namespace {
    /// The namespace itself, for another process's setns.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Takes this process, which must have one thread only, into a network namespace that another process holds; through
/// its user namespace, where the other has one of its own.
pub fn join(user: Option<&Path>, network: &Path) -> Result<(), LabError> {
    let enter = |path: &Path, kind| {
        let namespace = File::open(path).map_err(LabError::Open)?;
        setns(namespace, kind).map_err(LabError::Enter)
    };
    if let Some(user) = user {
        enter(user, CloneFlags::CLONE_NEWUSER)?;
    }
    enter(network, CloneFlags::CLONE_NEWNET)
}

/// Makes a host: a namespace whose only device besides its loopback is the kernel end of the TUN device, with this
/// address, this MTU in octets, and a default route.
pub fn open_host(
    nowhere: &Nowhere,
    name: &str,
    address: Ipv4Cidr,
    mtu: u32,
) -> Result<(Namespace, Tun), LabError> {
    let namespace = Namespace::create(nowhere)?;
    let tun = namespace.within(|| {
        let mut tun = Tun::create(name)?;
        tun.make_room(usize::try_from(mtu).unwrap_or(usize::MAX));
        netlink::configure(name, address, mtu)?;
        Ok::<_, LabError>(tun)
    })??;
    Ok((namespace, tun))
}

/// Closes devices side by side. The kernel waits some 25 ms for each, and dropping them one by one adds that up.
pub fn close_devices(devices: Vec<Tun>) {
    thread::scope(|scope| {
        for device in devices {
            // Where there is no thread to be had, the device is dropped here.
            let _ = thread::Builder::new().spawn_scoped(scope, move || drop(device));
        }
    });
}

/// While it lives the thread may be anywhere; its end is the way back.
struct Visit<'nowhere> {
    nowhere: &'nowhere OwnedFd,
}

impl<'nowhere> Visit<'nowhere> {
    fn begin(nowhere: &'nowhere Rc<OwnedFd>) -> Result<Self, LabError> {
        if AWAY.replace(true) {
            return Err(LabError::Away);
        }
        Ok(Self { nowhere })
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if let Err(errno) = setns(self.nowhere, CloneFlags::CLONE_NEWNET) {
            let message = format!("quirknat: cannot leave a lab's network namespace: {errno}; giving up\n");
            let _ = io::stderr().write_all(message.as_bytes());
            std::process::abort();
        }
        AWAY.set(false);
    }
}

fn current() -> io::Result<OwnedFd> {
    // /proc/self would be the main thread's.
    File::open("/proc/thread-self/ns/net").map(OwnedFd::from)
}

/// A user namespace for the whole process, which must have one thread only.
pub(super) fn unshare_user() -> Result<(), Errno> {
    unshare(CloneFlags::CLONE_NEWUSER)
}

/// A network namespace for the whole process, which must have one thread only.
pub(super) fn unshare_network() -> Result<(), Errno> {
    unshare(CloneFlags::CLONE_NEWNET)
}

/// A PID namespace for the children to come.
pub(crate) fn unshare_processes() -> Result<(), Errno> {
    unshare(CloneFlags::CLONE_NEWPID)
}

/// Mounts of this process's own.
pub(crate) fn unshare_mounts() -> Result<(), Errno> {
    unshare(CloneFlags::CLONE_NEWNS)
}
