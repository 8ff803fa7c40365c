//! Answers those who ask while a lab is up. It never blocks, and one descriptor tells that it has something to do.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::control::{Answer, Request};

/// A question is shorter.
const LONGEST_REQUEST: usize = 4096;
/// Who asks at a time; more have to wait.
const MOST_CLIENTS: u64 = 256;

const LISTENER: u64 = 0;
const SIGNALS: u64 = 1;
const FIRST_CLIENT: u64 = 2;

/// What came of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The lab goes on.
    GoesOn,
    /// It is to end: somebody asked for it, or sent SIGINT or SIGTERM.
    Ends,
}

/// The lab's end of its socket. The socket's name goes away with it.
#[derive(Debug)]
pub struct Keeper {
    path: PathBuf,
    listener: UnixListener,
    signals: SignalFd,
    epoll: Epoll,
    clients: BTreeMap<u64, Client>,
    next: u64,
}

#[derive(Debug)]
struct Client {
    stream: UnixStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Keeper {
    /// Listens at `path`, where nothing is. SIGINT and SIGTERM are blocked in this thread from now on, and heard here.
    pub fn listen(path: &Path) -> io::Result<Self> {
        // It gets its name once it listens: whoever finds the name finds a lab.
        let unnamed = path.with_extension(format!("{}.new", std::process::id()));
        let _ = fs::remove_file(&unnamed);
        let listener = UnixListener::bind(&unnamed)?;
        listener.set_nonblocking(true)?;
        let mut set = SigSet::empty();
        set.add(Signal::SIGINT);
        set.add(Signal::SIGTERM);
        set.thread_block()?;
        let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
        epoll.add(&signals, EpollEvent::new(EpollFlags::EPOLLIN, SIGNALS))?;
        // A hard link fails where another lab was quicker; a rename would take its name away.
        let named = fs::hard_link(&unnamed, path);
        let _ = fs::remove_file(&unnamed);
        named?;
        let path = path.to_owned();
        Ok(Self { path, listener, signals, epoll, clients: BTreeMap::new(), next: FIRST_CLIENT })
    }

    /// Whether [`turn`](Self::turn) has something to do.
    pub fn is_ready(&self) -> bool {
        let mut events = [EpollEvent::empty()];
        self.epoll.wait(&mut events, EpollTimeout::ZERO).is_ok_and(|count| count > 0)
    }

    /// Does what there is to do; `answer` answers questions.
    pub fn turn(&mut self, mut answer: impl FnMut(&Request) -> Answer) -> io::Result<Turn> {
        let mut events = [EpollEvent::empty(); 32];
        let count = self.epoll.wait(&mut events, EpollTimeout::ZERO)?;
        let mut turn = Turn::GoesOn;
        for event in events.iter().take(count) {
            match event.data() {
                LISTENER => self.accept()?,
                SIGNALS => {
                    if self.signals.read_signal()?.is_some() {
                        turn = Turn::Ends;
                    }
                }
                client => {
                    if self.serve(client, &mut answer) == Turn::Ends {
                        turn = Turn::Ends;
                    }
                }
            }
        }
        Ok(turn)
    }

    fn accept(&mut self) -> io::Result<()> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            // Somebody who has gone again, or no descriptor left: nobody is worse off than before.
            Err(error) => {
                log::warn!("cannot take a connection in: {error}");
                return Ok(());
            }
        };
        if self.clients.len() as u64 >= MOST_CLIENTS {
            log::warn!("too many ask at a time: one is sent away");
            return Ok(());
        }
        stream.set_nonblocking(true)?;
        let id = self.next;
        self.next += 1;
        self.epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, id))?;
        self.clients.insert(id, Client { stream, request: Vec::new(), answer: Vec::new() });
        Ok(())
    }

    fn serve(&mut self, id: u64, answer: &mut impl FnMut(&Request) -> Answer) -> Turn {
        let Some(client) = self.clients.get_mut(&id) else { return Turn::GoesOn };
        let mut turn = Turn::GoesOn;
        let mut gone = !client.take_in();
        while let Some(request) = client.next_request() {
            let answer = match request {
                Ok(request) => {
                    if request == Request::Down {
                        turn = Turn::Ends;
                    }
                    answer(&request)
                }
                Err(error) => Answer::Refused { why: format!("not understood: {error}") },
            };
            client.answer.extend(serde_json::to_vec(&answer).unwrap_or_default());
            client.answer.push(b'\n');
        }
        gone |= !client.put_out();
        if gone {
            // A socket leaves the epoll set when it is closed.
            self.clients.remove(&id);
        } else {
            let waits = if client.answer.is_empty() { EpollFlags::empty() } else { EpollFlags::EPOLLOUT };
            let mut event = EpollEvent::new(EpollFlags::EPOLLIN | waits, id);
            let _ = self.epoll.modify(&client.stream, &mut event);
        }
        turn
    }
}

impl AsFd for Keeper {
    /// Readable when there is something to do.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Client {
    /// False: it is gone, or says too much.
    fn take_in(&mut self) -> bool {
        let mut buffer = [0; 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(count) => self.request.extend(buffer.iter().take(count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
            if self.request.len() > LONGEST_REQUEST {
                return false;
            }
        }
    }

    fn next_request(&mut self) -> Option<Result<Request, serde_json::Error>> {
        let end = self.request.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.request.drain(..=end).collect();
        Some(serde_json::from_slice(&line))
    }

    /// False: it is gone.
    fn put_out(&mut self) -> bool {
        while !self.answer.is_empty() {
            match self.stream.write(&self.answer) {
                Ok(0) => return false,
                Ok(count) => drop(self.answer.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        true
    }
}
