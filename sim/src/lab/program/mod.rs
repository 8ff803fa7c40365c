//! A real program on a host of the lab: started in its namespace, its output taken in up to a limit, its whole process
//! tree ended with it.
//!
//! Between this process and the program stand two more, both this very binary (`supervise`, a hidden command). The
//! first makes a PID namespace; the second is its init, and whatever the program leaves behind is its child. When the
//! init ends the kernel kills all that is left in there, however it forked. A socket pair joins this process to both:
//! one byte asks for SIGTERM, its closing is the order to end at once, and the report of the end comes back on it. So
//! nothing survives this process, which closes the socket by dying.

mod error;
mod output;
mod report;
mod spec;

use std::io::{self, Read as _, Write as _};
use std::marker::PhantomData;
use std::net::Shutdown;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::rc::Rc;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use smoltcp::time::Instant;

pub use error::ProgramError;
use output::Output;
pub(crate) use report::{Report, TERMINATE};
pub use spec::ProgramSpec;

use super::Namespace;

/// How long `Drop` waits for the tree's orderly death before it kills the supervisor. Milliseconds are usual.
const PATIENCE: u16 = 5000;
/// More than the longest report.
const LONGEST_REPORT: usize = 1024;

/// How a program ended.
#[derive(Debug)]
pub enum Ending {
    /// By itself, with this status: 0 to 255.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// Its time was over, and it was killed.
    RanOutOfTime,
    /// It wrote more than its limit, to stdout or stderr, and was killed.
    WroteTooMuch,
    /// It did not start.
    NotStarted(ProgramError),
    /// Somebody else killed its supervisor, and the tree with it.
    Lost,
}

/// A program's end and what it wrote.
#[derive(Debug)]
pub struct ProgramOutcome {
    /// How it ended.
    pub ending: Ending,
    /// What it wrote to stdout, cut at the limit.
    pub stdout: Vec<u8>,
    /// The same for stderr.
    pub stderr: Vec<u8>,
}

/// A program that runs, or has run. It belongs to the thread that started it: the kernel kills it when that thread
/// ends. Dropping it kills its whole tree, and waits until it is gone.
#[derive(Debug)]
pub struct Program {
    file: PathBuf,
    supervisor: Child,
    control: UnixStream,
    report: Vec<u8>,
    stdout: Output,
    stderr: Output,
    deadline: Option<Instant>,
    /// After a request to end: when it becomes an order.
    grace_over: Option<Instant>,
    /// Why it was killed, where it was.
    killed: Option<Ending>,
    outcome: Option<ProgramOutcome>,
    thread: PhantomData<Rc<()>>,
}

impl Program {
    /// Starts a program on a host, at this time. `supervisor` is this project's binary: /proc/self/exe, in the program.
    ///
    /// What shows only when the kernel tries (a missing interpreter) comes later, as [`Ending::NotStarted`].
    pub fn spawn(
        namespace: &Namespace,
        spec: &ProgramSpec,
        supervisor: &Path,
        now: Instant,
    ) -> Result<Self, ProgramError> {
        let file = spec.resolve()?;
        let failed = |source| ProgramError::Supervisor { supervisor: supervisor.to_owned(), source };
        let (control, other) = UnixStream::pair().map_err(failed)?;
        control.set_nonblocking(true).map_err(failed)?;
        let mut command = spec.supervised(&file, supervisor);
        command.stdin(OwnedFd::from(other)).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A terminal's Ctrl-C is for this process, which then ends its programs.
        command.process_group(0);
        let mut supervisor = namespace.within(|| command.spawn())?.map_err(failed)?;
        // Its copy of the other end would keep the socket open.
        drop(command);
        let (stdout, stderr) = (supervisor.stdout.take(), supervisor.stderr.take());
        let mut program = Self {
            file,
            supervisor,
            control,
            report: Vec::new(),
            stdout: Output::new(spec.output_limit),
            stderr: Output::new(spec.output_limit),
            deadline: spec.time_limit.map(|limit| after(now, limit)),
            grace_over: None,
            killed: None,
            outcome: None,
            thread: PhantomData,
        };
        program.stdout.read_from(stdout.map(OwnedFd::from)).map_err(failed)?;
        program.stderr.read_from(stderr.map(OwnedFd::from)).map_err(failed)?;
        Ok(program)
    }

    /// Takes in what was written, and notices the end. Never waits. True once there is an outcome.
    pub fn poll(&mut self, now: Instant) -> bool {
        if self.outcome.is_some() {
            return true;
        }
        self.stdout.take_in();
        self.stderr.take_in();
        if self.take_report() {
            self.conclude();
            return true;
        }
        let over = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        if self.stdout.is_over() || self.stderr.is_over() {
            self.kill(Ending::WroteTooMuch);
        } else if over(self.deadline) {
            self.kill(Ending::RanOutOfTime);
        } else if over(self.grace_over) {
            self.kill(Ending::Signalled(nix::libc::SIGKILL));
        }
        false
    }

    /// When `poll` must be called at the latest, whatever the descriptors say.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let open = self.outcome.is_none() && self.killed.is_none();
        [self.deadline, self.grace_over].into_iter().flatten().min().filter(|_| open)
    }

    /// What to wait on for reading; `poll` has something to do when one is ready. None after the end.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let control = self.outcome.is_none().then(|| self.control.as_fd());
        [self.stdout.descriptor(), self.stderr.descriptor(), control].into_iter().flatten()
    }

    /// What it has written to stdout so far, up to the limit.
    pub fn stdout(&self) -> &[u8] {
        self.outcome.as_ref().map_or(self.stdout.taken(), |outcome| &outcome.stdout)
    }

    /// The same for stderr.
    pub fn stderr(&self) -> &[u8] {
        self.outcome.as_ref().map_or(self.stderr.taken(), |outcome| &outcome.stderr)
    }

    /// How it ended; `None` while it runs.
    pub fn outcome(&self) -> Option<&ProgramOutcome> {
        self.outcome.as_ref()
    }

    /// Asks every process of the tree to end with SIGTERM; what is left after the grace is killed by the `poll` after
    /// that. When the program itself ends, so does the rest. Asking again changes nothing.
    pub fn end(&mut self, now: Instant, grace: Duration) {
        if self.outcome.is_some() || self.grace_over.is_some() {
            return;
        }
        self.grace_over = Some(after(now, grace));
        // Fails where it has ended in the meantime.
        let _ = self.control.write_all(&[TERMINATE]);
    }

    fn kill(&mut self, why: Ending) {
        if self.killed.is_none() {
            self.killed = Some(why);
            let _ = self.control.shutdown(Shutdown::Write);
        }
    }

    /// True where supervisor and init are gone.
    fn take_report(&mut self) -> bool {
        let mut buffer = [0; 256];
        loop {
            match self.control.read(&mut buffer) {
                Ok(0) => return true,
                Ok(count) => {
                    let room = LONGEST_REPORT.saturating_sub(self.report.len());
                    self.report.extend(buffer.iter().take(count.min(room)));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
            }
        }
    }

    fn conclude(&mut self) {
        // It closed the socket by dying, after all others. This is no wait.
        let _ = self.supervisor.wait();
        self.stdout.finish();
        self.stderr.finish();
        let reported = Report::parse(&self.report).map(|report| self.ending(report));
        let ending = if self.stdout.is_over() || self.stderr.is_over() {
            Ending::WroteTooMuch
        } else {
            reported.or(self.killed.take()).unwrap_or(Ending::Lost)
        };
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        self.outcome = Some(ProgramOutcome { ending, stdout, stderr });
    }

    fn ending(&self, report: Report) -> Ending {
        match report {
            Report::Exited(status) => Ending::Exited(status),
            Report::Signalled(signal) => Ending::Signalled(signal),
            Report::NotStarted(errno) => Ending::NotStarted(ProgramError::from_exec(&self.file, errno)),
            Report::NotIsolated(errno) => {
                Ending::NotStarted(ProgramError::Isolation { program: self.file.clone(), errno })
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.outcome.is_some() {
            return;
        }
        let _ = self.control.shutdown(Shutdown::Write);
        let mut gone = false;
        // A report and the end, with interruptions.
        for _ in 0..8 {
            let mut waiting = [PollFd::new(self.control.as_fd(), PollFlags::POLLIN)];
            match poll(&mut waiting, PollTimeout::from(PATIENCE)) {
                Ok(1..) => gone = self.take_report(),
                Err(Errno::EINTR) => {}
                _ => break,
            }
            if gone {
                break;
            }
        }
        if !gone {
            let _ = self.supervisor.kill();
        }
        let _ = self.supervisor.wait();
    }
}

/// Without overflow: a limit that is longer than time is none.
fn after(now: Instant, duration: Duration) -> Instant {
    let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Instant::from_micros(now.total_micros().saturating_add(micros))
}
