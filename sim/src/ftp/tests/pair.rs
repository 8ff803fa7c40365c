//! A client and a server, joined by perfect pipes with a delay, on a virtual clock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use smoltcp::time::{Duration, Instant};

use crate::ftp::{
    Action, ClientOutcome, ClientPlan, ClientSession, Direction, Failure, Files, Input, Machine,
    ServerConfig, ServerSession, TranscriptLine,
};

pub(super) const CLIENT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 168, 1, 100), 1025);
pub(super) const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 9), 21);

const DELAY: Duration = Duration::from_millis(10);

/// A driver for both ends.
pub(super) struct Pair {
    pub(super) client: ClientSession,
    pub(super) server: ServerSession,
    pub(super) files: Files,
    pub(super) now: Instant,
    /// Control bytes are delivered in pieces of this size.
    pub(super) piece: usize,
    /// Data connections to these addresses get no answer.
    pub(super) black_holes: BTreeSet<Ipv4Addr>,
    /// Where data connections were dialled from and to.
    pub(super) dialled: Vec<(SocketAddrV4, SocketAddrV4)>,
    /// What the server writes does not arrive.
    pub(super) server_is_mute: bool,
    /// Ports that are taken on the server.
    pub(super) taken: BTreeSet<u16>,
    /// Ports that are taken on the client.
    pub(super) taken_by_client: BTreeSet<u16>,
    /// What the client wrote in pieces.
    pieces: Vec<Vec<u8>>,
    ends: [End; 2],
    events: BTreeMap<(Instant, u64), (Side, Event)>,
    sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// The data slot of one end.
#[derive(Debug, Default)]
struct End {
    /// Which socket is in the slot; an event for another one is late and is dropped.
    socket: u64,
    listening: Option<SocketAddrV4>,
    /// The socket at the other end.
    peer: Option<u64>,
    next_port: u16,
}

#[derive(Debug)]
enum Event {
    ControlOpened,
    Control(Vec<u8>),
    ControlClosed,
    ControlReset,
    Data(u64, Data),
}

#[derive(Debug)]
enum Data {
    Opened { local: SocketAddrV4, remote: SocketAddrV4 },
    Failed,
    Bytes(Vec<u8>),
    Closed,
    Reset,
    Sent,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    fn address(self) -> SocketAddrV4 {
        match self {
            Self::Client => CLIENT,
            Self::Server => SERVER,
        }
    }
}

impl Pair {
    pub(super) fn new(plan: ClientPlan, config: ServerConfig) -> Self {
        let files = Files::new();
        let mut pair = Self {
            client: ClientSession::new(plan, Instant::ZERO),
            server: ServerSession::new(Arc::new(config), files.clone()),
            files,
            now: Instant::ZERO,
            piece: usize::MAX,
            black_holes: BTreeSet::new(),
            dialled: Vec::new(),
            server_is_mute: false,
            taken: BTreeSet::new(),
            taken_by_client: BTreeSet::new(),
            pieces: Vec::new(),
            ends: [End { next_port: 16683, ..End::default() }, End { next_port: 40474, ..End::default() }],
            events: BTreeMap::new(),
            sequence: 0,
        };
        pair.schedule(DELAY, Side::Server, Event::ControlOpened);
        pair.schedule(DELAY * 2, Side::Client, Event::ControlOpened);
        pair
    }

    /// Runs until nothing is left to happen, and returns what became of it.
    pub(super) fn run(&mut self) -> ClientOutcome {
        for _ in 0..100_000 {
            let event = self.events.keys().next().map(|(at, _)| *at);
            let timers = [self.client.poll_timeout(), self.server.poll_timeout()];
            let Some(next) = timers.into_iter().flatten().chain(event).min() else {
                return self.client.outcome().expect("an end without an outcome").clone();
            };
            self.now = self.now.max(next);
            if event == Some(next) {
                let (_, (side, event)) = self.events.pop_first().unwrap();
                self.deliver(side, event);
            } else {
                self.client.handle_timeout(next);
                self.server.handle_timeout(next);
            }
            self.drain(Side::Client);
            self.drain(Side::Server);
        }
        panic!("the two never come to an end");
    }

    /// What one end's log says it sent.
    pub(super) fn sent(&self, side: Side) -> Vec<&str> {
        lines(self.transcript(side), Direction::Sent)
    }

    /// In how many pieces the client wrote a line; 0: in one write.
    pub(super) fn pieces_of(&self, line: &str) -> usize {
        let is_line = |from: usize| {
            let mut written = Vec::new();
            let count = self.pieces[from..].iter().take_while(|piece| {
                let more = written.len() < line.len();
                written.extend_from_slice(piece);
                more
            });
            let count = count.count();
            written.starts_with(line.as_bytes()).then_some(count)
        };
        (0..self.pieces.len()).find_map(is_line).unwrap_or_default()
    }

    /// What one end's log says it received.
    pub(super) fn received(&self, side: Side) -> Vec<&str> {
        lines(self.transcript(side), Direction::Received)
    }

    fn transcript(&self, side: Side) -> &[TranscriptLine] {
        match side {
            Side::Client => self.client.transcript(),
            Side::Server => self.server.transcript(),
        }
    }

    fn machine(&mut self, side: Side) -> &mut dyn Machine {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn end(&mut self, side: Side) -> &mut End {
        &mut self.ends[side as usize]
    }

    fn schedule(&mut self, delay: Duration, side: Side, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now + delay, self.sequence), (side, event));
    }

    fn schedule_data(&mut self, delay: Duration, side: Side, socket: u64, data: Data) {
        self.schedule(delay, side, Event::Data(socket, data));
    }

    fn deliver(&mut self, side: Side, event: Event) {
        let (now, piece) = (self.now, self.piece);
        match event {
            Event::ControlOpened => {
                let (local, remote) = (side.address(), side.other().address());
                self.machine(side).handle(now, Input::ControlOpened { local, remote });
            }
            Event::Control(bytes) => {
                for piece in bytes.chunks(piece) {
                    self.machine(side).handle(now, Input::ControlBytes(piece));
                    self.drain(side);
                }
            }
            Event::ControlClosed => self.machine(side).handle(now, Input::ControlClosed),
            Event::ControlReset => self.machine(side).handle(now, Input::ControlReset),
            Event::Data(socket, _) if self.end(side).socket != socket => {}
            Event::Data(_, data) => {
                let machine = self.machine(side);
                match data {
                    Data::Opened { local, remote } => {
                        machine.handle(now, Input::DataOpened { local, remote });
                    }
                    Data::Failed => machine.handle(now, Input::DataFailed(Failure::Refused)),
                    Data::Bytes(bytes) => machine.handle(now, Input::DataBytes(&bytes)),
                    Data::Closed => machine.handle(now, Input::DataClosed),
                    Data::Reset => machine.handle(now, Input::DataReset),
                    Data::Sent => machine.handle(now, Input::DataSent),
                }
            }
        }
    }

    fn drain(&mut self, side: Side) {
        while let Some(action) = self.machine(side).poll_action() {
            match action {
                Action::SendControl(_) if side == Side::Server && self.server_is_mute => {}
                Action::SendControl(bytes) => self.schedule(DELAY, side.other(), Event::Control(bytes)),
                Action::SendControlPiece(bytes) => {
                    self.pieces.push(bytes.clone());
                    self.schedule(DELAY, side.other(), Event::Control(bytes));
                }
                // Pipes need no protection.
                Action::SecureControl | Action::SecureData => {}
                Action::CloseControl => self.schedule(DELAY, side.other(), Event::ControlClosed),
                Action::AbortControl => self.schedule(DELAY, side.other(), Event::ControlReset),
                Action::ListenData { port } => self.listen(side, port),
                Action::ConnectData { from_port, to } => self.connect(side, from_port, to),
                Action::SendData(bytes) => {
                    for segment in bytes.chunks(1460) {
                        self.reach_peer(side, Data::Bytes(segment.to_vec()));
                    }
                }
                Action::CloseData => {
                    self.reach_peer(side, Data::Closed);
                    let socket = self.end(side).socket;
                    self.schedule_data(DELAY * 2, side, socket, Data::Sent);
                }
                Action::AbortData => {
                    self.reach_peer(side, Data::Reset);
                    self.new_socket(side);
                }
            }
        }
    }

    fn new_socket(&mut self, side: Side) -> u64 {
        self.sequence += 1;
        let sequence = self.sequence;
        let end = self.end(side);
        *end = End { socket: sequence, next_port: end.next_port, ..End::default() };
        sequence
    }

    fn listen(&mut self, side: Side, port: Option<u16>) {
        self.new_socket(side);
        let now = self.now;
        let taken = match side {
            Side::Client => &self.taken_by_client,
            Side::Server => &self.taken,
        };
        if port.is_some_and(|port| taken.contains(&port)) {
            self.machine(side).handle(now, Input::DataListenFailed);
            return;
        }
        let local = SocketAddrV4::new(*side.address().ip(), port.unwrap_or(self.end(side).next_port));
        self.end(side).listening = Some(local);
        self.machine(side).handle(now, Input::DataListening { local });
    }

    fn connect(&mut self, side: Side, from_port: Option<u16>, to: SocketAddrV4) {
        let socket = self.new_socket(side);
        let local = SocketAddrV4::new(*side.address().ip(), from_port.unwrap_or(50_000));
        self.dialled.push((local, to));
        if self.black_holes.contains(to.ip()) {
            return;
        }
        let peer = self.end(side.other());
        if peer.listening.take_if(|listening| *listening == to).is_none() {
            self.schedule_data(DELAY * 2, side, socket, Data::Failed);
            return;
        }
        peer.peer = Some(socket);
        let peer_socket = peer.socket;
        self.end(side).peer = Some(peer_socket);
        self.schedule_data(DELAY, side.other(), peer_socket, Data::Opened { local: to, remote: local });
        self.schedule_data(DELAY * 2, side, socket, Data::Opened { local, remote: to });
    }

    fn reach_peer(&mut self, side: Side, data: Data) {
        if let Some(peer) = self.end(side).peer {
            self.schedule_data(DELAY, side.other(), peer, data);
        }
    }
}

fn lines(transcript: &[TranscriptLine], direction: Direction) -> Vec<&str> {
    transcript.iter().filter(|line| line.direction == direction).map(|line| line.text.as_str()).collect()
}
