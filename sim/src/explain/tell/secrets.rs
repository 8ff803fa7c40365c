//! Passwords: the argument of PASS is replaced in all octets that are shown, whatever segments it crossed in.

use std::collections::BTreeMap;
use std::ops::Range;

use quirknat_router::packet::TcpFlags;

use super::journeys::{CONTROL, Journey};
use super::sight::{Inner, Segment, Sight, see};
use crate::explain::story::Towards;

/// As much of a stream is looked through, in octets. No honest client logs in behind it.
const LOOKED_THROUGH: usize = 1 << 20;

/// Where passwords are in what a control connection's client sent, by wire. Rewriting moves them.
pub(super) struct Secrets {
    by_wire: BTreeMap<usize, Stream>,
}

/// One wire's view of the client's stream.
#[derive(Default)]
struct Stream {
    /// The number of its first octet.
    start: Option<u32>,
    octets: Vec<u8>,
    secret: Vec<Range<usize>>,
}

impl Secrets {
    pub(super) fn find(journeys: &[Journey<'_>]) -> Self {
        let mut by_wire: BTreeMap<usize, Stream> = BTreeMap::new();
        let sent = journeys
            .iter()
            .filter(|journey| journey.connection == CONTROL && journey.towards == Towards::Server)
            .flat_map(|journey| &journey.hops);
        for hop in sent {
            let Some(sight) = see(&hop.crossing.bytes) else { continue };
            let Some(segment) = sight.segment() else { continue };
            by_wire.entry(hop.crossing.wire).or_default().take(segment, &hop.crossing.bytes);
        }
        by_wire.values_mut().for_each(Stream::look);
        Self { by_wire }
    }

    /// `text` without the passwords that crossed, as a real program's command line has them. Shorter ones than four
    /// characters would take too much of it along.
    pub(super) fn out_of(&self, text: &str) -> String {
        let passwords =
            self.by_wire.values().flat_map(Stream::passwords).filter(|password| password.len() >= 4);
        passwords.fold(text.to_owned(), |text, password| text.replace(&password, "****"))
    }

    /// The packet as it may be shown.
    pub(super) fn masked(&self, wire: usize, connection: usize, towards: Towards, packet: &[u8]) -> Vec<u8> {
        let mut shown = packet.to_vec();
        if connection == CONTROL
            && let Some(sight) = see(packet)
        {
            self.mask(wire, towards == Towards::Server, &sight, 0, &mut shown);
        }
        shown
    }

    /// Masks what is in the packet that begins at `offset`.
    fn mask(&self, wire: usize, is_clients: bool, sight: &Sight, offset: usize, shown: &mut [u8]) {
        match &sight.inner {
            Inner::Tcp(segment) if is_clients => {
                let Some(stream) = self.by_wire.get(&wire) else { return };
                for octet in segment.payload.clone() {
                    if stream.hides(segment, octet)
                        && let Some(octet) = shown.get_mut(offset + octet)
                    {
                        *octet = b'*';
                    }
                }
            }
            // An error quotes what went the other way.
            Inner::Icmp { quoted: Some((quoted, octets)), .. } => {
                self.mask(wire, !is_clients, quoted, offset + octets.start, shown);
            }
            _ => {}
        }
    }
}

impl Stream {
    fn take(&mut self, segment: &Segment, packet: &[u8]) {
        if segment.flags.has(TcpFlags::SYN) {
            self.start = Some(segment.sequence.wrapping_add(1));
        }
        let payload = packet.get(segment.payload.clone()).unwrap_or_default();
        let start = *self.start.get_or_insert(segment.sequence);
        let Ok(at) = usize::try_from(segment.sequence.wrapping_sub(start)) else { return };
        let Some(end) = at.checked_add(payload.len()).filter(|end| *end <= LOOKED_THROUGH) else { return };
        if self.octets.len() < end {
            self.octets.resize(end, 0);
        }
        if let Some(place) = self.octets.get_mut(at..end) {
            place.copy_from_slice(payload);
        }
    }

    fn look(&mut self) {
        let mut start = 0;
        for line in self.octets.split_inclusive(|octet| *octet == b'\n') {
            let text = line.iter().position(|octet| !octet.is_ascii_whitespace()).unwrap_or(line.len());
            let verb = line.get(text..text + 5);
            if verb.is_some_and(|verb| {
                verb.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"PASS"))
                    && verb.get(4).is_some_and(u8::is_ascii_whitespace)
            }) {
                let end =
                    line.iter().rposition(|octet| !matches!(octet, b'\r' | b'\n')).map_or(0, |last| last + 1);
                self.secret.push(start + text + 5..start + end.max(text + 5));
            }
            start += line.len();
        }
    }

    fn passwords(&self) -> impl Iterator<Item = String> {
        let octets = self.secret.iter().filter_map(|secret| self.octets.get(secret.clone()));
        octets.map(|octets| String::from_utf8_lossy(octets).into_owned())
    }

    fn hides(&self, segment: &Segment, octet: usize) -> bool {
        let Some(start) = self.start else { return false };
        let offset = u32::try_from(octet - segment.payload.start).unwrap_or(u32::MAX);
        let Ok(at) = usize::try_from(segment.sequence.wrapping_add(offset).wrapping_sub(start)) else {
            return false;
        };
        self.secret.iter().any(|secret| secret.contains(&at))
    }
}

/// What a program wrote, with the argument of PASS masked wherever a line of its has one.
pub(super) fn masked_output(text: &str) -> String {
    let line = |line: &str| {
        let at = line.match_indices("PASS ").find(|(at, _)| {
            let before = line.get(..*at).and_then(|before| before.chars().next_back());
            before.is_none_or(|character| !character.is_alphanumeric())
        });
        at.and_then(|(at, word)| line.get(..at + word.len()))
            .map_or_else(|| line.to_owned(), |start| format!("{start}****"))
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_in_a_stream_and_nothing_else_is() {
        let octets = b"USER me\r\n pass\ts3cret word\r\nPASS \r\nPASSIVE no\r\nRETR PASS x\r\nPASS unended";
        let mut stream = Stream { start: Some(0), octets: octets.to_vec(), secret: Vec::new() };
        stream.look();
        let found: Vec<&[u8]> = stream.secret.iter().map(|range| &octets[range.clone()]).collect();
        assert_eq!(found, [b"s3cret word".as_slice(), b"", b"unended"]);
        let secrets = Secrets { by_wire: BTreeMap::from([(0, stream)]) };
        assert_eq!(secrets.out_of("curl -u 'me:s3cret word' ftp://x/"), "curl -u 'me:****' ftp://x/");
    }

    #[test]
    fn programs_that_write_their_dialogue_down_are_masked() {
        let written = "> USER me\r\n> PASS s3cret\r\nCOMPASS 5\n---> PASS x";
        assert_eq!(masked_output(written), "> USER me\n> PASS ****\nCOMPASS 5\n---> PASS ****");
    }
}
