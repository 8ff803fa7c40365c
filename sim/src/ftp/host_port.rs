//! Addresses as FTP writes them: `h1,h2,h3,h4,p1,p2` (RFC 959 §4.1.2) and `|1|address|port|` (RFC 2428 §2).

use std::net::{Ipv4Addr, SocketAddrV4};

use thiserror::Error;

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HostPortError {
    /// No digit, or not as many numbers as an address has.
    #[error("not an address and a port")]
    Malformed,
    /// A number above 255, or a port above 65535.
    #[error("a number is out of range")]
    OutOfRange,
    /// An address family other than IPv4 in an extended address (RFC 2428 §2).
    #[error("an address family other than IPv4")]
    Family,
}

/// `192,168,1,100,65,43` for 192.168.1.100:16683.
pub fn format_host_port(address: SocketAddrV4) -> String {
    let [a, b, c, d] = address.ip().octets();
    let [high, low] = address.port().to_be_bytes();
    format!("{a},{b},{c},{d},{high},{low}")
}

/// Reads the argument of a PORT command: the six numbers and nothing else.
pub fn parse_host_port(text: &str) -> Result<SocketAddrV4, HostPortError> {
    let mut numbers = [0_u8; 6];
    let mut fields = text.split(',');
    for number in &mut numbers {
        *number = octet(fields.next().ok_or(HostPortError::Malformed)?)?;
    }
    if fields.next().is_some() {
        return Err(HostPortError::Malformed);
    }
    let [a, b, c, d, high, low] = numbers;
    Ok(SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])))
}

/// Finds the address in the text of a 227 reply: it begins at the first digit, with or without a parenthesis
/// (RFC 1123 §4.1.2.6), and ends where the digits and commas end.
pub fn find_host_port(text: &str) -> Result<SocketAddrV4, HostPortError> {
    let from_digit = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = from_digit.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(from_digit.len());
    parse_host_port(from_digit.get(..end).unwrap_or_default().trim_end_matches(','))
}

/// `|1|192.168.1.100|16683|`, the argument of an EPRT command.
pub(super) fn format_extended(address: SocketAddrV4) -> String {
    format!("|1|{}|{}|", address.ip(), address.port())
}

/// Reads the argument of an EPRT command: any delimiter, but four times the same (RFC 2428 §2).
pub fn parse_extended(text: &str) -> Result<SocketAddrV4, HostPortError> {
    let [family, host, port] = extended_fields(text)?;
    if family != "1" {
        return Err(HostPortError::Family);
    }
    Ok(SocketAddrV4::new(host.parse().map_err(|_| HostPortError::Malformed)?, port_number(port)?))
}

/// Finds the port in the text of a 229 reply, `… (|||40474|)` (RFC 2428 §3).
pub fn find_extended_port(text: &str) -> Result<u16, HostPortError> {
    let (_, from_parenthesis) = text.split_once('(').ok_or(HostPortError::Malformed)?;
    let (inside, _) = from_parenthesis.split_once(')').ok_or(HostPortError::Malformed)?;
    let [_, _, port] = extended_fields(inside)?;
    port_number(port)
}

fn extended_fields(text: &str) -> Result<[&str; 3], HostPortError> {
    let mut chars = text.chars();
    let delimiter = chars.next().ok_or(HostPortError::Malformed)?;
    let mut fields = chars.as_str().split(delimiter);
    match (fields.next(), fields.next(), fields.next(), fields.next(), fields.next()) {
        (Some(family), Some(host), Some(port), Some(""), None) => Ok([family, host, port]),
        _ => Err(HostPortError::Malformed),
    }
}

fn octet(text: &str) -> Result<u8, HostPortError> {
    all_digits(text)?.parse().map_err(|_| HostPortError::OutOfRange)
}

fn port_number(text: &str) -> Result<u16, HostPortError> {
    all_digits(text)?.parse().map_err(|_| HostPortError::OutOfRange)
}

/// The standard parser would also take a plus sign.
fn all_digits(text: &str) -> Result<&str, HostPortError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { Ok(text) } else { Err(HostPortError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> SocketAddrV4 {
        text.parse().unwrap()
    }

    #[test]
    fn the_example_of_the_article_is_port_16683() {
        assert_eq!(parse_host_port("12,34,56,78,65,43"), Ok(address("12.34.56.78:16683")));
        assert_eq!(format_host_port(address("192.168.1.100:16683")), "192,168,1,100,65,43");
    }

    #[test]
    fn a_port_argument_has_six_octets_and_nothing_else() {
        use HostPortError::{Malformed, OutOfRange};
        for (text, error) in [
            ("", Malformed),
            ("1,2,3,4,5", Malformed),
            ("1,2,3,4,5,6,7", Malformed),
            ("1,2,3,4,5,6 ", Malformed),
            ("1,2,3,4,+5,6", Malformed),
            ("1,2,3,4,-5,6", Malformed),
            ("1,2,3,,5,6", Malformed),
            ("1,2,3,256,5,6", OutOfRange),
            ("1,2,3,4,5,99999999999999999999", OutOfRange),
        ] {
            assert_eq!(parse_host_port(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_227_is_read_from_its_first_digit_with_or_without_parentheses() {
        let expected = Ok(address("123.45.67.89:40474"));
        for text in [
            "Entering Passive Mode (123,45,67,89,158,26)",
            "Entering Passive Mode (123,45,67,89,158,26).",
            "Entering Passive Mode 123,45,67,89,158,26",
            "=123,45,67,89,158,26",
            "Entering Passive Mode. 123,45,67,89,158,26, have fun",
        ] {
            assert_eq!(find_host_port(text), expected, "{text}");
        }
        assert!(find_host_port("Entering Passive Mode").is_err());
        assert!(find_host_port("Passive (1,2,3)").is_err());
    }

    #[test]
    fn extended_addresses_may_choose_their_delimiter() {
        let expected = Ok(address("132.235.1.2:6275"));
        assert_eq!(parse_extended("|1|132.235.1.2|6275|"), expected);
        assert_eq!(parse_extended("!1!132.235.1.2!6275!"), expected);
        assert_eq!(parse_extended("|2|::1|6275|"), Err(HostPortError::Family));
        assert_eq!(parse_extended("|1|132.235.1.2|6275"), Err(HostPortError::Malformed));
        assert_eq!(parse_extended("|1|132.235.1.2|65536|"), Err(HostPortError::OutOfRange));
        assert_eq!(find_extended_port("Entering Extended Passive Mode (|||6446|)"), Ok(6446));
        assert!(find_extended_port("Entering Extended Passive Mode |||6446|").is_err());
    }

    proptest! {
        #[test]
        fn every_address_survives_both_notations(ip: u32, port: u16) {
            let address = SocketAddrV4::new(Ipv4Addr::from_bits(ip), port);
            prop_assert_eq!(parse_host_port(&format_host_port(address)), Ok(address));
            prop_assert_eq!(parse_extended(&format_extended(address)), Ok(address));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = find_host_port(&text);
            let _ = parse_extended(&text);
            let _ = find_extended_port(&text);
        }
    }
}
