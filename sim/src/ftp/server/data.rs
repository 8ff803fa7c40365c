//! The data connection of a session: how it was agreed on, and what goes over it.

use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::time::{Duration, Instant};

use super::{Control, Security, ServerSession};
use crate::ftp::{Action, DataSource, DataType, NoCommand, after, ascii, format_host_port};

/// What the next transfer's data connection is, or has become.
#[derive(Debug)]
pub(super) enum Setup {
    /// Neither PORT nor PASV: to the client's default data port (RFC 959 §3.2).
    Default,
    /// To this address.
    Port(SocketAddrV4),
    /// PASV was taken; the driver is making the socket, and `left` more ports may be tried.
    Binding { extended: bool, left: u32 },
    /// The client was told to dial.
    Listening,
    /// The client has dialled, and may have sent ahead of its STOR.
    Accepted { received: Vec<u8>, closed: bool },
    /// This server dials the address once its delay has passed.
    Delayed(SocketAddrV4),
    /// This server dials.
    Dialling,
    /// The client has dialled and is gone again, or was turned away.
    Broken,
}

/// A transfer in progress.
#[derive(Debug)]
pub(super) struct Job {
    direction: Direction,
    /// The text of the 150 still to be sent; `None` once the data connection is open.
    opening: Option<&'static str>,
}

/// Which way the bytes go, as seen from the server.
#[derive(Debug)]
pub(super) enum Direction {
    Out { bytes: Vec<u8> },
    In { name: String, received: Vec<u8> },
}

impl ServerSession {
    /// PASV or EPSV: answered once the driver has a socket.
    pub(super) fn passive(&mut self, now: Instant, extended: bool) {
        if self.epsv_only && !extended {
            self.reply(now, 501, "Only EPSV after EPSV ALL.");
            return;
        }
        self.drop_data();
        let ports = self.passive_port_count().unwrap_or(1);
        self.bind(now, extended, ports);
    }

    /// LIST, NLST, RETR, STOR: the 150 follows once the data connection is open, as of ftpd and vsftpd, so that one
    /// that cannot be opened is a bare 425.
    pub(super) fn start(&mut self, now: Instant, direction: Direction, opening: &'static str) {
        let Some(control) = self.control else { return };
        self.job = Some(Job { direction, opening: Some(opening) });
        self.deadline = Some(after(now, self.config.data_timeout));
        match std::mem::replace(&mut self.setup, Setup::Broken) {
            Setup::Default if self.config.no_command == NoCommand::Refuse => {
                self.job = None;
                self.done(now, 425, "Use PORT or PASV first.");
            }
            Setup::Default => self.dial_in_time(now, control, control.remote),
            Setup::Port(address) => self.dial_in_time(now, control, address),
            Setup::Listening => self.setup = Setup::Listening,
            Setup::Accepted { received, closed } => self.begin(now, received, closed),
            Setup::Binding { .. } | Setup::Delayed(_) | Setup::Dialling | Setup::Broken => {
                self.not_opened(now);
            }
        }
    }

    pub(super) fn data_listening(&mut self, now: Instant, local: SocketAddrV4) {
        let (Setup::Binding { extended, .. }, Some(control)) = (&self.setup, self.control) else { return };
        let address = self.config.passive_address.unwrap_or(*control.local.ip());
        let announced = SocketAddrV4::new(address, local.port());
        if *extended {
            self.reply(now, 229, &format!("Entering Extended Passive Mode (|||{}|)", local.port()));
        } else {
            self.reply(now, 227, &format!("Entering Passive Mode ({}).", format_host_port(announced)));
        }
        self.setup = Setup::Listening;
    }

    pub(super) fn data_listen_failed(&mut self, now: Instant) {
        if let Setup::Binding { extended, left } = self.setup {
            self.bind(now, extended, left);
        }
    }

    pub(super) fn data_opened(&mut self, now: Instant, remote: SocketAddrV4) {
        match self.setup {
            Setup::Listening if self.is_turned_away(*remote.ip()) => {
                self.actions.push_back(Action::AbortData);
                self.lost(now);
            }
            Setup::Listening if self.job.is_none() => {
                self.setup = Setup::Accepted { received: Vec::new(), closed: false };
            }
            Setup::Listening | Setup::Dialling => self.begin(now, Vec::new(), false),
            _ => {}
        }
    }

    pub(super) fn data_failed(&mut self, now: Instant) {
        if matches!(self.setup, Setup::Dialling | Setup::Listening) {
            self.lost(now);
        }
    }

    pub(super) fn data_bytes(&mut self, now: Instant, bytes: &[u8]) {
        let limit = self.config.max_file;
        let ((Some(Job { direction: Direction::In { received, .. }, opening: None }), _)
        | (None, Setup::Accepted { received, closed: false })) = (&mut self.job, &mut self.setup)
        else {
            return;
        };
        if received.len().saturating_add(bytes.len()) <= limit {
            received.extend_from_slice(bytes);
            self.data_progress(now);
        } else if self.job.is_some() {
            self.fail(now, 552, "Requested file action aborted, exceeded storage allocation.");
        } else {
            self.drop_data();
            self.setup = Setup::Broken;
        }
    }

    pub(super) fn data_progress(&mut self, now: Instant) {
        if self.is_moving() {
            self.rest(now);
        }
    }

    pub(super) fn data_closed(&mut self, now: Instant) {
        if let Setup::Accepted { closed, .. } = &mut self.setup {
            *closed = true;
        }
        // A client that closes its half during a RETR may still be reading.
        let receiving =
            |job: &mut Job| job.opening.is_none() && matches!(job.direction, Direction::In { .. });
        if let Some(Job { direction: Direction::In { name, received }, .. }) = self.job.take_if(receiving) {
            self.store(now, name, received);
        }
    }

    pub(super) fn data_reset(&mut self, now: Instant) {
        if self.is_moving() {
            self.job = None;
            self.done(now, 426, "Failure writing network stream.");
        } else if matches!(self.setup, Setup::Accepted { .. } | Setup::Dialling | Setup::Listening) {
            self.lost(now);
        }
    }

    pub(super) fn data_sent(&mut self, now: Instant) {
        let sending = |job: &mut Job| job.opening.is_none() && matches!(job.direction, Direction::Out { .. });
        if self.job.take_if(sending).is_some() {
            self.done(now, 226, "Transfer complete.");
        }
    }

    /// ABOR while a transfer is in progress: 426 for the transfer; the 226 for ABOR itself follows in its turn.
    pub(super) fn abort_transfer(&mut self, now: Instant) {
        self.fail(now, 426, "Transfer aborted.");
    }

    /// The time of a transfer in progress is up: for what it waited.
    pub(super) fn job_timed_out(&mut self, now: Instant) {
        if let (Setup::Delayed(to), Some(control)) = (&self.setup, self.control) {
            self.deadline = Some(after(now, self.config.data_timeout));
            self.dial(control, *to);
        } else if self.is_moving() {
            self.fail(now, 426, "Data connection timed out.");
        } else {
            self.fail(now, 425, "Failed to establish connection.");
        }
    }

    /// Forgets the data connection, whatever it is.
    pub(super) fn drop_data(&mut self) {
        let socket = !matches!(self.setup, Setup::Default | Setup::Port(_) | Setup::Broken);
        if socket || self.job.is_some() {
            self.actions.push_back(Action::AbortData);
        }
        self.job = None;
        self.setup = Setup::Default;
    }

    /// Asks for a passive socket on the next port of the range, if there is one `left`.
    fn bind(&mut self, now: Instant, extended: bool, left: u32) {
        let Some(left) = left.checked_sub(1) else {
            self.setup = Setup::Default;
            self.reply(now, 425, "Failed to listen on a passive port.");
            return;
        };
        let port = self.passive_port_count().and_then(|count| {
            let first = *self.config.passive_ports.as_ref()?.start();
            let turn = u16::try_from(self.passive_turn.checked_rem(count)?).ok()?;
            first.checked_add(turn)
        });
        self.passive_turn = self.passive_turn.wrapping_add(1);
        self.setup = Setup::Binding { extended, left };
        self.open_data(Action::ListenData { port });
    }

    /// Has a data socket made, protected as the client wants it.
    fn open_data(&mut self, action: Action) {
        self.actions.push_back(action);
        if self.security == Security::Data {
            self.actions.push_back(Action::SecureData);
        }
    }

    fn passive_port_count(&self) -> Option<u32> {
        let ports = self.config.passive_ports.as_ref()?;
        u32::try_from(ports.len()).ok()
    }

    fn dial_in_time(&mut self, now: Instant, control: Control, to: SocketAddrV4) {
        if self.config.data_delay == Duration::ZERO {
            self.dial(control, to);
        } else {
            self.setup = Setup::Delayed(to);
            self.deadline = Some(after(now, self.config.data_delay));
        }
    }

    fn dial(&mut self, control: Control, to: SocketAddrV4) {
        let from_port = match self.config.data_source {
            DataSource::BelowControl => control.local.port().checked_sub(1).filter(|port| *port != 0),
            DataSource::Fixed(port) => Some(port),
            DataSource::Any => None,
        };
        self.setup = Setup::Dialling;
        self.open_data(Action::ConnectData { from_port, to });
    }

    /// The data connection is open: 150, and the bytes.
    fn begin(&mut self, now: Instant, early: Vec<u8>, closed: bool) {
        self.setup = Setup::Default;
        let Some(job) = &mut self.job else { return };
        let opening = job.opening.take().unwrap_or_default();
        let out = match &mut job.direction {
            Direction::Out { bytes } => Some(std::mem::take(bytes)),
            Direction::In { received, .. } => {
                *received = early;
                None
            }
        };
        self.reply(now, 150, opening);
        self.rest(now);
        if let Some(bytes) = out {
            if !bytes.is_empty() {
                self.actions.push_back(Action::SendData(bytes));
            }
            self.actions.push_back(Action::CloseData);
        } else if closed {
            self.data_closed(now);
        }
    }

    fn store(&mut self, now: Instant, name: String, received: Vec<u8>) {
        let stored = match self.data_type {
            DataType::Image => received,
            DataType::Ascii => ascii::from_wire(&received),
        };
        self.files.put(name, stored);
        self.actions.push_back(Action::CloseData);
        self.done(now, 226, "Transfer complete.");
    }

    /// The socket is gone: the transfer that waits for it fails, or the next one will.
    fn lost(&mut self, now: Instant) {
        if self.job.is_some() {
            self.not_opened(now);
        } else {
            self.setup = Setup::Broken;
        }
    }

    fn not_opened(&mut self, now: Instant) {
        self.job = None;
        self.done(now, 425, "Failed to establish connection.");
    }

    fn fail(&mut self, now: Instant, code: u16, text: &str) {
        self.drop_data();
        self.done(now, code, text);
    }

    fn done(&mut self, now: Instant, code: u16, text: &str) {
        // Each transfer needs a PORT or PASV of its own, as with ftpd and vsftpd.
        self.setup = Setup::Default;
        self.reply(now, code, text);
        self.rest(now);
    }

    fn is_moving(&self) -> bool {
        self.job.as_ref().is_some_and(|job| job.opening.is_none())
    }

    fn is_turned_away(&self, peer: Ipv4Addr) -> bool {
        self.control.is_some_and(|control| {
            let client = *control.remote.ip();
            peer != client && self.config.foreign_passive_peer.taken(peer, client).is_none()
        })
    }
}
