//! Answers those who ask while a lab is up. It never blocks, and one descriptor tells that it has something to do.

mod client;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::FlockArg;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::unistd::Pid;

use self::client::Client;
use super::control::{Answer, Request};
use super::registry;

/// Programs that `lab exec` runs at a time.
const MOST_INSIDE: usize = 256;
/// Who asks at a time. Beyond it the one who came first and has not gone is sent away: a question takes no time.
const MOST_ASKING: usize = 64;
/// How long a program on a host may take to be gone at the lab's end.
const PATIENCE: Duration = Duration::from_secs(5);

const LISTENER: u64 = 0;
const SIGNALS: u64 = 1;
const TIMER: u64 = 2;
const FIRST_CLIENT: u64 = 3;

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
    /// Those that wait for the lab's end.
    waiting: Vec<Client>,
    /// Given away where no descriptor is left, to take in and send away who would knock for ever otherwise.
    spare: Option<File>,
    /// Not even that helped: nobody is listened to until a client goes.
    is_deaf: bool,
}

impl Keeper {
    /// Listens at `path`, where nothing is; [`io::ErrorKind::AlreadyExists`] where another lab was quicker. SIGINT and
    /// SIGTERM are blocked in this thread from now on, and heard here.
    pub fn listen(path: &Path) -> io::Result<Self> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGINT);
        set.add(Signal::SIGTERM);
        set.thread_block()?;
        let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let listener = listen_at(path)?;
        let path = path.to_owned();
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let (clients, waiting) = (BTreeMap::new(), Vec::new());
        let keeper = Self {
            path,
            listener,
            signals,
            epoll,
            clients,
            next: FIRST_CLIENT,
            waiting,
            spare: spare(),
            is_deaf: false,
        };
        keeper.epoll.add(&keeper.listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
        keeper.epoll.add(&keeper.signals, EpollEvent::new(EpollFlags::EPOLLIN, SIGNALS))?;
        Ok(keeper)
    }

    /// Whether [`turn`](Self::turn) has something to do.
    pub fn is_ready(&self) -> bool {
        let mut events = [EpollEvent::empty()];
        self.epoll.wait(&mut events, EpollTimeout::ZERO).is_ok_and(|count| count > 0)
    }

    /// Does what there is to do; `answer` answers questions.
    pub fn turn(&mut self, mut answer: impl FnMut(&Request) -> Answer) -> io::Result<Turn> {
        let mut events = [EpollEvent::empty(); 32];
        let count = match self.epoll.wait(&mut events, EpollTimeout::ZERO) {
            Err(Errno::EINTR) => 0,
            waited => waited?,
        };
        let mut turn = Turn::GoesOn;
        for event in events.iter().take(count) {
            match event.data() {
                LISTENER => self.accept(),
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

    /// Has all who are inside go, and waits until they are gone. To be called when the lab ends, before its hosts do.
    pub fn send_away(&mut self) -> io::Result<()> {
        for (id, client) in std::mem::take(&mut self.clients) {
            if client.inside && client.stream.shutdown(Shutdown::Write).is_ok() {
                self.clients.insert(id, client);
            } else {
                let _ = self.epoll.delete(&client.stream);
                self.waiting.push(client);
            }
        }
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC)?;
        timer.set(Expiration::OneShot(PATIENCE.into()), TimerSetTimeFlags::empty())?;
        self.epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, TIMER))?;
        if !self.is_deaf {
            self.epoll.delete(&self.listener)?;
        }
        self.epoll.delete(&self.signals)?;
        while !self.clients.is_empty() {
            let mut events = [EpollEvent::empty(); 32];
            let count = match self.epoll.wait(&mut events, EpollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                waited => waited?,
            };
            for event in events.iter().take(count) {
                if event.data() == TIMER {
                    self.clients.values().for_each(kill_peer);
                    self.clients.clear();
                } else {
                    // It has gone, or says something that nobody wants to know any more.
                    self.clients.remove(&event.data());
                }
            }
        }
        Ok(())
    }

    /// Takes the socket's name away. The connections of those who wait for the end are left to be closed by the end of
    /// this process, after which nothing of the lab is there.
    pub fn leave(mut self) {
        for client in self.waiting.drain(..) {
            let _ = client.stream.into_raw_fd();
        }
    }

    fn accept(&mut self) {
        let client = match self.listener.accept() {
            Ok((stream, _)) => self.take_in(stream),
            Err(error) if has_no_descriptor(&error) => {
                self.spare = None;
                if self.listener.accept().is_err_and(|error| has_no_descriptor(&error)) {
                    // Who knocks would be heard again and again.
                    self.is_deaf = self.epoll.delete(&self.listener).is_ok();
                }
                self.spare = spare();
                Err(error)
            }
            // Somebody who has gone again.
            Err(_) => Ok(()),
        };
        if let Err(error) = client {
            log::warn!("somebody who asks is sent away: {error}");
        }
    }

    /// A socket leaves the epoll set when it is closed. Its descriptor is free for somebody who knocks.
    fn remove(&mut self, id: u64) {
        self.clients.remove(&id);
        if self.is_deaf {
            let event = EpollEvent::new(EpollFlags::EPOLLIN, LISTENER);
            self.is_deaf = self.epoll.add(&self.listener, event).is_err();
        }
    }

    fn take_in(&mut self, stream: UnixStream) -> io::Result<()> {
        let client = Client::new(stream)?;
        let asking = self.clients.iter().filter(|(_, client)| !client.inside);
        if asking.clone().count() >= MOST_ASKING
            && let Some(first) = asking.map(|(id, _)| *id).next()
            && let Some(mut first) = self.clients.remove(&first)
        {
            first.tell(&Answer::Busy { why: "too many ask the lab at a time".to_owned() });
        }
        self.epoll.add(&client.stream, EpollEvent::new(EpollFlags::EPOLLIN, self.next))?;
        self.clients.insert(self.next, client);
        self.next += 1;
        Ok(())
    }

    fn serve(&mut self, id: u64, answer: &mut impl FnMut(&Request) -> Answer) -> Turn {
        let is_full = self.clients.values().filter(|client| client.inside).count() >= MOST_INSIDE;
        let Some(client) = self.clients.get_mut(&id) else { return Turn::GoesOn };
        let mut turn = Turn::GoesOn;
        let stays = client.serve(|request| match request {
            Request::Enter { .. } if is_full => Answer::Busy {
                why: format!("{MOST_INSIDE} programs run in the lab, which are the most it takes"),
            },
            request => {
                if *request == Request::Down {
                    turn = Turn::Ends;
                }
                answer(request)
            }
        });
        let waits = if client.is_behind() { EpollFlags::EPOLLOUT } else { EpollFlags::EPOLLIN };
        let mut event = EpollEvent::new(waits, id);
        if !stays || self.epoll.modify(&client.stream, &mut event).is_err() {
            // Who asked for the end waits for it.
            if turn == Turn::GoesOn {
                self.remove(id);
            }
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

/// It gets its name once it listens: whoever finds the name finds a lab.
fn listen_at(path: &Path) -> io::Result<UnixListener> {
    let _lock = path.parent().and_then(|folder| registry::lock(folder, FlockArg::LockExclusive));
    let unnamed = registry::unnamed(path);
    let _ = fs::remove_file(&unnamed);
    let listener = UnixListener::bind(&unnamed)?;
    listener.set_nonblocking(true)?;
    // A hard link fails where another lab was quicker; a rename would take its name away.
    let named = fs::hard_link(&unnamed, path);
    let _ = fs::remove_file(&unnamed);
    named.map(|()| listener)
}

fn has_no_descriptor(error: &io::Error) -> bool {
    matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::EMFILE | Errno::ENFILE))
}

fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Somebody who does not go by himself: stopped, as a rule. His program dies with him.
fn kill_peer(client: &Client) {
    match getsockopt(&client.stream, PeerCredentials) {
        Ok(peer) if peer.pid() > 0 => {
            log::warn!("process {} did not leave the lab and is killed", peer.pid());
            let _ = kill(Pid::from_raw(peer.pid()), Signal::SIGKILL);
        }
        _ => {}
    }
}
