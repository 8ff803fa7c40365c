//! What is known of a session, whichever view tells it.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::material::{Material, Observed, Source};
use super::sessions::{Session, is_private};
use crate::scenario::language::Mode;
use crate::session::{Account, Announcement, DataAttempt, Ending, Fate, Line, Speaker};

/// Commands that need a data connection.
const TRANSFERS: [&str; 8] = ["APPE", "LIST", "MLSD", "NLST", "RETR", "STOR", "STOU", "XLST"];

/// A session, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// As the client's side has it.
    pub at_client: Option<&'a Observed>,
    /// As the server's side has it.
    pub at_server: Option<&'a Observed>,
    material: &'a Material,
}

/// An announcement as one view has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Who announces.
    pub by: Speaker,
    /// The line.
    pub line: String,
    /// Where it leads.
    pub to: SocketAddrV4,
}

/// How a transfer, or the attempt at one, ended as far as the replies tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The command; that of the announcement where it was refused.
    pub command: String,
    /// The last reply to it.
    pub reply: Option<String>,
    /// Its code.
    pub code: Option<u16>,
}

impl<'a> Facts<'a> {
    /// What is known of this session.
    pub fn of(material: &'a Material, session: &Session) -> Self {
        let view = |place: Option<usize>| material.observed.get(place?);
        Self { at_client: view(session.at_client), at_server: view(session.at_server), material }
    }

    /// The views there are, the client's first.
    pub fn views(&self) -> impl Iterator<Item = &'a Observed> + use<'a> {
        [self.at_client, self.at_server].into_iter().flatten()
    }

    /// A view's source.
    pub fn source(&self, view: &Observed) -> Option<&'a Source> {
        self.material.sources.get(view.source)
    }

    fn accounts(&self) -> impl Iterator<Item = &'a Account> + use<'a> {
        self.views().map(|view| &view.account)
    }

    fn dialogue(&self) -> &'a [Line] {
        self.views().map(|view| view.account.dialogue.lines.as_slice()).next().unwrap_or_default()
    }

    /// The client, as its own side knows it.
    pub fn client(&self) -> Option<Ipv4Addr> {
        self.accounts().find_map(|account| account.client.ip)
    }

    /// The server, as the client dials it.
    pub fn server(&self) -> Option<Ipv4Addr> {
        self.accounts().find_map(|account| account.server.ip)
    }

    /// The control connection's port, as the client dials it.
    pub fn control_port(&self) -> Option<u16> {
        self.accounts().find_map(|account| account.server.port)
    }

    /// Whether the control connection was established.
    pub fn established(&self) -> Option<bool> {
        let any = |what| self.accounts().any(|account| account.established == Some(what));
        if any(true) || !self.dialogue().is_empty() { Some(true) } else { any(false).then_some(false) }
    }

    /// Whether it is encrypted from some point on.
    pub fn encrypted(&self) -> bool {
        self.views().any(|view| view.encrypted)
    }

    /// How the data connection was to be made, the last time.
    pub fn mode(&self) -> Option<Mode> {
        let verbs: Vec<String> = self.dialogue().iter().filter_map(Line::verb).collect();
        let asked = verbs.iter().rev().find_map(|verb| match verb.as_str() {
            "PORT" => Some(Mode::Port),
            "EPRT" => Some(Mode::Eprt),
            "PASV" => Some(Mode::Pasv),
            "EPSV" => Some(Mode::Epsv),
            _ => None,
        });
        let announced =
            || match self.accounts().flat_map(|account| account.dialogue.announcements()).last()? {
                Announcement::Port(_) => Some(Mode::Port),
                Announcement::ExtendedPort(_) => Some(Mode::Eprt),
                Announcement::Passive(_) => Some(Mode::Pasv),
                Announcement::ExtendedPassive(_) => Some(Mode::Epsv),
            };
        // A beginning that is missing may have had the command.
        let whole = self.views().all(|view| !view.joined);
        let bare = || verbs.iter().any(|verb| TRANSFERS.contains(&verb.as_str())).then_some(Mode::NoCommand);
        asked.or_else(announced).or_else(|| bare().filter(|_| whole))
    }

    /// The last announcement, as a view has it.
    pub fn announced(view: &Observed) -> Option<Announced> {
        let account = &view.account;
        let mut lines = account.dialogue.lines.iter().rev();
        let (line, announced) = lines.find_map(|line| Some((line, line.announces()?)))?;
        let server = SocketAddrV4::new(account.server.ip.unwrap_or(Ipv4Addr::UNSPECIFIED), 0);
        Some(Announced { by: line.by, line: line.text.clone(), to: announced.leads_to(server) })
    }

    /// Whether the last announcement arrived as another one; `None` where that cannot be told. A LAN's address that
    /// arrives outside was rewritten by nobody.
    pub fn rewritten(&self) -> Option<bool> {
        let [sent, seen] = [self.at_client, self.at_server].map(|view| view.and_then(Self::announced));
        let is_lan = |to: SocketAddrV4, known: Option<Ipv4Addr>| {
            is_private(*to.ip()) && known.is_some_and(|known| !is_private(known))
        };
        match (sent, seen) {
            // A 229 has no address: what it leads to is only where the server is seen from.
            (Some(sent), Some(seen)) if sent.line.starts_with("229") => {
                Some(sent.to.port() != seen.to.port())
            }
            (Some(sent), Some(seen)) => Some(sent.to != seen.to),
            (None, Some(seen)) if seen.by == Speaker::Client => {
                is_lan(seen.to, self.at_server?.account.client.ip).then_some(false)
            }
            (Some(sent), None) if sent.by == Speaker::Server => {
                is_lan(sent.to, self.at_client?.account.server.ip).then_some(false)
            }
            _ => None,
        }
    }

    /// The last transfer, or announcement that was refused.
    pub fn transfer(&self) -> Option<Transfer> {
        let lines = self.dialogue();
        let wants_data = |line: &Line| {
            line.verb().is_some_and(|verb| {
                TRANSFERS.contains(&verb.as_str())
                    || matches!(verb.as_str(), "PORT" | "EPRT" | "PASV" | "EPSV")
            })
        };
        let place = lines.iter().rposition(wants_data)?;
        let command = lines.get(place)?;
        let next = lines.iter().skip(place + 1);
        let replies = next.take_while(|line| line.by == Speaker::Server);
        let reply = replies.filter(|line| line.code().is_some()).last();
        Some(Transfer {
            command: command.text.clone(),
            reply: reply.map(|line| line.text.clone()),
            code: reply.and_then(Line::code),
        })
    }

    /// Whether the server took the last PORT; `None` where it did not answer it, or there was none. Servers that do not
    /// know EPRT refuse it whatever it says; PORT they all know.
    pub fn port_taken(&self) -> Option<bool> {
        let lines = self.dialogue();
        let place = lines.iter().rposition(|line| line.verb().as_deref() == Some("PORT"))?;
        let code = lines.get(place + 1..)?.iter().find_map(Line::code)?;
        matches!(code, 200..=299 | 500..=599).then_some(code < 300)
    }

    /// The last data connection, as a view has it.
    pub fn data(view: &Observed) -> Option<&DataAttempt> {
        view.account.data.last()
    }

    /// Whether data crossed the last data connection; `None` where the material does not tell.
    pub fn data_works(&self) -> Option<bool> {
        let code = self.transfer().and_then(|transfer| transfer.code);
        let fates: Vec<&DataAttempt> = self.views().filter_map(Self::data).collect();
        let opened = |attempt: &&&DataAttempt| attempt.fate == Fate::Opened;
        match code {
            Some(226 | 250) => Some(true),
            Some(425 | 426) => Some(false),
            _ if fates.iter().filter(opened).count() > 0 => {
                Some(!fates.iter().any(|attempt| attempt.ended == Some(Ending::Reset)))
            }
            _ if fates.iter().any(|attempt| attempt.fate != Fate::Unknown) => Some(false),
            Some(400..) => Some(false),
            _ => None,
        }
    }

    /// Whether the client is behind a router; `None` where the material does not tell.
    pub fn client_behind(&self) -> Option<bool> {
        let [own, outside] =
            [self.at_client, self.at_server].map(|view| view.and_then(|view| view.account.client.ip));
        let announced =
            self.views().filter_map(Self::announced).find(|announced| announced.by == Speaker::Client);
        if own.zip(outside).is_some_and(|(own, outside)| own != outside) {
            return Some(true);
        }
        if announced.is_some_and(|announced| {
            let is_outside = |ip: Option<Ipv4Addr>| ip.is_some_and(|ip| !is_private(ip));
            is_private(*announced.to.ip()) && (is_outside(outside) || is_outside(self.server()))
        }) {
            return Some(true);
        }
        match own.or(outside) {
            Some(client) if is_private(client) => Some(!self.server().is_none_or(is_private)),
            // The announced address is the client's own, as it is seen.
            Some(_) if own.is_some() && outside.is_some() => Some(false),
            _ => None,
        }
    }

    /// Whether the server is behind a router; `None` where the material does not tell.
    pub fn server_behind(&self) -> Option<bool> {
        let [dialled, own] =
            [self.at_client, self.at_server].map(|view| view.and_then(|view| view.account.server.ip));
        let announced =
            self.views().filter_map(Self::announced).find(|announced| announced.by == Speaker::Server);
        if dialled.zip(own).is_some_and(|(dialled, own)| dialled != own) {
            return Some(true);
        }
        if announced.is_some_and(|announced| {
            is_private(*announced.to.ip()) && dialled.is_some_and(|dialled| !is_private(dialled))
        }) {
            return Some(true);
        }
        match own {
            Some(server) if is_private(server) => Some(!self.client().is_none_or(is_private)),
            Some(_) => Some(false),
            None => None,
        }
    }
}
