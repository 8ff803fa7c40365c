//! What a lab needs of the machine, and how a process without privilege comes by it.
//!
//! [`enter`] gathers evidence and tries; [`judge`] alone decides what is missing.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{getegid, geteuid};

use super::namespace::{unshare_network, unshare_user};

const TUN: &str = "/dev/net/tun";
/// Bits of capability masks, from linux/capability.h.
const CAP_NET_ADMIN: u64 = 1 << 12;
const CAP_SYS_ADMIN: u64 = 1 << 21;

/// What a lab lacks on this machine, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The kernel has no TUN, or the container was not given it.
    #[error("/dev/net/tun is missing: load the driver with `modprobe tun`, or give the container the device")]
    Tun,
    /// The file is there, the driver is not.
    #[error("/dev/net/tun has no driver behind it: load it with `modprobe tun`")]
    TunDriver,
    /// The file's mode.
    #[error(
        "/dev/net/tun has mode {mode:04o}, and this user may not read and write it: run as root, or let all users \
         open it with `chmod 0666 /dev/net/tun`"
    )]
    TunMode {
        /// Permission bits.
        mode: u32,
    },
    /// A container's device rules.
    #[error("the container may not open /dev/net/tun: start it with `--device /dev/net/tun`")]
    TunForbidden,
    /// Anything else about the device.
    #[error("cannot open /dev/net/tun: {0}")]
    TunOther(Errno),
    /// A kernel without them.
    #[error("the kernel has no user namespaces (CONFIG_USER_NS): run as root")]
    UserNamespaces,
    /// Debian's switch.
    #[error(
        "unprivileged user namespaces are switched off: run as root, or `sysctl kernel.unprivileged_userns_clone=1`"
    )]
    UserNamespacesOff,
    /// Their number.
    #[error("no user namespaces are allowed: run as root, or raise `sysctl user.max_user_namespaces` from 0")]
    UserNamespacesLimit,
    /// The number of network namespaces.
    #[error("no network namespaces are allowed: raise `sysctl user.max_net_namespaces` from 0")]
    NetworkNamespacesLimit,
    /// Ubuntu since 23.10.
    #[error(
        "AppArmor restricts unprivileged user namespaces: run as root, give this program a profile with `userns,`, or \
         `sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
    )]
    AppArmor,
    /// A sandbox.
    #[error(
        "a seccomp filter forbids user namespaces: start the container with `--cap-add SYS_ADMIN --cap-add NET_ADMIN` \
         or another `--security-opt seccomp=` profile"
    )]
    Seccomp,
    /// Root in name only.
    #[error(
        "root has no {names} here: start the container with `--cap-add SYS_ADMIN --cap-add NET_ADMIN`",
        names = names(*.0)
    )]
    Capabilities(Capabilities),
    /// A namespace of users is for a process with one thread.
    #[error("threads were started before lab::enter was called: without root it must come first")]
    Threads,
    /// Refused without evidence why.
    #[error("cannot {step}: {errno}; run as root with CAP_SYS_ADMIN and CAP_NET_ADMIN", step = .0.words(), errno = .1)]
    Other(Step, Errno),
}

fn names(capabilities: Capabilities) -> &'static str {
    match (capabilities.sys_admin, capabilities.net_admin) {
        (true, _) => "CAP_NET_ADMIN",
        (false, true) => "CAP_SYS_ADMIN",
        (false, false) => "CAP_SYS_ADMIN and no CAP_NET_ADMIN",
    }
}

/// What was seen of the machine. A sysctl that is not there is `None`.
#[derive(Clone, Copy, Debug)]
pub struct Findings {
    /// Whether the effective user is root.
    pub root: bool,
    /// Effective capabilities.
    pub capabilities: Capabilities,
    /// What opening /dev/net/tun for reading and writing gave; with the file's permission bits.
    pub tun: Result<(), (Errno, Option<u32>)>,
    /// Whether /proc/self/ns/user is there.
    pub user_namespaces: bool,
    /// kernel.unprivileged_userns_clone
    pub unprivileged_userns_clone: Option<u64>,
    /// user.max_user_namespaces
    pub max_user_namespaces: Option<u64>,
    /// user.max_net_namespaces
    pub max_net_namespaces: Option<u64>,
    /// kernel.apparmor_restrict_unprivileged_userns
    pub apparmor_restrict: Option<u64>,
    /// Whether a seccomp filter is in force.
    pub seccomp: bool,
    /// Threads of this process.
    pub threads: u64,
    /// What became of the way without privilege; `None` where it was not tried.
    pub attempt: Option<Result<(), (Step, Errno)>>,
}

/// The two capabilities that a lab needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// CAP_SYS_ADMIN
    pub sys_admin: bool,
    /// CAP_NET_ADMIN
    pub net_admin: bool,
}

/// A step of the way without privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The user namespace.
    User,
    /// setgroups, uid_map and gid_map.
    Map,
    /// The network namespace in it.
    Network,
}

impl Step {
    fn words(self) -> &'static str {
        match self {
            Self::User => "make a user namespace",
            Self::Map => "become root in a user namespace of one's own",
            Self::Network => "make a network namespace inside the user namespace",
        }
    }
}

/// Makes this process one that may run labs. Call it once, before any thread starts.
///
/// With privilege there is nothing to do. Without it the process goes to a user namespace and an empty network
/// namespace of its own, for good: it has no way back to the machine's network. After an error it may be in that user
/// namespace, with the rights it had outside and no more.
pub fn enter() -> Result<(), Missing> {
    let findings = Findings::gather();
    if findings.capabilities.suffice() || findings.tun.is_err() {
        return judge(&findings);
    }
    judge(&Findings { attempt: Some(go_rootless()), ..findings })
}

/// Decides from what was seen whether labs can run, and if not what is missing.
pub fn judge(findings: &Findings) -> Result<(), Missing> {
    if let Err((errno, mode)) = findings.tun {
        return Err(match (errno, mode) {
            (Errno::ENOENT | Errno::ENOTDIR, _) => Missing::Tun,
            (Errno::ENODEV | Errno::ENXIO, _) => Missing::TunDriver,
            (Errno::EPERM, _) => Missing::TunForbidden,
            (Errno::EACCES, Some(mode)) => Missing::TunMode { mode },
            (errno, _) => Missing::TunOther(errno),
        });
    }
    match findings.attempt {
        _ if findings.capabilities.suffice() => Ok(()),
        Some(Ok(())) => Ok(()),
        None if findings.root => Err(Missing::Capabilities(findings.capabilities)),
        None => Err(Missing::Other(Step::User, Errno::EPERM)),
        Some(Err((step, errno))) => Err(blame(findings, step, errno)),
    }
}

/// Why a step was refused. A sysctl counts only where its refusal looks like the one seen: AppArmor lets the user
/// namespace come to be and denies it its capabilities, or refuses it; a filter knows nothing but the system call.
fn blame(findings: &Findings, step: Step, errno: Errno) -> Missing {
    let denied = matches!(errno, Errno::EPERM | Errno::EACCES);
    let filtered = findings.seccomp && (denied || errno == Errno::ENOSYS) && step != Step::Map;
    if !findings.user_namespaces {
        Missing::UserNamespaces
    } else if errno == Errno::EINVAL && step == Step::User && findings.threads > 1 {
        Missing::Threads
    } else if errno == Errno::ENOSPC && step == Step::Network && findings.max_net_namespaces == Some(0) {
        Missing::NetworkNamespacesLimit
    } else if errno == Errno::ENOSPC && step == Step::User && findings.max_user_namespaces == Some(0) {
        Missing::UserNamespacesLimit
    } else if findings.root && denied {
        Missing::Capabilities(findings.capabilities)
    } else if denied && step == Step::User && findings.unprivileged_userns_clone == Some(0) {
        Missing::UserNamespacesOff
    } else if filtered && (step == Step::User || !findings.apparmor_restricts()) {
        Missing::Seccomp
    } else if denied && findings.apparmor_restricts() {
        Missing::AppArmor
    } else {
        Missing::Other(step, errno)
    }
}

fn go_rootless() -> Result<(), (Step, Errno)> {
    // Read first: inside, before the maps are written, everybody is nobody.
    let (user, group) = (geteuid(), getegid());
    unshare_user().map_err(|errno| (Step::User, errno))?;
    let maps = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {user} 1")),
        ("gid_map", format!("0 {group} 1")),
    ];
    for (file, content) in maps {
        fs::write(Path::new("/proc/self").join(file), content)
            .map_err(|error| (Step::Map, errno_of(&error)))?;
    }
    unshare_network().map_err(|errno| (Step::Network, errno))
}

impl Findings {
    /// Looks at the machine and changes nothing.
    pub fn gather() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map_or("", str::trim)
        };
        let effective = u64::from_str_radix(field("CapEff"), 16).unwrap_or(0);
        Self {
            root: geteuid().is_root(),
            capabilities: Capabilities {
                sys_admin: effective & CAP_SYS_ADMIN != 0,
                net_admin: effective & CAP_NET_ADMIN != 0,
            },
            tun: try_tun(),
            user_namespaces: Path::new("/proc/self/ns/user").exists(),
            unprivileged_userns_clone: sysctl("kernel/unprivileged_userns_clone"),
            max_user_namespaces: sysctl("user/max_user_namespaces"),
            max_net_namespaces: sysctl("user/max_net_namespaces"),
            apparmor_restrict: sysctl("kernel/apparmor_restrict_unprivileged_userns"),
            seccomp: field("Seccomp") == "2",
            threads: field("Threads").parse().unwrap_or(1),
            attempt: None,
        }
    }

    fn apparmor_restricts(&self) -> bool {
        self.apparmor_restrict.is_some_and(|value| value != 0)
    }
}

impl Capabilities {
    fn suffice(self) -> bool {
        self.sys_admin && self.net_admin
    }
}

fn try_tun() -> Result<(), (Errno, Option<u32>)> {
    let opened = fs::OpenOptions::new().read(true).write(true).open(TUN);
    opened.map(drop).map_err(|error| {
        let mode = fs::metadata(TUN).ok().map(|file| file.mode() & 0o7777);
        (errno_of(&error), mode)
    })
}

fn sysctl(name: &str) -> Option<u64> {
    fs::read_to_string(Path::new("/proc/sys").join(name)).ok()?.trim().parse().ok()
}

fn errno_of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
