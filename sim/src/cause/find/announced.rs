//! Announcements that lead nowhere: why they arrived as they did.

use std::net::SocketAddrV4;

use quirknat_router::alg::{Command, LeftAlone, SyntaxFault};

use super::case::{Case, is_private};
use super::said::{Said, last_setup};
use crate::cause::{Cause, Details, Found};
use crate::session::Account;

impl Case<'_> {
    /// The client's own announcement, where it is at fault.
    pub(super) fn active(&self) -> Option<Found> {
        let sent = last_setup(&self.at_client).map(|(setup, _)| setup).filter(|setup| is_active(setup));
        let received = last_setup(&self.at_server).map(|(setup, _)| setup).filter(|setup| is_active(setup));
        if sent.is_some() && received.is_none() && self.evidence.at_server.is_some() {
            return self.announcement_dropped();
        }
        let setup = received.or(sent)?;
        let announced = setup.announced()?;
        let address = *announced.ip();
        let is_foreign = match (self.known_as(), self.dialled_server()) {
            (Some(known_as), _) => known_as != address,
            (None, Some(server)) => is_private(address) && !is_private(server),
            (None, None) => false,
        };
        let refusal = [sent, received].into_iter().flatten().find(|setup| setup.is_refused());
        let code = refusal.and_then(Said::code);
        let details = Details {
            command: Some(setup.verb.clone()),
            announced: Some(announced),
            known_as: self.known_as(),
            control_port: self.control_port(),
            reply: code.or_else(|| self.transfer_code()).filter(|code| *code >= 400),
            ..Details::default()
        };
        let found = |cause| Some(Found { cause, details: details.clone() });
        if !is_foreign {
            return match code? {
                _ if announced.port() < 1024 => found(Cause::LowPortRefused),
                // Nobody says who is where: it may be foreign to the server all the same.
                _ if is_private(address) && self.known_as().or(self.dialled_server()).is_none() => None,
                500 | 502 | 522 => found(Cause::CommandNotKnown),
                _ => None,
            };
        }
        let dials = Self::attempts_of(self.evidence.at_server).filter_map(|attempt| attempt.to);
        let dials: Vec<SocketAddrV4> = dials.collect();
        let is_dialled = dials.iter().any(|to| *to.ip() == address);
        // In homes with the same subnet both may have the same address: who dials it dials itself, and no wire sees it.
        let is_own_twin = self.client() == self.server();
        let is_told = matches!(self.transfer_code(), Some(425 | 426)) || is_own_twin;
        let not_opened = is_told && dials.is_empty();
        if code.is_none() && !is_dialled && !not_opened {
            return None;
        }
        if self.client() == Some(address) || is_private(address) {
            return Some(self.leaked(Cause::LanAddressInPort, &setup.verb, announced, details));
        }
        // RFC 2577 §3: a low port may be refused as well.
        if code.is_some() && announced.port() >= 1024 { found(Cause::ForeignAddressRefused) } else { None }
    }

    /// The server's 227, where it is at fault.
    pub(super) fn passive(&self) -> Option<Found> {
        let (setup, _) = last_setup(self.said())?;
        if setup.verb == "PORT" || setup.verb == "EPRT" {
            return None;
        }
        if setup.is_refused() {
            let details =
                Details { command: Some(setup.verb.clone()), reply: setup.code(), ..Details::default() };
            let is_unknown = setup.code().is_some_and(|code| matches!(code, 500 | 501 | 502 | 504 | 522));
            return is_unknown.then_some(Found { cause: Cause::CommandNotKnown, details });
        }
        let announced = setup.announced()?;
        let Some(dialled) = self.dialled_server() else { return self.passive_at_server(announced) };
        let is_lans =
            self.server() == Some(*announced.ip()) || (is_private(*announced.ip()) && !is_private(dialled));
        let mut dials =
            Self::attempts_of(self.evidence.at_client).filter_map(|attempt| attempt.to).peekable();
        // Where it is an address of the client's own LAN, perhaps the client's own, no packet crosses a router.
        let is_taken = dials.peek().is_none() || dials.any(|to| to.ip() == announced.ip());
        if *announced.ip() == dialled || !is_lans || !is_taken {
            return None;
        }
        let details = Details {
            command: Some("227".to_owned()),
            announced: Some(announced),
            known_as: Some(dialled),
            control_port: self.control_port(),
            ..Details::default()
        };
        Some(self.leaked(Cause::LanAddressInPassiveReply, "227", announced, details))
    }

    /// A 227 in the server's own account alone: the client is outside, and no data connection came.
    fn passive_at_server(&self, announced: SocketAddrV4) -> Option<Found> {
        let client = self.known_as()?;
        let came = Self::attempts_of(self.evidence.at_server).next().is_some();
        if came || is_private(client) || !is_private(*announced.ip()) {
            return None;
        }
        let details = Details {
            command: Some("227".to_owned()),
            announced: Some(announced),
            control_port: self.control_port(),
            reply: self.transfer_code().filter(|code| *code >= 400),
            ..Details::default()
        };
        Some(self.leaked(Cause::LanAddressInPassiveReply, "227", announced, details))
    }

    /// A LAN's address that got out: as fine as the routers' words make it.
    fn leaked(&self, plain: Cause, command: &str, announced: SocketAddrV4, details: Details) -> Found {
        let Some(seen) = &self.seen else {
            let cause = if self.is_encrypted() { Cause::ControlEncrypted } else { plain };
            return Found { cause, details };
        };
        let is_split = || {
            let sender = self.evidence.at_client.and_then(Account::control);
            let (from, to) = sender.unzip();
            match plain {
                Cause::LanAddressInPort => from.zip(to).is_some_and(|(from, to)| seen.is_split(from, to)),
                _ => false,
            }
        };
        let left = seen.left_alone(Some(announced)).next();
        let blind = || self.is_encrypted().then(|| seen.routers().next()).flatten();
        let Some(router) = left.as_ref().map(|left| left.router).or_else(blind) else {
            let cause = if is_split() { Cause::CommandSplit } else { plain };
            return Found { cause, details };
        };
        let dialect = seen.dialect(router);
        let watched_ports = dialect.map(|dialect| dialect.control_ports.clone()).unwrap_or_default();
        let would_rewrite = dialect.is_some_and(|dialect| {
            let spelled = |known: &Command| known.keyword().eq_ignore_ascii_case(command);
            dialect.commands.iter().any(spelled)
        });
        let is_watched = self.control_port().is_some_and(|port| watched_ports.contains(&port));
        // What cannot be read is to the gateway what is on a port that it does not watch.
        let reason = left.map_or(LeftAlone::NotAControlPort, |left| left.reason);
        let cause = match reason {
            LeftAlone::NotAControlPort if self.is_encrypted() && would_rewrite && is_watched => {
                Cause::ControlEncrypted
            }
            LeftAlone::NotAControlPort
                if is_split() && self.control_port().is_some_and(|port| watched_ports.contains(&port)) =>
            {
                Cause::CommandSplit
            }
            LeftAlone::NotAControlPort if would_rewrite && !watched_ports.is_empty() => {
                Cause::ControlPortNotWatched
            }
            LeftAlone::NotAControlPort | LeftAlone::CommandNotInDialect => match plain {
                Cause::LanAddressInPort if watched_ports.is_empty() => Cause::NoGateway,
                Cause::LanAddressInPort => Cause::CommandNotRewritten,
                other => other,
            },
            LeftAlone::SentFromOutside => plain,
            LeftAlone::KeywordPosition if is_split() => Cause::CommandSplit,
            LeftAlone::KeywordPosition => Cause::KeywordOutOfPlace,
            LeftAlone::LetterCase => Cause::KeywordInOtherLetters,
            LeftAlone::Malformed(SyntaxFault::CutOff) => Cause::CommandSplit,
            LeftAlone::Malformed(_) if is_split() => Cause::CommandSplit,
            LeftAlone::Malformed(_) | LeftAlone::PortZero => Cause::AnnouncementMalformed,
            LeftAlone::ThirdPartyAddress => Cause::ThirdPartyAnnouncement,
            LeftAlone::RefusedPort => Cause::LowPortAnnounced,
            LeftAlone::Encrypted => Cause::ControlEncrypted,
            LeftAlone::BeforeLogin
            | LeftAlone::Foreign
            | LeftAlone::Unasked
            | LeftAlone::SegmentLength
            | LeftAlone::LongLine => Cause::AnnouncementOverlooked,
            LeftAlone::DataPortTaken => Cause::DataPortTaken,
            LeftAlone::NoPortLeft => Cause::NoPortLeft,
            LeftAlone::WouldExceedMtu => Cause::RewriteExceedsMtu,
        };
        // The other causes are the reason itself.
        let says_more = !self.is_encrypted()
            && matches!(
                cause,
                Cause::LanAddressInPassiveReply
                    | Cause::AnnouncementMalformed
                    | Cause::AnnouncementOverlooked
            );
        let details = Details {
            router: Some(router.to_owned()),
            watched_ports,
            because: says_more.then(|| reason.to_string()),
            ..details
        };
        Found { cause, details }
    }

    /// The client announced, and the server never heard of it.
    fn announcement_dropped(&self) -> Option<Found> {
        let (router, refused) = self.seen.as_ref()?.announcement_dropped()?;
        let (sent, _) = last_setup(&self.at_client)?;
        let details = Details {
            command: Some(sent.verb.clone()),
            announced: sent.announced(),
            router: Some(router.to_owned()),
            because: Some(refused.to_string()),
            ..Details::default()
        };
        Some(Found { cause: Cause::AnnouncementDropped, details })
    }
}

fn is_active(setup: &Said<'_>) -> bool {
    matches!(setup.verb.as_str(), "PORT" | "EPRT")
}
