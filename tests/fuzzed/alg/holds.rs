//! What holds of every decision, whatever was said.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

use quirknat_alg::{
    Announcement, AnnouncementsFrom, Command, Decision, Dialect, KeywordPosition, LeftAlone, LongLine,
    Malformed, MaskCommandsFrom, Opening, PortZero, Refused, RefusedPort, Replacement, RestOfSegment, Role,
    Segment, Side, Strictness, ThirdParty, WrongRole, may_announce,
};

/// What rewritten announcements name here.
const NAMED: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 7), 40001);

/// What `dialect` decides on `segment`, of a connection whose `inside` end is on the LAN.
pub(super) fn of(dialect: &Dialect, inside: Role, segment: &Segment<'_>, decisions: &[Decision]) {
    if dialect.keyword_position != KeywordPosition::AnyLineStart {
        assert!(decisions.len() <= 1, "one decision for a segment: {decisions:?}");
    }
    let watched = dialect.watches(segment.client_port, segment.server_port);
    for decision in decisions {
        if !matches!(decision, Decision::LeaveAlone { .. }) {
            assert!(watched && dialect.handles(inside), "it has nothing to say here: {decision:?}");
        }
        match decision {
            Decision::LeaveAlone { announcement, reason } => {
                assert_eq!(*reason == LeftAlone::NotAControlPort, !watched, "{reason:?}");
                if let Some(found) = announcement {
                    lies_within(dialect, segment, found);
                }
            }
            Decision::Refuse(refused) => {
                assert_eq!(decisions.len(), 1, "what is dropped is not rewritten besides");
                assert!(drops(dialect, *refused), "{refused:?}");
            }
            Decision::EndSession(refused) => {
                assert_eq!(decisions.len(), 1, "what is dropped is not rewritten besides");
                assert!(ends(dialect, *refused), "{refused:?}");
            }
            Decision::Open(opening) => opened(dialect, segment, opening),
            Decision::Restate(found) => {
                assert_eq!(segment.side, Side::Outside, "what is inside needs a forward");
                assert_eq!(dialect.announcements_from, AnnouncementsFrom::EitherSide);
                rewritten(dialect, segment, found);
            }
            Decision::RewriteOnly(found) => {
                let port = found.endpoint.port();
                let is_zero = port == 0 && dialect.port_zero == PortZero::RewriteOnly;
                let is_refused =
                    is_refused(dialect, port) && dialect.refused_port == RefusedPort::RewriteOnly;
                assert!(is_zero || is_refused, "only of ports that are refused");
                rewritten(dialect, segment, found);
            }
            Decision::Mask(masking) => {
                assert!(dialect.mask_commands.contains(&masking.command));
                let unmasked = match segment.side {
                    Side::Inside => MaskCommandsFrom::Outside,
                    Side::Outside => MaskCommandsFrom::Inside,
                };
                assert_ne!(dialect.mask_commands_from, unmasked);
                let word = &segment.bytes[masking.span.clone()];
                assert!(word.eq_ignore_ascii_case(masking.command.keyword().as_bytes()));
                assert_eq!(word.len(), masking.command.masked().len());
                assert!(masking.span.start >= segment.read_from, "what was read counts no more");
            }
        }
    }
}

/// A forward keeps to the dialect's limits.
fn opened(dialect: &Dialect, segment: &Segment<'_>, opening: &Opening) {
    let (announced, target) = (opening.announcement.endpoint, opening.target);
    assert_eq!(segment.side, Side::Inside, "nothing is opened for what is outside");
    assert_eq!(target.port(), announced.port());
    assert!(!is_refused(dialect, target.port()), "{target} is of a refused port");
    assert!(target.port() != 0 || dialect.port_zero == PortZero::Accept, "{target}");
    match dialect.third_party {
        ThirdParty::Accept => assert_eq!(target, announced),
        ThirdParty::UseSender => assert_eq!(*target.ip(), segment.sender),
        ThirdParty::DropUnlessExternal => {
            assert_eq!(*target.ip(), segment.sender);
            assert!([segment.sender, segment.external].contains(announced.ip()), "{announced}");
        }
        ThirdParty::Pass | ThirdParty::Drop | ThirdParty::EndSession => {
            assert_eq!((*target.ip(), *announced.ip()), (segment.sender, segment.sender));
        }
    }
    assert_eq!(opening.terms, dialect.terms);
    rewritten(dialect, segment, &opening.announcement);
}

/// What is rewritten is the dialect's to rewrite, and leaves as it says.
fn rewritten(dialect: &Dialect, segment: &Segment<'_>, found: &Announcement) {
    assert!(dialect.commands.contains(&found.command), "{found:?}");
    assert!(dialect.payload_lengths.contains(segment.bytes.len()));
    lies_within(dialect, segment, found);
    let Replacement { span, text, lost } = found.replacement(NAMED, segment.bytes);
    let places = [span.start, span.end, lost.start, lost.end, segment.bytes.len()];
    assert!(places.is_sorted(), "{span:?} and {lost:?} of {found:?}");
    let left = [&segment.bytes[..span.start], text.as_bytes(), &segment.bytes[span.end..lost.start]].concat();
    let left = [&left, &segment.bytes[lost.end..]].concat();
    assert_eq!(left.len(), segment.bytes.len() - span.len() - lost.len() + text.len());
    let ([a, b, c, d], [high, low]) = (NAMED.ip().octets(), NAMED.port().to_be_bytes());
    let named = match found.command {
        Command::Port | Command::Reply227 => format!("{a},{b},{c},{d},{high},{low}"),
        Command::Eprt | Command::Reply229 => NAMED.port().to_string(),
    };
    if dialect.rest_of_segment == RestOfSegment::KeepPort {
        let by_commas = format!("{a},{b},{c},{d}");
        assert!(["", &by_commas, &NAMED.ip().to_string()].contains(&text.as_str()), "{text:?} of {found:?}");
        return;
    }
    assert!(text.contains(&named), "{text:?} names {NAMED}");
    assert!(found.rewritten_line(NAMED, segment.bytes).contains(&named));
}

fn lies_within(dialect: &Dialect, segment: &Segment<'_>, found: &Announcement) {
    let (line, Range { start, end }) = (&found.line, found.span.clone());
    // The letter that a gateway does without may stand among what was read before.
    let is_tail = dialect.keyword_position == KeywordPosition::TailAnywhere;
    let unread = segment.read_from.saturating_sub(usize::from(is_tail));
    let places = [unread, line.start, start, end, line.end, segment.bytes.len()];
    assert!(places.is_sorted(), "{found:?} in {} octets", segment.bytes.len());
    assert!(is_tail || line.start > 0 || may_announce(segment.bytes), "the first look misses {found:?}");
}

fn is_refused(dialect: &Dialect, port: u16) -> bool {
    dialect.refused_ports.iter().any(|range| range.contains(port))
}

fn drops(dialect: &Dialect, refused: Refused) -> bool {
    match refused {
        Refused::Malformed(_) => dialect.malformed == Malformed::Drop,
        Refused::ThirdPartyAddress => {
            matches!(dialect.third_party, ThirdParty::Drop | ThirdParty::DropUnlessExternal)
        }
        Refused::RefusedPort => dialect.refused_port == RefusedPort::Drop,
        Refused::PortZero => dialect.port_zero == PortZero::Drop,
        Refused::WrongRole | Refused::Pipelined | Refused::NoDataPort | Refused::LongLine => false,
    }
}

fn ends(dialect: &Dialect, refused: Refused) -> bool {
    match refused {
        Refused::Malformed(_) => dialect.malformed == Malformed::EndSession,
        Refused::ThirdPartyAddress => dialect.third_party == ThirdParty::EndSession,
        Refused::RefusedPort => dialect.refused_port == RefusedPort::EndSession,
        Refused::PortZero => dialect.port_zero == PortZero::EndSession,
        Refused::WrongRole => dialect.wrong_role == WrongRole::EndSession,
        Refused::Pipelined => dialect.pipelining == Strictness::EndSession,
        Refused::LongLine => dialect.long_line == LongLine::EndSession,
        Refused::NoDataPort => false,
    }
}
