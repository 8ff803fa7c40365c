//! `quirknat lab exec`: a program on a lab's host, with its user's terminal. It ends when the lab goes down.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};

use clap::Args;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::terminal::Terminal;
use crate::commands::supervise;
use crate::exit::Failure;
use crate::lab::control::{self, Answer, ControlError, Request, Way};
use crate::lab::registry::Registry;
use crate::lab::{ProgramSpec, namespace};

/// What to run, and where.
#[derive(Debug, Args)]
pub struct ExecArgs {
    /// The lab, where several are up
    #[arg(long, value_name = "NAME")]
    lab: Option<String>,
    /// The host
    host: String,
    /// The program and its arguments; a shell without it
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Runs it, and exits with its status; with 128 and the signal's number if one killed it.
pub(super) fn run(args: &ExecArgs) -> Result<(), Failure> {
    let registry = Registry::open()?;
    let lab = registry.find(args.lab.as_deref())?;
    let request = Request::Enter { host: args.host.clone() };
    let (answer, connection) = control::ask(&registry.socket(&lab), &request)?;
    let Answer::Way(way) = answer else { return Err(ControlError::Unexpected.into()) };
    let words = if args.command.is_empty() { vec![shell()] } else { args.command.clone() };
    let program = find(&words)?;
    enter(&way)?;
    let variables = [("QUIRKNAT_LAB", lab.as_str()), ("QUIRKNAT_HOST", args.host.as_str())];
    let terminal = Terminal::remember();
    // The descriptor for the signals first: the child's death must not come before it.
    let signals = listen().map_err(Failure::environment)?;
    let child = supervise::start_attached(&program, &words, &variables)
        .map_err(|error| Failure::environment(format!("cannot start {}: {error}", program.display())))?;
    let ended = wait(child, &connection, &signals);
    if let Some(terminal) = &terminal {
        terminal.restore();
    }
    match ended.map_err(Failure::environment)? {
        Some(status) => std::process::exit(status.code().unwrap_or(128 + nix::libc::SIGKILL)),
        None => Err(Failure::environment(format!("the lab {lab} went down, and the program with it"))),
    }
}

fn shell() -> OsString {
    std::env::var_os("SHELL").filter(|shell| Path::new(shell).is_file()).unwrap_or_else(|| "/bin/sh".into())
}

fn find(argv: &[OsString]) -> Result<PathBuf, Failure> {
    let words = argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let spec = ProgramSpec {
        argv: words,
        environment: Vec::new(),
        directory: std::env::current_dir().map_err(Failure::environment)?,
        time_limit: None,
        output_limit: 0,
    };
    spec.resolve().map_err(Failure::environment)
}

fn enter(way: &Way) -> Result<(), Failure> {
    // One's own user namespace needs no entering, and cannot be entered again.
    let inode = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.ino()).ok();
    let is_own = inode(&way.user) == inode(Path::new("/proc/self/ns/user"));
    let user = (!is_own).then_some(way.user.as_path());
    namespace::join(user, &way.network).map_err(|error| {
        Failure::environment(format!("{error}; a lab is entered by the user who brought it up, or by root"))
    })
}

/// The signals that end a wait. No other is blocked: the program would inherit it.
fn listen() -> Result<SignalFd, Errno> {
    let signals = SigSet::from_iter([Signal::SIGCHLD, Signal::SIGTERM]);
    signals.thread_block()?;
    SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
}

/// Waits for the program's end, or for the lab's: then the program is ended, and there is no status.
fn wait(mut child: Child, lab: &UnixStream, signals: &SignalFd) -> io::Result<Option<ExitStatus>> {
    // The terminal's Ctrl-C and Ctrl-\ are for the program alone.
    SigSet::from_iter([Signal::SIGINT, Signal::SIGQUIT]).thread_block()?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let mut waiting =
            [PollFd::new(lab.as_fd(), PollFlags::POLLIN), PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        match poll(&mut waiting, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let [lab_is_gone, _] = waiting.map(|descriptor| descriptor.any().unwrap_or_default());
        let mut told_to_end = false;
        while let Some(signal) = signals.read_signal()? {
            told_to_end |= signal.ssi_signo == Signal::SIGTERM as u32;
        }
        if lab_is_gone || told_to_end {
            // The init's death takes the whole tree along.
            child.kill()?;
            let status = child.wait()?;
            return Ok((!lab_is_gone).then_some(status));
        }
    }
}
