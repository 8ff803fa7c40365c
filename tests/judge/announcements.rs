//! Where an announcement says that its sender listens, read loosely: whatever a router made of it, what is in the line
//! is dialled.

use std::net::{Ipv4Addr, SocketAddrV4};

/// The endpoint of the first PORT, EPRT, 227 or 229 line in a payload; a 229 says no address, and means `sender`.
pub fn announced(payload: &[u8], sender: Ipv4Addr) -> Option<SocketAddrV4> {
    payload.split(|octet| *octet == b'\n').find_map(|line| in_line(&String::from_utf8_lossy(line), sender))
}

fn in_line(line: &str, sender: Ipv4Addr) -> Option<SocketAddrV4> {
    let upper = line.to_ascii_uppercase();
    if let Some(at) = upper.find("EPRT ").map(|at| at + 5).or_else(|| upper.starts_with("229").then_some(3)) {
        return extended(&line[at..], sender);
    }
    let at = upper.find("PORT ").map(|at| at + 5).or_else(|| upper.starts_with("227").then_some(3))?;
    let digits = &line[at..];
    let start = digits.find(|character: char| character.is_ascii_digit())?;
    let mut numbers = digits[start..]
        .split(|character: char| !character.is_ascii_digit())
        .map_while(|number| number.parse::<u8>().ok());
    let mut next = || numbers.next();
    let address = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    let port = u16::from(next()?) << 8 | u16::from(next()?);
    Some(SocketAddrV4::new(address, port))
}

/// `|1|192.168.1.100|50000|` or `(|||50000|)` with any delimiter.
fn extended(text: &str, sender: Ipv4Addr) -> Option<SocketAddrV4> {
    let text = text.split_once('(').map_or(text, |(_, behind)| behind);
    let delimiter = text.chars().next()?;
    let mut fields = text.split(delimiter).skip(1);
    let (_, address, port) = (fields.next()?, fields.next()?, fields.next()?);
    let address = if address.is_empty() { sender } else { address.parse().ok()? };
    Some(SocketAddrV4::new(address, port.parse().ok()?))
}
