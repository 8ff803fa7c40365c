//! The hidden command between a lab and a real program: the outer process makes a PID namespace, and this binary again
//! is its init, which starts the program and ends with it. See `lab::program`.
//!
//! It writes nothing of its own to stdout and stderr: they are the program's. Its stdin is the lab's socket.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio, exit};

use clap::Args;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getppid, setsid};

use crate::lab::namespace::{unshare_mounts, unshare_processes};
use crate::lab::program::{ProgramError, Report, TERMINATE};

/// Zombies to reap before looking at the lab's socket again.
const TURN: usize = 256;
/// Killed, as a shell says it.
const KILLED: i32 = 128 + nix::libc::SIGKILL;

/// The exit status where the environment lacks something.
const LACKING: i32 = 3;

/// What a lab asks for.
#[derive(Debug, Args)]
pub struct SuperviseArgs {
    /// The process that is to be outlived by nothing
    #[arg(long)]
    parent: i32,
    /// Be the init of the namespace
    #[arg(long)]
    init: bool,
    /// The init's program has its user's terminal, and no lab that talks to it
    #[arg(long)]
    attached: bool,
    /// The program's file
    #[arg(long)]
    program: PathBuf,
    /// Where it runs
    #[arg(long)]
    directory: PathBuf,
    /// Variables for it, NAME=VALUE
    #[arg(long)]
    set: Vec<OsString>,
    /// Its words
    #[arg(last = true, required = true)]
    argv: Vec<OsString>,
}

/// Starts, as a child of this process, the init of a PID namespace with a program that has this process's terminal. The
/// child ends with the program's status, 128 and the signal's number if one killed it, and 3 where the program could not
/// be started, which it says on stderr; killing it ends the whole tree.
pub(crate) fn start_attached(
    program: &Path,
    argv: &[OsString],
    variables: &[(&str, &str)],
) -> io::Result<Child> {
    unshare_processes()?;
    let mut command = Command::new("/proc/self/exe");
    command.args(["supervise", "--init", "--attached"]).arg(format!("--parent={}", std::process::id()));
    command.arg("--program").arg(program).arg("--directory").arg(std::env::current_dir()?);
    for (name, value) in variables {
        command.arg(format!("--set={name}={value}"));
    }
    command.arg("--").args(argv).spawn()
}

/// Runs the program to its end, and exits with its status.
pub fn run(args: &SuperviseArgs) -> ! {
    let status = if args.init { be_init(args) } else { hold_init(args) };
    exit(status.unwrap_or_else(|errno| tell(args, Report::NotIsolated(errno))))
}

/// Outside of the PID namespace: starts the init, waits for it, and takes it along.
fn hold_init(args: &SuperviseArgs) -> Result<i32, Errno> {
    set_pdeathsig(Signal::SIGKILL)?;
    // It may have died before that; then somebody else is the parent.
    if getppid() != Pid::from_raw(args.parent) {
        return Ok(KILLED);
    }
    let signals = listen()?;
    unshare_processes()?;
    let mut command = Command::new("/proc/self/exe");
    command.args(["supervise", "--init"]).args(std::env::args_os().skip(2));
    // Its stdin is the lab's socket too.
    let mut init = command.spawn().map_err(|error| errno_of(&error))?;
    loop {
        wait_for(&mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)])?;
        if terminated(&signals)? {
            let _ = kill(pid_of(&init), Signal::SIGTERM);
        }
        if let Some(status) = init.try_wait().map_err(|error| errno_of(&error))? {
            return Ok(report_of(status).exit_status());
        }
    }
}

/// The first process in the PID namespace. All others there die with it.
fn be_init(args: &SuperviseArgs) -> Result<i32, Errno> {
    set_pdeathsig(Signal::SIGKILL)?;
    // Whoever waits outside may have died before that. Then the lab's end of this socket is closed, or will be.
    let mut control = if args.attached { None } else { Some(lab().map_err(|error| errno_of(&error))?) };
    if !args.attached {
        // No terminal: its signals are not for the program, nor is its user there to be asked for a password.
        setsid()?;
    }
    let signals = listen()?;
    // A container may forbid it. The program then sees the outer processes, and cannot reach them.
    let _ = mount_own_views();
    let mut command = Command::new(&args.program);
    if let Some((name, words)) = args.argv.split_first() {
        command.arg0(name).args(words);
    }
    command.current_dir(&args.directory).envs(args.set.iter().filter_map(|pair| split(pair)));
    if !args.attached {
        command.stdin(Stdio::null());
    }
    let mut program = match unblocked(|| command.spawn())? {
        Ok(program) => program,
        Err(error) => return Ok(tell(args, Report::NotStarted(errno_of(&error)))),
    };
    // It may have ended while its signal was not listened to.
    let mut more = true;
    loop {
        let descriptors = [Some(signals.as_fd()), control.as_ref().map(UnixStream::as_fd)];
        let mut waiting: Vec<PollFd<'_>> =
            descriptors.into_iter().flatten().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        if !more {
            wait_for(&mut waiting)?;
        }
        let asked = control.as_mut().map_or(Asked::Nothing, asked);
        if asked == Asked::End {
            return Ok(KILLED);
        }
        if terminated(&signals)? || asked == Asked::Terminate {
            // All but this process, and none outside of the namespace.
            let _ = kill(Pid::from_raw(-1), Signal::SIGTERM);
        }
        match reap(&mut program) {
            Reaped::Program(report) => return Ok(tell(args, report)),
            Reaped::Others { more: left } => more = left,
        }
    }
}

/// Mounts of the program's own that show its processes and its network. Nothing of it is seen outside.
fn mount_own_views() -> Result<(), Errno> {
    unshare_mounts()?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let processes = mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>);
    mount(Some("sysfs"), "/sys", Some("sysfs"), flags | MsFlags::MS_RDONLY, None::<&str>)?;
    processes
}

enum Reaped {
    Program(Report),
    Others { more: bool },
}

/// Takes in the dead.
fn reap(program: &mut Child) -> Reaped {
    for _ in 0..TURN {
        // First, as the standard library tells of every signal, and nix of the named ones only.
        match program.try_wait() {
            Ok(Some(status)) => return Reaped::Program(report_of(status)),
            Ok(None) => {}
            Err(error) => return Reaped::Program(Report::NotStarted(errno_of(&error))),
        }
        let dead = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Reaped::Others { more: false },
            Ok(dead) => dead,
            // An orphan that died of a nameless signal.
            Err(_) => continue,
        };
        // The program, where it died just now.
        match dead {
            WaitStatus::Exited(pid, status) if pid == pid_of(program) => {
                return Reaped::Program(Report::Exited(status));
            }
            WaitStatus::Signaled(pid, signal, _) if pid == pid_of(program) => {
                return Reaped::Program(Report::Signalled(signal as i32));
            }
            _ => {}
        }
    }
    Reaped::Others { more: true }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Terminate,
    End,
}

fn asked(control: &mut UnixStream) -> Asked {
    let mut buffer = [0; 16];
    match control.read(&mut buffer) {
        Ok(0) => Asked::End,
        Ok(count) if buffer.iter().take(count).any(|byte| *byte == TERMINATE) => Asked::Terminate,
        Ok(_) => Asked::Nothing,
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
            Asked::Nothing
        }
        Err(_) => Asked::End,
    }
}

fn lab() -> io::Result<UnixStream> {
    let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    control.set_nonblocking(true)?;
    Ok(control)
}

/// Tells the lab, and gives the exit status for it. A user at a terminal is told what did not start.
fn tell(args: &SuperviseArgs, report: Report) -> i32 {
    if !args.attached {
        // Without a lab that listens there is nobody to tell.
        let _ = lab().and_then(|mut control| control.write_all(report.line().as_bytes()));
        return report.exit_status();
    }
    let file = args.program.clone();
    let error = match report {
        Report::Exited(_) | Report::Signalled(_) => return report.exit_status(),
        Report::NotStarted(errno) => ProgramError::from_exec(&file, errno),
        Report::NotIsolated(errno) => ProgramError::Isolation { program: file, errno },
    };
    // Where stderr is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "error: {error}");
    LACKING
}

/// The signals to act on.
fn awaited() -> SigSet {
    SigSet::from_iter([Signal::SIGCHLD, Signal::SIGTERM])
}

/// Those signals, blocked, as a descriptor.
fn listen() -> Result<SignalFd, Errno> {
    awaited().thread_block()?;
    SignalFd::with_flags(&awaited(), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
}

/// Starts a child with no signal blocked, which it would inherit, also from this process's own parent. An init ignores
/// those that come meanwhile; the lab's own request comes by the socket.
fn unblocked<T>(start: impl FnOnce() -> T) -> Result<T, Errno> {
    let blocked = SigSet::empty().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    let started = start();
    blocked.thread_set_mask()?;
    Ok(started)
}

/// Whether SIGTERM came. Takes in all that came.
fn terminated(signals: &SignalFd) -> Result<bool, Errno> {
    let mut terminated = false;
    while let Some(signal) = signals.read_signal()? {
        terminated |= signal.ssi_signo == Signal::SIGTERM as u32;
    }
    Ok(terminated)
}

fn wait_for(descriptors: &mut [PollFd<'_>]) -> Result<(), Errno> {
    match poll(descriptors, PollTimeout::NONE) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn report_of(status: ExitStatus) -> Report {
    status.code().map_or_else(|| Report::Signalled(status.signal().unwrap_or(0)), Report::Exited)
}

fn split(pair: &OsStr) -> Option<(&OsStr, &OsStr)> {
    let bytes = pair.as_bytes();
    let equals = bytes.iter().position(|byte| *byte == b'=')?;
    let (name, value) = bytes.split_at(equals);
    Some((OsStr::from_bytes(name), OsStr::from_bytes(value.get(1..)?)))
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

fn errno_of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EINVAL))
}
