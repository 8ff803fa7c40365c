//! Words and numbers that logs of several programs share.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::session::Fate;
pub(super) use crate::session::is_command;

/// Whether a line begins with an FTP reply's code (RFC 959 §4.2; 6yz are RFC 2228's).
pub(super) fn is_reply(line: &str) -> bool {
    let bytes = line.as_bytes();
    let code = matches!(bytes, [b'1'..=b'6', b'0'..=b'9', b'0'..=b'9', ..]);
    code && matches!(bytes.get(3), None | Some(b' ' | b'-'))
}

/// What became of a connection, in the words of an operating system's error.
pub(super) fn fate(text: &str) -> Option<Fate> {
    let words: [(&str, Fate); 11] = [
        ("timed out", Fate::NoAnswer),
        ("Timed out", Fate::NoAnswer),
        ("ETIMEDOUT", Fate::NoAnswer),
        ("imeout", Fate::NoAnswer),
        ("did not properly respond", Fate::NoAnswer),
        ("refused", Fate::Refused),
        ("REFUSED", Fate::Refused),
        ("No route to host", Fate::Unreachable),
        ("unreachable", Fate::Unreachable),
        ("UNREACH", Fate::Unreachable),
        ("unreachable host", Fate::Unreachable),
    ];
    words.iter().find(|(word, _)| text.contains(word)).map(|(_, fate)| *fate)
}

/// `192.168.1.100 port 58967`, with or without parentheses around the address, anywhere in the text.
pub(super) fn ip_port(text: &str) -> Option<SocketAddrV4> {
    let (before, after) = text.split_once(" port ")?;
    let ip = before.split(|letter: char| !(letter.is_ascii_digit() || letter == '.')).rev().find_map(ipv4)?;
    Some(SocketAddrV4::new(ip, leading_number(after)?))
}

/// The first `192.168.1.100:58967` in the text.
pub(super) fn ip_colon_port(text: &str) -> Option<SocketAddrV4> {
    text.split(|letter: char| !(letter.is_ascii_digit() || ".:".contains(letter)))
        .find_map(|word| word.trim_matches(['.', ':']).parse().ok())
}

/// An address, also one that is written as IPv6 has it (RFC 4291 §2.5.5.2).
pub(super) fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let text = text.strip_prefix("::ffff:").unwrap_or(text);
    text.trim_end_matches('.').parse().ok()
}

/// The digits at the front of a text as a port.
pub(super) fn leading_number(text: &str) -> Option<u16> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text.get(..digits)?.parse().ok()
}

/// What stands between `open` and the next `close` behind it, and what is behind that.
pub(super) fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    text.split_once(open)?.1.split_once(close)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_replies_are_told_from_prose() {
        for line in ["USER a", "quit", "PASV", "PORT 1,2,3,4,5,6"] {
            assert!(is_command(line) && !is_reply(line), "{line}");
        }
        for line in ["220 ready", "220-ready", "200", "631 x"] {
            assert!(is_reply(line) && !is_command(line), "{line}");
        }
        for line in ["", "2200 x", "700 x", "22", "Connected to x", "PORTS", "220x"] {
            assert!(!is_reply(line) && !is_command(line), "{line}");
        }
    }

    #[test]
    fn ends_are_found_in_sentences() {
        let end = Some("192.168.1.100:58967".parse().unwrap());
        assert_eq!(ip_port("Connecting to nas (192.168.1.100) port 58967"), end);
        assert_eq!(ip_port("connect to 192.168.1.100 port 58967 failed: Connection timed out"), end);
        assert_eq!(ip_port("Connecting data socket to (192.168.1.100) port 58967"), end);
        assert_eq!(ip_colon_port("connect to 192.168.1.100:58967 failed: refused."), end);
        assert_eq!(ip_colon_port("Trying 192.168.1.100:58967..."), end);
        assert_eq!((ip_port("no port here"), ip_colon_port("21:50:47 x")), (None, None));
    }

    #[test]
    fn errors_say_what_became_of_a_connection() {
        assert_eq!(fate("Connection timed out"), Some(Fate::NoAnswer));
        assert_eq!(fate("ECONNREFUSED - Connection refused by server"), Some(Fate::Refused));
        assert_eq!(fate("No route to host"), Some(Fate::Unreachable));
        assert_eq!(fate("Success"), None);
    }
}
