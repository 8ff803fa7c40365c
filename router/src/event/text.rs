//! Events in words: one line each, for logs and the comments of captures.

use std::fmt;

use super::{
    Answer, EventKind, ForwardEnd, Interface, OpeningEnd, OpeningRefusal, Origin, Passage, TranslationEnd,
    TranslationRefusal,
};

impl fmt::Display for EventKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PacketForwarded { egress, translation, passage } => {
                write!(out, "{} to {egress}", passage_text(*passage))?;
                translation.map_or(Ok(()), |serial| write!(out, " (translation {serial})"))
            }
            Self::PacketDropped { reason, .. } => write!(out, "dropped: {reason}"),
            Self::PacketAnswered { answer, to } => {
                write!(out, "answered with {} to {to}", answer_text(*answer))
            }
            Self::FragmentHeld { identification, .. } => {
                write!(out, "fragment of packet {identification} waits for its first one")
            }
            Self::SynHeld { source, destination, answered_s } => {
                write!(out, "SYN from {source} to {destination} waits for its answer until {answered_s} s")
            }
            Self::TranslationCreated { translation, protocol, inside, external, remote, origin } => write!(
                out,
                "translation {translation} created: {protocol} {inside} is {external} towards {remote} ({})",
                origin_text(*origin)
            ),
            Self::TranslationRefreshed { translation, expires_s } => {
                write!(out, "translation {translation} refreshed until {expires_s} s")
            }
            Self::ControlKept { translation, expires_s } => {
                write!(out, "translation {translation} kept until {expires_s} s for its data connections")
            }
            Self::TranslationRefused { protocol, inside, remote, reason } => {
                write!(out, "no translation for {protocol} {inside} to {remote}: {}", refusal_text(*reason))
            }
            Self::TranslationEnded { translation, reason } => {
                write!(out, "translation {translation} ended: {}", end_text(*reason))
            }
            Self::ForwardOpened { forward, control, external, target, allowed, expires_s } => {
                write!(
                    out,
                    "forward {forward} opened for control connection {control}: {external} leads to {target} for \
                     {allowed} until "
                )?;
                match expires_s {
                    Some(expires_s) => write!(out, "{expires_s} s"),
                    None => out.write_str("the control connection ends"),
                }
            }
            Self::ForwardRefreshed { forward, expires_s } => {
                write!(out, "forward {forward} refreshed until {expires_s} s")
            }
            Self::ForwardUsed { forward, translation } => {
                write!(out, "forward {forward} used by translation {translation}")
            }
            Self::ForwardEnded { forward, reason } => {
                write!(out, "forward {forward} ended: {}", forward_end_text(*reason))
            }
            Self::PortsOpened { opening, protocol, ports, target, origin, expires_s } => {
                let why = match origin {
                    Origin::Triggered => "triggered",
                    Origin::UpnpIgd => "asked for by UPnP",
                    _ => "asked for",
                };
                write!(out, "opening {opening}, {why}: {protocol} {ports} leads to {target} ")?;
                write_expiry(out, *expires_s)
            }
            Self::PortsRefreshed { opening, expires_s } => {
                write!(out, "opening {opening} lives ")?;
                write_expiry(out, *expires_s)
            }
            Self::PortsRefused { protocol, target, wanted, reason } => {
                let why = match reason {
                    OpeningRefusal::TooMany => "as many are open as may be",
                    OpeningRefusal::NoPortLeft => "no external port is free",
                    OpeningRefusal::PortTaken => "the port is taken",
                    OpeningRefusal::ForAnotherHost => "another host asks for it",
                    OpeningRefusal::NotForGood => "only what is open for good is granted",
                };
                write!(out, "no opening of {protocol} {wanted} for {target}: {why}")
            }
            Self::PortsClosed { opening, reason } => {
                let why = match reason {
                    OpeningEnd::Expired => "expired",
                    OpeningEnd::Deleted => "its host closed it",
                    OpeningEnd::Replaced => "replaced by another for the same port",
                };
                write!(out, "opening {opening} closed: {why}")
            }
            Self::CommandRewritten { before, after, .. } => {
                write!(out, "announcement rewritten: `{before}` leaves as `{after}`")
            }
            Self::LineHeld { octets, .. } => {
                write!(out, "{octets} octets of a line held until it is complete")
            }
            Self::CommandMasked { before, after, .. } => {
                write!(out, "command made unreadable: `{before}` leaves as `{after}`")
            }
            Self::CommandLeftAlone { line: Some(line), reason, .. } => {
                write!(out, "announcement left alone: `{line}`, since {reason}")
            }
            Self::CommandLeftAlone { line: None, reason, .. } => {
                write!(out, "announcement left alone, since {reason}")
            }
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(answer_text(*self))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(origin_text(*self))
    }
}

impl fmt::Display for TranslationEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(end_text(*self))
    }
}

impl fmt::Display for ForwardEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(forward_end_text(*self))
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lan(port) => write!(out, "lan{port}"),
            Self::Wan => out.write_str("wan"),
        }
    }
}

fn write_expiry(out: &mut fmt::Formatter<'_>, expires_s: Option<u32>) -> fmt::Result {
    match expires_s {
        Some(seconds) => write!(out, "until {seconds} s"),
        None => out.write_str("for good"),
    }
}

fn passage_text(passage: Passage) -> &'static str {
    match passage {
        Passage::Translated => "translated",
        Passage::IcmpErrorTranslated => "ICMP error translated with its quote",
        Passage::FragmentTranslated => "fragment translated as its first one",
        Passage::Hairpinned => "hairpinned",
        Passage::Switched => "switched",
        Passage::Routed => "routed",
    }
}

fn answer_text(answer: Answer) -> &'static str {
    match answer {
        Answer::EchoReply => "echo reply",
        Answer::TimeExceeded => "time exceeded",
        Answer::ProtocolUnreachable => "protocol unreachable",
        Answer::PortUnreachable => "port unreachable",
        Answer::FragmentationNeeded => "fragmentation needed",
        Answer::Prohibited => "administratively prohibited",
        Answer::HostUnreachable => "host unreachable",
        Answer::Reset => "reset",
        Answer::NatPmp => "NAT-PMP response",
        Answer::Ssdp => "SSDP response",
        Answer::UpnpIgd => "UPnP-IGD segment",
    }
}

fn origin_text(origin: Origin) -> &'static str {
    match origin {
        Origin::Outbound => "outbound",
        Origin::Mapping => "admitted to a mapping",
        Origin::AlgForward => "through the gateway's forward",
        Origin::StaticForward => "through a forward of the user's",
        Origin::Requested => "through a port that the host asked for",
        Origin::UpnpIgd => "through a port asked for by UPnP",
        Origin::Triggered => "through a port that the host triggered",
        Origin::DmzHost => "to the DMZ host",
    }
}

fn refusal_text(reason: TranslationRefusal) -> &'static str {
    match reason {
        TranslationRefusal::TableFull => "the table is full",
        TranslationRefusal::HostLimit => "its host has as many as one may have",
        TranslationRefusal::NoPortLeft => "no external port is free",
        TranslationRefusal::RemoteTaken => "another host has one to the same remote",
    }
}

fn end_text(reason: TranslationEnd) -> &'static str {
    match reason {
        TranslationEnd::Expired => "expired",
        TranslationEnd::Evicted => "evicted for a new one",
        TranslationEnd::Replaced => "replaced by one between the same ends",
        TranslationEnd::PortTakenOver => "another host took its external port over",
        TranslationEnd::Reset => "reset",
        TranslationEnd::Closed => "closed by both ends",
        TranslationEnd::SessionRefused => "the gateway ended the session",
    }
}

fn forward_end_text(reason: ForwardEnd) -> &'static str {
    match reason {
        ForwardEnd::Expired => "expired",
        ForwardEnd::UsedUp => "used up",
        ForwardEnd::Replaced => "replaced by a newer one",
        ForwardEnd::ControlEnded => "its control connection ended",
    }
}
