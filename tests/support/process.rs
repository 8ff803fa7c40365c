//! A real program as a child: its output can be waited for, its life is bounded, and it never outlives its guard.

use std::io::{ErrorKind, Read};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use super::deadline::Deadline;
use super::requirement::{find_program, unpacked_programs};

/// A command for a program found as the requirements find it, with no input and no terminal.
pub fn command(program: &str) -> Command {
    let file =
        find_program(program).unwrap_or_else(|| panic!("{program} was not asked for as a requirement"));
    let mut command = Command::new(file);
    command.stdin(Stdio::null()).env("LC_ALL", "C").env("PYTHONPATH", pyftpdlib_path());
    // No name server answers inside a lab; ncftp asks one about its own host.
    command.env("RES_OPTIONS", "timeout:1 attempts:1");
    command
}

/// Where `.ci/install-real-programs` puts pyftpdlib.
pub fn pyftpdlib_path() -> PathBuf {
    unpacked_programs().join("python")
}

/// What a child has written so far.
struct Output {
    chunks: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let (sender, chunks) = unbounded();
        thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            loop {
                match pipe.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(count) if sender.send(buffer[..count].to_vec()).is_ok() => {}
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Ok(_) | Err(_) => return,
                }
            }
        });
        Self { chunks, seen: Vec::new() }
    }

    /// Reads on until what was written satisfies `enough`; false if the writer or the time ended first.
    fn wait(&mut self, deadline: Deadline, enough: impl Fn(&[u8]) -> bool) -> bool {
        while !enough(&self.seen) {
            match self.chunks.recv_timeout(deadline.left()) {
                Ok(chunk) => self.seen.extend(chunk),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return enough(&self.seen),
            }
        }
        true
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }
}

/// How a child ended and all that it wrote. `status` is `None` where it had to be killed.
pub struct Finished {
    pub status: Option<ExitStatus>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Finished {
    pub fn code(&self) -> Option<i32> {
        self.status.and_then(|status| status.code())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Everything, for the message of a failed assertion.
    pub fn story(&self) -> String {
        format!("ended with {:?}\nstdout: {}\nstderr: {}", self.status, self.text(), self.stderr)
    }
}

pub struct Process {
    name: String,
    child: Child,
    stdout: Output,
    stderr: Output,
    exit: Receiver<()>,
    reaped: bool,
}

impl Process {
    /// Starts the command as the leader of a process group, in the calling thread's namespace.
    pub fn start(name: &str, mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let stdout = Output::of(child.stdout.take().expect("stdout is a pipe"));
        let stderr = Output::of(child.stderr.take().expect("stderr is a pipe"));
        let pid = pid_of(&child);
        let (sender, exit) = unbounded();
        thread::spawn(move || {
            // Left unreaped: until its guard reaps it, the id cannot become another process's.
            let _ = waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
            let _ = sender.send(());
        });
        Self { name: name.to_owned(), child, stdout, stderr, exit, reaped: false }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its stdin, where the command has a pipe there; the first time.
    pub fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("the command has a pipe for stdin")
    }

    /// What it has written to stdout so far.
    pub fn stdout_so_far(&mut self) -> String {
        self.stdout.wait(Deadline::after(Duration::ZERO), |_| false);
        self.stdout.text()
    }

    /// Waits until stdout has what is looked for; otherwise panics with all that was written.
    pub fn wait_stdout(&mut self, what: &str, deadline: Deadline, enough: impl Fn(&[u8]) -> bool) {
        if !self.stdout.wait(deadline, enough) {
            self.give_up(what);
        }
    }

    /// The same for stderr.
    pub fn wait_stderr(&mut self, what: &str, deadline: Deadline, enough: impl Fn(&[u8]) -> bool) {
        if !self.stderr.wait(deadline, enough) {
            self.give_up(what);
        }
    }

    fn give_up(&mut self, what: &str) -> ! {
        let soon = Deadline::after(Duration::from_millis(200));
        self.stdout.wait(soon, |_| false);
        self.stderr.wait(soon, |_| false);
        panic!("{}: no {what}\nstdout: {}\nstderr: {}", self.name, self.stdout.text(), self.stderr.text());
    }

    /// Whether it ends within the time.
    pub fn exits_within(&mut self, duration: Duration) -> bool {
        // A waiter that is gone has told of the exit before.
        !matches!(self.exit.recv_timeout(duration), Err(RecvTimeoutError::Timeout))
    }

    pub fn signal(&self, signal: Signal) {
        nix::sys::signal::kill(pid_of(&self.child), signal).expect("the child is not reaped yet");
    }

    /// Waits for its end, kills it at the deadline, and hands over what it wrote.
    pub fn finish(mut self, deadline: Deadline) -> Finished {
        let in_time = self.exits_within(deadline.left());
        let status = self.end();
        // The pipes close with the last process of the group.
        let closing = Deadline::seconds(2);
        self.stdout.wait(closing, |_| false);
        self.stderr.wait(closing, |_| false);
        Finished {
            status: status.filter(|_| in_time),
            stdout: std::mem::take(&mut self.stdout.seen),
            stderr: self.stderr.text(),
        }
    }

    fn end(&mut self) -> Option<ExitStatus> {
        let _ = killpg(pid_of(&self.child), Signal::SIGKILL);
        self.reaped = true;
        self.child.wait().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            self.end();
        }
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process id fits an i32"))
}

/// Runs a command to its end in the calling thread's namespace.
pub fn run(name: &str, command: Command, seconds: u64) -> Finished {
    Process::start(name, command).finish(Deadline::seconds(seconds))
}
