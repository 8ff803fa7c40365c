//! One session's evidence, put in order, and the order in which causes are looked for.

use std::net::Ipv4Addr;

use quirknat_router::event::TranslationRefusal;

use super::said::{Said, is_encrypted, last_code, last_setup, last_transfer, said};
use super::seen::{End, Seen, WireFault, is_unwanted};
use super::{Evidence, Wanted};
use crate::cause::{Cause, Details, Found};
use crate::net::LossReason;
use crate::session::{Account, DataAttempt, Ending, Fate, Speaker};

pub(super) struct Case<'a> {
    pub(super) evidence: &'a Evidence<'a>,
    /// What was said, as the client knows it, and as the server does.
    pub(super) at_client: Vec<Said<'a>>,
    pub(super) at_server: Vec<Said<'a>>,
    pub(super) seen: Option<Seen<'a>>,
}

impl<'a> Case<'a> {
    pub(super) fn new(evidence: &'a Evidence<'a>) -> Self {
        let dialogue = |account: Option<&'a Account>| account.map(|account| said(&account.dialogue));
        let at_client = dialogue(evidence.at_client).unwrap_or_default();
        let at_server = dialogue(evidence.at_server).unwrap_or_default();
        let accounts = || evidence.at_client.into_iter().chain(evidence.at_server);
        let controls = accounts().filter_map(Account::control).flat_map(|(from, to)| [from, to]);
        let data = accounts().flat_map(|account| &account.data).flat_map(|data| [data.from, data.to]);
        let announced =
            [&at_client, &at_server].into_iter().filter_map(|said| last_setup(said)?.0.announced());
        let ends = controls.chain(data.flatten()).chain(announced);
        let seen = evidence.network.map(|witness| Seen::new(witness, ends));
        Self { evidence, at_client, at_server, seen }
    }

    fn accounts(&self) -> impl Iterator<Item = &'a Account> {
        self.evidence.at_client.into_iter().chain(self.evidence.at_server)
    }

    /// What was said, from the end that tells more of it.
    pub(super) fn said(&self) -> &[Said<'a>] {
        if self.at_client.is_empty() { &self.at_server } else { &self.at_client }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        is_encrypted(self.said())
    }

    /// Whether nothing is known of what was said once it was encrypted: as in a capture, where logs go on.
    pub(super) fn is_blind(&self) -> bool {
        let ends_so = |said: &[Said<'_>]| said.last().is_none_or(|last| last.verb == "AUTH");
        let ends_known = self.evidence.failed.is_some();
        !ends_known && self.is_encrypted() && ends_so(&self.at_client) && ends_so(&self.at_server)
    }

    /// The address that the client dialled.
    pub(super) fn dialled_server(&self) -> Option<Ipv4Addr> {
        self.evidence.at_client?.server.ip
    }

    /// The client's address as the server knows it.
    pub(super) fn known_as(&self) -> Option<Ipv4Addr> {
        self.evidence.at_server?.client.ip
    }

    pub(super) fn client(&self) -> Option<Ipv4Addr> {
        self.evidence.client.or_else(|| self.evidence.at_client?.client.ip)
    }

    pub(super) fn server(&self) -> Option<Ipv4Addr> {
        self.evidence.server.or_else(|| self.evidence.at_server?.server.ip)
    }

    /// The server's port, as the client dialled it or, without its account, as the server has it.
    pub(super) fn control_port(&self) -> Option<u16> {
        self.accounts().find_map(|account| account.server.port)
    }

    /// The attempts at a data connection that an account has since the last command that was to agree on one.
    pub(super) fn attempts_of(account: Option<&'a Account>) -> impl Iterator<Item = &'a DataAttempt> {
        let since = account.and_then(|account| last_setup(&said(&account.dialogue))?.0.line.at);
        let data = account.map(|account| account.data.as_slice()).unwrap_or_default();
        data.iter().filter(move |attempt| attempt.at.zip(since).is_none_or(|(at, since)| at >= since))
    }

    pub(super) fn attempts(&self) -> impl Iterator<Item = &'a DataAttempt> {
        Self::attempts_of(self.evidence.at_client).chain(Self::attempts_of(self.evidence.at_server))
    }

    /// Whether the data connection was established, by the account of the end that dialled it: at the other one
    /// somebody else may have come in its place.
    pub(super) fn is_opened(&self) -> bool {
        let Evidence { at_client, at_server, .. } = *self.evidence;
        let last = |account, by| {
            Self::attempts_of(account)
                .filter(|attempt| attempt.dialled_by.is_none_or(|dialled| dialled == by))
                .last()
        };
        let dialled = last(at_client, Speaker::Client).or_else(|| last(at_server, Speaker::Server));
        let attempt = dialled.or_else(|| self.attempts().last());
        attempt.is_some_and(|attempt| attempt.fate == Fate::Opened)
    }

    pub(super) fn transfer_code(&self) -> Option<u16> {
        last_transfer(self.said())?.code()
    }

    fn is_connected(&self) -> bool {
        self.accounts().any(|account| account.established == Some(true) || !account.dialogue.lines.is_empty())
    }

    pub(super) fn is_failed(&self) -> bool {
        if let Some(failed) = self.evidence.failed {
            return failed;
        }
        let said = self.said();
        match last_transfer(said).map(Said::code) {
            Some(Some(code)) => return code >= 400,
            // It was begun; where the source has no replies, it may say otherwise that it ended well.
            Some(None) => return !self.attempts().last().is_some_and(is_complete),
            None => {}
        }
        self.accounts().any(|account| account.established == Some(false))
            || self.attempts().any(is_failed)
            || last_setup(said).is_some_and(|(setup, behind)| {
                setup.is_refused() || (self.is_given_up(setup, behind) && !self.attempts().any(is_opened))
            })
            || self.login_refused().is_some()
            || self.file_refused().is_some()
            || self.accounts().all(|account| account.dialogue.lines.is_empty())
    }

    /// Whether the server announced, and all that the client had to say to it was to announce anew or to leave.
    fn is_given_up(&self, setup: &Said<'_>, behind: &[Said<'_>]) -> bool {
        let leaves = |said: &Said<'_>| matches!(said.verb.as_str(), "QUIT" | "ABOR");
        matches!(setup.verb.as_str(), "PASV" | "EPSV")
            && setup.announces().is_some()
            && behind.iter().all(leaves)
            // With routers' words nothing needs to be read into silence.
            && self.seen.is_none()
    }

    /// The deepest cause that the evidence bears out.
    pub(super) fn why(&self) -> Option<Found> {
        if !self.is_connected() {
            return self.unconnected();
        }
        if let Some(reply) = self.login_refused() {
            return Some(reply_found(Cause::LoginRefused, reply));
        }
        if let Some(reply) = self.file_refused() {
            return Some(reply_found(Cause::FileRefused, reply));
        }
        if let Some(found) = self.passive_peer_refused() {
            return Some(found);
        }
        if !self.is_opened()
            && let Some(found) = self.unopened()
        {
            return Some(found);
        }
        // A server that waits in vain for a data connection leaves as well; then that is what failed.
        let dialled_in_vain = self.seen.is_none() && self.attempts().last().is_some_and(is_failed);
        if let Some(reply) =
            self.accounts().find_map(|it| last_code(&it.dialogue)).filter(|code| *code == 421)
            && !dialled_in_vain
        {
            return Some(reply_found(Cause::SessionEndedByServer, reply));
        }
        // A reply says that both ends still hear each other; what it refuses is no matter of the network. 425 and 426
        // tell of the data connection.
        let last = self.evidence.at_client.and_then(|account| last_code(&account.dialogue));
        if last.is_some_and(|code| code >= 400 && !matches!(code, 425 | 426)) {
            return None;
        }
        self.opened()
    }

    fn login_refused(&self) -> Option<u16> {
        let is_login = |said: &&Said<'_>| matches!(said.verb.as_str(), "USER" | "PASS" | "ACCT");
        self.said().iter().rfind(is_login)?.code().filter(|code| *code >= 400 && *code != 421)
    }

    /// The reply by which a file was refused: to the transfer, or to what the client asked last before it left without
    /// one, as curl does after SIZE.
    fn file_refused(&self) -> Option<u16> {
        let asks = |said: &&Said<'_>| matches!(said.verb.as_str(), "SIZE" | "MDTM" | "CWD");
        let code = match last_transfer(self.said()) {
            Some(transfer) => transfer.code(),
            None => self.said().iter().rfind(|said| said.verb != "QUIT").filter(asks)?.code(),
        };
        code.filter(|code| matches!(code, 450..=452 | 550..=553))
    }

    /// Why there is no control connection.
    fn unconnected(&self) -> Option<Found> {
        let account = self.evidence.at_client.or(self.evidence.at_server)?;
        let control = account.control();
        let details = Details { dialled: control.map(|(_, to)| to), ..Details::default() };
        let found = |cause, router: Option<&str>| {
            let details = Details { router: router.map(str::to_owned), ..details.clone() };
            Some(Found { cause, details })
        };
        let not_answered = || {
            // No dialogue and no word on it: perhaps the material has no control connection at all.
            if account.established == Some(false) { found(Cause::ControlNotAnswered, None) } else { None }
        };
        let (Some(seen), Some((from, to))) = (&self.seen, control) else { return not_answered() };
        if let Some(found) = self.no_room() {
            return Some(found);
        }
        match seen.turned_away(&[to]).map(|ended| ended.end) {
            Some(End::Dropped(router, quirknat_router::reason::DropReason::Hairpinning)) => {
                found(Cause::HairpinningOff, Some(router))
            }
            Some(end @ (End::Dropped(router, _) | End::Rejected(router))) if is_unwanted(end) => {
                found(Cause::ControlPortNotForwarded, Some(router))
            }
            Some(End::Lost(LossReason::PrivateDestination)) => found(Cause::PrivateAddressDialled, None),
            Some(End::Lost(LossReason::NobodyThere)) => found(Cause::ControlNotAnswered, None),
            _ if seen.is_reset(from, to) => found(Cause::ControlRefused, None),
            _ => match seen.lost_for_good() {
                Some(fault) => Some(wire_found(fault)),
                None => not_answered(),
            },
        }
    }

    /// A router that had no room, for whatever connection of the session.
    pub(super) fn no_room(&self) -> Option<Found> {
        let (router, refusal) = self.seen.as_ref()?.translation_refused()?;
        let cause = match refusal {
            TranslationRefusal::TableFull | TranslationRefusal::HostLimit => Cause::TableFull,
            TranslationRefusal::NoPortLeft => Cause::NoPortLeft,
            // Of no connection.
            TranslationRefusal::RemoteTaken => return None,
        };
        let details = Details { router: Some(router.to_owned()), ..Details::default() };
        Some(Found { cause, details })
    }

    /// What would tell more, the most useful first.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        let Evidence { at_client, at_server, network, .. } = self.evidence;
        if self.said().is_empty() {
            wanted.push(Wanted::ControlConnection);
        }
        if at_client.is_none() {
            wanted.push(Wanted::ClientSide);
        }
        if at_server.is_none() {
            wanted.push(Wanted::ServerSide);
        }
        if self.attempts().all(|attempt| attempt.fate == Fate::Unknown) {
            wanted.push(Wanted::DataConnection);
        }
        if network.is_none() {
            wanted.push(Wanted::RouterSide);
        }
        wanted
    }
}

fn is_failed(attempt: &DataAttempt) -> bool {
    matches!(attempt.fate, Fate::Refused | Fate::Unreachable | Fate::NoAnswer)
}

fn is_opened(attempt: &DataAttempt) -> bool {
    attempt.fate == Fate::Opened
}

fn is_complete(attempt: &DataAttempt) -> bool {
    is_opened(attempt) && attempt.ended == Some(Ending::Closed)
}

fn reply_found(cause: Cause, reply: u16) -> Found {
    Found { cause, details: Details { reply: Some(reply), ..Details::default() } }
}

pub(super) fn wire_found(fault: WireFault) -> Found {
    match fault {
        WireFault::Lost => Cause::PacketsLost.into(),
        WireFault::TooBig => Cause::PathMtu.into(),
    }
}

/// Addresses that the public network does not route: RFC 1918, and RFC 6598 behind a carrier's NAT.
pub(super) fn is_private(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || address.is_link_local()
        || address.is_loopback()
        || (first == 100 && second & 0xc0 == 64)
}
