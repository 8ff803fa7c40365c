//! What a packet says, in lines: its flags and ends, or the text that it carries.

use quirknat_router::packet::TcpFlags;

use super::sight::{Inner, Segment, Sight};
use crate::explain::story::{Line, Part, Towards};
use crate::ftp::masked;
use crate::session::{Announcement, begins_tls};

/// So many lines of one segment are shown.
const LINES: usize = 12;

/// The lines of a packet, whose bytes are `shown`.
pub(super) fn lines(sight: &Sight, part: Part, towards: Towards, again: bool, shown: &[u8]) -> Vec<Line> {
    let mut lines = match &sight.inner {
        Inner::Tcp(segment) if !segment.payload.is_empty() && part == Part::Control => {
            let payload = shown.get(segment.payload.clone()).unwrap_or_default();
            let mut lines = dialogue(payload, towards);
            if let (Some(flags), Some(last)) = (closing(segment.flags), lines.last_mut()) {
                last.text = format!("{} [{flags}]", last.text);
            }
            lines
        }
        Inner::Tcp(segment) => tcp(sight, segment, part).into_iter().map(plain).collect(),
        Inner::Icmp { kind, code, quoted } => {
            let mut lines = vec![plain(format!("ICMP {} from {}", icmp_name(*kind, *code), sight.source))];
            lines.extend(quoted.as_ref().map(|(quoted, _)| plain(format!("about {}", self::quoted(quoted)))));
            lines
        }
        Inner::Other => vec![plain(format!("{} > {}", sight.source, sight.destination))],
    };
    if again && let Some(first) = lines.first_mut() {
        first.text = format!("(again) {}", first.text);
    }
    lines
}

fn plain(text: String) -> Line {
    Line { text, ..Line::default() }
}

/// The text of a control connection's segment. A line without its end goes on in another segment.
fn dialogue(payload: &[u8], towards: Towards) -> Vec<Line> {
    if let Some(what) = no_text(payload) {
        return vec![plain(format!("{what}: {} octets", thousands(payload.len())))];
    }
    let text = String::from_utf8_lossy(payload);
    let mut lines: Vec<Line> = Vec::new();
    for line in text.split_inclusive('\n') {
        let whole = line.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let text = whole.map_or_else(|| format!("{line} …"), |line| shown_line(line, towards));
        let announces = whole.and_then(|line| announced(line, towards));
        lines.push(Line { text, rewritten: Vec::new(), announces });
    }
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.truncate(LINES);
        lines.push(plain(format!("… {more} more lines")));
    }
    lines
}

/// What a payload is that holds no lines, so that its octets would tell a reader nothing.
fn no_text(payload: &[u8]) -> Option<&'static str> {
    let unprintable = payload.iter().filter(|octet| octet.is_ascii_control() && !b"\r\n\t".contains(octet));
    if begins_tls(payload) {
        Some("control, encrypted (TLS)")
    } else if unprintable.count() > payload.len() / 8 {
        Some("control, no text")
    } else {
        None
    }
}

/// A password in one segment is masked as in logs; else each of its octets was.
fn shown_line(line: &str, towards: Towards) -> String {
    if towards == Towards::Server { masked(line) } else { line.to_owned() }
}

/// An announced endpoint, worked out.
pub(super) fn announced(line: &str, towards: Towards) -> Option<String> {
    let announcement = match towards {
        Towards::Server => Announcement::of_command(line),
        Towards::Client => Announcement::of_reply(line),
    }?;
    Some(match announcement {
        Announcement::Port(end) | Announcement::Passive(end) => {
            let [high, low] = end.port().to_be_bytes();
            format!("{end}, since {high} × 256 + {low} = {}", end.port())
        }
        Announcement::ExtendedPort(end) => end.to_string(),
        Announcement::ExtendedPassive(port) => {
            format!("port {port}, at the address of the control connection")
        }
    })
}

fn tcp(sight: &Sight, segment: &Segment, part: Part) -> Vec<String> {
    let name = match part {
        Part::Control => "control",
        Part::Data | Part::Icmp => "data",
    };
    let length = segment.payload.len();
    if length > 0 {
        let closing = closing(segment.flags).map(|flags| format!(" [{flags}]")).unwrap_or_default();
        return vec![format!("{name}: {} octets{closing}", thousands(length))];
    }
    let mut lines = vec![format!("{name} {}", flags(segment.flags))];
    if segment.flags.has(TcpFlags::SYN) {
        lines.extend(sight.ends().map(|(from, to)| format!("{from} > {to}")));
    }
    lines
}

fn closing(flags: TcpFlags) -> Option<String> {
    let wanted = TcpFlags(flags.0 & (TcpFlags::FIN | TcpFlags::RST));
    (wanted.0 != 0).then(|| self::flags(wanted))
}

/// Flags as packets' text has them; PSH, which means nothing to a reader, is left out.
pub(super) fn flags(flags: TcpFlags) -> String {
    const NAMES: [(u8, &str); 5] = [
        (TcpFlags::SYN, "SYN"),
        (TcpFlags::FIN, "FIN"),
        (TcpFlags::RST, "RST"),
        (TcpFlags::PSH, "PSH"),
        (TcpFlags::ACK, "ACK"),
    ];
    let names: Vec<&str> = NAMES.iter().filter(|(bit, _)| flags.has(*bit)).map(|(_, name)| *name).collect();
    if names.is_empty() { "no flags".to_owned() } else { names.join(",") }
}

/// What an ICMP error is about.
pub(super) fn quoted(quoted: &Sight) -> String {
    match quoted.ends() {
        Some((from, to)) => format!("{from} > {to}"),
        None => format!("{} > {}", quoted.source, quoted.destination),
    }
}

pub(super) fn icmp_name(kind: u8, code: u8) -> String {
    let name = match (kind, code) {
        (0, _) => "echo reply",
        (3, 0) => "net unreachable",
        (3, 1) => "host unreachable",
        (3, 2) => "protocol unreachable",
        (3, 3) => "port unreachable",
        (3, 4) => "fragmentation needed",
        (3, 13) => "prohibited",
        (3, _) => "destination unreachable",
        (8, _) => "echo request",
        (11, _) => "time exceeded",
        _ => return format!("type {kind}, code {code}"),
    };
    name.to_owned()
}

/// A number with its digits in groups of three.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_are_worked_out() {
        let port = announced("PORT 192,168,1,100,65,43", Towards::Server);
        assert_eq!(port.as_deref(), Some("192.168.1.100:16683, since 65 × 256 + 43 = 16683"));
        let passive = announced("229 Entering Extended Passive Mode (|||40474|)", Towards::Client);
        assert_eq!(passive.as_deref(), Some("port 40474, at the address of the control connection"));
        assert_eq!(announced("PORT 192,168,1,100,65,43", Towards::Client), None);
    }

    #[test]
    fn lines_that_go_on_elsewhere_say_so() {
        let texts = |payload: &[u8]| -> Vec<String> {
            dialogue(payload, Towards::Server).into_iter().map(|line| line.text).collect()
        };
        assert_eq!(texts(b"USER me\r\nPORT 192,168"), ["USER me", "PORT 192,168 …"]);
        assert_eq!(texts(b"\x17\x03\x03\0\x02ab"), ["control, encrypted (TLS): 7 octets"]);
        assert_eq!(texts(b"\0\x01\x02ab"), ["control, no text: 5 octets"]);
        assert_eq!(texts(b"STOR \xff\xfe.txt\r\n"), ["STOR \u{fffd}\u{fffd}.txt"]);
        assert_eq!(texts(&b"NOOP\r\n".repeat(20)).last().unwrap(), "… 8 more lines");
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(thousands(1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!(thousands(100), "100");
    }
}
