//! Runs an FTP machine over a host's stack: sockets to inputs, actions to sockets.

use std::collections::VecDeque;

use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::State;
use smoltcp::time::Instant;

use super::stack::Stack;
use crate::ftp::{Action, ClientSession, Failure, Input, Machine, ServerSession};

/// Which machine a driver runs.
pub(super) enum Session {
    Client(Box<ClientSession>),
    Server(Box<ServerSession>),
}

impl Session {
    fn machine(&mut self) -> &mut dyn Machine {
        match self {
            Self::Client(session) => session.as_mut(),
            Self::Server(session) => session.as_mut(),
        }
    }
}

/// One session with its sockets.
pub(super) struct Driver {
    pub(super) session: Session,
    control: Control,
    data: Option<Data>,
    /// Sockets that left the data slot and go on by themselves.
    background: Vec<Data>,
}

struct Control {
    handle: Option<SocketHandle>,
    opened: bool,
    peer_closed: bool,
    /// One entry is one write, so that it leaves as one segment.
    writes: VecDeque<Vec<u8>>,
    close: bool,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that happened or was told, in no fixed order"
)]
struct Data {
    handle: SocketHandle,
    dialled: bool,
    opened: bool,
    peer_closed: bool,
    out: VecDeque<u8>,
    close: bool,
    fin_queued: bool,
    sent_told: bool,
}

impl Driver {
    /// A session whose control connection is `control`: being dialled by a client, or accepted by a server.
    pub(super) fn new(session: Session, control: Option<SocketHandle>) -> Self {
        let control = Control {
            handle: control,
            opened: false,
            peer_closed: false,
            writes: VecDeque::new(),
            close: false,
        };
        Self { session, control, data: None, background: Vec::new() }
    }

    pub(super) fn is_finished(&mut self) -> bool {
        self.session.machine().is_finished()
    }

    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        self.session.machine().poll_timeout()
    }

    /// Tells the machine what happened and does what it wants. True: something moved, so the stack has work and the
    /// driver is to be pumped again.
    pub(super) fn pump(&mut self, now: Instant, stack: &mut Stack) -> bool {
        let mut moved = self.pump_control(now, stack);
        moved |= self.pump_data(now, stack);
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.session.machine().handle_timeout(now);
            self.act(now, stack);
            moved = true;
        }
        moved |= self.write_control(stack);
        moved |= self.data.as_mut().is_some_and(|data| data.write(stack));
        self.background.retain_mut(|data| {
            moved |= data.write(stack);
            let over = stack.tcp(data.handle).state() == State::Closed;
            if over {
                stack.remove(data.handle);
            }
            !over
        });
        moved
    }

    fn tell(&mut self, now: Instant, stack: &mut Stack, input: Input<'_>) -> bool {
        self.session.machine().handle(now, input);
        self.act(now, stack);
        true
    }

    fn pump_control(&mut self, now: Instant, stack: &mut Stack) -> bool {
        let Some(handle) = self.control.handle else { return false };
        let state = stack.tcp(handle).state();
        if !self.control.opened {
            return match state {
                State::Established | State::CloseWait => {
                    self.control.opened = true;
                    let Some((local, remote)) = stack.ends(handle) else { return false };
                    self.tell(now, stack, Input::ControlOpened { local, remote })
                }
                State::Closed => {
                    self.control.handle = None;
                    self.tell(now, stack, Input::ControlFailed(Failure::Refused))
                }
                _ => false,
            };
        }
        if let Some(bytes) = read(stack, handle) {
            return self.tell(now, stack, Input::ControlBytes(&bytes));
        }
        if !self.control.peer_closed && peer_has_closed(state) {
            self.control.peer_closed = true;
            return self.tell(now, stack, Input::ControlClosed);
        }
        if state == State::Closed {
            self.control.handle = None;
            stack.remove(handle);
            if !self.control.peer_closed {
                return self.tell(now, stack, Input::ControlReset);
            }
        }
        false
    }

    fn pump_data(&mut self, now: Instant, stack: &mut Stack) -> bool {
        let Some(data) = &mut self.data else { return false };
        let handle = data.handle;
        let state = stack.tcp(handle).state();
        if !data.opened {
            return match state {
                State::Established | State::CloseWait => {
                    data.opened = true;
                    let Some((local, remote)) = stack.ends(handle) else { return false };
                    self.tell(now, stack, Input::DataOpened { local, remote })
                }
                State::Closed if data.dialled => {
                    self.data = None;
                    stack.remove(handle);
                    self.tell(now, stack, Input::DataFailed(Failure::Refused))
                }
                _ => false,
            };
        }
        if let Some(bytes) = read(stack, handle) {
            return self.tell(now, stack, Input::DataBytes(&bytes));
        }
        if !data.peer_closed && peer_has_closed(state) {
            data.peer_closed = true;
            return self.tell(now, stack, Input::DataClosed);
        }
        if data.fin_queued && !data.sent_told && data.is_acknowledged(stack) {
            data.sent_told = true;
            return self.tell(now, stack, Input::DataSent);
        }
        if state == State::Closed {
            let complete = data.peer_closed && (data.sent_told || !data.close);
            self.data = None;
            stack.remove(handle);
            if !complete {
                return self.tell(now, stack, Input::DataReset);
            }
        }
        false
    }

    fn write_control(&mut self, stack: &mut Stack) -> bool {
        let Some(handle) = self.control.handle.filter(|_| self.control.opened) else { return false };
        let socket = stack.tcp(handle);
        if let Some(write) = self.control.writes.front_mut() {
            let sent = socket.send_slice(write).unwrap_or_default();
            if sent == write.len() {
                self.control.writes.pop_front();
            } else {
                write.drain(..sent);
            }
            return sent > 0;
        }
        if self.control.close {
            self.control.close = false;
            socket.close();
            return true;
        }
        false
    }

    fn act(&mut self, now: Instant, stack: &mut Stack) {
        while let Some(action) = self.session.machine().poll_action() {
            match action {
                Action::SendControl(bytes) => self.control.writes.push_back(bytes),
                Action::CloseControl => self.control.close = true,
                Action::AbortControl => {
                    if let Some(handle) = self.control.handle {
                        stack.tcp(handle).abort();
                    }
                }
                Action::ListenData { port } => self.listen(now, port, stack),
                Action::ConnectData { from_port, to } => {
                    let dialled = stack.dial(from_port, to);
                    self.fill_slot(dialled.map(|handle| Data::new(handle, true)));
                    if dialled.is_none() {
                        self.session.machine().handle(now, Input::DataFailed(Failure::Unreachable));
                    }
                }
                Action::SendData(bytes) => {
                    if let Some(data) = &mut self.data {
                        data.out.extend(bytes);
                    }
                }
                Action::CloseData => {
                    if let Some(data) = &mut self.data {
                        data.close = true;
                    }
                }
                Action::AbortData => {
                    if let Some(data) = self.data.take() {
                        stack.tcp(data.handle).abort();
                        self.background.push(data);
                    }
                }
            }
        }
    }

    fn listen(&mut self, now: Instant, port: Option<u16>, stack: &mut Stack) {
        let port = port.unwrap_or_else(|| stack.ephemeral_port());
        let local = std::net::SocketAddrV4::new(stack.address(), port);
        let listening = stack.listen(port);
        self.fill_slot(listening.map(|handle| Data::new(handle, false)));
        let input =
            if listening.is_some() { Input::DataListening { local } } else { Input::DataListenFailed };
        self.session.machine().handle(now, input);
    }

    fn fill_slot(&mut self, data: Option<Data>) {
        if let Some(mut old) = std::mem::replace(&mut self.data, data) {
            // What is still to leave does so in the background; nobody waits for more.
            old.close = true;
            self.background.push(old);
        }
    }
}

impl Data {
    fn new(handle: SocketHandle, dialled: bool) -> Self {
        Self {
            handle,
            dialled,
            opened: false,
            peer_closed: false,
            out: VecDeque::new(),
            close: false,
            fin_queued: false,
            sent_told: false,
        }
    }

    /// Gives the socket what it has room for, and the FIN behind the last byte.
    fn write(&mut self, stack: &mut Stack) -> bool {
        let socket = stack.tcp(self.handle);
        let sent = socket.send_slice(self.out.as_slices().0).unwrap_or_default();
        self.out.drain(..sent);
        if self.close && !self.fin_queued && self.out.is_empty() {
            self.fin_queued = true;
            socket.close();
            return true;
        }
        sent > 0
    }

    /// Whether the peer has acknowledged all bytes and the FIN has left behind them.
    fn is_acknowledged(&self, stack: &mut Stack) -> bool {
        let socket = stack.tcp(self.handle);
        socket.send_queue() == 0 && !matches!(socket.state(), State::Established | State::CloseWait)
    }
}

fn read(stack: &mut Stack, handle: SocketHandle) -> Option<Vec<u8>> {
    let socket = stack.tcp(handle);
    if !socket.can_recv() {
        return None;
    }
    socket.recv(|bytes| (bytes.len(), bytes.to_vec())).ok().filter(|bytes| !bytes.is_empty())
}

/// The peer's FIN has come, and by the order of calls all bytes before it were read.
fn peer_has_closed(state: State) -> bool {
    matches!(state, State::CloseWait | State::LastAck | State::Closing | State::TimeWait)
}
